// Tests only: whether a WriteRequest keeps what model/batch.h promises.
#pragma once

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <utility>

#include "arc/decode/batch_builder.h"
#include "arc/decode/timestamp.h"
#include "arc/decode/utf8.h"
#include "arc/model/batch.h"

namespace arc {

// Empty when the column is sound, else what is wrong with it.
inline std::string BrokenColumn(const BatchColumn& column, int64_t rows) {
  const auto& array = column.values;
  if (array == nullptr) return "no values";
  if (array->length() != rows || array->offset() != 0) return "length or offset";
  if (!array->type()->Equals(*BatchArrowType(column.type, column.role))) return "type " + array->type()->ToString();
  if (auto valid = array->ValidateFull(); !valid.ok()) return valid.ToString();
  if (array->null_count() == rows) return "only NULLs";
  if (column.name.empty() || column.name.size() > kMaxNameBytes || !ValidUtf8(column.name)) return "name";
  if (column.role == ColumnRole::kTag) {
    const auto& tags = static_cast<const arrow::DictionaryArray&>(*array);
    const auto& words = static_cast<const arrow::StringArray&>(*tags.dictionary());
    std::set<std::string> seen;
    for (int64_t i = 0; i < words.length(); ++i) {
      if (words.IsNull(i)) return "NULL in the dictionary";
      if (!seen.insert(words.GetString(i)).second) return "value twice in the dictionary";
    }
  }
  if (column.integral != nullptr) {
    if (column.type != ColumnType::kDouble) return "integral beside " + array->type()->ToString();
    if (column.integral->size() * 8 < rows) return "integral too short";
    const auto& doubles = static_cast<const arrow::DoubleArray&>(*array);
    for (int64_t i = 0; i < rows; ++i) {
      if (!arrow::bit_util::GetBit(column.integral->data(), i)) continue;
      const double value = doubles.Value(i);
      if (doubles.IsNull(i) || std::trunc(value) != value || std::fabs(value) > 0x1p63 || value == 0x1p63) {
        return "integral bit of row " + std::to_string(i);
      }
    }
  }
  return "";
}

inline std::string BrokenBatch(const Batch& batch) {
  if (batch.rows < 1) return "no rows";
  if (batch.columns.empty()) return "no columns";
  const BatchColumn& time = batch.columns[0];
  if (time.name != "time" || time.type != ColumnType::kTimestamp || time.role != ColumnRole::kTime) return "no time";
  std::set<std::pair<std::string, ColumnRole>> names;
  for (const BatchColumn& column : batch.columns) {
    if (std::string broken = BrokenColumn(column, batch.rows); !broken.empty()) return column.name + ": " + broken;
    if (!names.insert({column.name, column.role}).second) return column.name + ": twice";
    if ((column.role == ColumnRole::kTime) != (&column == &time)) return column.name + ": role";
  }
  const auto& times = static_cast<const arrow::TimestampArray&>(*time.values);
  if (times.null_count() != 0) return "NULL time";
  const auto [least, most] = std::minmax_element(times.raw_values(), times.raw_values() + batch.rows);
  if (*least != batch.min_time || *most != batch.max_time) return "min_time or max_time";
  if (*least < kMinTimeMicros || *most > kMaxTimeMicros) return "time out of bounds";
  if (!batch.positions.empty() && static_cast<int64_t>(batch.positions.size()) != batch.rows) return "positions";
  for (int64_t i = 1; i < batch.rows; ++i) {
    if (batch.PositionOf(i) <= batch.PositionOf(i - 1)) return "positions out of order";
  }
  return "";
}

// Empty when the request is sound, else "measurement: column: what".
inline std::string BrokenRequest(const WriteRequest& request) {
  std::set<uint32_t> positions;
  for (const auto& [measurement, batch] : request.batches) {
    if (measurement.empty() || measurement.size() > kMaxNameBytes || !ValidUtf8(measurement)) return "measurement name";
    if (std::string broken = BrokenBatch(batch); !broken.empty()) return measurement + ": " + broken;
    for (int64_t i = 0; i < batch.rows; ++i) {
      if (!positions.insert(batch.PositionOf(i)).second) return measurement + ": position twice";
    }
  }
  for (const RowError& error : request.errors) {
    if (error.message.empty() || !ValidUtf8(error.message)) return "error message";
    if (!positions.insert(error.position).second) return "position of an error twice";
  }
  return "";
}

}  // namespace arc
