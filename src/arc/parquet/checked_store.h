// A store whose data files are checked as they are read, for readers that do not look at the checksums of pages.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/object_store.h"

namespace arc {

class PageChecks;

// Thread-safe. What is read of the pages of a Parquet file (by its name) has fitted their checksums at least once in
// this object's life: a column chunk is checked when it is first touched, as a whole. Reads of a damaged one fail with
// kCorruption, naming the file. Not noticed: damage of pages that have no checksum (other writers'), of the footer and
// of page headers, as far as the file still makes sense; and what happens to a file after it was checked.
class CheckedStore : public ObjectStore {
 public:
  // Of the files read last so many column chunks are remembered as checked, some 40 bytes each.
  static constexpr size_t kRememberedChunks = 1 << 19;

  // `store` outlives this; readers may outlive it, and then outlive `store` as its own may.
  explicit CheckedStore(ObjectStore& store);
  ~CheckedStore() override;

  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override;
  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override;
  void Prefetch(const std::string& key, int64_t bytes) override { store_.Prefetch(key, bytes); }
  Status Check() override { return store_.Check(); }
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override { return store_.PutIfAbsent(key, bytes); }
  Status PutOverwrite(const std::string& key, std::string_view bytes) override {
    return store_.PutOverwrite(key, bytes);
  }
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override { return store_.Create(key); }
  Result<std::string> ReadAll(const std::string& key) override { return store_.ReadAll(key); }
  Status Delete(const std::string& key) override { return store_.Delete(key); }
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override { return store_.List(prefix); }
  std::string UriOf(const std::string& key) const override { return store_.UriOf(key); }
  Result<std::string> KeyOf(std::string_view uri) const override { return store_.KeyOf(uri); }

 private:
  ObjectStore& store_;
  const std::shared_ptr<PageChecks> checks_;
};

}  // namespace arc
