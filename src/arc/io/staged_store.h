// A remote store with a local place before it: data files are written here first, are readable under their final keys
// at once, and go to the remote store when it can take them.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "arc/io/object_store.h"

namespace arc {

// Thread-safe. Reads find a staged object before a remote one; everything else is the remote store's. An object that
// was uploaded and then dropped is found by every reader at every moment.
class StagedStore : public ObjectStore {
 public:
  // Empties `local`: what it holds belongs to an earlier process, whose log has those rows. `remote` outlives this.
  // Stage refuses when staged objects take `limit_bytes` or more.
  static Result<std::unique_ptr<StagedStore>> Open(ObjectStore& remote, std::unique_ptr<ObjectStore> local,
                                                   int64_t limit_bytes);

  // kOverloaded while the staged objects are at their limit.
  Status CheckRoom() const;
  // Where to write objects that shall be staged; tell Staged() of each.
  ObjectStore& local() { return *local_; }
  void Staged(int64_t bytes) { staged_bytes_ += bytes; }
  // Copies the staged object to the remote store, in place of what an earlier attempt may have left there.
  Status Upload(const std::string& key);
  // Forgets a staged object of `bytes`.
  void Drop(const std::string& key, int64_t bytes);
  int64_t staged_bytes() const { return staged_bytes_; }

  Status Check() override { return remote_.Check(); }
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override {
    return remote_.PutIfAbsent(key, bytes);
  }
  Status PutOverwrite(const std::string& key, std::string_view bytes) override {
    return remote_.PutOverwrite(key, bytes);
  }
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override { return remote_.Create(key); }
  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override;
  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override;
  void Prefetch(const std::string& key, int64_t bytes) override;
  Result<std::string> ReadAll(const std::string& key) override;
  Status Delete(const std::string& key) override { return remote_.Delete(key); }
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override { return remote_.List(prefix); }
  std::string UriOf(const std::string& key) const override { return remote_.UriOf(key); }
  Result<std::string> KeyOf(std::string_view uri) const override { return remote_.KeyOf(uri); }

 private:
  StagedStore(ObjectStore& remote, std::unique_ptr<ObjectStore> local, int64_t limit_bytes)
      : remote_(remote), local_(std::move(local)), limit_bytes_(limit_bytes) {}

  ObjectStore& remote_;
  const std::unique_ptr<ObjectStore> local_;
  const int64_t limit_bytes_;
  std::atomic<int64_t> staged_bytes_{0};
};

}  // namespace arc
