#include "arc/parquet/row_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "arc/base/uuid.h"

namespace arc {
namespace {

TEST(BucketTest, FloorsBelowTheEpoch) {
  EXPECT_EQ(BucketOf(0, 10), 0);
  EXPECT_EQ(BucketOf(9, 10), 0);
  EXPECT_EQ(BucketOf(10, 10), 1);
  EXPECT_EQ(BucketOf(-1, 10), -1);
  EXPECT_EQ(BucketOf(-10, 10), -1);
  EXPECT_EQ(BucketOf(-11, 10), -2);
  EXPECT_EQ(BucketOf(INT64_MIN, 3'600'000'000), -2562047789);
  EXPECT_EQ(BucketOf(INT64_MAX, 3'600'000'000), 2562047788);
}

TEST(RowRefsTest, RoundTrip) {
  for (const uint64_t batches : {1u, 2u, 3u, 1000u}) {
    for (const uint64_t rows : {1u, 2u, 65536u, 65537u}) {
      const RowRefs refs(batches, rows);
      const uint64_t last = refs.Make(batches - 1, rows - 1);
      EXPECT_EQ(refs.BatchOf(last), batches - 1);
      EXPECT_EQ(refs.RowOf(last), rows - 1);
      EXPECT_LE(std::bit_width(last), refs.bits());
    }
  }
}

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

TEST(OrderByTimeTest, RefusesWhatDoesNotFit) {
  const std::vector<int64_t> column{1};
  const TimeColumns times{column};
  EXPECT_EQ(OrderByTime(times, RowRefs(1 << 20, 1 << 20), INT64_MAX).error().kind, ErrorKind::kInvalidArgument);
}

TEST(OrderByTimeTest, EndsOfTheRange) {
  const std::vector<int64_t> column{INT64_MAX, 0, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1};
  const TimeColumns times{column};
  const auto order = OrderByTime(times, RowRefs(1, 5), 3'600'000'000).value();
  ASSERT_EQ(order.size(), 3u);
  EXPECT_EQ(order.begin()->second, (std::vector<uint64_t>{2, 4}));
  EXPECT_EQ(order.rbegin()->second, (std::vector<uint64_t>{3, 0}));
}

}  // namespace
}  // namespace arc
