#include "arc/iceberg/table_metadata.h"

#include <charconv>

namespace arc {

const IcebergField* IcebergSchema::FindById(int32_t id) const {
  for (const auto& field : fields) {
    if (field.id == id) return &field;
  }
  return nullptr;
}

const IcebergField* IcebergSchema::FindByName(std::string_view name) const {
  for (const auto& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

const IcebergSchema& TableMetadata::current_schema() const {
  for (const auto& schema : schemas) {
    if (schema.schema_id == current_schema_id) return schema;
  }
  ARC_CHECK(!"the current schema exists");
  return schemas.front();
}

const PartitionSpec* TableMetadata::FindSpec(int32_t spec_id) const {
  for (const auto& spec : partition_specs) {
    if (spec.spec_id == spec_id) return &spec;
  }
  return nullptr;
}

const Snapshot* TableMetadata::FindSnapshot(int64_t snapshot_id) const {
  for (const auto& snapshot : snapshots) {
    if (snapshot.snapshot_id == snapshot_id) return &snapshot;
  }
  return nullptr;
}

const Snapshot* TableMetadata::current_snapshot() const {
  return current_snapshot_id ? FindSnapshot(*current_snapshot_id) : nullptr;
}

std::string FlushedLsnProperty(const Uuid& lineage) { return "arc.flushed-lsn." + lineage.ToString(); }

Result<Lsn> FlushedLsn(const TableMetadata& metadata, const Uuid& lineage) {
  const auto found = metadata.properties.find(FlushedLsnProperty(lineage));
  if (found == metadata.properties.end()) return Lsn{};
  const std::string& text = found->second;
  Lsn lsn;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), lsn.value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return Corruption("table property " + found->first + " is not a number: '" + text + "'");
  }
  return lsn;
}

}  // namespace arc
