// What a snapshot says about itself: the counters that Iceberg's Java library writes and other tools show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "arc/iceberg/append.h"
#include "arc/iceberg/replace.h"

namespace arc {

// Summary of the snapshot that appends the request's files to `parent` (null: the first one).
std::map<std::string, std::string> AppendSummary(const AppendRequest& request, const Snapshot* parent,
                                                 const MergeOutcome& merged, size_t manifests_added,
                                                 size_t manifests_carried);

// Of some files of a replacement.
struct FileCounts {
  int64_t files = 0;
  int64_t rows = 0;
  int64_t bytes = 0;
};

// Summary of the snapshot that replaces files of `parent`; of the removed ones, `moved` go on as copies.
std::map<std::string, std::string> ReplaceSummary(const ReplaceRequest& request, const FileCounts& removed,
                                                  const FileCounts& moved, const Snapshot* parent,
                                                  const MergeOutcome& merged, size_t manifests_added,
                                                  size_t manifests_carried);

}  // namespace arc
