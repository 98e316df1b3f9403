// Columns of a table: values only, no behaviour beyond look-up.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/uuid.h"

namespace arrow {
class DataType;
}

namespace arc {

// SQL name / Arrow type in batches / Iceberg type.
enum class ColumnType : uint8_t {
  kTimestamp,  // TIMESTAMP / timestamp[us], no zone, UTC by convention / timestamp
  kDouble,     // DOUBLE / float64 / double
  kInt64,      // BIGINT / int64 / long
  kUInt64,     // UBIGINT / uint64 / decimal(20,0)
  kBool,       // BOOLEAN / bool / boolean
  kString,     // VARCHAR / utf8 (tags: dictionary<int32, utf8>) / string
};

enum class ColumnRole : uint8_t { kTime, kTag, kField };

struct Column {
  std::string name;  // as first sent; at most 255 bytes
  ColumnType type = ColumnType::kDouble;
  ColumnRole role = ColumnRole::kField;
  int32_t field_id = 0;  // Iceberg field id, > 0 once the table owns the column, never reused
  // A committed data file, or one being written, holds the column: its type is fixed from now on.
  bool type_fixed = false;
};

// An immutable list of columns; column 0 is `time`. `version` grows with every change within one process.
struct Schema {
  uint64_t version = 0;
  std::vector<Column> columns;

  // Index of the column so named; an exact spelling wins, then a single case-insensitive match; -1 if none.
  int Find(std::string_view name) const;
  int FindById(int32_t field_id) const;
  int32_t last_field_id() const;
};

// Which table a record belongs to, complete enough to recreate it at replay.
struct TableRef {
  Uuid id;  // never reused
  std::string database;
  std::string name;  // the measurement
};

std::string_view SqlTypeName(ColumnType type);
std::string_view RoleName(ColumnRole role);  // "time", "tag", "field"
// The Arrow type such a column has in a Batch.
std::shared_ptr<arrow::DataType> BatchArrowType(ColumnType type, ColumnRole role);
// ASCII case-insensitive equality, DuckDB's rule for identifiers.
bool SameIdentifier(std::string_view a, std::string_view b);

}  // namespace arc
