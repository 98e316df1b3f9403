#include "arc/iceberg/metadata_updates.h"

#include <algorithm>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "arc/iceberg/metadata_document.h"
#include "arc/iceberg/request_json.h"

namespace arc {
namespace {

constexpr std::string_view kMain = "main";
constexpr std::string_view kOwnProperties = "arc.";  // Arc's bookkeeping: what is flushed, what columns are

Error Stale(std::string message) { return MakeError(ErrorKind::kConflict, std::move(message)); }

Result<std::set<int64_t>> Ids(const Json& update, const char* name) {
  ARC_ASSIGN_OR_RETURN(const Json* array, RequestFields(update, "an update").Array(name));
  std::set<int64_t> ids;
  for (const auto& id : *array) {
    if (!id.is_number_integer()) return InvalidArgument(std::string(name) + " holds something that is no integer");
    ids.insert(id.get<int64_t>());
  }
  return ids;
}

void EraseWhere(const char* id_name, const std::set<int64_t>& ids, Json* list) {
  Json kept = Json::array();
  for (auto& item : *list) {
    if (!ids.contains(item[id_name].get<int64_t>())) kept.push_back(std::move(item));
  }
  *list = std::move(kept);
}

}  // namespace

void EraseSnapshots(const std::set<int64_t>& ids, Json* document) {
  for (const char* list : {"snapshots", "statistics", "partition-statistics"}) {
    EraseWhere("snapshot-id", ids, &(*document)[list]);
  }
  Json refs = Json::object();
  for (auto& [name, ref] : (*document)["refs"].items()) {
    if (!ids.contains(ref["snapshot-id"].get<int64_t>())) refs[name] = std::move(ref);
  }
  (*document)["refs"] = std::move(refs);
  if (ids.contains((*document)["current-snapshot-id"].get<int64_t>())) (*document)["current-snapshot-id"] = kNoSnapshot;
}

MetadataUpdates::Step MetadataUpdates::Find(const std::string& action) {
  static const std::unordered_map<std::string, Step> kSteps = {
      {"assign-uuid", &MetadataUpdates::AssignUuid},
      {"upgrade-format-version", &MetadataUpdates::UpgradeFormatVersion},
      {"add-schema", &MetadataUpdates::AddSchema},
      {"set-current-schema", &MetadataUpdates::SetCurrentSchema},
      {"remove-schemas", &MetadataUpdates::RemoveSchemas},
      {"add-spec", &MetadataUpdates::AddSpec},
      {"set-default-spec", &MetadataUpdates::SetDefaultSpec},
      {"remove-partition-specs", &MetadataUpdates::RemoveSpecs},
      {"add-sort-order", &MetadataUpdates::AddSortOrder},
      {"set-default-sort-order", &MetadataUpdates::SetDefaultSortOrder},
      {"add-snapshot", &MetadataUpdates::AddSnapshot},
      {"set-snapshot-ref", &MetadataUpdates::SetSnapshotRef},
      {"remove-snapshot-ref", &MetadataUpdates::RemoveSnapshotRef},
      {"remove-snapshots", &MetadataUpdates::RemoveSnapshots},
      {"set-location", &MetadataUpdates::SetLocation},
      {"set-properties", &MetadataUpdates::SetProperties},
      {"remove-properties", &MetadataUpdates::RemoveProperties},
      {"set-statistics", &MetadataUpdates::SetStatistics},
      {"remove-statistics", &MetadataUpdates::RemoveStatistics},
      {"set-partition-statistics", &MetadataUpdates::SetPartitionStatistics},
      {"remove-partition-statistics", &MetadataUpdates::RemovePartitionStatistics},
      {"add-encryption-key", &MetadataUpdates::AddEncryptionKey},
      {"remove-encryption-key", &MetadataUpdates::RemoveEncryptionKey},
      {"enable-row-lineage", &MetadataUpdates::EnableRowLineage},
  };
  const auto found = kSteps.find(action);
  return found == kSteps.end() ? nullptr : found->second;
}

Status MetadataUpdates::Apply(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const std::string action, RequestFields(update, "an update").Text("action"));
  const Step step = Find(action);
  if (step == nullptr) return InvalidArgument("Unknown metadata update: " + action);
  return (this->*step)(update);
}

Status MetadataUpdates::AssignUuid(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const std::string text, RequestFields(update, "assign-uuid").Text("uuid"));
  ARC_ASSIGN_OR_RETURN(const Uuid uuid, Uuid::Parse(text));
  if (!document_["schemas"].empty() && document_["table-uuid"] != uuid.ToString()) {
    return InvalidArgument("Cannot change the uuid of a table");
  }
  document_["table-uuid"] = uuid.ToString();
  return {};
}

Status MetadataUpdates::UpgradeFormatVersion(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const int32_t version, RequestFields(update, "upgrade-format-version").Int32("format-version"));
  if (version > kNewestFormatVersion) {
    return MakeError(ErrorKind::kUnsupported, "Cannot upgrade table to unsupported format version: v" +
                                                  std::to_string(version) + " (supported: v3)");
  }
  if (version < format_version()) {
    return InvalidArgument("Cannot downgrade v" + std::to_string(format_version()) + " table to v" +
                           std::to_string(version));
  }
  document_["format-version"] = version;
  if (version >= 3 && !document_.contains("next-row-id")) document_["next-row-id"] = 0;
  return {};
}

Status MetadataUpdates::SetLocation(const Json& update) {
  ARC_ASSIGN_OR_RETURN(std::string location, RequestFields(update, "set-location").Text("location"));
  while (location.size() > 1 && location.ends_with('/')) location.pop_back();
  if (location.empty()) return InvalidArgument("the location is empty");
  document_["location"] = std::move(location);
  return {};
}

Status MetadataUpdates::SetProperties(const Json& update) {
  RequestFields fields(update, "set-properties");
  // `updated` is what early clients sent.
  ARC_ASSIGN_OR_RETURN(const auto updates, fields.TextMap(fields.Find("updates") != nullptr ? "updates" : "updated"));
  Json& properties = document_["properties"];
  for (const auto& [name, value] : updates) {
    const bool same = properties.contains(name) && properties[name] == value;
    if (name.starts_with(kOwnProperties) && !same) return InvalidArgument("property " + name + " belongs to Arc");
    properties[name] = value;
  }
  return {};
}

Status MetadataUpdates::RemoveProperties(const Json& update) {
  RequestFields fields(update, "remove-properties");
  ARC_ASSIGN_OR_RETURN(const Json* names, fields.Array(fields.Find("removals") != nullptr ? "removals" : "removed"));
  for (const auto& name : *names) {
    if (!name.is_string()) return InvalidArgument("removals holds something that is no string");
    const std::string text = name;
    if (text.starts_with(kOwnProperties)) return InvalidArgument("property " + text + " belongs to Arc");
    document_["properties"].erase(text);
  }
  return {};
}

Status MetadataUpdates::AddSnapshot(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const Json* snapshot, RequestFields(update, "add-snapshot").Object("snapshot"));
  RequestFields fields(*snapshot, "the snapshot");
  ARC_ASSIGN_OR_RETURN(const int64_t id, fields.Int64("snapshot-id"));
  ARC_ASSIGN_OR_RETURN(const int64_t time_ms, fields.Int64("timestamp-ms"));
  ARC_ASSIGN_OR_RETURN(const auto sequence, fields.OptionalInt64("sequence-number"));
  ARC_ASSIGN_OR_RETURN(const auto parent, fields.OptionalInt64("parent-snapshot-id"));
  ARC_RETURN_IF_ERROR(fields.TextMap("summary"));
  if (id < 0 || time_ms < 0) return InvalidArgument("the snapshot has a negative id or time");
  if (fields.Find("manifests") == nullptr) ARC_RETURN_IF_ERROR(fields.Text("manifest-list"));
  if (document_["schemas"].empty() || document_["partition-specs"].empty()) {
    return InvalidArgument("Attempting to add a snapshot before a schema and a partition spec are added");
  }
  if (arc::FindById(document_, "snapshots", "snapshot-id", id) != nullptr) {
    return InvalidArgument("Snapshot already exists for id: " + std::to_string(id));
  }
  if (format_version() > 1) {
    const int64_t last = document_["last-sequence-number"];
    if (!sequence || *sequence < 0) return InvalidArgument("the snapshot has no sequence-number");
    if (*sequence <= last && parent) {
      return Stale("Cannot add snapshot with sequence number " + std::to_string(*sequence) +
                   " older than last sequence number " + std::to_string(last));
    }
    document_["last-sequence-number"] = std::max(last, *sequence);
  }
  if (format_version() >= 3) {
    ARC_ASSIGN_OR_RETURN(const int64_t first_row, fields.Int64("first-row-id"));
    ARC_ASSIGN_OR_RETURN(const int64_t added_rows, fields.Int64("added-rows"));
    const int64_t next_row = document_["next-row-id"];
    if (first_row < next_row) {
      return Stale("Cannot add a snapshot, first-row-id is behind table next-row-id: " + std::to_string(first_row) +
                   " < " + std::to_string(next_row));
    }
    int64_t after = 0;
    if (added_rows < 0 || __builtin_add_overflow(next_row, added_rows, &after)) {
      return InvalidArgument("the snapshot has a bad number in added-rows");
    }
    document_["next-row-id"] = after;
  }
  added_snapshots_.insert(id);
  document_["snapshots"].push_back(*snapshot);
  return {};
}

Status MetadataUpdates::SetSnapshotRef(const Json& update) {
  RequestFields fields(update, "set-snapshot-ref");
  ARC_ASSIGN_OR_RETURN(const std::string name, fields.Text("ref-name"));
  ARC_ASSIGN_OR_RETURN(const std::string type, fields.Text("type"));
  ARC_ASSIGN_OR_RETURN(const int64_t id, fields.Int64("snapshot-id"));
  if (type != "branch" && type != "tag") return InvalidArgument("a ref is a branch or a tag, not a " + type);
  if (name == kMain && type != "branch") return InvalidArgument("Cannot set main to a tag, it must be a branch");
  const Json* snapshot = arc::FindById(document_, "snapshots", "snapshot-id", id);
  if (snapshot == nullptr) {
    return InvalidArgument("Cannot set " + name + " to unknown snapshot: " + std::to_string(id));
  }
  Json ref = {{"snapshot-id", id}, {"type", type}};
  for (const char* option : {"min-snapshots-to-keep", "max-snapshot-age-ms", "max-ref-age-ms"}) {
    ARC_ASSIGN_OR_RETURN(const auto value, fields.OptionalInt64(option));
    if (value && *value <= 0) return InvalidArgument(std::string(option) + " must be above 0");
    if (value) ref[option] = *value;
  }
  if (document_["refs"].contains(name) && document_["refs"][name] == ref) return {};
  document_["refs"][name] = std::move(ref);
  if (name != kMain) return {};
  const bool added = added_snapshots_.contains(id);
  const int64_t time_ms = added ? (*snapshot)["timestamp-ms"].get<int64_t>() : now_ms_;
  document_["current-snapshot-id"] = id;
  document_["snapshot-log"].push_back({{"timestamp-ms", time_ms}, {"snapshot-id", id}});
  if (added) added_to_main_.insert(id);
  return {};
}

Status MetadataUpdates::RemoveSnapshotRef(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const std::string name, RequestFields(update, "remove-snapshot-ref").Text("ref-name"));
  document_["refs"].erase(name);
  if (name == kMain) document_["current-snapshot-id"] = kNoSnapshot;
  return {};
}

Status MetadataUpdates::RemoveSnapshots(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const auto ids, Ids(update, "snapshot-ids"));
  EraseSnapshots(ids, &document_);
  removed_snapshots_ = true;
  return {};
}

Status MetadataUpdates::PutStatistics(const Json& update, const char* member, const char* list) {
  ARC_ASSIGN_OR_RETURN(const Json* statistics, RequestFields(update, "an update").Object(member));
  RequestFields fields(*statistics, member);
  ARC_ASSIGN_OR_RETURN(const int64_t id, fields.Int64("snapshot-id"));
  ARC_RETURN_IF_ERROR(fields.Text("statistics-path"));
  EraseWhere("snapshot-id", {id}, &document_[list]);
  document_[list].push_back(*statistics);
  return {};
}

Status MetadataUpdates::SetStatistics(const Json& update) { return PutStatistics(update, "statistics", "statistics"); }

Status MetadataUpdates::SetPartitionStatistics(const Json& update) {
  return PutStatistics(update, "partition-statistics", "partition-statistics");
}

Status MetadataUpdates::RemoveStatistics(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const int64_t id, RequestFields(update, "remove-statistics").Int64("snapshot-id"));
  EraseWhere("snapshot-id", {id}, &document_["statistics"]);
  return {};
}

Status MetadataUpdates::RemovePartitionStatistics(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const int64_t id, RequestFields(update, "remove-partition-statistics").Int64("snapshot-id"));
  EraseWhere("snapshot-id", {id}, &document_["partition-statistics"]);
  return {};
}

Status MetadataUpdates::AddEncryptionKey(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const Json* key, RequestFields(update, "add-encryption-key").Object("encryption-key"));
  ARC_ASSIGN_OR_RETURN(const std::string id, RequestFields(*key, "the encryption key").Text("key-id"));
  Json& keys = document_["encryption-keys"];
  if (!keys.is_array()) keys = Json::array();
  const auto same = [&](const Json& known) { return known.is_object() && known.value("key-id", "") == id; };
  if (std::none_of(keys.begin(), keys.end(), same)) keys.push_back(*key);
  return {};
}

Status MetadataUpdates::RemoveEncryptionKey(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const std::string id, RequestFields(update, "remove-encryption-key").Text("key-id"));
  Json kept = Json::array();
  if (document_.contains("encryption-keys")) {
    for (auto& key : document_["encryption-keys"]) {
      if (!key.is_object() || key.value("key-id", "") != id) kept.push_back(std::move(key));
    }
  }
  document_["encryption-keys"] = std::move(kept);
  return {};
}

// Row lineage comes with version 3 and cannot be switched off.
Status MetadataUpdates::EnableRowLineage(const Json& /*update*/) { return {}; }

// Snapshots that were current within this change only were never current for anybody else. A removed one takes the
// entries before it along: history must have no gaps.
void MetadataUpdates::CutSnapshotLog() {
  const int64_t current = document_["current-snapshot-id"];
  std::set<int64_t> known;
  for (const auto& snapshot : document_["snapshots"]) known.insert(snapshot["snapshot-id"].get<int64_t>());
  Json log = Json::array();
  for (auto& entry : document_["snapshot-log"]) {
    const int64_t id = entry["snapshot-id"];
    if (known.contains(id)) {
      if (id == current || !added_to_main_.contains(id)) log.push_back(std::move(entry));
    } else if (removed_snapshots_) {
      log.clear();
    } else {
      log.push_back(std::move(entry));
    }
  }
  document_["snapshot-log"] = std::move(log);
}

Result<Json> MetadataUpdates::Finish() {
  if (arc::FindById(document_, "schemas", "schema-id", document_["current-schema-id"]) == nullptr) {
    return InvalidArgument("the table has no current schema");
  }
  if (arc::FindById(document_, "partition-specs", "spec-id", document_["default-spec-id"]) == nullptr) {
    return InvalidArgument("the table has no default partition spec");
  }
  if (document_["sort-orders"].empty()) {
    document_["sort-orders"].push_back({{"order-id", 0}, {"fields", Json::array()}});
    document_["default-sort-order-id"] = 0;
  }
  if (arc::FindById(document_, "sort-orders", "order-id", document_["default-sort-order-id"]) == nullptr) {
    return InvalidArgument("the table has no default sort order");
  }
  CutSnapshotLog();
  // A client's clock may be ahead; readers refuse metadata that is older than its last snapshot.
  int64_t time_ms = std::max(now_ms_, document_["last-updated-ms"].get<int64_t>());
  for (const auto& entry : document_["snapshot-log"]) {
    time_ms = std::max(time_ms, entry.value("timestamp-ms", int64_t{0}));
  }
  document_["last-updated-ms"] = time_ms;
  return std::move(document_);
}

}  // namespace arc
