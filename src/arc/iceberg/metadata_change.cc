#include "arc/iceberg/metadata_change.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <utility>

#include "arc/iceberg/metadata_document.h"
#include "arc/iceberg/metadata_updates.h"
#include "arc/iceberg/request_json.h"
#include "arc/iceberg/schema_json.h"

namespace arc {
namespace {

constexpr int32_t kDefaultFormatVersion = 2;
constexpr std::string_view kOwnProperties = "arc.";

// Java's names for what is no property of a table but describes it.
constexpr std::array<std::string_view, 9> kDescriptions = {"format-version",
                                                           "uuid",
                                                           "snapshot-count",
                                                           "current-snapshot-summary",
                                                           "current-snapshot-id",
                                                           "current-schema",
                                                           "default-sort-order",
                                                           "default-partition-spec",
                                                           "current-snapshot-timestamp-ms"};

Error Failed(std::string problem) {
  return MakeError(ErrorKind::kConflict, "Requirement failed: " + std::move(problem));
}

Status CheckNumber(const Json& document, const Json& requirement, const char* asked, const char* member,
                   const std::string& what) {
  ARC_ASSIGN_OR_RETURN(const int64_t expected, RequestFields(requirement, "a requirement").Int64(asked));
  const int64_t found = document[member];
  if (expected == found) return {};
  return Failed(what + " changed: expected id " + std::to_string(expected) + " != " + std::to_string(found));
}

Status CheckRef(const Json& document, const Json& requirement) {
  RequestFields fields(requirement, "assert-ref-snapshot-id");
  ARC_ASSIGN_OR_RETURN(const std::string name, fields.Text("ref"));
  ARC_ASSIGN_OR_RETURN(const auto expected, fields.OptionalInt64("snapshot-id"));
  const auto ref = document["refs"].find(name);
  if (ref == document["refs"].end()) {
    if (!expected) return {};
    return Failed("branch or tag " + name + " is missing, expected " + std::to_string(*expected));
  }
  const std::string type = ref->value("type", "branch");
  const int64_t found = (*ref)["snapshot-id"];
  if (!expected) return Failed(type + " " + name + " was created concurrently");
  if (*expected == found) return {};
  return Failed(type + " " + name + " has changed: expected id " + std::to_string(*expected) +
                " != " + std::to_string(found));
}

Status CheckUuid(const Json& document, const Json& requirement) {
  ARC_ASSIGN_OR_RETURN(const std::string expected, RequestFields(requirement, "assert-table-uuid").Text("uuid"));
  const std::string found = document.value("table-uuid", "");
  const auto a = Uuid::Parse(expected);
  const auto b = Uuid::Parse(found);
  if (a.ok() && b.ok() && *a == *b) return {};
  return Failed("UUID does not match: expected " + found + " != " + expected);
}

// `document` null: there is no such table.
Status CheckRequirement(const Json* document, const Json& requirement) {
  ARC_ASSIGN_OR_RETURN(const std::string type, RequestFields(requirement, "a requirement").Text("type"));
  if (type == "assert-create") {
    if (document == nullptr) return {};
    return MakeError(ErrorKind::kAlreadyExists, "Requirement failed: table already exists");
  }
  if (document == nullptr) return InvalidArgument("a table that is to be made has no " + type);
  if (type == "assert-table-uuid") return CheckUuid(*document, requirement);
  if (type == "assert-ref-snapshot-id") return CheckRef(*document, requirement);
  if (type == "assert-last-assigned-field-id") {
    return CheckNumber(*document, requirement, "last-assigned-field-id", "last-column-id", "last assigned field id");
  }
  if (type == "assert-current-schema-id") {
    return CheckNumber(*document, requirement, "current-schema-id", "current-schema-id", "current schema");
  }
  if (type == "assert-last-assigned-partition-id") {
    return CheckNumber(*document, requirement, "last-assigned-partition-id", "last-partition-id",
                       "last assigned partition id");
  }
  if (type == "assert-default-spec-id") {
    return CheckNumber(*document, requirement, "default-spec-id", "default-spec-id", "default partition spec");
  }
  if (type == "assert-default-sort-order-id") {
    return CheckNumber(*document, requirement, "default-sort-order-id", "default-sort-order-id", "default sort order");
  }
  return InvalidArgument("Unknown requirement: " + type);
}

Result<int32_t> FormatVersionOf(const std::map<std::string, std::string>& properties) {
  const auto found = properties.find("format-version");
  if (found == properties.end()) return kDefaultFormatVersion;
  int32_t version = 0;
  const std::string& text = found->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error != std::errc() || end != text.data() + text.size() || version < 1 || version > kNewestFormatVersion) {
    return MakeError(ErrorKind::kUnsupported, "Unsupported format version: v" + text + " (supported: v1 to v3)");
  }
  return version;
}

// The version a creation begins with, so that v3 types are known from the first update on.
Result<int32_t> FirstFormatVersion(const Json& updates) {
  for (const auto& update : updates) {
    if (!update.is_object() || update.value("action", "") != "upgrade-format-version") continue;
    ARC_ASSIGN_OR_RETURN(const int32_t version,
                         RequestFields(update, "upgrade-format-version").Int32("format-version"));
    if (version < 1 || version > kNewestFormatVersion) {
      return MakeError(ErrorKind::kUnsupported, "Unsupported format version: v" + std::to_string(version));
    }
    return version;
  }
  return kDefaultFormatVersion;
}

Result<Json> ParseOr(const std::string& text, const char* what, Json fallback) {
  if (text.empty()) return fallback;
  return ParseRequestJson(text, what);
}

Status PutProperties(const std::map<std::string, std::string>& properties, Json* document) {
  for (const auto& [name, value] : properties) {
    if (std::find(kDescriptions.begin(), kDescriptions.end(), name) != kDescriptions.end()) continue;
    if (name.starts_with(kOwnProperties)) return InvalidArgument("property " + name + " belongs to Arc");
    (*document)["properties"][name] = value;
  }
  return {};
}

Result<std::string> MakeNewTable(const CreateTableRequest& request, const std::string& location, const Uuid& uuid,
                                 int64_t now_ms) {
  ARC_ASSIGN_OR_RETURN(const int32_t version, FormatVersionOf(request.properties));
  ARC_ASSIGN_OR_RETURN(const Json given, ParseRequestJson(request.schema, "the schema"));
  ARC_ASSIGN_OR_RETURN(const SchemaFields given_fields, CheckSchema(given, version));
  std::map<int32_t, int32_t> ids;
  Json schema = WithFreshIds(given, &ids);
  Json document = EmptyDocument(version, uuid, location);
  schema["type"] = "struct";
  schema["schema-id"] = 0;
  document["last-column-id"] = static_cast<int64_t>(ids.size());
  document["schemas"].push_back(std::move(schema));
  document["current-schema-id"] = 0;

  ARC_ASSIGN_OR_RETURN(Json spec, ParseOr(request.partition_spec, "the partition spec", {{"fields", Json::array()}}));
  ARC_RETURN_IF_ERROR(CheckSpec(spec, given_fields));
  RenumberSources(ids, &spec["fields"]);
  int64_t last_partition = kFirstPartitionId - 1;
  for (auto& field : spec["fields"]) field["field-id"] = ++last_partition;
  spec["spec-id"] = 0;
  document["last-partition-id"] = last_partition;
  document["partition-specs"].push_back(std::move(spec));
  document["default-spec-id"] = 0;

  ARC_ASSIGN_OR_RETURN(Json order, ParseOr(request.write_order, "the write order", {{"fields", Json::array()}}));
  ARC_RETURN_IF_ERROR(CheckSortOrder(order, given_fields));
  RenumberSources(ids, &order["fields"]);
  order["order-id"] = order["fields"].empty() ? 0 : 1;
  document["default-sort-order-id"] = order["order-id"];
  document["sort-orders"].push_back(std::move(order));
  ARC_RETURN_IF_ERROR(PutProperties(request.properties, &document));
  document["last-updated-ms"] = now_ms;
  return PrintDocument(std::move(document));
}

Result<ChangedMetadata> Change(const MetadataFile* current, const TableChange& change, const Uuid& uuid,
                               const std::string& location, int64_t now_ms) {
  ARC_ASSIGN_OR_RETURN(const Json requirements, ParseRequestJson(change.requirements, "requirements"));
  ARC_ASSIGN_OR_RETURN(const Json updates, ParseRequestJson(change.updates, "updates"));
  Json before;
  if (current != nullptr) {
    ARC_ASSIGN_OR_RETURN(before, ParseDocument(current->json));
  }
  for (const auto& requirement : requirements) {
    ARC_RETURN_IF_ERROR(CheckRequirement(current == nullptr ? nullptr : &before, requirement));
  }
  Json start = before;
  if (current == nullptr) {
    ARC_ASSIGN_OR_RETURN(const int32_t version, FirstFormatVersion(updates));
    start = EmptyDocument(version, uuid, location);
  }
  MetadataUpdates builder(std::move(start), now_ms);
  for (const auto& update : updates) ARC_RETURN_IF_ERROR(builder.Apply(update));
  ARC_ASSIGN_OR_RETURN(Json after, builder.Finish());
  ChangedMetadata changed;
  if (current != nullptr) {
    Json same_time = after;
    same_time["last-updated-ms"] = before["last-updated-ms"];
    if (same_time == before) {
      changed.json = current->json;
      return changed;
    }
    changed.dropped_files = RollMetadataLog(current->location, before["last-updated-ms"], &after);
  }
  changed.changed = true;
  changed.json = PrintDocument(std::move(after));
  return changed;
}

// Whether one of the objects in `list` has this text as the member.
bool Has(const Json& list, const char* member, std::string_view text) {
  return std::any_of(list.begin(), list.end(), [&](const Json& item) {
    const auto found = item.is_object() ? item.find(member) : item.end();
    return item.is_object() && found != item.end() && found->is_string() &&
           found->get_ref<const std::string&>() == text;
  });
}

// What a checked document or request still hides (a member of the wrong kind deep inside) is the client's mistake.
template <typename T, typename Call>
Result<T> Guarded(Call&& call) {
  try {
    return call();
  } catch (const Json::exception& e) {
    return InvalidArgument(std::string("the metadata or the change to it is malformed: ") + e.what());
  }
}

}  // namespace

Result<std::string> NewTableMetadata(const CreateTableRequest& request, const std::string& location, const Uuid& uuid,
                                     int64_t now_ms) {
  return Guarded<std::string>([&] { return MakeNewTable(request, location, uuid, now_ms); });
}

Result<ChangedMetadata> ChangeMetadata(const MetadataFile* current, const TableChange& change, const Uuid& uuid,
                                       const std::string& location, int64_t now_ms) {
  return Guarded<ChangedMetadata>([&] { return Change(current, change, uuid, location, now_ms); });
}

Result<bool> IsCreation(const TableChange& change) {
  ARC_ASSIGN_OR_RETURN(const Json requirements, ParseRequestJson(change.requirements, "requirements"));
  return Has(requirements, "type", "assert-create");
}

Result<bool> AddsSchema(const TableChange& change) {
  ARC_ASSIGN_OR_RETURN(const Json updates, ParseRequestJson(change.updates, "updates"));
  return Has(updates, "action", "add-schema");
}

Result<std::string> WithoutHistory(std::string_view json) {
  return Guarded<std::string>([&]() -> Result<std::string> {
    ARC_ASSIGN_OR_RETURN(Json document, ParseDocument(json));
    std::set<int64_t> hidden;
    for (const auto& snapshot : document["snapshots"]) hidden.insert(snapshot["snapshot-id"].get<int64_t>());
    for (const auto& ref : document["refs"]) hidden.erase(ref["snapshot-id"].get<int64_t>());
    Json kept = Json::array();
    for (auto& snapshot : document["snapshots"]) {
      if (!hidden.contains(snapshot["snapshot-id"].get<int64_t>())) kept.push_back(std::move(snapshot));
    }
    document["snapshots"] = std::move(kept);
    return PrintDocument(std::move(document));
  });
}

Result<MetadataFacts> ReadFacts(std::string_view json) {
  return Guarded<MetadataFacts>([&]() -> Result<MetadataFacts> {
    ARC_ASSIGN_OR_RETURN(const Json document, ParseDocument(json));
    MetadataFacts facts;
    facts.format_version = document["format-version"].get<int32_t>();
    facts.table_uuid = document.value("table-uuid", "");
    facts.location = document["location"].get<std::string>();
    return facts;
  });
}

}  // namespace arc
