// What a table needs of the object store: the proof that orphan removal stands on.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>

#include "arc/base/result.h"
#include "arc/iceberg/table_metadata.h"
#include "arc/io/object_store.h"

namespace arc {

// Keys of every object that some snapshot of the metadata at `location` needs: metadata files of the history,
// version-hint.text, manifest lists, manifests, data and delete files that are live in it, statistics. Objects outside
// the store's root are nobody's concern here. An error when anything cannot be read: what it names is unknown then, and
// nothing may be removed.
Result<std::unordered_set<std::string>> ReachableKeys(ObjectStore& store, std::string_view location,
                                                      const TableMetadata& metadata);

}  // namespace arc
