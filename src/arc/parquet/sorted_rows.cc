#include "arc/parquet/sorted_rows.h"

#include "arc/base/check.h"
#include "arc/parquet/gather.h"

namespace arc {

SortedRows::SortedRows(std::shared_ptr<const Gatherer> batches, std::vector<RowRange> ranges)
    : batches_(std::move(batches)), ranges_(std::move(ranges)) {
  for (const RowRange& range : ranges_) rows_ += range.rows;
}

Result<SortedRows> SortedRows::Of(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  ARC_ASSIGN_OR_RETURN(auto gatherer, Gatherer::Make(batches));
  std::vector<RowRange> ranges;
  uint32_t batch = 0;
  for (const auto& column : gatherer->Times()) {
    if (!column.empty()) ranges.push_back({batch, 0, static_cast<uint32_t>(column.size())});
    ++batch;
  }
  return SortedRows(std::move(gatherer), std::move(ranges));
}

int64_t SortedRows::first_time() const {
  ARC_CHECK(rows_ > 0);
  return batches_->Times()[ranges_[0].batch][ranges_[0].first];
}

Result<std::map<int64_t, SortedRows>> SplitByTime(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                                                  int64_t bucket_micros) {
  if (bucket_micros <= 0) return InvalidArgument("time buckets need a width");
  ARC_ASSIGN_OR_RETURN(const auto gatherer, Gatherer::Make(batches));
  ARC_ASSIGN_OR_RETURN(auto order, OrderByTime(gatherer->Times(), bucket_micros));
  std::map<int64_t, SortedRows> buckets;
  for (auto& [bucket, ranges] : order) buckets.emplace(bucket, SortedRows(gatherer, std::move(ranges)));
  return buckets;
}

}  // namespace arc
