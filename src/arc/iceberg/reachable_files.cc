#include "arc/iceberg/reachable_files.h"

#include <set>

#include "arc/base/log.h"
#include "arc/iceberg/manifest.h"
#include "arc/iceberg/metadata_document.h"
#include "arc/iceberg/table_files.h"

namespace arc {
namespace {

class Collector {
 public:
  explicit Collector(ObjectStore& store, bool with_data) : store_(store), with_data_(with_data) {}

  void AddSnapshot(const std::string& manifest_list) {
    if (!seen_.insert(manifest_list).second) return;
    lists_.push_back(manifest_list);
    auto rows = ReadManifestListAt(store_, manifest_list);
    if (!rows.ok()) return LeaveOut(manifest_list, rows.error());
    for (const auto& row : *rows) AddManifest(row);
  }

  void AddTo(std::vector<std::string>* uris) {
    for (auto* part : {&data_, &manifests_, &lists_}) uris->insert(uris->end(), part->begin(), part->end());
  }

 private:
  void AddManifest(const ManifestFile& row) {
    if (!seen_.insert(row.path).second) return;
    manifests_.push_back(row.path);
    if (!with_data_) return;
    auto bytes = ReadObjectAt(store_, row.path);
    if (!bytes.ok()) return LeaveOut(row.path, bytes.error());
    auto read = ReadManifest(*bytes, row, {false, -1}, [&](const ManifestEntry& entry) -> Status {
      if (seen_.insert(entry.file.path).second) data_.push_back(entry.file.path);
      return {};
    });
    if (!read.ok()) LeaveOut(row.path, read.error());
  }

  static void LeaveOut(const std::string& uri, const Error& error) {
    Log(LogLevel::kWarning, "iceberg", "files of a dropped table stay behind", {{"of", uri}, {"error", error.message}});
  }

  ObjectStore& store_;
  const bool with_data_;
  std::set<std::string> seen_;
  std::vector<std::string> data_;
  std::vector<std::string> manifests_;
  std::vector<std::string> lists_;
};

void AddMember(const Json& object, const char* name, std::vector<std::string>* uris) {
  const auto found = object.find(name);
  if (found != object.end() && found->is_string()) uris->push_back(found->get<std::string>());
}

}  // namespace

Result<std::vector<std::string>> ReachableFiles(ObjectStore& store, const MetadataFile& metadata) {
  ARC_ASSIGN_OR_RETURN(const Json document, ParseDocument(metadata.json));
  const auto gc = document["properties"].find("gc.enabled");
  Collector collector(store, gc == document["properties"].end() || *gc != "false");
  std::vector<std::string> lists;
  for (const auto& snapshot : document["snapshots"]) AddMember(snapshot, "manifest-list", &lists);
  for (const auto& list : lists) collector.AddSnapshot(list);
  std::vector<std::string> uris;
  collector.AddTo(&uris);
  for (const auto& file : document["statistics"]) AddMember(file, "statistics-path", &uris);
  for (const auto& file : document["partition-statistics"]) AddMember(file, "statistics-path", &uris);
  for (const auto& entry : document["metadata-log"]) AddMember(entry, "metadata-file", &uris);
  uris.push_back(metadata.location.substr(0, metadata.location.rfind('/') + 1) + "version-hint.text");
  uris.push_back(metadata.location);
  return uris;
}

}  // namespace arc
