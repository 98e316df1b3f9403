// The steps that every commit of a new snapshot shares, whether it appends files or replaces some.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/commit_files.h"
#include "arc/iceberg/expire.h"
#include "arc/iceberg/manifest.h"
#include "arc/iceberg/table_metadata.h"

namespace arc {

// kInvalidArgument when a file does not lie in its partition, or is given twice.
Status CheckFiles(const std::vector<AppendFile>& files);

// When a commit at `now_ms` shall say it happened: never before what the table says happened already.
int64_t CommitTime(const TableMetadata& metadata, int64_t now_ms);

struct SnapshotDraft {
  Snapshot snapshot;                    // but for its summary and its manifest list
  std::vector<ManifestFile> manifests;  // of the parent, those with live files; their counts are known
};
// On top of the current snapshot. Its manifest list goes into `lists`.
Result<SnapshotDraft> DraftSnapshot(CommitFiles& files, const TableMetadata& metadata, int64_t time_ms,
                                    RandomSource& random, KnownManifestLists* lists);

// Manifests of at most about `target_bytes` with the files as added by the snapshot. Adds partition specs as needed.
Result<std::vector<ManifestFile>> WriteAddedFiles(CommitFiles& files, const std::vector<AppendFile>& added,
                                                  int64_t target_bytes, const Snapshot& snapshot,
                                                  TableMetadata* metadata);

// Writes the manifest list of `draft` and makes its snapshot the current one. The list goes into `lists` too.
Status AddSnapshot(CommitFiles& files, SnapshotDraft draft, TableMetadata* metadata, KnownManifestLists* lists);

// Expires what the policy says and writes the metadata file that follows `current_location`.
Result<PreparedCommit> FinishCommit(CommitFiles& files, std::string_view current_location, const AppendPolicy& policy,
                                    int64_t time_ms, const KnownManifestLists& lists, TableMetadata metadata);

}  // namespace arc
