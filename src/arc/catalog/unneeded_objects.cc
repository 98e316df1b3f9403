#include "arc/catalog/unneeded_objects.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <unordered_set>
#include <utility>

#include "arc/iceberg/append.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/reachable.h"

namespace arc {
namespace {

std::string NameOf(const TableRef& ref) { return ref.database + "." + ref.name; }

bool IsMetadataFile(const std::string& key) {
  return key.ends_with(".metadata.json") || key.ends_with(".metadata.json.gz");
}

// Where the table's metadata is; kConflict when another table's is in its folder.
Result<std::optional<std::string>> LocationOf(const ObjectStore& store, PointerStore& pointers, const TableRef& ref) {
  ARC_ASSIGN_OR_RETURN(const auto all, pointers.List());
  const std::string folder = TableKey(ref) + "/";
  std::optional<std::string> location;
  for (const auto& pointer : all) {
    if (pointer.database == ref.database && pointer.table == ref.name) {
      location = pointer.metadata_location;
      continue;
    }
    const auto key = store.KeyOf(pointer.metadata_location);
    if (!key.ok() || !key->starts_with(folder)) continue;
    return MakeError(ErrorKind::kConflict, fmt::format("table {}.{} lives in the folder of {}", pointer.database,
                                                       pointer.table, NameOf(ref)));
  }
  return location;
}

// A metadata file that is none of the table's history must at least be the table's, and older than what it is now.
Status CheckStray(ObjectStore& store, const std::string& key, const TableRef& ref,
                  const std::optional<TableMetadata>& current) {
  const auto stray = ReadTableMetadata(store, store.UriOf(key));
  if (!stray.ok()) return WithContext(stray.error(), "a metadata file that may be another table's");
  if (stray->table_uuid != ref.id) {
    return MakeError(ErrorKind::kConflict,
                     fmt::format("the folder of {} holds metadata of another table, {}", NameOf(ref), key));
  }
  if (current && stray->last_updated_ms <= current->last_updated_ms) return {};
  return MakeError(ErrorKind::kConflict,
                   fmt::format("there is newer metadata of {} than the catalog's, {}", NameOf(ref), key));
}

}  // namespace

Result<std::vector<ObjectInfo>> UnneededObjects(ObjectStore& store, PointerStore& pointers, const RetiredFiles& retired,
                                                const Table& table, std::vector<ObjectInfo> objects) {
  // What is waiting or read is looked at first: it may become a snapshot's, or nobody's, while those are read.
  std::unordered_set<std::string> needed = retired.Keys();
  const auto version = table.Current();
  for (const auto& file : version->files->files()) needed.insert(file->key);
  ARC_ASSIGN_OR_RETURN(const auto location, LocationOf(store, pointers, table.ref()));
  std::optional<TableMetadata> metadata;
  if (location) {
    ARC_ASSIGN_OR_RETURN(metadata, ReadTableMetadata(store, *location));
    if (metadata->table_uuid != table.ref().id) {
      return MakeError(ErrorKind::kConflict, "the table was replaced: its uuid is " + metadata->table_uuid.ToString());
    }
    ARC_ASSIGN_OR_RETURN(auto reachable, ReachableKeys(store, *location, *metadata));
    needed.merge(reachable);
    // Again: a query may have begun to read a snapshot that expired since. One that begins later finds it gone.
    needed.merge(retired.Keys());
  }
  std::erase_if(objects, [&](const ObjectInfo& object) { return needed.contains(object.key); });
  for (const auto& object : objects) {
    if (IsMetadataFile(object.key)) ARC_RETURN_IF_ERROR(CheckStray(store, object.key, table.ref(), metadata));
  }
  return objects;
}

}  // namespace arc
