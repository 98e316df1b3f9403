#include "arc/io/spill_file.h"

#include <algorithm>

#include "arc/io/durable_file.h"
#include "arc/io/path.h"

namespace arc {
namespace {

std::span<const uint8_t> BytesOf(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

}  // namespace

Status SpillFile::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, kMemoryBytes - memory_.size());
    memory_.append(part);
    bytes.remove_prefix(part.size());
    if (memory_.size() == kMemoryBytes) ARC_RETURN_IF_ERROR(SpillMemory());
  }
  return {};
}

Status SpillFile::SpillMemory() {
  if (file_ == nullptr) {
    std::string path = JoinPath(folder_, std::string(kTemporaryPrefix) + MakeTemporaryTag());
    ARC_ASSIGN_OR_RETURN(file_, disk_.Open(path, OpenMode::kCreateExclusive));
    ARC_RETURN_IF_ERROR(disk_.Remove(path));
  }
  ARC_RETURN_IF_ERROR(file_->WriteAt(file_bytes_, BytesOf(memory_)));
  file_bytes_ += static_cast<int64_t>(memory_.size());
  memory_.clear();
  return {};
}

Status SpillFile::ForEachPiece(const std::function<Status(std::string_view)>& take) {
  std::string piece(static_cast<size_t>(std::min<int64_t>(file_bytes_, kMemoryBytes)), '\0');
  for (int64_t offset = 0; offset < file_bytes_;) {
    ARC_ASSIGN_OR_RETURN(size_t read, file_->ReadAt(offset, {reinterpret_cast<uint8_t*>(piece.data()), piece.size()}));
    if (read == 0) return Corruption("a temporary file is shorter than what was written to it");
    ARC_RETURN_IF_ERROR(take({piece.data(), read}));
    offset += static_cast<int64_t>(read);
  }
  return memory_.empty() ? Status() : take(memory_);
}

}  // namespace arc
