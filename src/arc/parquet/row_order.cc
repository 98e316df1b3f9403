#include "arc/parquet/row_order.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

#include "arc/base/check.h"

namespace arc {
namespace {

constexpr int kDigitBits = 11;
constexpr size_t kDigits = size_t{1} << kDigitBits;
// Below this the passes over the counters cost more than comparing.
constexpr size_t kRadixRows = 1024;

// The times of a bucket that 64 bits hold; `start` is its first time modulo 2^64, as the first bucket of all begins
// before the lowest time.
struct BucketRange {
  int64_t first = 0;
  int64_t last = 0;
  uint64_t start = 0;
};

BucketRange RangeOf(int64_t number, int64_t bucket_micros) {
  const __int128 start = static_cast<__int128>(number) * bucket_micros;
  return {static_cast<int64_t>(std::max<__int128>(start, INT64_MIN)),
          static_cast<int64_t>(std::min<__int128>(start + bucket_micros - 1, INT64_MAX)), static_cast<uint64_t>(start)};
}

// Above this a pass leaves the second-level cache: parts of about this size are made first.
constexpr size_t kCacheRows = size_t{1} << 16;
constexpr int kPartBits = 6;
constexpr size_t kParts = size_t{1} << kPartBits;

using Numbers = std::span<uint64_t>;

// Bits in which not all agree.
uint64_t DifferingBits(Numbers numbers) {
  uint64_t all_or = 0;
  uint64_t all_and = ~uint64_t{0};
  for (const uint64_t number : numbers) {
    all_or |= number;
    all_and &= number;
  }
  return all_or & ~all_and;
}

// One stable pass by the digit at `shift`: `from` to `to`. Returns where each digit's numbers end.
template <size_t kCount>
std::array<uint32_t, kCount> Distribute(int shift, Numbers from, Numbers to) {
  std::array<uint32_t, kCount> places{};
  for (const uint64_t number : from) ++places[number >> shift & (kCount - 1)];
  uint32_t sum = 0;
  for (uint32_t& place : places) sum += std::exchange(place, sum);
  for (const uint64_t number : from) to[places[number >> shift & (kCount - 1)]++] = number;
  return places;
}

// By the low digits first, each pass over everything.
void SortByDigits(int low_bit, uint64_t differing, Numbers numbers, Numbers scratch) {
  Numbers from = numbers;
  Numbers to = scratch;
  for (int shift = low_bit; shift < 64 && differing >> shift != 0; shift += kDigitBits) {
    if ((differing >> shift & (kDigits - 1)) == 0) continue;
    Distribute<kDigits>(shift, from, to);
    std::swap(from, to);
  }
  if (from.data() != numbers.data()) std::copy(from.begin(), from.end(), numbers.begin());
}

void SortRange(int low_bit, Numbers numbers, Numbers scratch) {
  if (numbers.size() < kRadixRows) {
    std::sort(numbers.begin(), numbers.end());
    return;
  }
  const uint64_t differing = DifferingBits(numbers);
  const int top = std::bit_width(differing);
  if (numbers.size() <= kCacheRows || top <= low_bit + kPartBits) {
    SortByDigits(low_bit, differing, numbers, scratch);
    return;
  }
  const auto ends = Distribute<kParts>(top - kPartBits, numbers, scratch);
  size_t from = 0;
  for (const size_t end : ends) {
    SortRange(low_bit, scratch.subspan(from, end - from), numbers.subspan(from, end - from));
    from = end;
  }
  std::copy(scratch.begin(), scratch.end(), numbers.begin());
}

}  // namespace

RowRefs::RowRefs(uint64_t batches, uint64_t batch_rows)
    : row_bits_(std::bit_width(batch_rows > 0 ? batch_rows - 1 : 0)),
      bits_(row_bits_ + std::bit_width(batches > 0 ? batches - 1 : 0)),
      row_mask_((uint64_t{1} << row_bits_) - 1) {}

void SortNumbers(int low_bit, std::vector<uint64_t>* numbers, std::vector<uint64_t>* scratch) {
  scratch->resize(numbers->size());
  SortRange(low_bit, *numbers, *scratch);
}

Result<std::map<int64_t, std::vector<uint64_t>>> OrderByTime(const TimeColumns& times, const RowRefs& refs,
                                                             int64_t bucket_micros) {
  ARC_CHECK(bucket_micros > 0);
  const int time_bits = std::bit_width(static_cast<uint64_t>(bucket_micros - 1));
  if (time_bits + refs.bits() > 64) return InvalidArgument("too many rows to sort by time at once");
  struct Bucket {
    std::vector<uint64_t> keys;  // time within the bucket, then the ref
    bool sorted = true;
  };
  std::map<int64_t, Bucket> buckets;
  Bucket* bucket = nullptr;
  BucketRange range;
  for (size_t batch = 0; batch < times.size(); ++batch) {
    const std::span<const int64_t> column = times[batch];
    for (size_t row = 0; row < column.size(); ++row) {
      const int64_t time = column[row];
      if (bucket == nullptr || time < range.first || time > range.last) {
        const int64_t number = BucketOf(time, bucket_micros);
        bucket = &buckets[number];
        range = RangeOf(number, bucket_micros);
      }
      const uint64_t within = static_cast<uint64_t>(time) - range.start;
      const uint64_t key = within << refs.bits() | refs.Make(batch, row);
      bucket->sorted &= bucket->keys.empty() || bucket->keys.back() < key;
      bucket->keys.push_back(key);
    }
  }
  std::map<int64_t, std::vector<uint64_t>> order;
  std::vector<uint64_t> scratch;
  const uint64_t ref_mask = refs.bits() == 64 ? ~uint64_t{0} : (uint64_t{1} << refs.bits()) - 1;
  for (auto& [number, rows] : buckets) {
    if (!rows.sorted) SortNumbers(refs.bits(), &rows.keys, &scratch);
    for (uint64_t& key : rows.keys) key &= ref_mask;
    order.emplace(number, std::move(rows.keys));
  }
  return order;
}

}  // namespace arc
