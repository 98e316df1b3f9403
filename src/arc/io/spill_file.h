// A stream of bytes kept until they are known to be wanted: in memory while they are few, then in a nameless file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/local_disk.h"

namespace arc {

// For one thread. The file has no name from the start, so nothing of it outlives the process.
class SpillFile {
 public:
  static constexpr size_t kMemoryBytes = 4 << 20;

  // `folder` must be there by the time of an Append that spills; `disk` must outlive this.
  SpillFile(LocalDisk& disk, std::string folder) : disk_(disk), folder_(std::move(folder)) {}

  // kDiskFull, kUnavailable; after an error the contents are lost.
  Status Append(std::string_view bytes);
  int64_t bytes() const { return file_bytes_ + static_cast<int64_t>(memory_.size()); }
  // Hands everything to `take` in order, in pieces of at most kMemoryBytes, until it fails.
  Status ForEachPiece(const std::function<Status(std::string_view)>& take);

 private:
  Status SpillMemory();

  LocalDisk& disk_;
  const std::string folder_;
  std::string memory_;  // what follows the file's bytes
  std::unique_ptr<DiskFile> file_;
  int64_t file_bytes_ = 0;
};

}  // namespace arc
