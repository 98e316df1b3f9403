// A remote store whose table metadata is also on local disk, so that a server can start while the store is away.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "arc/io/object_store.h"

namespace arc {

// Thread-safe. Copies are made of what is immutable by name: every .json and .avro in a metadata/ folder, when it is
// written or read as a whole; ReadAll finds them before the store. They go when the object is deleted through here, so
// they take about what the metadata takes in the store. A copy that cannot be made costs a read later, no more.
class MetadataCopyStore : public ObjectStore {
 public:
  // `remote` outlives this; `copies` holds nothing else.
  MetadataCopyStore(ObjectStore& remote, std::unique_ptr<ObjectStore> copies)
      : remote_(remote), copies_(std::move(copies)) {}

  // Removes copies that nobody has read or written through here yet. Once, when all tables are loaded: what others
  // deleted from the store meanwhile goes so.
  Status DropUnused();

  Status Check() override { return remote_.Check(); }
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override;
  Status PutOverwrite(const std::string& key, std::string_view bytes) override;
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override { return remote_.Create(key); }
  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override { return remote_.Open(key); }
  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override {
    return remote_.OpenKnown(key, bytes);
  }
  void Prefetch(const std::string& key, int64_t bytes) override { remote_.Prefetch(key, bytes); }
  Result<std::string> ReadAll(const std::string& key) override;
  Status Delete(const std::string& key) override;
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override { return remote_.List(prefix); }
  std::string UriOf(const std::string& key) const override { return remote_.UriOf(key); }
  Result<std::string> KeyOf(std::string_view uri) const override { return remote_.KeyOf(uri); }

 private:
  void Copy(const std::string& key, std::string_view bytes);
  void NoteUse(const std::string& key);

  ObjectStore& remote_;
  const std::unique_ptr<ObjectStore> copies_;
  std::mutex mutex_;
  bool noting_ = true;  // until DropUnused
  std::unordered_set<std::string> used_;
};

}  // namespace arc
