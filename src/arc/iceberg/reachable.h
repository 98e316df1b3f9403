// What a table needs of the object store: the proof that orphan removal stands on.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>

#include "arc/base/result.h"
#include "arc/iceberg/metadata_history.h"
#include "arc/iceberg/table_metadata.h"
#include "arc/io/object_store.h"

namespace arc {

// Name of the object beside a table's metadata files in which its catalog may note what they do not say.
std::string TableMarkerName(std::string_view table_uuid);

// Keys of every object that some snapshot of the metadata at `location` needs: metadata files of the history,
// version-hint.text, the marker, manifest lists, manifests, data and delete files that are live in it, statistics.
// Objects outside the store's root are nobody's concern here. An error when anything cannot be read: what it names is
// unknown then, and nothing may be removed.
Result<std::unordered_set<std::string>> ReachableKeys(ObjectStore& store, std::string_view location,
                                                      const TableMetadata& metadata);

// What a copy of a table needs beside its metadata file: manifest lists, manifests, live data and delete files of every
// snapshot, statistics. Any format version; errors as above.
struct TableContent {
  std::unordered_set<std::string> keys;
  uint64_t outside = 0;  // objects that are outside the store's root, which a copy would not have
};
Result<TableContent> ContentOf(ObjectStore& store, const MetadataHistory& history);

}  // namespace arc
