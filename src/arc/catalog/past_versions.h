// Tables as they were: versions made of old snapshots, for time travel.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "arc/base/result.h"
#include "arc/catalog/lake_parts.h"
#include "arc/catalog/table.h"
#include "arc/iceberg/snapshot_choice.h"
#include "arc/iceberg/table_metadata.h"

namespace arc {

// Thread-safe. Keeps what it last read of snapshots, up to a bound in bytes; a snapshot never changes.
class PastVersions {
 public:
  static constexpr size_t kKeptBytes = 32 << 20;

  explicit PastVersions(const LakeParts& parts, size_t kept_bytes = kKeptBytes)
      : parts_(parts), kept_bytes_(kept_bytes) {}

  // As CatalogView's VersionAt and MetadataOf.
  Result<std::shared_ptr<const TableVersion>> At(const Table& table, const SnapshotSelector& selector);
  Result<std::shared_ptr<const TableMetadata>> Metadata(const Table& table);

  size_t cached_bytes() const;

 private:
  // What a snapshot's manifests say. Values, not the entries that queries hold: those would keep its files for ever.
  struct Contents {
    std::shared_ptr<const Schema> schema;
    std::vector<FileEntry> files;
    std::string unreadable;
    size_t bytes = 0;
  };
  struct Cached {
    std::string key;
    std::shared_ptr<const Contents> contents;
  };

  struct Current {
    std::string location;  // empty: the table is not in the lake
    std::shared_ptr<const TableMetadata> metadata;
  };

  Result<Current> ReadCurrent(const Table& table);
  Result<std::shared_ptr<const Contents>> ContentsOf(const TableMetadata& then);
  std::shared_ptr<const TableVersion> Hold(const Contents& contents);
  Status CheckThere(const Table& table, const std::string& location, int64_t snapshot_id);
  std::shared_ptr<const Contents> Find(const std::string& key);
  void Keep(const std::string& key, std::shared_ptr<const Contents> contents);

  const LakeParts& parts_;
  const size_t kept_bytes_;
  mutable std::mutex mutex_;
  std::list<Cached> cached_;  // the one used last first
  std::unordered_map<std::string, std::list<Cached>::iterator> by_key_;
  size_t cached_bytes_ = 0;
};

}  // namespace arc
