#include "arc/backup/copy.h"

#include <arrow/io/interfaces.h>
#include <arrow/status.h>

#include <algorithm>
#include <functional>
#include <span>
#include <vector>

#include "arc/backup/sha256.h"

namespace arc {
namespace {

constexpr int64_t kPieceBytes = 4 << 20;
constexpr int64_t kObjectsPerSync = 256;
constexpr int64_t kBytesPerSync = 256 << 20;

// Hands the object to `take` piece by piece.
Result<BackupObject> ReadPieces(ObjectStore& store, const std::string& key, BackupProgress& progress,
                                const std::function<Status(std::string_view)>& take) {
  ARC_ASSIGN_OR_RETURN(const auto reader, store.Open(key));
  BackupObject object{key, reader->bytes(), {}};
  Sha256 hash;
  std::vector<uint8_t> piece(static_cast<size_t>(std::clamp<int64_t>(object.bytes, 1, kPieceBytes)));
  for (int64_t at = 0; at < object.bytes;) {
    if (progress.cancelled) return MakeError(ErrorKind::kCancelled, "stopped");
    const size_t wanted = static_cast<size_t>(std::min<int64_t>(object.bytes - at, kPieceBytes));
    ARC_ASSIGN_OR_RETURN(const size_t got, reader->ReadAt(at, std::span(piece).first(wanted)));
    if (got != wanted) return Corruption(key + " ended at " + std::to_string(at) + " bytes");
    const std::string_view bytes(reinterpret_cast<const char*>(piece.data()), got);
    hash.Add(bytes);
    ARC_RETURN_IF_ERROR(take(bytes));
    at += static_cast<int64_t>(got);
    progress.bytes_done += static_cast<int64_t>(got);
  }
  object.sha256 = hash.Finish();
  return object;
}

Status FromArrow(const arrow::Status& status, const std::string& key) {
  if (status.ok()) return {};
  return Unavailable(key + ": " + status.ToString());
}

}  // namespace

Result<BackupObject> HashObject(ObjectStore& store, const std::string& key, BackupProgress& progress) {
  return ReadPieces(store, key, progress, [](std::string_view) { return Status(); });
}

Copier::Copier(ObjectStore& from, ObjectStore& target, BackupProgress& progress)
    : from_(from), target_(target), progress_(progress), group_(target.NewGroup()) {}

Copier::~Copier() = default;

Result<BackupObject> Copier::Copy(const std::string& key, const std::string& to, bool overwrite) {
  ObjectStore& target = overwrite ? target_ : *group_;  // a group replaces nothing
  ARC_ASSIGN_OR_RETURN(const auto writer, target.Create(to));
  ARC_ASSIGN_OR_RETURN(auto object, ReadPieces(from_, key, progress_, [&](std::string_view bytes) {
                         return FromArrow(writer->stream().Write(bytes.data(), static_cast<int64_t>(bytes.size())), to);
                       }));
  ARC_RETURN_IF_ERROR(overwrite ? writer->CommitOverwrite() : writer->Commit());
  ARC_RETURN_IF_ERROR(NoteCopy(object.bytes));
  return object;
}

Status Copier::Put(const std::string& to, std::string_view bytes) {
  ARC_RETURN_IF_ERROR(group_->PutIfAbsent(to, bytes));
  progress_.bytes_done += static_cast<int64_t>(bytes.size());
  return NoteCopy(static_cast<int64_t>(bytes.size()));
}

Status Copier::NoteCopy(int64_t bytes) {
  ++progress_.objects_copied;
  progress_.bytes_copied += bytes;
  bytes_unsynced_ += bytes;
  if (++objects_unsynced_ < kObjectsPerSync && bytes_unsynced_ < kBytesPerSync) return {};
  return Finish();
}

Status Copier::Finish() {
  objects_unsynced_ = bytes_unsynced_ = 0;
  return group_->Sync();
}

}  // namespace arc
