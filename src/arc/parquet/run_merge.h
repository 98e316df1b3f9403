// Sorting rows that come in ascending runs: many rows move at a time.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "arc/parquet/row_order.h"

namespace arc {

// What OrderByTime gives, or nothing when the ranges would be so many that sorting row by row is cheaper.
std::optional<std::map<int64_t, std::vector<RowRange>>> MergeRuns(const TimeColumns& times, int64_t bucket_micros);

// The times of a bucket that 64 bits hold; `start` is its first time modulo 2^64, as the first bucket of all begins
// before the lowest time.
struct BucketTimes {
  int64_t first = 0;
  int64_t last = 0;
  uint64_t start = 0;
};
BucketTimes TimesOf(int64_t bucket, int64_t bucket_micros);

}  // namespace arc
