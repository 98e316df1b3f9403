#include "arc/iceberg/reachable.h"

#include "arc/iceberg/manifest.h"
#include "arc/iceberg/table_files.h"

namespace arc {
namespace {

class KeySet {
 public:
  explicit KeySet(const ObjectStore& store) : store_(store) {}

  // False when it was there already.
  bool Add(std::string_view uri) {
    auto key = store_.KeyOf(uri);
    if (!key.ok()) ++outside_;
    return !key.ok() || keys_.insert(std::move(*key)).second;
  }
  uint64_t outside() const { return outside_; }
  std::unordered_set<std::string> Take() { return std::move(keys_); }

 private:
  const ObjectStore& store_;
  std::unordered_set<std::string> keys_;
  uint64_t outside_ = 0;
};

Status AddSnapshot(ObjectStore& store, const std::string& manifest_list, KeySet* keys) {
  if (!keys->Add(manifest_list)) return {};
  ARC_ASSIGN_OR_RETURN(const auto manifests, ReadManifestListAt(store, manifest_list));
  for (const auto& manifest : manifests) {
    if (!keys->Add(manifest.path)) continue;  // an earlier snapshot's, read with it
    ARC_ASSIGN_OR_RETURN(const std::string bytes, ReadObjectAt(store, manifest.path));
    ARC_RETURN_IF_ERROR(ReadManifest(bytes, manifest, {false, -1}, [&](const ManifestEntry& entry) -> Status {
      if (entry.status != EntryStatus::kDeleted) keys->Add(entry.file.path);
      return {};
    }));
  }
  return {};
}

}  // namespace

std::string TableMarkerName(std::string_view table_uuid) { return "arc-table-" + std::string(table_uuid) + ".json"; }

Result<std::unordered_set<std::string>> ReachableKeys(ObjectStore& store, std::string_view location,
                                                      const TableMetadata& metadata) {
  KeySet keys(store);
  keys.Add(location);
  const std::string folder(location.substr(0, location.rfind('/') + 1));
  keys.Add(folder + "version-hint.text");
  keys.Add(folder + TableMarkerName(metadata.table_uuid.ToString()));
  keys.Add(metadata.location + "/metadata/version-hint.text");
  for (const auto& entry : metadata.metadata_log) keys.Add(entry.metadata_file);
  for (const auto& file : metadata.statistics) keys.Add(file.path);
  for (const auto& file : metadata.partition_statistics) keys.Add(file.path);
  for (const auto& snapshot : metadata.snapshots) {
    ARC_RETURN_IF_ERROR(AddSnapshot(store, snapshot.manifest_list, &keys));
  }
  return keys.Take();
}

Result<TableContent> ContentOf(ObjectStore& store, const MetadataHistory& history) {
  KeySet keys(store);
  for (const auto& path : history.statistics) keys.Add(path);
  for (const auto& list : history.manifest_lists) ARC_RETURN_IF_ERROR(AddSnapshot(store, list, &keys));
  const uint64_t outside = keys.outside();
  return TableContent{keys.Take(), outside};
}

}  // namespace arc
