// What a snapshot says about itself: the counters that Iceberg's Java library writes and other tools show.
#pragma once

#include <cstddef>
#include <map>
#include <string>

#include "arc/iceberg/append.h"

namespace arc {

// Summary of the snapshot that appends the request's files to `parent` (null: the first one).
std::map<std::string, std::string> AppendSummary(const AppendRequest& request, const Snapshot* parent,
                                                 const MergeOutcome& merged, size_t manifests_added,
                                                 size_t manifests_carried);

}  // namespace arc
