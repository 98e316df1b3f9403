// Rows of several batches put together in a given order, column by column.
#pragma once

#include <arrow/result.h>
#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "arc/base/result.h"
#include "arc/parquet/row_order.h"

namespace arc {

// Holds on to the batches' arrays. Immutable: thread-safe.
class Gatherer {
 public:
  using Ranges = std::span<const RowRange>;

  // Batches of one schema whose first column is a time without nulls, each below 2^32 rows.
  static Result<std::shared_ptr<const Gatherer>> Make(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches);
  ~Gatherer();

  size_t columns() const;
  const arrow::DataType& type(size_t column) const;
  // Whether any row of the batches may be NULL there.
  bool nullable(size_t column) const;
  TimeColumns Times() const;
  // Whether a DOUBLE column holds a NaN in these rows.
  bool HasNan(size_t column, Ranges ranges) const;

  // The rows of one column: slices of the batches' arrays when the ranges are long, else copies. Several arrays only
  // of slices, or when Arrow's offsets do not reach over all string bytes. Always one array of a tag: its codes over
  // one dictionary for all batches, which may hold values that do not occur.
  arrow::Result<arrow::ArrayVector> Column(size_t column, Ranges ranges) const;

 private:
  struct Source;
  explicit Gatherer(std::vector<Source> sources);

  std::vector<Source> sources_;
};

}  // namespace arc
