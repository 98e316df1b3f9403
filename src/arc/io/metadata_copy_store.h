// A remote store whose table metadata is also on local disk, so that a server can start while the store is away.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "arc/io/forwarding_store.h"

namespace arc {

// Thread-safe. Copies are made of what is immutable by name: every .json and .avro in a metadata/ folder, when it is
// written or read as a whole; ReadAll finds them before the store. They go when the object is deleted through here, so
// they take about what the metadata takes in the store. A copy that cannot be made costs a read later, no more.
class MetadataCopyStore : public ForwardingStore {
 public:
  // `remote` outlives this; `copies` holds nothing else.
  MetadataCopyStore(ObjectStore& remote, std::unique_ptr<ObjectStore> copies)
      : ForwardingStore(remote), copies_(std::move(copies)) {}

  // Removes copies that nobody has read or written through here yet. Once, when all tables are loaded: what others
  // deleted from the store meanwhile goes so.
  Status DropUnused();

  Status PutIfAbsent(const std::string& key, std::string_view bytes) override;
  Status PutOverwrite(const std::string& key, std::string_view bytes) override;
  Result<std::string> ReadAll(const std::string& key) override;
  Status Delete(const std::string& key) override;

 private:
  void Copy(const std::string& key, std::string_view bytes);
  void NoteUse(const std::string& key);

  const std::unique_ptr<ObjectStore> copies_;
  std::mutex mutex_;
  bool noting_ = true;  // until DropUnused
  std::unordered_set<std::string> used_;
};

}  // namespace arc
