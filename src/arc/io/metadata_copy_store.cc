#include "arc/io/metadata_copy_store.h"

#include <utility>

#include "arc/base/log.h"

namespace arc {
namespace {

bool IsImmutableMetadata(std::string_view key) {
  size_t slash = key.rfind('/');
  if (slash == std::string_view::npos) return false;
  std::string_view folder = key.substr(0, slash);
  return (folder == "metadata" || folder.ends_with("/metadata")) && (key.ends_with(".json") || key.ends_with(".avro"));
}

}  // namespace

Status MetadataCopyStore::DropUnused() {
  ARC_ASSIGN_OR_RETURN(auto copies, copies_->List(""));
  std::unordered_set<std::string> used;
  {
    std::lock_guard lock(mutex_);
    noting_ = false;
    used.swap(used_);
  }
  for (const ObjectInfo& copy : copies) {
    if (!used.contains(copy.key)) ARC_RETURN_IF_ERROR(copies_->Delete(copy.key));
  }
  return {};
}

void MetadataCopyStore::NoteUse(const std::string& key) {
  std::lock_guard lock(mutex_);
  if (noting_) used_.insert(key);
}

void MetadataCopyStore::Copy(const std::string& key, std::string_view bytes) {
  NoteUse(key);
  if (auto copied = copies_->PutOverwrite(key, bytes); !copied.ok()) {
    Log(LogLevel::kWarning, "store", "metadata was not copied to local disk",
        {{"key", key}, {"error", copied.error().message}});
  }
}

Status MetadataCopyStore::PutIfAbsent(const std::string& key, std::string_view bytes) {
  ARC_RETURN_IF_ERROR(behind().PutIfAbsent(key, bytes));
  if (IsImmutableMetadata(key)) Copy(key, bytes);
  return {};
}

Status MetadataCopyStore::PutOverwrite(const std::string& key, std::string_view bytes) {
  if (IsImmutableMetadata(key)) ARC_RETURN_IF_ERROR(copies_->Delete(key));
  return behind().PutOverwrite(key, bytes);
}

Result<std::string> MetadataCopyStore::ReadAll(const std::string& key) {
  if (!IsImmutableMetadata(key)) return behind().ReadAll(key);
  if (auto copy = copies_->ReadAll(key); copy.ok()) {
    NoteUse(key);
    return copy;
  }
  ARC_ASSIGN_OR_RETURN(std::string bytes, behind().ReadAll(key));
  Copy(key, bytes);
  return bytes;
}

// The copy first: a copy of an object that is gone would be found for ever.
Status MetadataCopyStore::Delete(const std::string& key) {
  if (IsImmutableMetadata(key)) ARC_RETURN_IF_ERROR(copies_->Delete(key));
  return behind().Delete(key);
}

}  // namespace arc
