#include "arc/iceberg/schema_conversion.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <string>
#include <vector>

namespace arc {
namespace {

constexpr int32_t kFirstPartitionFieldId = 1000;

std::string_view IcebergTypeName(ColumnType type) {
  switch (type) {
    case ColumnType::kTimestamp: return "timestamp";
    case ColumnType::kDouble: return "double";
    case ColumnType::kInt64: return "long";
    case ColumnType::kUInt64: return "decimal(20, 0)";
    case ColumnType::kBool: return "boolean";
    case ColumnType::kString: return "string";
  }
  return "string";
}

std::optional<ColumnType> ColumnTypeOf(std::string_view type) {
  if (type == "timestamp") return ColumnType::kTimestamp;
  if (type == "double" || type == "float") return ColumnType::kDouble;
  if (type == "long" || type == "int") return ColumnType::kInt64;
  if (type == "boolean") return ColumnType::kBool;
  if (type == "string") return ColumnType::kString;
  std::string compact(type);
  std::erase(compact, ' ');
  if (compact == "decimal(20,0)") return ColumnType::kUInt64;
  return std::nullopt;
}

std::map<int32_t, ColumnRole> RecordedRoles(const TableMetadata& metadata) {
  std::map<int32_t, ColumnRole> roles;
  const auto found = metadata.properties.find(std::string(kColumnRolesProperty));
  if (found == metadata.properties.end()) return roles;
  std::string_view rest = found->second;
  while (!rest.empty()) {
    const std::string_view item = rest.substr(0, rest.find(','));
    rest.remove_prefix(std::min(rest.size(), item.size() + 1));
    int32_t id = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), id);
    if (error != std::errc()) continue;
    const std::string_view role(end, static_cast<size_t>(item.data() + item.size() - end));
    if (role == "=time") roles[id] = ColumnRole::kTime;
    if (role == "=tag") roles[id] = ColumnRole::kTag;
  }
  return roles;
}

std::string RolesText(const std::map<int32_t, ColumnRole>& roles) {
  std::string text;
  for (const auto& [id, role] : roles) {
    if (role == ColumnRole::kField) continue;
    if (!text.empty()) text += ',';
    text += std::to_string(id) + "=" + std::string(RoleName(role));
  }
  return text;
}

Error Conflict(const Column& column, const std::string& problem) {
  return MakeError(ErrorKind::kConflict,
                   "column '" + column.name + "' (field id " + std::to_string(column.field_id) + ") " + problem);
}

// Java and others refuse metadata in which a partition field has the name of a column. Field ids are what counts, so
// the partition field is the one to give way.
void KeepPartitionNamesApart(const IcebergSchema& schema, TableMetadata* metadata) {
  for (auto& spec : metadata->partition_specs) {
    for (auto& field : spec.fields) {
      if (field.transform == "identity") continue;
      const auto taken = [&](const IcebergField& column) { return SameIdentifier(column.name, field.name); };
      while (std::any_of(schema.fields.begin(), schema.fields.end(), taken)) field.name += "_part";
    }
  }
}

// Adds or promotes one column in `schema`; says whether anything changed.
Result<bool> AdoptColumn(const Column& column, int32_t last_column_id, IcebergSchema* schema) {
  const std::string_view type = IcebergTypeName(column.type);
  for (auto& field : schema->fields) {
    if (field.id != column.field_id) continue;
    if (field.name != column.name) return Conflict(column, "is called '" + field.name + "' in the table by now");
    if (ColumnTypeOf(field.type) != column.type) return Conflict(column, "has type " + field.type + " in the table");
    const bool promoted = field.type == "int" || field.type == "float";
    if (promoted) field.type = type;
    return promoted;
  }
  if (column.field_id <= last_column_id) return Conflict(column, "has an id that the table gave to another column");
  if (schema->FindByName(column.name) != nullptr) return Conflict(column, "exists in the table under another id");
  schema->fields.push_back({column.field_id, column.name, false, std::string(type), {}});
  return true;
}

}  // namespace

int64_t PartitionMicros(PartitionKind kind) { return kind == PartitionKind::kHour ? 3'600'000'000 : 86'400'000'000; }

int32_t TimeFieldId(const TableMetadata& metadata) {
  const IcebergSchema& schema = metadata.current_schema();
  for (const auto& [id, role] : RecordedRoles(metadata)) {
    if (role != ColumnRole::kTime || id <= 0) continue;
    const IcebergField* field = schema.FindById(id);
    if (field != nullptr && field->type == "timestamp") return id;
  }
  const IcebergField* field = schema.FindByName("time");
  return field != nullptr && field->type == "timestamp" && field->id > 0 ? field->id : -1;
}

Result<Schema> ToArcSchema(const TableMetadata& metadata) {
  const int32_t time_id = TimeFieldId(metadata);
  if (time_id < 0) return MakeError(ErrorKind::kUnsupported, "the table has no column 'time' of type timestamp");
  const auto roles = RecordedRoles(metadata);
  Schema schema;
  for (const auto& field : metadata.current_schema().fields) {
    const auto type = ColumnTypeOf(field.type);
    if (!type || field.id <= 0) continue;
    const auto role = roles.find(field.id);
    const bool tag = role != roles.end() && role->second == ColumnRole::kTag && *type == ColumnType::kString;
    Column column{field.name, *type, tag ? ColumnRole::kTag : ColumnRole::kField, field.id, true};
    if (field.id == time_id) {
      column.role = ColumnRole::kTime;
      schema.columns.insert(schema.columns.begin(), std::move(column));
    } else {
      schema.columns.push_back(std::move(column));
    }
  }
  return schema;
}

Status AdoptSchema(const Schema& schema, TableMetadata* metadata) {
  IcebergSchema wanted = metadata->current_schema();
  bool changed = false;
  auto roles = RecordedRoles(*metadata);
  for (const auto& column : schema.columns) {
    ARC_CHECK(column.field_id > 0);
    ARC_ASSIGN_OR_RETURN(const bool column_changed, AdoptColumn(column, metadata->last_column_id, &wanted));
    changed = changed || column_changed;
    roles[column.field_id] = column.role;
  }
  if (changed) {
    int32_t last_schema_id = -1;
    for (const auto& known : metadata->schemas) last_schema_id = std::max(last_schema_id, known.schema_id);
    wanted.schema_id = last_schema_id + 1;
    for (const auto& field : wanted.fields) metadata->last_column_id = std::max(metadata->last_column_id, field.id);
    metadata->current_schema_id = wanted.schema_id;
    KeepPartitionNamesApart(wanted, metadata);
    metadata->schemas.push_back(std::move(wanted));
  }
  if (!schema.columns.empty()) metadata->properties[std::string(kColumnRolesProperty)] = RolesText(roles);
  return {};
}

std::optional<PartitionKind> PartitionKindOf(const TableMetadata& metadata, int32_t spec_id) {
  const PartitionSpec* spec = metadata.FindSpec(spec_id);
  if (spec == nullptr || spec->fields.size() != 1) return std::nullopt;
  const PartitionField& field = spec->fields[0];
  if (field.source_id != TimeFieldId(metadata)) return std::nullopt;
  if (field.transform == "hour") return PartitionKind::kHour;
  if (field.transform == "day") return PartitionKind::kDay;
  return std::nullopt;
}

int32_t EnsureSpec(PartitionKind kind, TableMetadata* metadata) {
  int32_t last_spec_id = -1;
  for (const auto& spec : metadata->partition_specs) {
    if (PartitionKindOf(*metadata, spec.spec_id) == kind) return spec.spec_id;
    last_spec_id = std::max(last_spec_id, spec.spec_id);
  }
  PartitionField field;
  field.source_id = TimeFieldId(*metadata);
  field.field_id = std::max(metadata->last_partition_id + 1, kFirstPartitionFieldId);
  field.name = kind == PartitionKind::kHour ? "time_hour" : "time_day";
  field.transform = kind == PartitionKind::kHour ? "hour" : "day";
  metadata->last_partition_id = field.field_id;
  metadata->partition_specs.push_back({last_spec_id + 1, {std::move(field)}});
  KeepPartitionNamesApart(metadata->current_schema(), metadata);
  return last_spec_id + 1;
}

}  // namespace arc
