// Reads one segment file group by group, and searches what does not read for messages that prove more was there.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/local_disk.h"
#include "arc/model/lsn.h"
#include "arc/wal/group_decoder.h"
#include "arc/wal/message_frame.h"

namespace arc {

// How a segment goes on behind its last complete group.
struct SegmentTail {
  bool clean = true;      // end marker, never written, end of file, or a recycled file's old content
  int64_t cut_bytes = 0;  // of an unfinished group, as far as can be told; 0 when clean
};

// Not thread-safe. Bytes of the file's earlier life (first LSN below the segment's base, or another epoch) are never
// taken for data.
class SegmentReader {
 public:
  static Result<std::unique_ptr<SegmentReader>> Open(LocalDisk& disk, const std::string& path, Lsn base);

  // The complete group that starts at `offset`, nothing if there is none. Valid until the next call.
  Result<std::optional<GroupView>> ReadGroup(int64_t offset);
  // The first message head at or behind `offset` that is whole, stands where it was written, belongs to this life and
  // is wanted. Bodies are not looked at. One pass over the file, however many candidates there are.
  Result<std::optional<MessageFrame>> FindFrame(int64_t offset, const std::function<bool(const MessageFrame&)>& wanted);
  Result<SegmentTail> ExamineTail(int64_t offset);

  int64_t size() const { return size_; }
  // Of the groups read so far; 0 before the first.
  uint64_t epoch() const { return epoch_; }

 private:
  SegmentReader(std::unique_ptr<DiskFile> file, int64_t size, Lsn base)
      : file_(std::move(file)), size_(size), base_(base) {}
  // The frame of the head at `offset`, whatever life it is of.
  Result<std::optional<MessageFrame>> ReadFrame(int64_t offset);
  bool OfThisLife(const MessageFrame& frame, int64_t offset) const;
  Result<bool> Fill(int64_t offset, int64_t bytes, std::vector<uint8_t>* buffer);

  std::unique_ptr<DiskFile> file_;
  const int64_t size_;
  const Lsn base_;
  uint64_t epoch_ = 0;
  std::vector<uint8_t> head_;
  std::vector<uint8_t> group_;
};

}  // namespace arc
