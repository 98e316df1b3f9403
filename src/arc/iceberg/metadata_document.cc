#include "arc/iceberg/metadata_document.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "arc/iceberg/schema_json.h"

namespace arc {
namespace {

constexpr int64_t kDefaultPreviousVersions = 100;

Error Bad(const std::string& problem) { return Corruption("table metadata: " + problem); }

void SetDefault(const char* name, Json value, Json* document) {
  if (!document->contains(name) || (*document)[name].is_null()) (*document)[name] = std::move(value);
}

// Version 1 writers may know one schema and one spec only.
Status CompleteVersion1(Json* document) {
  if (!document->contains("schemas")) {
    if (!document->contains("schema")) return Bad("no schema");
    Json schema = (*document)["schema"];
    if (!schema.is_object()) return Bad("the schema is no object");
    SetDefault("schema-id", 0, &schema);
    (*document)["current-schema-id"] = schema["schema-id"];
    (*document)["schemas"] = Json::array({std::move(schema)});
  }
  if (!document->contains("partition-specs")) {
    if (!document->contains("partition-spec")) return Bad("no partition spec");
    Json spec = {{"spec-id", 0}, {"fields", (*document)["partition-spec"]}};
    (*document)["partition-specs"] = Json::array({std::move(spec)});
    (*document)["default-spec-id"] = 0;
  }
  SetDefault("last-sequence-number", 0, document);
  return {};
}

Status CheckInteger(const Json& object, const char* name) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number_integer()) return Bad(std::string("no integer in ") + name);
  return {};
}

// A list of objects, each with an integer `id_name`.
Status CheckList(const Json& document, const char* list, const char* id_name) {
  const auto found = document.find(list);
  if (found == document.end() || !found->is_array()) return Bad(std::string("no array in ") + list);
  for (const auto& item : *found) {
    if (!item.is_object()) return Bad(std::string(list) + " holds something that is no object");
    ARC_RETURN_IF_ERROR(CheckInteger(item, id_name));
  }
  return {};
}

Status CheckFieldLists(const Json& document, const char* list) {
  for (const auto& item : document[list]) {
    const auto fields = item.find("fields");
    const bool objects = fields != item.end() && fields->is_array() &&
                         std::all_of(fields->begin(), fields->end(), [](const Json& f) { return f.is_object(); });
    if (!objects) return Bad(std::string(list) + " without fields");
  }
  return {};
}

Status CheckMembers(const Json& document) {
  for (const char* name :
       {"last-updated-ms", "last-column-id", "current-schema-id", "default-spec-id", "default-sort-order-id",
        "last-sequence-number", "last-partition-id", "current-snapshot-id"}) {
    ARC_RETURN_IF_ERROR(CheckInteger(document, name));
  }
  if (!document.contains("location") || !document["location"].is_string()) return Bad("no string in location");
  ARC_RETURN_IF_ERROR(CheckList(document, "schemas", "schema-id"));
  ARC_RETURN_IF_ERROR(CheckList(document, "partition-specs", "spec-id"));
  ARC_RETURN_IF_ERROR(CheckList(document, "sort-orders", "order-id"));
  ARC_RETURN_IF_ERROR(CheckList(document, "snapshots", "snapshot-id"));
  ARC_RETURN_IF_ERROR(CheckList(document, "snapshot-log", "snapshot-id"));
  ARC_RETURN_IF_ERROR(CheckList(document, "metadata-log", "timestamp-ms"));
  ARC_RETURN_IF_ERROR(CheckList(document, "statistics", "snapshot-id"));
  ARC_RETURN_IF_ERROR(CheckList(document, "partition-statistics", "snapshot-id"));
  for (const char* list : {"schemas", "partition-specs", "sort-orders"}) {
    ARC_RETURN_IF_ERROR(CheckFieldLists(document, list));
  }
  if (!document["refs"].is_object() || !document["properties"].is_object()) return Bad("refs or properties no object");
  for (const auto& ref : document["refs"]) {
    if (!ref.is_object()) return Bad("a ref is no object");
    ARC_RETURN_IF_ERROR(CheckInteger(ref, "snapshot-id"));
  }
  if (FindById(document, "schemas", "schema-id", document["current-schema-id"]) == nullptr) {
    return Bad("the current schema is missing");
  }
  if (FindById(document, "partition-specs", "spec-id", document["default-spec-id"]) == nullptr) {
    return Bad("the default partition spec is missing");
  }
  const int64_t current = document["current-snapshot-id"];
  if (current != kNoSnapshot && FindById(document, "snapshots", "snapshot-id", current) == nullptr) {
    return Bad("the current snapshot is missing");
  }
  return {};
}

int64_t LastPartitionId(const Json& document) {
  int64_t last = kFirstPartitionId - 1;
  for (const auto& spec : document["partition-specs"]) {
    if (!spec.is_object() || !spec.contains("fields") || !spec["fields"].is_array()) continue;
    for (const auto& field : spec["fields"]) {
      if (field.is_object() && field.contains("field-id") && field["field-id"].is_number_integer()) {
        last = std::max(last, field["field-id"].get<int64_t>());
      }
    }
  }
  return last;
}

std::string Property(const Json& document, const char* name) {
  const auto found = document["properties"].find(name);
  return found != document["properties"].end() && found->is_string() ? found->get<std::string>() : std::string();
}

}  // namespace

Result<Json> ParseDocument(std::string_view text) {
  ARC_ASSIGN_OR_RETURN(Json document, ParseJson(text, "table metadata"));
  if (!document.is_object()) return Bad("no object");
  ARC_RETURN_IF_ERROR(CheckInteger(document, "format-version"));
  const int64_t version = document["format-version"].get<int64_t>();
  if (version < 1 || version > kNewestFormatVersion) {
    return MakeError(ErrorKind::kUnsupported, "Unsupported format version: v" + std::to_string(version));
  }
  if (version == 1) ARC_RETURN_IF_ERROR(CompleteVersion1(&document));
  SetDefault("last-partition-id", LastPartitionId(document), &document);
  SetDefault("sort-orders", Json::parse(R"([{"order-id":0,"fields":[]}])"), &document);
  SetDefault("default-sort-order-id", 0, &document);
  SetDefault("current-snapshot-id", kNoSnapshot, &document);
  for (const char* list : {"snapshots", "snapshot-log", "metadata-log", "statistics", "partition-statistics"}) {
    SetDefault(list, Json::array(), &document);
  }
  SetDefault("properties", Json::object(), &document);
  if (!document.contains("refs")) {
    document["refs"] = Json::object();
    if (document["current-snapshot-id"] != kNoSnapshot) {
      document["refs"]["main"] = {{"snapshot-id", document["current-snapshot-id"]}, {"type", "branch"}};
    }
  }
  if (version >= 3) SetDefault("next-row-id", 0, &document);
  ARC_RETURN_IF_ERROR(CheckMembers(document));
  return document;
}

Json EmptyDocument(int32_t format_version, const Uuid& uuid, const std::string& location) {
  Json document = {{"format-version", format_version},
                   {"table-uuid", uuid.ToString()},
                   {"location", location},
                   {"last-sequence-number", 0},
                   {"last-updated-ms", 0},
                   {"last-column-id", 0},
                   {"schemas", Json::array()},
                   {"current-schema-id", -1},
                   {"partition-specs", Json::array()},
                   {"default-spec-id", -1},
                   {"last-partition-id", kFirstPartitionId - 1},
                   {"sort-orders", Json::array()},
                   {"default-sort-order-id", -1},
                   {"properties", Json::object()},
                   {"current-snapshot-id", kNoSnapshot},
                   {"refs", Json::object()}};
  for (const char* list : {"snapshots", "snapshot-log", "metadata-log", "statistics", "partition-statistics"}) {
    document[list] = Json::array();
  }
  if (format_version >= 3) document["next-row-id"] = 0;
  return document;
}

std::string PrintDocument(Json document) {
  if (document["format-version"] == 1) {
    document["schema"] = *FindById(document, "schemas", "schema-id", document["current-schema-id"]);
    document["partition-spec"] =
        (*FindById(document, "partition-specs", "spec-id", document["default-spec-id"]))["fields"];
  } else {
    document.erase("schema");
    document.erase("partition-spec");
  }
  return PrintJson(document);
}

const Json* FindById(const Json& document, const char* list, const char* id_name, int64_t id) {
  for (const auto& item : document[list]) {
    if (item[id_name] == id) return &item;
  }
  return nullptr;
}

std::vector<std::string> RollMetadataLog(const std::string& replaced, int64_t replaced_ms, Json* document) {
  std::vector<std::string> dropped;
  Json& log = (*document)["metadata-log"];
  if (!replaced.empty()) log.push_back({{"timestamp-ms", replaced_ms}, {"metadata-file", replaced}});
  int64_t keep = kDefaultPreviousVersions;
  const std::string wanted = Property(*document, "write.metadata.previous-versions-max");
  const auto [end, error] = std::from_chars(wanted.data(), wanted.data() + wanted.size(), keep);
  if (error != std::errc() || end != wanted.data() + wanted.size()) keep = kDefaultPreviousVersions;
  keep = std::max<int64_t>(keep, 1);
  const bool may_delete = Property(*document, "write.metadata.delete-after-commit.enabled") == "true";
  while (static_cast<int64_t>(log.size()) > keep) {
    const auto file = log[0].find("metadata-file");
    if (may_delete && file != log[0].end() && file->is_string()) dropped.push_back(*file);
    log.erase(log.begin());
  }
  return dropped;
}

}  // namespace arc
