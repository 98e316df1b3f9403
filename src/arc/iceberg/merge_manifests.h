// Keeps the number of manifests small: many little ones become few of a decent size.
#pragma once

#include <cstdint>
#include <vector>

#include "arc/base/result.h"
#include "arc/iceberg/commit_files.h"
#include "arc/iceberg/manifest.h"
#include "arc/iceberg/table_metadata.h"

namespace arc {

struct MergePolicy {
  int count = 100;                   // of one spec: from so many on they are merged
  int64_t target_bytes = 8'000'000;  // of a merged manifest; those of half the size and more are left alone
};

struct MergeOutcome {
  int replaced = 0;
  int created = 0;
  int64_t entries = 0;
};

// Replaces rows of `manifests` (of earlier snapshots) where a spec of Arc's shapes has `policy.count` or more small
// ones. Live entries become EXISTING with their snapshot ids and sequence numbers spelled out; deleted ones vanish.
// New manifests belong to `snapshot_id` and `sequence_number`. Manifests of other writers' specs, encrypted ones and
// delete manifests are never touched.
Result<MergeOutcome> MergeManifests(CommitFiles& files, const TableMetadata& metadata, const MergePolicy& policy,
                                    int64_t snapshot_id, int64_t sequence_number, std::vector<ManifestFile>* manifests);

}  // namespace arc
