#include <algorithm>
#include <initializer_list>
#include <set>

#include "arc/iceberg/json_value.h"
#include "arc/iceberg/table_metadata.h"

namespace arc {
namespace {

using ErrorSlot = std::optional<Error>;

// Ids beyond this would let "the next one" overflow; real tables count columns in thousands.
constexpr int32_t kMostIds = 1 << 30;

PassedThrough Others(const Json& object, std::initializer_list<std::string_view> known) {
  PassedThrough others;
  if (!object.is_object()) return others;
  for (const auto& [name, value] : object.items()) {
    if (std::find(known.begin(), known.end(), name) == known.end()) others.emplace(name, PrintJson(value));
  }
  return others;
}

std::map<std::string, std::string> TextMap(const Json& object, std::string_view what, ErrorSlot* error) {
  std::map<std::string, std::string> texts;
  for (const auto& [name, value] : object.items()) {
    if (value.is_string()) {
      texts.emplace(name, value.get_ref<const std::string&>());
    } else {
      JsonFields(object, what, error).Fail("has no string in " + name);
    }
  }
  return texts;
}

IcebergSchema ParseSchema(const Json& json, ErrorSlot* error) {
  JsonFields in(json, "schema", error);
  IcebergSchema schema;
  schema.schema_id = in.Int32("schema-id");
  std::set<int32_t> ids;
  for (const auto& item : in.Array("fields", true)) {
    JsonFields field(item, "schema field", error);
    IcebergField& made = schema.fields.emplace_back();
    made.id = field.Int32("id");
    made.name = field.Text("name");
    made.required = field.OptionalBool("required");
    const Json* type = field.Find("type");
    if (type == nullptr) {
      field.Fail("lacks type");
    } else {
      made.type = type->is_string() ? type->get_ref<const std::string&>() : PrintJson(*type);
    }
    made.other = Others(item, {"id", "name", "required", "type"});
    if (!ids.insert(made.id).second) field.Fail("repeats an id");
    if (made.id < 0 || made.id >= kMostIds) field.Fail("has an id out of range");
  }
  for (const auto& id : in.Array("identifier-field-ids", false)) {
    if (!id.is_number_integer()) {
      in.Fail("has no integer in identifier-field-ids");
      break;
    }
    schema.identifier_field_ids.push_back(static_cast<int32_t>(id.get<int64_t>()));
  }
  return schema;
}

PartitionSpec ParseSpec(const Json& json, ErrorSlot* error) {
  JsonFields in(json, "partition spec", error);
  PartitionSpec spec;
  spec.spec_id = in.Int32("spec-id");
  for (const auto& item : in.Array("fields", true)) {
    JsonFields field(item, "partition field", error);
    PartitionField& made = spec.fields.emplace_back();
    made.source_id = field.Int32("source-id");
    made.field_id = field.Int32("field-id");
    made.name = field.Text("name");
    made.transform = field.Text("transform");
    made.other = Others(item, {"source-id", "field-id", "name", "transform"});
  }
  return spec;
}

Snapshot ParseSnapshot(const Json& json, ErrorSlot* error) {
  JsonFields in(json, "snapshot", error);
  Snapshot snapshot;
  snapshot.snapshot_id = in.Int64("snapshot-id");
  snapshot.parent_snapshot_id = in.OptionalInt64("parent-snapshot-id");
  snapshot.sequence_number = in.OptionalInt64("sequence-number").value_or(0);
  snapshot.timestamp_ms = in.Int64("timestamp-ms");
  snapshot.manifest_list = in.Text("manifest-list");
  snapshot.summary = TextMap(in.Object("summary", false), "snapshot summary", error);
  snapshot.schema_id = in.OptionalInt32("schema-id");
  snapshot.other = Others(json, {"snapshot-id", "parent-snapshot-id", "sequence-number", "timestamp-ms",
                                 "manifest-list", "summary", "schema-id"});
  return snapshot;
}

SnapshotRef ParseRef(const Json& json, ErrorSlot* error) {
  JsonFields in(json, "ref", error);
  SnapshotRef ref;
  ref.snapshot_id = in.Int64("snapshot-id");
  ref.type = in.Text("type");
  ref.min_snapshots_to_keep = in.OptionalInt32("min-snapshots-to-keep");
  ref.max_snapshot_age_ms = in.OptionalInt64("max-snapshot-age-ms");
  ref.other = Others(json, {"snapshot-id", "type", "min-snapshots-to-keep", "max-snapshot-age-ms"});
  return ref;
}

std::vector<StatisticsFile> ParseStatistics(const Json& array, ErrorSlot* error) {
  std::vector<StatisticsFile> files;
  for (const auto& item : array) {
    JsonFields in(item, "statistics", error);
    files.push_back({in.Int64("snapshot-id"), in.Text("statistics-path"), PrintJson(item)});
  }
  return files;
}

void ParseHistory(JsonFields& in, TableMetadata* metadata, ErrorSlot* error) {
  metadata->current_snapshot_id = in.OptionalInt64("current-snapshot-id");
  if (metadata->current_snapshot_id == -1) metadata->current_snapshot_id.reset();  // how Java spells none
  for (const auto& item : in.Array("snapshots", false)) metadata->snapshots.push_back(ParseSnapshot(item, error));
  for (const auto& item : in.Array("snapshot-log", false)) {
    JsonFields entry(item, "snapshot-log", error);
    metadata->snapshot_log.push_back({entry.Int64("timestamp-ms"), entry.Int64("snapshot-id")});
  }
  for (const auto& item : in.Array("metadata-log", false)) {
    JsonFields entry(item, "metadata-log", error);
    metadata->metadata_log.push_back({entry.Int64("timestamp-ms"), entry.Text("metadata-file")});
  }
  for (const auto& [name, ref] : in.Object("refs", false).items()) metadata->refs.emplace(name, ParseRef(ref, error));
  metadata->statistics = ParseStatistics(in.Array("statistics", false), error);
  metadata->partition_statistics = ParseStatistics(in.Array("partition-statistics", false), error);
}

// A writer that forgot to raise them must not make Arc give an id twice.
void RaiseLastIds(TableMetadata* metadata) {
  for (const auto& schema : metadata->schemas) {
    for (const auto& field : schema.fields) metadata->last_column_id = std::max(metadata->last_column_id, field.id);
  }
  for (const auto& spec : metadata->partition_specs) {
    for (const auto& field : spec.fields) {
      metadata->last_partition_id = std::max(metadata->last_partition_id, field.field_id);
    }
  }
}

// What the rest of the room takes for granted of a parsed value.
Status CheckConsistent(const TableMetadata& metadata) {
  const auto bad = [](std::string problem) { return Corruption("table metadata: " + std::move(problem)); };
  std::set<int32_t> schema_ids;
  for (const auto& schema : metadata.schemas) {
    if (!schema_ids.insert(schema.schema_id).second) return bad("two schemas share an id");
  }
  if (!schema_ids.contains(metadata.current_schema_id)) return bad("the current schema is missing");
  std::set<int32_t> spec_ids;
  for (const auto& spec : metadata.partition_specs) {
    if (!spec_ids.insert(spec.spec_id).second) return bad("two partition specs share an id");
  }
  if (!spec_ids.contains(metadata.default_spec_id)) return bad("the default partition spec is missing");
  std::set<int64_t> snapshot_ids;
  for (const auto& snapshot : metadata.snapshots) {
    if (!snapshot_ids.insert(snapshot.snapshot_id).second) return bad("two snapshots share an id");
  }
  if (metadata.current_snapshot_id && !snapshot_ids.contains(*metadata.current_snapshot_id)) {
    return bad("the current snapshot is missing");
  }
  // Sums with these must not overflow: commits add one, expiry subtracts times.
  const auto in_range = [](int64_t value) { return value >= 0 && value < int64_t{1} << 60; };
  if (!in_range(metadata.last_sequence_number)) return bad("bad last-sequence-number");
  if (!in_range(metadata.last_updated_ms)) return bad("bad last-updated-ms");
  for (const auto& snapshot : metadata.snapshots) {
    if (!in_range(snapshot.timestamp_ms)) return bad("bad timestamp-ms of a snapshot");
  }
  for (const auto& entry : metadata.snapshot_log) {
    if (!in_range(entry.timestamp_ms)) return bad("bad timestamp-ms in snapshot-log");
  }
  for (const int32_t id :
       {*schema_ids.rbegin(), *spec_ids.rbegin(), metadata.last_partition_id, metadata.last_column_id}) {
    if (id >= kMostIds) return bad("an id is out of range");
  }
  return {};
}

}  // namespace

Result<TableMetadata> ParseTableMetadata(std::string_view json) {
  ARC_ASSIGN_OR_RETURN(const Json root, ParseJson(json, "table metadata"));
  ErrorSlot error;
  JsonFields in(root, "document", &error);
  // Version 3 adds next-row-id, deletion vectors and defaults: members that pass through here, once they are obeyed.
  const int32_t version = in.Int32("format-version");
  if (error) return std::move(*error);
  if (version != 2) {
    return MakeError(ErrorKind::kUnsupported,
                     "Iceberg format version " + std::to_string(version) + " is not supported");
  }
  TableMetadata metadata;
  auto uuid = Uuid::Parse(in.Text("table-uuid"));
  if (!uuid.ok()) in.Fail("has a bad table-uuid");
  if (uuid.ok()) metadata.table_uuid = *uuid;
  metadata.location = in.Text("location");
  metadata.last_sequence_number = in.Int64("last-sequence-number");
  metadata.last_updated_ms = in.Int64("last-updated-ms");
  metadata.last_column_id = in.Int32("last-column-id");
  for (const auto& item : in.Array("schemas", true)) metadata.schemas.push_back(ParseSchema(item, &error));
  metadata.current_schema_id = in.Int32("current-schema-id");
  for (const auto& item : in.Array("partition-specs", true))
    metadata.partition_specs.push_back(ParseSpec(item, &error));
  metadata.default_spec_id = in.Int32("default-spec-id");
  metadata.last_partition_id = in.OptionalInt32("last-partition-id").value_or(999);
  metadata.sort_orders = PrintJson(in.Array("sort-orders", true));
  metadata.default_sort_order_id = in.Int32("default-sort-order-id");
  metadata.properties = TextMap(in.Object("properties", false), "properties", &error);
  ParseHistory(in, &metadata, &error);
  metadata.other = Others(root, {"format-version",
                                 "table-uuid",
                                 "location",
                                 "last-sequence-number",
                                 "last-updated-ms",
                                 "last-column-id",
                                 "schemas",
                                 "current-schema-id",
                                 "partition-specs",
                                 "default-spec-id",
                                 "last-partition-id",
                                 "sort-orders",
                                 "default-sort-order-id",
                                 "properties",
                                 "current-snapshot-id",
                                 "snapshots",
                                 "snapshot-log",
                                 "metadata-log",
                                 "refs",
                                 "statistics",
                                 "partition-statistics"});
  if (error) return std::move(*error);
  RaiseLastIds(&metadata);
  ARC_RETURN_IF_ERROR(CheckConsistent(metadata));
  return metadata;
}

}  // namespace arc
