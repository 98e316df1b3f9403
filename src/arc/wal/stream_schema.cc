#include "arc/wal/stream_schema.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>
#include <string>

namespace arc {
namespace {

constexpr std::string_view kKindNames[] = {"rows", "drop_table", "create_database", "lost"};

const arrow::FieldVector& ChangeFields() {
  static const arrow::FieldVector kFields = {
      arrow::field("__lsn", arrow::run_end_encoded(arrow::int32(), arrow::uint64()), false),
      arrow::field("__change_type", arrow::run_end_encoded(arrow::int32(), arrow::utf8()), false),
      arrow::field("__timestamp", arrow::run_end_encoded(arrow::int32(), arrow::timestamp(arrow::TimeUnit::MICRO)),
                   false)};
  return kFields;
}

const std::shared_ptr<const arrow::KeyValueMetadata>& RoleMetadata(ColumnRole role) {
  static const auto make = [](ColumnRole r) {
    return std::shared_ptr<const arrow::KeyValueMetadata>(
        arrow::KeyValueMetadata::Make({"arc.role"}, {std::string(RoleName(r))}));
  };
  static const std::shared_ptr<const arrow::KeyValueMetadata> kRoles[] = {
      make(ColumnRole::kTime), make(ColumnRole::kTag), make(ColumnRole::kField)};
  return kRoles[static_cast<int>(role)];
}

Result<ColumnType> TypeOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::TIMESTAMP: return ColumnType::kTimestamp;
    case arrow::Type::DOUBLE: return ColumnType::kDouble;
    case arrow::Type::INT64: return ColumnType::kInt64;
    case arrow::Type::UINT64: return ColumnType::kUInt64;
    case arrow::Type::BOOL: return ColumnType::kBool;
    case arrow::Type::STRING:
    case arrow::Type::DICTIONARY: return ColumnType::kString;
    default: return Corruption("a logged column has the type " + type.ToString());
  }
}

Result<std::string> MetadataValue(const arrow::KeyValueMetadata* metadata, const std::string& key) {
  if (metadata != nullptr) {
    auto value = metadata->Get(key);
    if (value.ok()) return std::move(value).ValueUnsafe();
  }
  return Corruption("a logged stream's schema lacks " + key);
}

Result<StreamColumn> ReadColumn(const arrow::Field& field) {
  StreamColumn column;
  column.name = field.name();
  ARC_ASSIGN_OR_RETURN(column.type, TypeOf(*field.type()));
  ARC_ASSIGN_OR_RETURN(auto role, MetadataValue(field.metadata().get(), "arc.role"));
  for (auto candidate : {ColumnRole::kTime, ColumnRole::kTag, ColumnRole::kField}) {
    if (role != RoleName(candidate)) continue;
    column.role = candidate;
    if (!field.type()->Equals(*BatchArrowType(column.type, column.role))) break;
    return column;
  }
  return Corruption("the logged column '" + column.name + "' has role " + role + " and type " +
                    field.type()->ToString());
}

// Damage, not a caller's mistake.
Result<Uuid> LoggedUuid(const char* key, const std::string& text) {
  auto uuid = Uuid::Parse(text);
  if (!uuid.ok()) return Corruption(std::string(key) + " of a logged stream is no UUID");
  return uuid;
}

}  // namespace

std::string_view StreamKindName(StreamKind kind) { return kKindNames[static_cast<size_t>(kind)]; }

std::shared_ptr<arrow::Schema> MakeStreamSchema(const StreamMeaning& meaning) {
  arrow::FieldVector fields = ChangeFields();
  fields.reserve(fields.size() + meaning.columns.size());
  for (const auto& column : meaning.columns) {
    fields.push_back(
        arrow::field(column.name, BatchArrowType(column.type, column.role), true, RoleMetadata(column.role)));
  }
  auto metadata =
      arrow::KeyValueMetadata::Make({"arc.kind", "arc.table", "arc.database", "arc.name", "arc.lineage"},
                                    {std::string(StreamKindName(meaning.kind)), meaning.table.id.ToString(),
                                     meaning.table.database, meaning.table.name, meaning.lineage.ToString()});
  return arrow::schema(std::move(fields), std::move(metadata));
}

Result<StreamMeaning> ReadStreamSchema(const arrow::Schema& schema) {
  StreamMeaning meaning;
  const auto* metadata = schema.metadata().get();
  ARC_ASSIGN_OR_RETURN(auto kind, MetadataValue(metadata, "arc.kind"));
  const auto* name = std::find(std::begin(kKindNames), std::end(kKindNames), kind);
  if (name == std::end(kKindNames)) return Corruption("a logged stream is of unknown kind '" + kind + "'");
  meaning.kind = static_cast<StreamKind>(name - std::begin(kKindNames));
  ARC_ASSIGN_OR_RETURN(auto table, MetadataValue(metadata, "arc.table"));
  ARC_ASSIGN_OR_RETURN(meaning.table.id, LoggedUuid("arc.table", table));
  ARC_ASSIGN_OR_RETURN(meaning.table.database, MetadataValue(metadata, "arc.database"));
  ARC_ASSIGN_OR_RETURN(meaning.table.name, MetadataValue(metadata, "arc.name"));
  ARC_ASSIGN_OR_RETURN(auto lineage, MetadataValue(metadata, "arc.lineage"));
  ARC_ASSIGN_OR_RETURN(meaning.lineage, LoggedUuid("arc.lineage", lineage));
  if (schema.num_fields() < kChangeColumns) return Corruption("a logged stream lacks its change columns");
  for (int i = 0; i < kChangeColumns; ++i) {
    const auto& expected = *ChangeFields()[static_cast<size_t>(i)];
    if (schema.field(i)->name() != expected.name() || !schema.field(i)->type()->Equals(*expected.type())) {
      return Corruption("a logged stream's column " + std::to_string(i) + " is not " + expected.ToString());
    }
  }
  for (int i = kChangeColumns; i < schema.num_fields(); ++i) {
    ARC_ASSIGN_OR_RETURN(auto column, ReadColumn(*schema.field(i)));
    meaning.columns.push_back(std::move(column));
  }
  return meaning;
}

Result<Batch> BatchFromStream(const StreamMeaning& meaning, const arrow::RecordBatch& rows) {
  Batch batch;
  batch.rows = rows.num_rows();
  if (batch.rows < 1 || meaning.columns.empty() || meaning.columns[0].role != ColumnRole::kTime ||
      meaning.columns[0].type != ColumnType::kTimestamp) {
    return Corruption("a logged batch has no rows or no time");
  }
  batch.columns.reserve(meaning.columns.size());
  for (size_t i = 0; i < meaning.columns.size(); ++i) {
    const auto& column = meaning.columns[i];
    BatchColumn logged;
    logged.name = column.name;
    logged.type = column.type;
    logged.role = column.role;
    logged.values = rows.column(kChangeColumns + static_cast<int>(i));
    batch.columns.push_back(std::move(logged));
  }
  const auto& times = static_cast<const arrow::TimestampArray&>(*batch.columns[0].values);
  if (times.null_count() != 0) return Corruption("a logged batch has a row without time");
  const auto [low, high] = std::minmax_element(times.raw_values(), times.raw_values() + batch.rows);
  batch.min_time = *low;
  batch.max_time = *high;
  return batch;
}

}  // namespace arc
