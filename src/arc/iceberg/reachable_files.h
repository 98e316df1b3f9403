// Everything that a table's metadata refers to, for dropping a table with its files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/iceberg/metadata_change.h"
#include "arc/io/object_store.h"

namespace arc {

// URIs of the data files, manifests, manifest lists and statistics of every snapshot and of the metadata files the log
// names, the file itself last. Files of snapshots that cannot be read any more are left out; data files also when the
// table's property `gc.enabled` is false, for then they belong to others too. kCorruption, kUnsupported.
Result<std::vector<std::string>> ReachableFiles(ObjectStore& store, const MetadataFile& metadata);

}  // namespace arc
