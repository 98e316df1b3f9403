#include "arc/io/staged_store.h"

#include <arrow/io/interfaces.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "arc/base/log.h"

namespace arc {
namespace {

constexpr int64_t kCopyBytes = 4 << 20;

}  // namespace

Result<std::unique_ptr<StagedStore>> StagedStore::Open(ObjectStore& remote, std::unique_ptr<ObjectStore> local,
                                                       int64_t limit_bytes) {
  ARC_RETURN_IF_ERROR(local->CleanTemporaries());
  ARC_ASSIGN_OR_RETURN(auto objects, local->List(""));
  for (const ObjectInfo& object : objects) ARC_RETURN_IF_ERROR(local->Delete(object.key));
  return std::unique_ptr<StagedStore>(new StagedStore(remote, std::move(local), limit_bytes));
}

Status StagedStore::CheckRoom() const {
  if (staged_bytes_ < limit_bytes_) return {};
  return MakeError(ErrorKind::kOverloaded, "data files waiting for the object store have reached their limit of " +
                                               std::to_string(limit_bytes_) + " bytes");
}

Status StagedStore::Upload(const std::string& key) {
  ARC_ASSIGN_OR_RETURN(auto reader, local_->Open(key));
  ARC_ASSIGN_OR_RETURN(auto writer, remote_.Create(key));
  std::vector<uint8_t> buffer(static_cast<size_t>(std::min(reader->bytes(), kCopyBytes)));
  for (int64_t offset = 0; offset < reader->bytes();) {
    ARC_ASSIGN_OR_RETURN(size_t read, reader->ReadAt(offset, buffer));
    if (read == 0) return Corruption("the staged file " + key + " is shorter than it was");
    auto written = writer->stream().Write(buffer.data(), static_cast<int64_t>(read));
    if (!written.ok()) return Unavailable("uploading " + key + ": " + written.message());
    offset += static_cast<int64_t>(read);
  }
  return writer->CommitOverwrite();
}

void StagedStore::Drop(const std::string& key, int64_t bytes) {
  staged_bytes_ -= bytes;
  if (auto status = local_->Delete(key); !status.ok()) {
    Log(LogLevel::kWarning, "store", "a staged file was not removed",
        {{"key", key}, {"error", status.error().message}});
  }
}

Result<std::shared_ptr<ObjectReader>> StagedStore::Open(const std::string& key) {
  auto staged = local_->Open(key);
  if (staged.ok() || staged.error().kind != ErrorKind::kNotFound) return staged;
  return remote_.Open(key);
}

Result<std::shared_ptr<ObjectReader>> StagedStore::OpenKnown(const std::string& key, int64_t bytes) {
  auto staged = local_->Open(key);
  if (staged.ok() || staged.error().kind != ErrorKind::kNotFound) return staged;
  return remote_.OpenKnown(key, bytes);
}

void StagedStore::Prefetch(const std::string& key, int64_t bytes) {
  if (staged_bytes_ == 0 || !local_->Open(key).ok()) remote_.Prefetch(key, bytes);
}

Result<std::string> StagedStore::ReadAll(const std::string& key) {
  auto staged = local_->ReadAll(key);
  if (staged.ok() || staged.error().kind != ErrorKind::kNotFound) return staged;
  return remote_.ReadAll(key);
}

}  // namespace arc
