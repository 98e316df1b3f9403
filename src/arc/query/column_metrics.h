// Metrics of a data file's columns as SQL values, raw and readable.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "arc/iceberg/manifest.h"
#include "arc/iceberg/table_metadata.h"
#include "arc/model/schema.h"
#include "duckdb/common/types/value.hpp"

namespace arc {

// By field id. What a manifest left out is NULL.
duckdb::Value CountsValue(const std::vector<std::pair<int32_t, int64_t>>& counts);
duckdb::Value BoundsValue(const std::vector<std::pair<int32_t, std::string>>& bounds);

// Iceberg's single-value serialization of a column; NULL for bytes that are none.
duckdb::Value BoundValue(ColumnType type, const std::string& bytes);

// `readable_metrics`: of every column that Arc shows, by name. Immutable.
class ColumnMetricsStruct {
 public:
  explicit ColumnMetricsStruct(const TableMetadata& metadata);

  bool empty() const { return columns_.empty(); }
  const duckdb::LogicalType& type() const { return type_; }  // unless empty
  duckdb::Value ValueOf(const ManifestDataFile& file) const;

 private:
  struct ShownColumn {
    int32_t field_id;
    ColumnType type;
    duckdb::LogicalType metrics;
  };
  std::vector<ShownColumn> columns_;
  duckdb::LogicalType type_;
};

}  // namespace arc
