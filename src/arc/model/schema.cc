#include "arc/model/schema.h"

#include <arrow/type.h>

#include <algorithm>

namespace arc {
namespace {

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace

bool SameIdentifier(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return Lower(x) == Lower(y); });
}

int Schema::Find(std::string_view name) const {
  int folded = -1;
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].name == name) return static_cast<int>(i);
    if (folded < 0 && SameIdentifier(columns[i].name, name)) folded = static_cast<int>(i);
  }
  return folded;
}

int Schema::FindById(int32_t field_id) const {
  for (size_t i = 0; i < columns.size(); ++i) {
    if (columns[i].field_id == field_id) return static_cast<int>(i);
  }
  return -1;
}

int32_t Schema::last_field_id() const {
  int32_t last = 0;
  for (const auto& column : columns) last = std::max(last, column.field_id);
  return last;
}

std::string_view SqlTypeName(ColumnType type) {
  switch (type) {
    case ColumnType::kTimestamp: return "TIMESTAMP";
    case ColumnType::kDouble: return "DOUBLE";
    case ColumnType::kInt64: return "BIGINT";
    case ColumnType::kUInt64: return "UBIGINT";
    case ColumnType::kBool: return "BOOLEAN";
    case ColumnType::kString: return "VARCHAR";
  }
  return "UNKNOWN";
}

std::string_view RoleName(ColumnRole role) {
  switch (role) {
    case ColumnRole::kTime: return "time";
    case ColumnRole::kTag: return "tag";
    case ColumnRole::kField: return "field";
  }
  return "field";
}

std::shared_ptr<arrow::DataType> BatchArrowType(ColumnType type, ColumnRole role) {
  static const auto kTimestampType = arrow::timestamp(arrow::TimeUnit::MICRO);
  static const auto kTagType = arrow::dictionary(arrow::int32(), arrow::utf8());
  switch (type) {
    case ColumnType::kTimestamp: return kTimestampType;
    case ColumnType::kDouble: return arrow::float64();
    case ColumnType::kInt64: return arrow::int64();
    case ColumnType::kUInt64: return arrow::uint64();
    case ColumnType::kBool: return arrow::boolean();
    case ColumnType::kString: return role == ColumnRole::kTag ? kTagType : arrow::utf8();
  }
  return arrow::utf8();
}

}  // namespace arc
