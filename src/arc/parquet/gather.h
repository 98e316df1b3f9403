// Rows of several batches put together in a given order.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "arc/base/result.h"
#include "arc/parquet/row_order.h"

namespace arrow {
class Array;
class RecordBatch;
}  // namespace arrow

namespace arc {

// Holds on to the batches' arrays; tags come out over one dictionary.
class Gatherer {
 public:
  // Batches of one schema, at least one.
  static Result<Gatherer> Make(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches, const RowRefs& refs);
  Gatherer(Gatherer&&) noexcept;
  ~Gatherer();

  // How many of the first rows of `order` make one batch: at most `max_rows`, and no more string bytes in a column than
  // Arrow's offsets reach.
  size_t PieceRows(std::span<const uint64_t> order, size_t max_rows) const;
  Result<std::shared_ptr<arrow::RecordBatch>> Gather(std::span<const uint64_t> order) const;

 private:
  struct Source;
  Gatherer(const RowRefs& refs, std::vector<Source> sources, std::shared_ptr<arrow::RecordBatch> like);

  RowRefs refs_;
  std::vector<Source> sources_;
  std::shared_ptr<arrow::RecordBatch> like_;  // for its schema
};

}  // namespace arc
