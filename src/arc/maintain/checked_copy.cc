#include "arc/maintain/checked_copy.h"

#include <arrow/io/interfaces.h>
#include <arrow/status.h>

#include <algorithm>
#include <span>
#include <vector>

#include "arc/io/crc32c.h"

namespace arc {
namespace {

constexpr int64_t kPieceBytes = 4 << 20;

// Hands the object to `take` (may be empty) piece by piece; its checksum.
Result<uint32_t> ReadThrough(ObjectStore& store, const std::string& key, int64_t bytes,
                             const std::function<bool()>& is_cancelled,
                             const std::function<Status(std::span<const uint8_t>)>& take) {
  ARC_ASSIGN_OR_RETURN(const auto reader, store.Open(key));
  if (reader->bytes() != bytes) {
    return Corruption(key + " has " + std::to_string(reader->bytes()) + " bytes instead of " + std::to_string(bytes));
  }
  uint32_t checksum = 0;
  std::vector<uint8_t> buffer(static_cast<size_t>(std::clamp<int64_t>(bytes, 1, kPieceBytes)));
  for (int64_t at = 0; at < bytes;) {
    if (is_cancelled()) return MakeError(ErrorKind::kCancelled, "stopped");
    const auto piece = std::span(buffer).first(static_cast<size_t>(std::min(bytes - at, kPieceBytes)));
    ARC_ASSIGN_OR_RETURN(const size_t got, reader->ReadAt(at, piece));
    if (got != piece.size())
      return Corruption(key + " ended after " + std::to_string(at + static_cast<int64_t>(got)) + " bytes");
    checksum = ExtendCrc32c(checksum, piece);
    if (take) ARC_RETURN_IF_ERROR(take(piece));
    at += static_cast<int64_t>(got);
  }
  return checksum;
}

Result<uint32_t> Copy(ObjectStore& store, const std::string& from, const std::string& to, int64_t bytes,
                      const std::function<bool()>& is_cancelled) {
  ARC_ASSIGN_OR_RETURN(const auto writer, store.Create(to));
  const auto write = [&](std::span<const uint8_t> piece) -> Status {
    const auto written = writer->stream().Write(piece.data(), static_cast<int64_t>(piece.size()));
    if (!written.ok()) return Unavailable("writing " + store.UriOf(to) + ": " + written.message());
    return {};
  };
  ARC_ASSIGN_OR_RETURN(const uint32_t checksum, ReadThrough(store, from, bytes, is_cancelled, write));
  ARC_RETURN_IF_ERROR(writer->Commit());
  return checksum;
}

}  // namespace

Status CopyChecked(ObjectStore& store, const std::string& from, const std::string& to, int64_t bytes,
                   const std::function<bool()>& is_cancelled) {
  const auto checksum = Copy(store, from, to, bytes, is_cancelled);
  if (!checksum.ok()) {
    // An outcome that is not known may be an object.
    if (checksum.error().kind == ErrorKind::kUnknownOutcome) (void)store.Delete(to);
    return checksum.error();
  }
  const auto read_back = ReadThrough(store, to, bytes, is_cancelled, {});
  if (read_back.ok() && *read_back == *checksum) return {};
  (void)store.Delete(to);
  if (!read_back.ok()) return read_back.error();
  return Corruption("the copy " + store.UriOf(to) + " is not what was written");
}

}  // namespace arc
