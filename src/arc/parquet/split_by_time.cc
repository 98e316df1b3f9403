#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>

#include "arc/base/check.h"
#include "arc/parquet/data_file.h"
#include "arc/parquet/gather.h"
#include "arc/parquet/row_order.h"

namespace arc {
namespace {

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;
using Buckets = std::map<int64_t, Batches>;

// Rows of a batch made by sorting: a row group of the default size.
constexpr size_t kPieceRows = 122'880;

bool InOrder(const TimeColumns& times) {
  int64_t last = INT64_MIN;
  for (const auto& column : times) {
    if (column.empty()) continue;
    if (column.front() < last || !std::is_sorted(column.begin(), column.end())) return false;
    last = column.back();
  }
  return true;
}

// The rows are in order: slices, nothing copied.
Buckets Slice(const Batches& batches, const TimeColumns& times, int64_t bucket_micros) {
  Buckets buckets;
  for (size_t i = 0; i < batches.size(); ++i) {
    const auto& column = times[i];
    for (size_t from = 0; from < column.size();) {
      const int64_t bucket = BucketOf(column[from], bucket_micros);
      size_t to = column.size();
      if (BucketOf(column.back(), bucket_micros) != bucket) {
        const auto end = std::partition_point(column.begin() + static_cast<ptrdiff_t>(from), column.end(),
                                              [&](int64_t time) { return BucketOf(time, bucket_micros) == bucket; });
        to = static_cast<size_t>(end - column.begin());
      }
      const bool whole = from == 0 && to == column.size();
      buckets[bucket].push_back(whole ? batches[i]
                                      : batches[i]->Slice(static_cast<int64_t>(from), static_cast<int64_t>(to - from)));
      from = to;
    }
  }
  return buckets;
}

}  // namespace

Result<Buckets> SplitByTime(const Batches& batches, int64_t bucket_micros) {
  if (bucket_micros <= 0) return InvalidArgument("time buckets need a width");
  TimeColumns times;
  size_t longest = 0;
  for (const auto& batch : batches) {
    if (batch->num_columns() == 0 || batch->column(0)->type_id() != arrow::Type::TIMESTAMP ||
        batch->column(0)->null_count() > 0) {
      return Internal("a batch to sort has no time in its first column");
    }
    times.emplace_back(batch->column(0)->data()->GetValues<int64_t>(1), static_cast<size_t>(batch->num_rows()));
    longest = std::max(longest, times.back().size());
  }
  if (InOrder(times)) return Slice(batches, times, bucket_micros);
  const RowRefs refs(batches.size(), longest);
  ARC_ASSIGN_OR_RETURN(auto order, OrderByTime(times, refs, bucket_micros));
  ARC_ASSIGN_OR_RETURN(const Gatherer gatherer, Gatherer::Make(batches, refs));
  Buckets buckets;
  for (auto& [bucket, rows] : order) {
    const std::span<const uint64_t> all = rows;
    for (size_t from = 0; from < all.size();) {
      const size_t count = gatherer.PieceRows(all.subspan(from), kPieceRows);
      ARC_ASSIGN_OR_RETURN(auto piece, gatherer.Gather(all.subspan(from, count)));
      buckets[bucket].push_back(std::move(piece));
      from += count;
    }
    std::vector<uint64_t>().swap(rows);
  }
  return buckets;
}

}  // namespace arc
