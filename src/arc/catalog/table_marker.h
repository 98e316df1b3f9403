// What the catalog knows of a table and its metadata does not say, beside the metadata: for a catalog that is made
// anew.
#pragma once

#include <optional>
#include <string>

#include "arc/base/result.h"
#include "arc/io/object_store.h"

namespace arc {

// Of tables that are not called as their folder is, or are not there any more.
struct TableMarker {
  std::string database;
  std::string table;
  bool dropped = false;
};

// Key of the marker of the table whose metadata file has that key: one for each UUID in a folder.
std::string TableMarkerKey(const std::string& metadata_key, const std::string& table_uuid);

// Puts the marker beside the metadata file at a URI. Best effort, like version-hint.text: the catalog is the truth.
void MarkTable(ObjectStore& store, const std::string& metadata_location, const std::string& table_uuid,
               const TableMarker& marker);

// Nothing when it is not what MarkTable writes; errors are those of a store that cannot be asked now.
Result<std::optional<TableMarker>> ReadTableMarker(ObjectStore& store, const std::string& key);

}  // namespace arc
