#include "arc/query/column_metrics.h"

#include <bit>
#include <optional>
#include <set>
#include <string_view>

#include "arc/iceberg/schema_conversion.h"
#include "arc/query/arc_catalog.h"
#include "duckdb/common/string_util.hpp"

namespace arc {
namespace {

using duckdb::LogicalType;
using duckdb::Value;

uint64_t LittleEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[i]);
  return value;
}

// The unscaled value of a decimal, two's complement, most significant byte first, as few bytes as hold it.
std::optional<uint64_t> BigEndian(std::string_view bytes) {
  constexpr size_t kMaxBytes = 9;  // 64 bits and a sign
  if (bytes.empty() || bytes.size() > kMaxBytes || static_cast<uint8_t>(bytes[0]) >= 0x80) return std::nullopt;
  if (bytes.size() == kMaxBytes && bytes[0] != 0) return std::nullopt;
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

template <typename T>
const T* Find(const std::vector<std::pair<int32_t, T>>& metrics, int32_t field_id) {
  for (const auto& [id, value] : metrics) {
    if (id == field_id) return &value;
  }
  return nullptr;
}

Value CountValue(const std::vector<std::pair<int32_t, int64_t>>& counts, int32_t field_id) {
  const int64_t* count = Find(counts, field_id);
  return count == nullptr ? Value(LogicalType::BIGINT) : Value::BIGINT(*count);
}

}  // namespace

Value CountsValue(const std::vector<std::pair<int32_t, int64_t>>& counts) {
  if (counts.empty()) return Value(LogicalType::MAP(LogicalType::INTEGER, LogicalType::BIGINT));
  duckdb::vector<Value> keys;
  duckdb::vector<Value> values;
  for (const auto& [id, count] : counts) {
    keys.push_back(Value::INTEGER(id));
    values.push_back(Value::BIGINT(count));
  }
  return Value::MAP(LogicalType::INTEGER, LogicalType::BIGINT, std::move(keys), std::move(values));
}

Value BoundsValue(const std::vector<std::pair<int32_t, std::string>>& bounds) {
  if (bounds.empty()) return Value(LogicalType::MAP(LogicalType::INTEGER, LogicalType::BLOB));
  duckdb::vector<Value> keys;
  duckdb::vector<Value> values;
  for (const auto& [id, bound] : bounds) {
    keys.push_back(Value::INTEGER(id));
    values.push_back(Value::BLOB_RAW(bound));
  }
  return Value::MAP(LogicalType::INTEGER, LogicalType::BLOB, std::move(keys), std::move(values));
}

Value BoundValue(ColumnType type, const std::string& bytes) {
  constexpr size_t kWide = 8;
  constexpr size_t kNarrow = 4;  // int and float, which other engines write
  switch (type) {
    case ColumnType::kTimestamp:
      if (bytes.size() != kWide) break;
      return Value::TIMESTAMP(duckdb::timestamp_t(static_cast<int64_t>(LittleEndian(bytes))));
    case ColumnType::kInt64:
      if (bytes.size() == kWide) return Value::BIGINT(static_cast<int64_t>(LittleEndian(bytes)));
      if (bytes.size() != kNarrow) break;
      return Value::BIGINT(static_cast<int32_t>(static_cast<uint32_t>(LittleEndian(bytes))));
    case ColumnType::kDouble:
      if (bytes.size() == kWide) return Value::DOUBLE(std::bit_cast<double>(LittleEndian(bytes)));
      if (bytes.size() != kNarrow) break;
      return Value::DOUBLE(std::bit_cast<float>(static_cast<uint32_t>(LittleEndian(bytes))));
    case ColumnType::kBool:
      if (bytes.size() != 1) break;
      return Value::BOOLEAN(bytes[0] != 0);
    case ColumnType::kString:
      if (!Value::StringIsValid(bytes)) break;
      return Value(bytes);
    case ColumnType::kUInt64:
      if (const auto value = BigEndian(bytes)) return Value::UBIGINT(*value);
      break;
  }
  return Value(ToDuckType(type));
}

ColumnMetricsStruct::ColumnMetricsStruct(const TableMetadata& metadata) {
  if (metadata.schemas.empty()) return;
  const auto schema = ToArcSchema(metadata);
  if (!schema.ok()) return;
  duckdb::child_list_t<LogicalType> children;
  std::set<std::string> names;
  for (const auto& column : schema->columns) {
    // Members of a struct are found without regard to case.
    if (!names.insert(duckdb::StringUtil::Lower(column.name)).second) continue;
    const LogicalType type = ToDuckType(column.type);
    LogicalType metrics = LogicalType::STRUCT({{"column_size", LogicalType::BIGINT},
                                               {"value_count", LogicalType::BIGINT},
                                               {"null_value_count", LogicalType::BIGINT},
                                               {"nan_value_count", LogicalType::BIGINT},
                                               {"lower_bound", type},
                                               {"upper_bound", type}});
    children.emplace_back(column.name, metrics);
    columns_.push_back({column.field_id, column.type, std::move(metrics)});
  }
  if (!columns_.empty()) type_ = LogicalType::STRUCT(std::move(children));
}

Value ColumnMetricsStruct::ValueOf(const ManifestDataFile& file) const {
  duckdb::vector<Value> values;
  for (const auto& column : columns_) {
    const auto bound = [&](const std::vector<std::pair<int32_t, std::string>>& bounds) {
      const std::string* bytes = Find(bounds, column.field_id);
      return bytes == nullptr ? Value(ToDuckType(column.type)) : BoundValue(column.type, *bytes);
    };
    values.push_back(Value::STRUCT(
        column.metrics,
        {CountValue(file.column_sizes, column.field_id), CountValue(file.value_counts, column.field_id),
         CountValue(file.null_value_counts, column.field_id), CountValue(file.nan_value_counts, column.field_id),
         bound(file.lower_bounds), bound(file.upper_bounds)}));
  }
  return Value::STRUCT(type_, std::move(values));
}

}  // namespace arc
