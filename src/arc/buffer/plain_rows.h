// For tests: rows as plain values, random batches of them, and chunks and record batches read back into them.
#pragma once

#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_dict.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/record_batch.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "arc/base/check.h"
#include "arc/buffer/chunk.h"
#include "arc/model/batch.h"
#include "arc/model/schema.h"

namespace arc {

using PlainValue = std::variant<std::monostate, int64_t, uint64_t, double, bool, std::string>;
using PlainRow = std::vector<PlainValue>;  // in the order of a schema's columns; shorter rows end in NULLs

inline Column MakeColumn(std::string name, ColumnType type, ColumnRole role, int32_t field_id) {
  return {std::move(name), type, role, field_id, false};
}

inline std::shared_ptr<arrow::Array> PlainToArrow(const std::vector<PlainValue>& values, ColumnType type,
                                                  ColumnRole role) {
  auto build = [&](auto&& builder, auto tag) {
    using Value = decltype(tag);
    for (const auto& value : values) {
      const auto* present = std::get_if<Value>(&value);
      ARC_CHECK((present != nullptr ? builder.Append(*present) : builder.AppendNull()).ok());
    }
    return *builder.Finish();
  };
  switch (type) {
    case ColumnType::kTimestamp:
      return build(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool()),
                   int64_t{});
    case ColumnType::kDouble: return build(arrow::DoubleBuilder(), double{});
    case ColumnType::kInt64: return build(arrow::Int64Builder(), int64_t{});
    case ColumnType::kUInt64: return build(arrow::UInt64Builder(), uint64_t{});
    case ColumnType::kBool: return build(arrow::BooleanBuilder(), bool{});
    case ColumnType::kString:
      if (role == ColumnRole::kTag) return build(arrow::StringDictionary32Builder(), std::string{});
      return build(arrow::StringBuilder(), std::string{});
  }
  return nullptr;
}

// A batch of `rows` holding the columns `which` (indices into the schema).
inline Batch PlainBatch(const Schema& schema, const std::vector<PlainRow>& rows, const std::vector<size_t>& which) {
  Batch batch;
  batch.rows = static_cast<int64_t>(rows.size());
  for (const size_t index : which) {
    const Column& column = schema.columns[index];
    std::vector<PlainValue> values;
    bool integers = false;
    for (const auto& row : rows) {
      values.push_back(index < row.size() ? row[index] : PlainValue());
      integers |= std::holds_alternative<int64_t>(values.back());
    }
    // A batch from before the widening holds integers in what is a DOUBLE column now.
    const ColumnType type = column.type == ColumnType::kDouble && integers ? ColumnType::kInt64 : column.type;
    BatchColumn to;
    to.name = column.name;
    to.type = type;
    to.role = column.role;
    to.values = PlainToArrow(values, type, column.role);
    batch.columns.push_back(std::move(to));
  }
  auto by_time = [](const PlainRow& a, const PlainRow& b) { return std::get<int64_t>(a[0]) < std::get<int64_t>(b[0]); };
  batch.min_time = std::get<int64_t>((*std::min_element(rows.begin(), rows.end(), by_time))[0]);
  batch.max_time = std::get<int64_t>((*std::max_element(rows.begin(), rows.end(), by_time))[0]);
  return batch;
}

// What a row must read back as under `schema`: one value per column, integers widened.
inline PlainRow Expected(const PlainRow& row, const Schema& schema) {
  PlainRow expected(schema.columns.size());
  std::copy(row.begin(), row.end(), expected.begin());
  for (size_t i = 0; i < expected.size(); ++i) {
    if (schema.columns[i].type != ColumnType::kDouble) continue;
    if (const auto* integer = std::get_if<int64_t>(&expected[i])) expected[i] = static_cast<double>(*integer);
  }
  return expected;
}

// Row `row` of a view, read the way a scan does.
inline PlainRow ReadChunkRow(const ChunkView& view, uint32_t row, const Schema& schema) {
  PlainRow values(schema.columns.size());
  for (const auto& column : view.chunk->columns()) {
    const int index = schema.FindById(column.field_id);
    ARC_CHECK(index >= 0);
    const bool valid = column.validity == nullptr ||
                       (column.validity[row / 64].load(std::memory_order_relaxed) >> (row % 64) & 1) != 0;
    PlainValue value;
    bool zero = false;
    switch (column.type) {
      case ColumnType::kTimestamp:
      case ColumnType::kInt64: value = static_cast<const int64_t*>(column.values)[row]; break;
      case ColumnType::kUInt64: value = static_cast<const uint64_t*>(column.values)[row]; break;
      case ColumnType::kDouble: value = static_cast<const double*>(column.values)[row]; break;
      case ColumnType::kBool: value = static_cast<const uint8_t*>(column.values)[row] != 0; break;
      case ColumnType::kString:
        if (column.dictionary != nullptr) {
          const uint32_t code = static_cast<const uint32_t*>(column.values)[row];
          zero = code == 0;
          ARC_CHECK(!valid || code < column.dictionary->size());
          value = std::string((*column.dictionary)[code].view());
        } else {
          value = std::string(static_cast<const HotString*>(column.values)[row].view());
        }
        break;
    }
    if (!valid) {
      zero |= value == PlainValue(int64_t{0}) || value == PlainValue(uint64_t{0}) || value == PlainValue(0.0) ||
              value == PlainValue(false) || value == PlainValue(std::string());
      ARC_CHECK(zero);
      continue;
    }
    if (schema.columns[static_cast<size_t>(index)].type == ColumnType::kDouble && column.type == ColumnType::kInt64) {
      value = static_cast<double>(std::get<int64_t>(value));
    }
    values[static_cast<size_t>(index)] = value;
  }
  return values;
}

inline PlainValue ReadArrow(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return {};
  switch (array.type_id()) {
    case arrow::Type::TIMESTAMP: return static_cast<const arrow::TimestampArray&>(array).Value(row);
    case arrow::Type::INT64: return static_cast<const arrow::Int64Array&>(array).Value(row);
    case arrow::Type::UINT64: return static_cast<const arrow::UInt64Array&>(array).Value(row);
    case arrow::Type::DOUBLE: return static_cast<const arrow::DoubleArray&>(array).Value(row);
    case arrow::Type::BOOL: return static_cast<const arrow::BooleanArray&>(array).Value(row);
    case arrow::Type::STRING: return static_cast<const arrow::StringArray&>(array).GetString(row);
    case arrow::Type::DICTIONARY: {
      const auto& coded = static_cast<const arrow::DictionaryArray&>(array);
      return static_cast<const arrow::StringArray&>(*coded.dictionary()).GetString(coded.GetValueIndex(row));
    }
    default: ARC_CHECK(false);
  }
}

inline PlainRow ReadBatchRow(const arrow::RecordBatch& batch, int64_t row) {
  PlainRow values;
  for (const auto& array : batch.columns()) values.push_back(ReadArrow(*array, row));
  return values;
}

}  // namespace arc
