// Which metadata file of each table is the current one, judged by the objects of a store alone: for when the catalog
// that knew is lost. What can be told so and what cannot: docs/decisions/0020-catalog-from-the-store.md.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "arc/base/result.h"
#include "arc/iceberg/metadata_history.h"
#include "arc/io/object_store.h"

namespace arc {

// What a store held at one moment. Immutable.
class StoreListing {
 public:
  explicit StoreListing(std::vector<ObjectInfo> objects);

  size_t size() const { return bytes_.size(); }
  bool Has(const std::string& key) const { return bytes_.contains(key); }
  // -1: no such object.
  int64_t BytesOf(const std::string& key) const;
  // Keys of metadata files by the folder they lie in ("db/cpu/metadata"), the highest version first.
  const std::unordered_map<std::string, std::vector<std::string>>& metadata_files() const { return metadata_files_; }

 private:
  std::unordered_map<std::string, int64_t> bytes_;
  std::unordered_map<std::string, std::vector<std::string>> metadata_files_;
};

// A table and the metadata file that is most likely its current one.
struct TableHead {
  std::string folder;  // "db/cpu/metadata"
  std::string key;     // of the metadata file
  MetadataHistory history;
  std::string damage;  // something that it needs is missing or unreadable; empty: all of the current snapshot is there
};

// A metadata file that belongs to no history found, and why.
struct StrayMetadata {
  std::string key;
  std::string reason;
};

struct FoundHeads {
  std::vector<TableHead> tables;  // by key; every UUID once
  std::vector<StrayMetadata> strays;
};

// Reads one metadata file for most tables, and the manifests of its current snapshot. Errors are those of a store that
// cannot be asked now; what is damaged is told in the result.
Result<FoundHeads> FindTableHeads(ObjectStore& store, const StoreListing& listing);

}  // namespace arc
