// The rows of one data file in file order, put together only while the file is written.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <vector>

#include "arc/base/result.h"
#include "arc/parquet/row_order.h"

namespace arrow {
class RecordBatch;
}

namespace arc {

class Gatherer;

// A value: says which rows of some batches stand in which order and keeps the batches alive, but copies none of their
// values. Immutable once made: thread-safe. 12 bytes for each run of rows that stood together in a batch.
class SortedRows {
 public:
  // `batches` of one schema, the time in column 0, their rows already in file order.
  static Result<SortedRows> Of(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches);
  SortedRows(std::shared_ptr<const Gatherer> batches, std::vector<RowRange> ranges);

  int64_t rows() const { return rows_; }
  int64_t first_time() const;  // µs since 1970 UTC, of the first row; there must be one

  const Gatherer& batches() const { return *batches_; }
  std::span<const RowRange> ranges() const { return ranges_; }

 private:
  std::shared_ptr<const Gatherer> batches_;
  std::vector<RowRange> ranges_;
  int64_t rows_ = 0;
};

// Sorts the rows of `batches` (of one schema, the time in column 0) by time, those of one time as they came, and splits
// them at hour boundaries (`bucket_micros` = 3600e6, or 86400e6 for days): bucket number (floor division of time) ->
// rows. kInvalidArgument for more rows than can be sorted at once.
Result<std::map<int64_t, SortedRows>> SplitByTime(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                                                  int64_t bucket_micros);

}  // namespace arc
