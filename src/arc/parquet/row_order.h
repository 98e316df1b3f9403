// The order that rows of several batches take when sorted by time within their buckets.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "arc/base/result.h"

namespace arc {

// Consecutive rows of one batch, at least one.
struct RowRange {
  uint32_t batch = 0;
  uint32_t first = 0;
  uint32_t rows = 0;

  bool operator==(const RowRange&) const = default;
};

// Floor division: the bucket before the epoch is -1, not 0.
inline int64_t BucketOf(int64_t time, int64_t bucket_micros) {
  const int64_t quotient = time / bucket_micros;
  return quotient - (time % bucket_micros < 0 ? 1 : 0);
}

using TimeColumns = std::vector<std::span<const int64_t>>;  // one per batch, each below 2^32 rows

// Bucket -> its rows by time, rows of one time in their original order. Rows that come in long runs (from connections
// that overtake each other) are merged run by run; others are sorted one by one, with 28 bytes a row held meanwhile.
// kInvalidArgument when so many rows must be sorted that a time within a bucket and a row's number exceed 64 bits.
Result<std::map<int64_t, std::vector<RowRange>>> OrderByTime(const TimeColumns& times, int64_t bucket_micros);

}  // namespace arc
