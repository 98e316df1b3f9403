// Two stores as one: a hot one that holds all metadata and the data files of late, and a cold one for old data files.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "arc/io/cold_key.h"
#include "arc/io/object_store.h"

namespace arc {

// Thread-safe. Keys beginning with kColdFolder are the cold store's, all others the hot one's; addresses (UriOf, KeyOf)
// are those of the store that has the object, and lead back to one key only. What the cold store cannot do for its own
// sake (it is away, it refuses the credentials) is kUnavailable and names it: the server's own credentials are no
// client's concern. List finds cold objects where the prefix allows for kColdFolder. Everything else that names no key
// (Check, the groups' Sync) is the hot store's, so that what needs no cold object needs no cold store.
class TieredStore : public ObjectStore {
 public:
  // kInvalidArgument when one store lies within the other: then an address could mean two objects, and a look at one
  // store would find the other's. Both outlive this.
  static Result<std::unique_ptr<TieredStore>> Over(ObjectStore& hot, ObjectStore& cold);
  static Result<std::unique_ptr<TieredStore>> Of(std::unique_ptr<ObjectStore> hot, std::unique_ptr<ObjectStore> cold);

  Status Check() override { return hot_.Check(); }
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override;
  Status PutOverwrite(const std::string& key, std::string_view bytes) override;
  Status PutOverwriteUnsynced(const std::string& key, std::string_view bytes) override;
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override;
  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override;
  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override;
  void Prefetch(const std::string& key, int64_t bytes) override;
  Result<std::string> ReadAll(const std::string& key) override;
  Status Delete(const std::string& key) override;
  std::unique_ptr<ObjectGroup> NewGroup() override;
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override;
  std::string UriOf(const std::string& key) const override;
  Result<std::string> KeyOf(std::string_view uri) const override;
  Result<int> CleanTemporaries() override;

 private:
  TieredStore(ObjectStore& hot, ObjectStore& cold);
  Result<std::vector<ObjectInfo>> ListCold(const std::string& prefix);
  Error InCold(Error error) const;
  template <typename T>
  Result<T> FromCold(Result<T> result) const {
    if (result.ok()) return result;
    return InCold(std::move(result).error());
  }

  ObjectStore& hot_;
  ObjectStore& cold_;
  const std::string cold_name_;  // for messages
  std::unique_ptr<ObjectStore> owned_hot_;
  std::unique_ptr<ObjectStore> owned_cold_;
};

}  // namespace arc
