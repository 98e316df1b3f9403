// The append commit: everything but the pointer swap, which belongs to whoever keeps the pointer (catalog).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/iceberg/expire.h"
#include "arc/iceberg/merge_manifests.h"
#include "arc/iceberg/schema_conversion.h"
#include "arc/iceberg/table_metadata.h"
#include "arc/io/object_store.h"
#include "arc/model/data_file.h"
#include "arc/model/schema.h"

namespace arc {

struct AppendPolicy {
  int manifest_merge_count = 100;
  int64_t manifest_target_bytes = 8'000'000;
  int keep_metadata_files = 100;
  ExpiryPolicy expiry = {};
};

struct AppendFile {
  WrittenFile file;
  PartitionKind kind = PartitionKind::kHour;
  int64_t value = 0;  // hours or days since 1970; all rows of the file lie in it
};

struct AppendRequest {
  TableRef table;            // its id becomes (must be) the table-uuid
  std::string location_key;  // key of the table's folder; empty: "<encoded database>/<encoded name>". New tables only
  Schema schema;             // as the table shall have it; every column has its field id
  std::vector<AppendFile> files;                      // none: no snapshot, only schema and properties
  std::map<std::string, std::string> set_properties;  // e.g. FlushedLsnProperty(lineage)
  std::map<std::string, std::string> summary;         // beside the standard entries of the snapshot
  int64_t now_ms = 0;                                 // wall clock, ms since 1970
  AppendPolicy policy;
};

struct PreparedCommit {
  std::string metadata_location;  // URI of the new metadata file: what the pointer is to hold
  TableMetadata metadata;
  std::optional<int64_t> snapshot_id;      // of the new snapshot, if any
  std::vector<std::string> written_keys;   // delete these when the pointer swap is known to have lost
  std::vector<std::string> obsolete_keys;  // delete these once it has won
};

// Writes manifests, manifest list and metadata file of an append on top of `current` (null: a new table) and returns
// what to commit. Nothing that is live changes: the table is as it was until the caller swaps its pointer from
// `current_location` to the new one. On error everything written is deleted again.
//
// Errors: kConflict when the table has another uuid, its columns changed under other ids, or it has
// `arc.flushed-lsn.*` beyond (with files: at) the value to be set, so that a retried commit cannot double rows;
// kInvalidArgument when a file does not lie in its partition; those of the store. Properties `arc.flushed-lsn.*` that
// are set are repeated in the snapshot's summary.
Result<PreparedCommit> PrepareAppend(ObjectStore& store, std::string_view current_location,
                                     const TableMetadata* current, const AppendRequest& request,
                                     RandomSource& random = SystemRandom());

// Key of a new table's folder.
std::string TableKey(const TableRef& table);

// After a commit has won: version-hint.text beside the metadata file, for readers that open a table by its folder. Not
// synced: the truth is the pointer, and the next commit writes the hint again.
Status WriteVersionHint(ObjectStore& store, std::string_view metadata_location);

}  // namespace arc
