// Batches for this room's tests: small ones of given values and large ones of the usual shape.
#pragma once

#include <arrow/api.h>

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/check.h"
#include "arc/model/batch.h"
#include "arc/wal/log.h"

namespace arc {

template <typename Builder, typename T>
std::shared_ptr<arrow::Array> ArrayOf(const std::vector<std::optional<T>>& values, Builder builder = Builder()) {
  for (const auto& value : values) {
    ARC_CHECK((value ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  std::shared_ptr<arrow::Array> array;
  ARC_CHECK(builder.Finish(&array).ok());
  return array;
}

inline BatchColumn MakeColumn(std::string name, ColumnType type, ColumnRole role,
                              std::shared_ptr<arrow::Array> values) {
  BatchColumn column;
  column.name = std::move(name);
  column.type = type;
  column.role = role;
  column.values = std::move(values);
  return column;
}

inline BatchColumn TimeColumn(const std::vector<int64_t>& times) {
  const std::vector<std::optional<int64_t>> values(times.begin(), times.end());
  return MakeColumn(
      "time", ColumnType::kTimestamp, ColumnRole::kTime,
      ArrayOf(values, arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool())));
}

inline BatchColumn TagColumn(const std::string& name, const std::vector<std::optional<std::string>>& values) {
  return MakeColumn(name, ColumnType::kString, ColumnRole::kTag, ArrayOf(values, arrow::StringDictionary32Builder()));
}

inline BatchColumn DoubleColumn(const std::string& name, const std::vector<std::optional<double>>& values) {
  return MakeColumn(name, ColumnType::kDouble, ColumnRole::kField, ArrayOf(values, arrow::DoubleBuilder()));
}

inline Batch MakeBatch(std::vector<BatchColumn> columns) {
  Batch batch;
  batch.columns = std::move(columns);
  const auto& times = static_cast<const arrow::TimestampArray&>(*batch.columns[0].values);
  batch.rows = times.length();
  const auto [low, high] = std::minmax_element(times.raw_values(), times.raw_values() + batch.rows);
  batch.min_time = *low;
  batch.max_time = *high;
  return batch;
}

// time, host, region and three doubles; `seed` makes the values differ.
inline Batch SmallBatch(int rows, int seed) {
  std::vector<int64_t> times;
  std::vector<std::optional<std::string>> hosts, regions;
  std::vector<std::optional<double>> a, b, c;
  for (int i = 0; i < rows; ++i) {
    times.push_back(1'700'000'000'000'000 + int64_t{seed} * 1'000'000 + i);
    hosts.push_back("host-" + std::to_string((i + seed) % 100));
    regions.push_back("region-" + std::to_string(i % 5));
    a.push_back(seed + i * 0.25);
    b.push_back(seed - i * 0.5);
    c.push_back(i * 1.0);
  }
  return MakeBatch({TimeColumn(times), TagColumn("host", hosts), TagColumn("region", regions), DoubleColumn("a", a),
                    DoubleColumn("b", b), DoubleColumn("c", c)});
}

// One row whose field `n` is `number`: what recovery tests count.
inline Batch NumberedBatch(int64_t number) {
  return MakeBatch({TimeColumn({number}), DoubleColumn("n", {static_cast<double>(number)})});
}

inline TableRef MakeTable(uint8_t id, const std::string& name) {
  TableRef table;
  table.id.bytes.fill(id);
  table.database = "db";
  table.name = name;
  return table;
}

inline LogRecord RowsRecord(const TableRef& table, Batch batch) {
  return {LogRecord::Kind::kRows, table, std::move(batch)};
}

// What differs between two batches, empty when nothing does.
inline std::string BatchDifference(const Batch& a, const Batch& b) {
  if (a.rows != b.rows || a.min_time != b.min_time || a.max_time != b.max_time) return "rows or times";
  if (a.columns.size() != b.columns.size()) return "number of columns";
  for (size_t i = 0; i < a.columns.size(); ++i) {
    const auto& x = a.columns[i];
    const auto& y = b.columns[i];
    if (x.name != y.name || x.type != y.type || x.role != y.role) return "column " + x.name;
    arrow::EqualOptions options = arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
    if (!x.values->Equals(*y.values, options)) return "values of " + x.name;
    if (y.values->offset() != 0) return "offset of " + x.name;
  }
  return "";
}

}  // namespace arc
