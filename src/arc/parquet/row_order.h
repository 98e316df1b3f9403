// The order that rows of several batches take when sorted by time within their buckets.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "arc/base/result.h"

namespace arc {

// Which row of which batch, in one number that grows with the rows' original order.
class RowRefs {
 public:
  // `batches` batches of at most `batch_rows` rows each.
  RowRefs(uint64_t batches, uint64_t batch_rows);
  uint64_t Make(uint64_t batch, uint64_t row) const { return batch << row_bits_ | row; }
  uint64_t BatchOf(uint64_t ref) const { return ref >> row_bits_; }
  uint64_t RowOf(uint64_t ref) const { return ref & row_mask_; }
  int bits() const { return bits_; }

 private:
  int row_bits_;
  int bits_;
  uint64_t row_mask_;
};

// Floor division: the bucket before the epoch is -1, not 0.
inline int64_t BucketOf(int64_t time, int64_t bucket_micros) {
  const int64_t quotient = time / bucket_micros;
  return quotient - (time % bucket_micros < 0 ? 1 : 0);
}

using TimeColumns = std::vector<std::span<const int64_t>>;  // one per batch

// Bucket -> refs of its rows by time, rows of one time in their original order.
// kInvalidArgument when a time within a bucket and a ref do not fit 64 bits together.
Result<std::map<int64_t, std::vector<uint64_t>>> OrderByTime(const TimeColumns& times, const RowRefs& refs,
                                                             int64_t bucket_micros);

// Ascending; the numbers are equal in no two places. Only bits from `low_bit` on need to be looked at when the numbers
// ascend already among those that agree in them. `scratch` is resized as needed.
void SortNumbers(int low_bit, std::vector<uint64_t>* numbers, std::vector<uint64_t>* scratch);

}  // namespace arc
