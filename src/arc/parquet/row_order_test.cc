#include "arc/parquet/row_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <tuple>
#include <utility>

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

using Ranges = std::vector<RowRange>;

constexpr int64_t kHour = 3'600'000'000;

// Every row of the ranges, in their order.
std::vector<std::pair<uint32_t, uint32_t>> Expand(const Ranges& ranges) {
  std::vector<std::pair<uint32_t, uint32_t>> rows;
  for (const RowRange& range : ranges) {
    for (uint32_t i = 0; i < range.rows; ++i) rows.emplace_back(range.batch, range.first + i);
  }
  return rows;
}

TEST(OrderByTimeTest, RunsThatOverlap) {
  const std::vector<int64_t> first{1, 2, 3, 7, 8, 4, 5};
  const std::vector<int64_t> second{3, 3, 6, 9};
  const auto order = OrderByTime({first, second}, kHour).value();
  ASSERT_EQ(order.size(), 1u);
  EXPECT_EQ(order.at(0), (Ranges{{0, 0, 3}, {1, 0, 2}, {0, 5, 2}, {1, 2, 1}, {0, 3, 2}, {1, 3, 1}}));
}

TEST(OrderByTimeTest, RowsOfOneTimeStayAsTheyCame) {
  const std::vector<int64_t> first{5, 6, 5, 5};
  const std::vector<int64_t> second{4, 5, 5, 6};
  const auto order = OrderByTime({first, second}, kHour).value();
  EXPECT_EQ(order.at(0), (Ranges{{1, 0, 1}, {0, 0, 1}, {0, 2, 2}, {1, 1, 2}, {0, 1, 1}, {1, 3, 1}}));
}

TEST(OrderByTimeTest, RunsAndRowsAgreeWithAStableSort) {
  SeededRandom random(5);
  for (const uint64_t run_rows : {1u, 2u, 5u, 9u, 40u, 1000u}) {
    for (const uint64_t step : {1u, 3u, 2'000'000u}) {
      std::vector<std::vector<int64_t>> columns(7);
      std::map<int64_t, std::vector<std::tuple<int64_t, uint32_t, uint32_t>>> sorted;
      for (uint32_t batch = 0; batch < columns.size(); ++batch) {
        int64_t time = 0;
        const uint64_t rows = random.NextU64() % 3000;
        for (uint32_t row = 0; row < rows; ++row) {
          if (random.NextU64() % run_rows == 0) time = static_cast<int64_t>(random.NextU64() % (1000 * step)) - 100;
          time += static_cast<int64_t>(random.NextU64() % step);
          columns[batch].push_back(time);
          sorted[BucketOf(time, kHour)].emplace_back(time, batch, row);
        }
      }
      const auto order = OrderByTime(TimeColumns(columns.begin(), columns.end()), kHour).value();
      ASSERT_EQ(order.size(), sorted.size());
      for (auto& [bucket, rows] : sorted) {
        std::sort(rows.begin(), rows.end());
        std::vector<std::pair<uint32_t, uint32_t>> expected;
        for (const auto& [time, batch, row] : rows) expected.emplace_back(batch, row);
        ASSERT_EQ(Expand(order.at(bucket)), expected) << run_rows << " " << step << " " << bucket;
      }
    }
  }
}

TEST(OrderByTimeTest, RefusesWhatDoesNotFit) {
  std::vector<int64_t> column(5000);
  for (size_t i = 0; i < column.size(); ++i) column[i] = -static_cast<int64_t>(i);
  EXPECT_EQ(OrderByTime({column}, INT64_MAX).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_TRUE(OrderByTime({std::span(column).first(10)}, INT64_MAX).ok()) << "a merge has no such limit";
}

TEST(OrderByTimeTest, EndsOfTheRange) {
  const std::vector<int64_t> few{INT64_MAX, 0, INT64_MIN, INT64_MAX - 1, INT64_MIN + 1};
  std::vector<int64_t> many = few;
  for (int64_t i = 0; i < 5000; ++i) many.push_back(-i);
  for (const auto& column : {few, many}) {
    const auto order = OrderByTime({column}, kHour).value();
    EXPECT_EQ(Expand(order.begin()->second), (Expand({{0, 2, 1}, {0, 4, 1}})));
    EXPECT_EQ(Expand(order.rbegin()->second), (Expand({{0, 3, 1}, {0, 0, 1}})));
  }
}

}  // namespace
}  // namespace arc
