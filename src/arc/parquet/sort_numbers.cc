#include "arc/parquet/sort_numbers.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <utility>

namespace arc {
namespace {

constexpr int kDigitBits = 11;
constexpr size_t kDigits = size_t{1} << kDigitBits;
// Below this the passes over the counters cost more than comparing.
constexpr size_t kRadixRows = 1024;

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

void SortNumbers(int low_bit, std::vector<uint64_t>* numbers, std::vector<uint64_t>* scratch) {
  scratch->resize(numbers->size());
  SortRange(low_bit, *numbers, *scratch);
}

}  // namespace arc
