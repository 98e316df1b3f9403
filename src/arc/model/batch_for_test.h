// Small batches for tests: times, then columns of optional values.
#pragma once

#include <arrow/array.h>
#include <arrow/builder.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arc/base/check.h"
#include "arc/model/batch.h"

namespace arc {

// Builds one Batch, column by column; every column has as many values as there are times.
class BatchForTest {
 public:
  explicit BatchForTest(const std::vector<int64_t>& times) {
    arrow::TimestampBuilder builder(BatchArrowType(ColumnType::kTimestamp, ColumnRole::kTime),
                                    arrow::default_memory_pool());
    ARC_CHECK(builder.AppendValues(times).ok());
    batch_.rows = static_cast<int64_t>(times.size());
    auto [low, high] = std::minmax_element(times.begin(), times.end());
    batch_.min_time = *low;
    batch_.max_time = *high;
    Add("time", ColumnType::kTimestamp, ColumnRole::kTime, builder);
  }
  BatchForTest& Doubles(const std::string& name, const std::vector<std::optional<double>>& values) {
    return Field<arrow::DoubleBuilder>(name, ColumnType::kDouble, values);
  }
  BatchForTest& Ints(const std::string& name, const std::vector<std::optional<int64_t>>& values) {
    return Field<arrow::Int64Builder>(name, ColumnType::kInt64, values);
  }
  BatchForTest& UInts(const std::string& name, const std::vector<std::optional<uint64_t>>& values) {
    return Field<arrow::UInt64Builder>(name, ColumnType::kUInt64, values);
  }
  BatchForTest& Bools(const std::string& name, const std::vector<std::optional<bool>>& values) {
    return Field<arrow::BooleanBuilder>(name, ColumnType::kBool, values);
  }
  BatchForTest& Strings(const std::string& name, const std::vector<std::optional<std::string>>& values) {
    return Field<arrow::StringBuilder>(name, ColumnType::kString, values);
  }
  BatchForTest& Tags(const std::string& name, const std::vector<std::optional<std::string>>& values) {
    arrow::StringDictionary32Builder builder;
    Append(builder, values);
    return Add(name, ColumnType::kString, ColumnRole::kTag, builder);
  }
  Batch Done() { return batch_; }

 private:
  template <typename Builder, typename Value>
  static void Append(Builder& builder, const std::vector<std::optional<Value>>& values) {
    for (const auto& value : values) ARC_CHECK((value ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  template <typename Builder, typename Value>
  BatchForTest& Field(const std::string& name, ColumnType type, const std::vector<std::optional<Value>>& values) {
    Builder builder;
    Append(builder, values);
    return Add(name, type, ColumnRole::kField, builder);
  }
  BatchForTest& Add(const std::string& name, ColumnType type, ColumnRole role, arrow::ArrayBuilder& builder) {
    BatchColumn column{name, type, role, true, nullptr, nullptr};
    ARC_CHECK(builder.Finish(&column.values).ok());
    ARC_CHECK(column.values->length() == batch_.rows);
    batch_.columns.push_back(std::move(column));
    return *this;
  }

  Batch batch_;
};

}  // namespace arc
