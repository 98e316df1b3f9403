#include "arc/iceberg/json_value.h"
#include "arc/iceberg/table_metadata.h"

namespace arc {
namespace {

// JSON text that this room printed or parsed before; what is not JSON becomes a string.
Json Embedded(const std::string& text) {
  auto parsed = ParseJson(text, "embedded");
  return parsed.ok() ? std::move(*parsed) : Json(text);
}

Json WithOthers(const PassedThrough& others) {
  Json object = Json::object();
  for (const auto& [name, text] : others) object[name] = Embedded(text);
  return object;
}

Json SchemaObject(const IcebergSchema& schema) {
  Json fields = Json::array();
  for (const auto& field : schema.fields) {
    Json object = WithOthers(field.other);
    object["id"] = field.id;
    object["name"] = field.name;
    object["required"] = field.required;
    object["type"] = field.type.starts_with('{') ? Embedded(field.type) : Json(field.type);
    fields.push_back(std::move(object));
  }
  Json object = {{"type", "struct"}, {"schema-id", schema.schema_id}, {"fields", std::move(fields)}};
  if (!schema.identifier_field_ids.empty()) object["identifier-field-ids"] = schema.identifier_field_ids;
  return object;
}

Json SpecFields(const PartitionSpec& spec) {
  Json fields = Json::array();
  for (const auto& field : spec.fields) {
    Json object = WithOthers(field.other);
    object["source-id"] = field.source_id;
    object["field-id"] = field.field_id;
    object["name"] = field.name;
    object["transform"] = field.transform;
    fields.push_back(std::move(object));
  }
  return fields;
}

Json SnapshotObject(const Snapshot& snapshot) {
  Json object = WithOthers(snapshot.other);
  object["snapshot-id"] = snapshot.snapshot_id;
  if (snapshot.parent_snapshot_id) object["parent-snapshot-id"] = *snapshot.parent_snapshot_id;
  object["sequence-number"] = snapshot.sequence_number;
  object["timestamp-ms"] = snapshot.timestamp_ms;
  object["manifest-list"] = snapshot.manifest_list;
  object["summary"] = snapshot.summary;
  if (snapshot.schema_id) object["schema-id"] = *snapshot.schema_id;
  return object;
}

Json RefObject(const SnapshotRef& ref) {
  Json object = WithOthers(ref.other);
  object["snapshot-id"] = ref.snapshot_id;
  object["type"] = ref.type;
  if (ref.min_snapshots_to_keep) object["min-snapshots-to-keep"] = *ref.min_snapshots_to_keep;
  if (ref.max_snapshot_age_ms) object["max-snapshot-age-ms"] = *ref.max_snapshot_age_ms;
  return object;
}

Json StatisticsArray(const std::vector<StatisticsFile>& files) {
  Json array = Json::array();
  for (const auto& file : files) array.push_back(Embedded(file.json));
  return array;
}

void PutHistory(const TableMetadata& metadata, Json* object) {
  // -1 for "none" is what Java writes and older readers insist on.
  (*object)["current-snapshot-id"] = metadata.current_snapshot_id.value_or(-1);
  Json snapshots = Json::array();
  for (const auto& snapshot : metadata.snapshots) snapshots.push_back(SnapshotObject(snapshot));
  (*object)["snapshots"] = std::move(snapshots);
  Json log = Json::array();
  for (const auto& entry : metadata.snapshot_log) {
    log.push_back({{"timestamp-ms", entry.timestamp_ms}, {"snapshot-id", entry.snapshot_id}});
  }
  (*object)["snapshot-log"] = std::move(log);
  Json files = Json::array();
  for (const auto& entry : metadata.metadata_log) {
    files.push_back({{"timestamp-ms", entry.timestamp_ms}, {"metadata-file", entry.metadata_file}});
  }
  (*object)["metadata-log"] = std::move(files);
  Json refs = Json::object();
  for (const auto& [name, ref] : metadata.refs) refs[name] = RefObject(ref);
  (*object)["refs"] = std::move(refs);
  (*object)["statistics"] = StatisticsArray(metadata.statistics);
  (*object)["partition-statistics"] = StatisticsArray(metadata.partition_statistics);
}

}  // namespace

std::string SchemaJson(const IcebergSchema& schema) { return PrintJson(SchemaObject(schema)); }

std::string PartitionFieldsJson(const PartitionSpec& spec) { return PrintJson(SpecFields(spec)); }

std::string TableMetadataJson(const TableMetadata& metadata) {
  Json object = WithOthers(metadata.other);
  object["format-version"] = 2;
  object["table-uuid"] = metadata.table_uuid.ToString();
  object["location"] = metadata.location;
  object["last-sequence-number"] = metadata.last_sequence_number;
  object["last-updated-ms"] = metadata.last_updated_ms;
  object["last-column-id"] = metadata.last_column_id;
  Json schemas = Json::array();
  for (const auto& schema : metadata.schemas) schemas.push_back(SchemaObject(schema));
  object["schemas"] = std::move(schemas);
  object["current-schema-id"] = metadata.current_schema_id;
  Json specs = Json::array();
  for (const auto& spec : metadata.partition_specs) {
    specs.push_back({{"spec-id", spec.spec_id}, {"fields", SpecFields(spec)}});
  }
  object["partition-specs"] = std::move(specs);
  object["default-spec-id"] = metadata.default_spec_id;
  object["last-partition-id"] = metadata.last_partition_id;
  object["sort-orders"] = Embedded(metadata.sort_orders);
  object["default-sort-order-id"] = metadata.default_sort_order_id;
  object["properties"] = metadata.properties;
  PutHistory(metadata, &object);
  return PrintJson(object);
}

}  // namespace arc
