// Forgetting old snapshots, and finding what nothing refers to any more.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "arc/iceberg/manifest.h"
#include "arc/iceberg/table_metadata.h"
#include "arc/io/object_store.h"

namespace arc {

struct ExpiryPolicy {
  int max_snapshots = 100;                         // 0: no bound
  int64_t max_snapshot_age_ms = 5LL * 86'400'000;  // 0: no bound
  bool enabled = true;                             // false: nothing expires, for callers that distrust the clock
};

// Manifest lists at hand, by URI: those need not be read.
using KnownManifestLists = std::map<std::string, std::vector<ManifestFile>>;

// Removes snapshots of the main branch that are too many or too old, with their history, statistics and the schemas
// only they used. To save reading, nothing happens until a bound is exceeded (the age by a tenth), and then a tenth
// more than needed goes by count. Kept always: the current snapshot, what tags and other branches need, and what the
// main branch's own retention (min-snapshots-to-keep, max-snapshot-age-ms) says; all, when `gc.enabled` is false.
//
// Returns URIs that no remaining snapshot refers to, to be deleted once the metadata is committed: manifest lists,
// manifests, statistics, and data files that were removed from the table, once the last snapshot that has them expires.
// When something needed for the proof cannot be read, less is returned, never more.
std::vector<std::string> ExpireSnapshots(ObjectStore& store, const ExpiryPolicy& policy, int64_t now_ms,
                                         const KnownManifestLists& known, TableMetadata* metadata);

// Whether it would remove a snapshot. Reads nothing.
bool AnySnapshotExpires(const ExpiryPolicy& policy, int64_t now_ms, const TableMetadata& metadata);

}  // namespace arc
