// The updates of the Iceberg REST protocol, applied one after the other to a metadata document. Not for public headers.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "arc/base/result.h"
#include "arc/iceberg/json_value.h"
#include "arc/iceberg/schema_json.h"

namespace arc {

// Not thread-safe. After an error the document has no meaning.
class MetadataUpdates {
 public:
  // `document` as ParseDocument or EmptyDocument gives it.
  MetadataUpdates(Json document, int64_t now_ms) : document_(std::move(document)), now_ms_(now_ms) {}

  // kInvalidArgument; kConflict when the update was made for older metadata and may be made again.
  Status Apply(const Json& update);
  // The table has all it needs, its snapshot log tells what was current when, and last-updated-ms is set.
  Result<Json> Finish();

 private:
  using Step = Status (MetadataUpdates::*)(const Json& update);
  static Step Find(const std::string& action);

  // metadata_updates.cc
  Status AssignUuid(const Json& update);
  Status UpgradeFormatVersion(const Json& update);
  Status SetLocation(const Json& update);
  Status SetProperties(const Json& update);
  Status RemoveProperties(const Json& update);
  Status AddSnapshot(const Json& update);
  Status SetSnapshotRef(const Json& update);
  Status RemoveSnapshotRef(const Json& update);
  Status RemoveSnapshots(const Json& update);
  Status SetStatistics(const Json& update);
  Status RemoveStatistics(const Json& update);
  Status SetPartitionStatistics(const Json& update);
  Status RemovePartitionStatistics(const Json& update);
  Status AddEncryptionKey(const Json& update);
  Status RemoveEncryptionKey(const Json& update);
  Status EnableRowLineage(const Json& update);
  Status PutStatistics(const Json& update, const char* member, const char* list);
  Status DropRef(const std::string& name);
  void CutSnapshotLog();

  // schema_updates.cc
  Status AddSchema(const Json& update);
  Status SetCurrentSchema(const Json& update);
  Status RemoveSchemas(const Json& update);
  Status AddSpec(const Json& update);
  Status SetDefaultSpec(const Json& update);
  Status RemoveSpecs(const Json& update);
  Status AddSortOrder(const Json& update);
  Status SetDefaultSortOrder(const Json& update);
  Status RemoveByIds(const Json& update, const char* ids, const char* list, const char* id_name, const char* current);
  Result<SchemaFields> CurrentFields() const;

  int64_t format_version() const { return document_["format-version"].get<int64_t>(); }

  Json document_;
  const int64_t now_ms_;
  // What -1 stands for.
  std::optional<int64_t> last_added_schema_;
  std::optional<int64_t> last_added_spec_;
  std::optional<int64_t> last_added_order_;
  std::set<int64_t> added_snapshots_;
  std::set<int64_t> added_to_main_;
  bool removed_snapshots_ = false;
};

// Removes the snapshots, what is told about them, and refs that point at them.
void EraseSnapshots(const std::set<int64_t>& ids, Json* document);

}  // namespace arc
