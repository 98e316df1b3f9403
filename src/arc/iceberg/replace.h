// The replace commit: live data files out, others in, in one snapshot. Compaction, retention, deletes and moves to the
// cold store end in it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/table_metadata.h"
#include "arc/io/object_store.h"
#include "arc/model/schema.h"

namespace arc {

struct RemovedFile {
  std::string key;
  // µs, of its rows at most: manifests of other times are not read.
  int64_t min_time = 0;
  int64_t max_time = 0;
  // Key of a copy that takes its place as it is described in the manifest, metrics and partition; empty: none does.
  std::string moved_to = {};
};

struct ReplaceRequest {
  TableRef table;
  std::vector<RemovedFile> removed;  // at least one
  std::vector<AppendFile> added;
  // The added files (and copies) hold the rows of the removed ones and no others (operation "replace"), else rows go
  // ("delete", or "overwrite" with files added).
  bool same_rows = true;
  std::map<std::string, std::string> summary;  // beside the standard entries of the snapshot
  int64_t now_ms = 0;                          // wall clock, ms since 1970
  AppendPolicy policy;
};

// Writes manifests, manifest list and metadata file of the replacement on top of `current` and returns what to commit,
// as PrepareAppend does. Only manifests that name a removed file are rewritten: what stays in them keeps its sequence
// numbers, what goes is marked as deleted by the new snapshot. Added files and copies get the new snapshot's sequence
// number. The objects of removed files stay: they go when the last snapshot that has them expires. Properties do not
// change. On error everything written is deleted again, but not the added files.
//
// Errors: kNotFound naming the first removed file that is not live any more (nothing is then to be gained by trying
// again); kConflict when the table has another uuid; kInvalidArgument when an added file does not lie in its partition,
// or the rows of both sides do not add up although they should; kUnsupported when the table has row-level deletes,
// which might be for a removed file, or when a removed file is under another writer's partition spec; those of the
// store.
Result<PreparedCommit> PrepareReplace(ObjectStore& store, std::string_view current_location,
                                      const TableMetadata& current, const ReplaceRequest& request,
                                      RandomSource& random = SystemRandom());

}  // namespace arc
