#include "arc/parquet/row_order.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "arc/base/check.h"
#include "arc/parquet/run_merge.h"
#include "arc/parquet/sort_numbers.h"

namespace arc {
namespace {

// Which row of which batch, in one number that grows with the rows' original order.
class RowRefs {
 public:
  explicit RowRefs(const TimeColumns& times) {
    size_t longest = 1;
    for (const auto& column : times) longest = std::max(longest, column.size());
    row_bits_ = std::bit_width(longest - 1);
    bits_ = row_bits_ + static_cast<int>(std::bit_width(times.size() - 1));
  }
  uint64_t Make(uint64_t batch, uint64_t row) const { return batch << row_bits_ | row; }
  // The rows that keys with a ref in their low bits stand for.
  std::vector<RowRange> Ranges(const std::vector<uint64_t>& keys) const {
    const uint64_t batch_mask = (uint64_t{1} << (bits_ - row_bits_)) - 1;
    const uint64_t row_mask = (uint64_t{1} << row_bits_) - 1;
    std::vector<RowRange> ranges;
    ranges.reserve(keys.size());  // memory not written to costs nothing
    for (const uint64_t key : keys) {
      const auto batch = static_cast<uint32_t>(key >> row_bits_ & batch_mask);
      const auto row = static_cast<uint32_t>(key & row_mask);
      if (!ranges.empty() && ranges.back().batch == batch && ranges.back().first + ranges.back().rows == row) {
        ++ranges.back().rows;
      } else {
        ranges.push_back({batch, row, 1});
      }
    }
    return ranges;
  }
  int bits() const { return bits_; }

 private:
  int row_bits_ = 0;
  int bits_ = 0;
};

Result<std::map<int64_t, std::vector<RowRange>>> SortRows(const TimeColumns& times, int64_t bucket_micros) {
  const RowRefs refs(times);
  const int time_bits = std::bit_width(static_cast<uint64_t>(bucket_micros - 1));
  if (time_bits + refs.bits() > 64) return InvalidArgument("too many rows to sort by time at once");
  std::map<int64_t, std::vector<uint64_t>> buckets;  // keys: the time within the bucket, then the ref
  std::vector<uint64_t>* keys = nullptr;
  BucketTimes range;
  for (size_t batch = 0; batch < times.size(); ++batch) {
    const std::span<const int64_t> column = times[batch];
    for (size_t row = 0; row < column.size(); ++row) {
      const int64_t time = column[row];
      if (keys == nullptr || time < range.first || time > range.last) {
        const int64_t number = BucketOf(time, bucket_micros);
        keys = &buckets[number];
        range = TimesOf(number, bucket_micros);
      }
      keys->push_back((static_cast<uint64_t>(time) - range.start) << refs.bits() | refs.Make(batch, row));
    }
  }
  std::map<int64_t, std::vector<RowRange>> order;
  std::vector<uint64_t> scratch;
  for (auto& [number, rows] : buckets) {
    SortNumbers(refs.bits(), &rows, &scratch);
    order.emplace(number, refs.Ranges(rows));
    std::vector<uint64_t>().swap(rows);
  }
  return order;
}

}  // namespace

Result<std::map<int64_t, std::vector<RowRange>>> OrderByTime(const TimeColumns& times, int64_t bucket_micros) {
  ARC_CHECK(bucket_micros > 0);
  if (auto merged = MergeRuns(times, bucket_micros)) return std::move(*merged);
  return SortRows(times, bucket_micros);
}

}  // namespace arc
