// Tests only: a WriteRequest written out, so that an expectation is one readable string.
#pragma once

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/bit_util.h>

#include <charconv>
#include <string>

#include "arc/model/batch.h"

namespace arc {

inline std::string CellText(const BatchColumn& column, int64_t row) {
  const arrow::Array& array = *column.values;
  if (array.IsNull(row)) return "-";
  char text[64];
  switch (column.type) {
    case ColumnType::kTimestamp: return std::to_string(static_cast<const arrow::TimestampArray&>(array).Value(row));
    case ColumnType::kInt64: return std::to_string(static_cast<const arrow::Int64Array&>(array).Value(row)) + "i";
    case ColumnType::kUInt64: return std::to_string(static_cast<const arrow::UInt64Array&>(array).Value(row)) + "u";
    case ColumnType::kBool: return static_cast<const arrow::BooleanArray&>(array).Value(row) ? "true" : "false";
    case ColumnType::kDouble:
      *std::to_chars(text, text + sizeof(text), static_cast<const arrow::DoubleArray&>(array).Value(row)).ptr = '\0';
      if (column.integral && arrow::bit_util::GetBit(column.integral->data(), row)) return std::string(text) + "~";
      return text;
    case ColumnType::kString: break;
  }
  if (column.role != ColumnRole::kTag) {
    return '"' + static_cast<const arrow::StringArray&>(array).GetString(row) + '"';
  }
  const auto& tags = static_cast<const arrow::DictionaryArray&>(array);
  return static_cast<const arrow::StringArray&>(*tags.dictionary()).GetString(tags.GetValueIndex(row));
}

// One line per row: "measurement@position time=… tag:name=… field=… " with "-" for NULL, 1~ for a double sent as an
// integer, ? behind the name of a column whose role is a guess; then one line per error: "position! message".
inline std::string RequestText(const WriteRequest& request) {
  std::string out;
  for (const auto& [measurement, batch] : request.batches) {
    for (int64_t row = 0; row < batch.rows; ++row) {
      out += measurement + "@" + std::to_string(batch.PositionOf(row));
      for (const BatchColumn& column : batch.columns) {
        out += column.role == ColumnRole::kTag ? " tag:" : " ";
        out += column.name + (column.role_known ? "=" : "?=") + CellText(column, row);
      }
      out += "\n";
    }
  }
  for (const RowError& error : request.errors) out += std::to_string(error.position) + "! " + error.message + "\n";
  return out;
}

}  // namespace arc
