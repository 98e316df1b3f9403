#include "arc/wal/segment_reader.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace arc {
namespace {

constexpr int64_t kScanBytes = 1 << 20;

bool AllZero(std::span<const uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](uint8_t b) { return b == 0; });
}

}  // namespace

Result<std::unique_ptr<SegmentReader>> SegmentReader::Open(LocalDisk& disk, const std::string& path, Lsn base) {
  ARC_ASSIGN_OR_RETURN(auto file, disk.Open(path, OpenMode::kRead));
  ARC_ASSIGN_OR_RETURN(int64_t size, file->Size());
  return std::unique_ptr<SegmentReader>(new SegmentReader(std::move(file), size, base));
}

// False when the file ends earlier.
Result<bool> SegmentReader::Fill(int64_t offset, int64_t bytes, std::vector<uint8_t>* buffer) {
  if (offset > size_ || bytes > size_ - offset) return false;
  buffer->resize(static_cast<size_t>(bytes));
  ARC_ASSIGN_OR_RETURN(size_t got, file_->ReadAt(offset, *buffer));
  return got == buffer->size();
}

Result<std::optional<MessageFrame>> SegmentReader::ReadFrame(int64_t offset) {
  const std::optional<MessageFrame> none;
  ARC_ASSIGN_OR_RETURN(bool there, Fill(offset, kFrameBytes, &head_));
  if (!there) return none;
  const auto head_bytes = FramedHeadBytes(head_);
  if (!head_bytes) return none;
  ARC_ASSIGN_OR_RETURN(there, Fill(offset, *head_bytes, &head_));
  if (!there) return none;
  return ParseFrame(head_);
}

bool SegmentReader::OfThisLife(const MessageFrame& frame, int64_t offset) const {
  return frame.at == offset && frame.group_first >= base_ && (epoch_ == 0 || frame.epoch == epoch_);
}

Result<std::optional<GroupView>> SegmentReader::ReadGroup(int64_t offset) {
  const std::optional<GroupView> none;
  ARC_ASSIGN_OR_RETURN(auto frame, ReadFrame(offset));
  if (!frame || !OfThisLife(*frame, offset) || frame->group_offset != offset) return none;
  ARC_ASSIGN_OR_RETURN(bool there, Fill(offset, frame->group_bytes, &group_));
  if (!there) return none;
  auto group = CheckGroup(group_, offset);
  if (group) epoch_ = group->epoch;
  return group;
}

Result<std::optional<MessageFrame>> SegmentReader::FindFrame(int64_t offset,
                                                             const std::function<bool(const MessageFrame&)>& wanted) {
  std::vector<uint8_t> window;
  for (int64_t start = offset; size_ - start >= static_cast<int64_t>(kFrameBytes); start += kScanBytes) {
    const int64_t bytes = std::min(size_ - start, kScanBytes + static_cast<int64_t>(kFrameBytes) - 8);
    ARC_ASSIGN_OR_RETURN(bool there, Fill(start, bytes, &window));
    if (!there) break;
    const std::span<const uint8_t> view(window);
    // Arrow aligns messages to 8 bytes, and every group starts where one ended.
    for (size_t at = 0; at + kFrameBytes <= view.size() && at < static_cast<size_t>(kScanBytes); at += 8) {
      if (std::memcmp(view.data() + at, kEndMarker, 4) != 0 || !FramedHeadBytes(view.subspan(at))) continue;
      const int64_t place = start + static_cast<int64_t>(at);
      ARC_ASSIGN_OR_RETURN(auto frame, ReadFrame(place));
      if (frame && OfThisLife(*frame, place) && wanted(*frame)) return frame;
    }
  }
  return std::optional<MessageFrame>();
}

Result<SegmentTail> SegmentReader::ExamineTail(int64_t offset) {
  SegmentTail tail;
  const int64_t rest = size_ - offset;
  ARC_ASSIGN_OR_RETURN(auto frame, ReadFrame(offset));
  if (frame && !OfThisLife(*frame, offset)) return tail;
  if (frame) {
    tail.clean = false;
    tail.cut_bytes = std::min(frame->group_bytes, rest);
    return tail;
  }
  std::vector<uint8_t> window;
  ARC_ASSIGN_OR_RETURN(bool there, Fill(offset, std::min(rest, kEndMarkerBytes), &window));
  if (!there || AllZero(window) ||
      std::equal(std::begin(kEndMarker), std::end(kEndMarker), window.begin(), window.end())) {
    return tail;
  }
  // Something else stands there: count to the last byte that is not zero.
  tail.clean = false;
  for (int64_t start = offset; start < size_; start += kScanBytes) {
    ARC_ASSIGN_OR_RETURN(there, Fill(start, std::min(kScanBytes, size_ - start), &window));
    if (!there) break;
    for (size_t i = window.size(); i > 0; --i) {
      if (window[i - 1] == 0) continue;
      tail.cut_bytes = start + static_cast<int64_t>(i) - offset;
      break;
    }
  }
  return tail;
}

}  // namespace arc
