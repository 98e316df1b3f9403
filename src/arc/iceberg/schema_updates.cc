// The updates that change schemas, partition specs and sort orders.
#include <algorithm>
#include <vector>

#include "arc/iceberg/metadata_document.h"
#include "arc/iceberg/metadata_updates.h"
#include "arc/iceberg/request_json.h"

namespace arc {
namespace {

constexpr int64_t kLastAdded = -1;

// The id an update names, where -1 is the one added last.
Result<int64_t> Resolve(const Json& update, const char* id_name, const std::optional<int64_t>& last_added) {
  ARC_ASSIGN_OR_RETURN(const int32_t id, RequestFields(update, "an update").Int32(id_name));
  if (id != kLastAdded) return int64_t{id};
  if (!last_added) return InvalidArgument("Cannot set the last added one: none has been added");
  return *last_added;
}

// Above every id in `list`, and at least `least`.
int64_t NextId(const Json& list, const char* id_name, int64_t least) {
  int64_t next = least;
  for (const auto& item : list) next = std::max(next, item[id_name].get<int64_t>() + 1);
  return next;
}

}  // namespace

Result<SchemaFields> MetadataUpdates::CurrentFields() const {
  const Json* schema = arc::FindById(document_, "schemas", "schema-id", document_["current-schema-id"]);
  if (schema == nullptr) return InvalidArgument("the table has no current schema yet");
  return CheckSchema(*schema, kNewestFormatVersion);
}

Status MetadataUpdates::AddSchema(const Json& update) {
  RequestFields fields(update, "add-schema");
  ARC_ASSIGN_OR_RETURN(const Json* given, fields.Object("schema"));
  ARC_ASSIGN_OR_RETURN(const SchemaFields found, CheckSchema(*given, static_cast<int32_t>(format_version())));
  // Clients say how far they have given ids; that never goes back.
  ARC_ASSIGN_OR_RETURN(const auto told, fields.OptionalInt64("last-column-id"));
  const int64_t last = document_["last-column-id"];
  if (told && (*told < 0 || *told > INT32_MAX / 2)) return InvalidArgument("last-column-id is out of range");
  document_["last-column-id"] = std::max({last, told.value_or(0), int64_t{found.last_id}});
  for (const auto& schema : document_["schemas"]) {
    if (!SameSchema(schema, *given)) continue;
    last_added_schema_ = schema["schema-id"].get<int64_t>();
    return {};
  }
  Json schema = *given;
  schema["type"] = "struct";
  schema["schema-id"] = NextId(document_["schemas"], "schema-id", 0);
  last_added_schema_ = schema["schema-id"].get<int64_t>();
  document_["schemas"].push_back(std::move(schema));
  return {};
}

Status MetadataUpdates::SetCurrentSchema(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const int64_t id, Resolve(update, "schema-id", last_added_schema_));
  if (arc::FindById(document_, "schemas", "schema-id", id) == nullptr) {
    return InvalidArgument("Cannot set current schema to unknown schema: " + std::to_string(id));
  }
  document_["current-schema-id"] = id;
  return {};
}

Status MetadataUpdates::RemoveByIds(const Json& update, const char* ids, const char* list, const char* id_name,
                                    const char* current) {
  ARC_ASSIGN_OR_RETURN(const Json* removed, RequestFields(update, "an update").Array(ids));
  Json kept = Json::array();
  for (auto& item : document_[list]) {
    const bool gone =
        std::any_of(removed->begin(), removed->end(), [&](const Json& id) { return id == item[id_name]; });
    if (gone && item[id_name] == document_[current]) {
      return InvalidArgument("Cannot remove what " + std::string(current) + " names: " + PrintJson(item[id_name]));
    }
    if (!gone) kept.push_back(item);
  }
  document_[list] = std::move(kept);
  return {};
}

Status MetadataUpdates::RemoveSchemas(const Json& update) {
  return RemoveByIds(update, "schema-ids", "schemas", "schema-id", "current-schema-id");
}

Status MetadataUpdates::RemoveSpecs(const Json& update) {
  return RemoveByIds(update, "spec-ids", "partition-specs", "spec-id", "default-spec-id");
}

Status MetadataUpdates::AddSpec(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const Json* given, RequestFields(update, "add-spec").Object("spec"));
  ARC_ASSIGN_OR_RETURN(const SchemaFields columns, CurrentFields());
  ARC_RETURN_IF_ERROR(CheckSpec(*given, columns));
  for (const auto& spec : document_["partition-specs"]) {
    if (!SameSpec(spec, *given)) continue;
    last_added_spec_ = spec["spec-id"].get<int64_t>();
    return {};
  }
  Json spec = *given;
  spec["spec-id"] = NextId(document_["partition-specs"], "spec-id", 0);
  int64_t last = std::max<int64_t>(document_["last-partition-id"].get<int64_t>(), kFirstPartitionId - 1);
  for (auto& field : spec["fields"]) {
    if (!field.contains("field-id") || field["field-id"].is_null()) field["field-id"] = last + 1;
    last = std::max(last, field["field-id"].get<int64_t>());
  }
  document_["last-partition-id"] = last;
  last_added_spec_ = spec["spec-id"].get<int64_t>();
  document_["partition-specs"].push_back(std::move(spec));
  return {};
}

Status MetadataUpdates::SetDefaultSpec(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const int64_t id, Resolve(update, "spec-id", last_added_spec_));
  if (arc::FindById(document_, "partition-specs", "spec-id", id) == nullptr) {
    return InvalidArgument("Cannot set default partition spec to unknown spec: " + std::to_string(id));
  }
  document_["default-spec-id"] = id;
  return {};
}

Status MetadataUpdates::AddSortOrder(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const Json* given, RequestFields(update, "add-sort-order").Object("sort-order"));
  ARC_ASSIGN_OR_RETURN(const SchemaFields columns, CurrentFields());
  ARC_RETURN_IF_ERROR(CheckSortOrder(*given, columns));
  for (const auto& order : document_["sort-orders"]) {
    if (!SameSortOrder(order, *given)) continue;
    last_added_order_ = order["order-id"].get<int64_t>();
    return {};
  }
  Json order = *given;
  // 0 is kept for the order that sorts by nothing.
  order["order-id"] = order["fields"].empty() ? 0 : NextId(document_["sort-orders"], "order-id", 1);
  last_added_order_ = order["order-id"].get<int64_t>();
  document_["sort-orders"].push_back(std::move(order));
  return {};
}

Status MetadataUpdates::SetDefaultSortOrder(const Json& update) {
  ARC_ASSIGN_OR_RETURN(const int64_t id, Resolve(update, "sort-order-id", last_added_order_));
  if (arc::FindById(document_, "sort-orders", "order-id", id) == nullptr) {
    return InvalidArgument("Cannot set default sort order to unknown order: " + std::to_string(id));
  }
  document_["default-sort-order-id"] = id;
  return {};
}

}  // namespace arc
