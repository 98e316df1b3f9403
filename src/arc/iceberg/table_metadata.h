// Iceberg table metadata, format version 2, as a value. https://iceberg.apache.org/spec/#table-metadata
// What Arc does not interpret passes through unchanged as JSON text, so that committing never loses what another
// writer put there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/model/lsn.h"

namespace arc {

// Members that are not modelled: name -> JSON text.
using PassedThrough = std::map<std::string, std::string>;

struct IcebergField {
  int32_t id = 0;
  std::string name;
  bool required = false;
  std::string type;     // "long", "decimal(20,0)"; of a nested type its JSON text, which starts with '{'
  PassedThrough other;  // doc, defaults
};

struct IcebergSchema {
  int32_t schema_id = 0;
  std::vector<IcebergField> fields;
  std::vector<int32_t> identifier_field_ids;

  const IcebergField* FindById(int32_t id) const;
  const IcebergField* FindByName(std::string_view name) const;  // exact spelling
};

struct PartitionField {
  int32_t source_id = 0;
  int32_t field_id = 0;
  std::string name;
  std::string transform;  // "hour", "day", "identity", "bucket[16]", …
  PassedThrough other;
};

struct PartitionSpec {
  int32_t spec_id = 0;
  std::vector<PartitionField> fields;
};

struct Snapshot {
  int64_t snapshot_id = 0;
  std::optional<int64_t> parent_snapshot_id;
  int64_t sequence_number = 0;
  int64_t timestamp_ms = 0;
  std::string manifest_list;                   // URI
  std::map<std::string, std::string> summary;  // "operation" included
  std::optional<int32_t> schema_id;
  PassedThrough other;
};

struct SnapshotRef {
  int64_t snapshot_id = 0;
  std::string type = "branch";  // or "tag"
  std::optional<int32_t> min_snapshots_to_keep;
  std::optional<int64_t> max_snapshot_age_ms;
  PassedThrough other;
};

struct SnapshotLogEntry {
  int64_t timestamp_ms = 0;
  int64_t snapshot_id = 0;
};

struct MetadataLogEntry {
  int64_t timestamp_ms = 0;
  std::string metadata_file;  // URI
};

// One entry of `statistics` or `partition-statistics`.
struct StatisticsFile {
  int64_t snapshot_id = 0;
  std::string path;  // "statistics-path"
  std::string json;  // the whole entry
};

struct TableMetadata {
  Uuid table_uuid;
  std::string location;  // URI of the table's folder
  int64_t last_sequence_number = 0;
  int64_t last_updated_ms = 0;
  int32_t last_column_id = 0;
  std::vector<IcebergSchema> schemas;
  int32_t current_schema_id = 0;
  std::vector<PartitionSpec> partition_specs;
  int32_t default_spec_id = 0;
  int32_t last_partition_id = 999;
  std::string sort_orders = R"([{"order-id":0,"fields":[]}])";  // JSON text
  int32_t default_sort_order_id = 0;
  std::map<std::string, std::string> properties;
  std::optional<int64_t> current_snapshot_id;
  std::vector<Snapshot> snapshots;  // oldest first
  std::vector<SnapshotLogEntry> snapshot_log;
  std::vector<MetadataLogEntry> metadata_log;  // oldest first
  std::map<std::string, SnapshotRef> refs;
  std::vector<StatisticsFile> statistics;
  std::vector<StatisticsFile> partition_statistics;
  PassedThrough other;

  // The schema, spec and snapshot that ids name; a parsed value always has the current ones.
  const IcebergSchema& current_schema() const;
  const PartitionSpec* FindSpec(int32_t spec_id) const;
  const Snapshot* FindSnapshot(int64_t snapshot_id) const;
  const Snapshot* current_snapshot() const;  // null: the table never had one
};

// kCorruption when damaged or inconsistent, kUnsupported for another format version.
Result<TableMetadata> ParseTableMetadata(std::string_view json);
std::string TableMetadataJson(const TableMetadata& metadata);

// One schema, and the fields of one spec, as they stand in manifest headers.
std::string SchemaJson(const IcebergSchema& schema);
std::string PartitionFieldsJson(const PartitionSpec& spec);

// How far a log lineage is flushed into this table: the property `arc.flushed-lsn.<lineage>`.
std::string FlushedLsnProperty(const Uuid& lineage);
// 0 when the lineage never flushed here; kCorruption when the property is not a number.
Result<Lsn> FlushedLsn(const TableMetadata& metadata, const Uuid& lineage);

}  // namespace arc
