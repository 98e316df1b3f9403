#include "arc/parquet/sort_numbers.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "arc/base/uuid.h"

namespace arc {
namespace {

TEST(SortNumbersTest, AgainstStdSort) {
  SeededRandom random(3);
  for (const size_t count : {size_t{0}, size_t{1}, size_t{1000}, size_t{1024}, size_t{5000}, size_t{100'000}}) {
    for (const int bits : {1, 7, 20, 40, 44}) {
      std::vector<uint64_t> numbers(count);
      for (size_t i = 0; i < count; ++i) numbers[i] = (random.NextU64() >> (64 - bits)) << 20 | i;
      auto expected = numbers;
      std::sort(expected.begin(), expected.end());
      std::vector<uint64_t> scratch;
      SortNumbers(20, &numbers, &scratch);
      ASSERT_EQ(numbers, expected) << count << " " << bits;
    }
  }
}

}  // namespace
}  // namespace arc
