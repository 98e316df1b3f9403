#include "arc/query/time_ranges.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace arc {
namespace {

TEST(TimeRanges, Extremes) {
  EXPECT_TRUE(TimeRanges::All().all());
  EXPECT_TRUE(TimeRanges::None().none());
  EXPECT_TRUE(TimeRanges::Between(2, 1).none());
  EXPECT_TRUE(TimeRanges::Before(INT64_MIN).none());
  EXPECT_TRUE(TimeRanges::After(INT64_MAX).none());
  EXPECT_TRUE(TimeRanges::Before(0).Or(TimeRanges::At(0)).Or(TimeRanges::After(0)).all());
  EXPECT_TRUE(TimeRanges::All().Or(TimeRanges::At(3)).all());
  EXPECT_TRUE(TimeRanges::All().And(TimeRanges::None()).none());
}

TEST(TimeRanges, MeetsAndContains) {
  TimeRanges ranges = TimeRanges::Between(10, 20).Or(TimeRanges::Between(30, 40));
  EXPECT_TRUE(ranges.Meets(0, 10));
  EXPECT_TRUE(ranges.Meets(20, 30));
  EXPECT_FALSE(ranges.Meets(21, 29));
  EXPECT_FALSE(ranges.Meets(41, 100));
  EXPECT_TRUE(ranges.Meets(0, 100));
  EXPECT_TRUE(ranges.Contains(30, 40));
  EXPECT_FALSE(ranges.Contains(15, 35));
}

TEST(TimeRanges, ManyIntervalsBecomeTheirHull) {
  TimeRanges ranges;
  for (int64_t i = 0; i <= static_cast<int64_t>(TimeRanges::kMaxIntervals); ++i) {
    ranges = ranges.Or(TimeRanges::At(i * 10));
  }
  ASSERT_EQ(ranges.intervals().size(), 1u);
  EXPECT_TRUE(ranges.Contains(0, static_cast<int64_t>(TimeRanges::kMaxIntervals) * 10));
}

TEST(TimeRanges, SetAlgebraAgreesWithSets) {
  std::mt19937 random(7);
  auto set_of = [](const TimeRanges& ranges) {
    std::set<int64_t> result;
    for (const TimeInterval& interval : ranges.intervals()) {
      for (int64_t i = interval.from; i <= interval.to; ++i) result.insert(i);
    }
    return result;
  };
  auto some = [&] {
    TimeRanges result;
    for (int i = 0; i < 5; ++i) {
      int64_t from = static_cast<int64_t>(random() % 100);
      result = result.Or(TimeRanges::Between(from, from + static_cast<int64_t>(random() % 10)));
    }
    return result;
  };
  for (int round = 0; round < 500; ++round) {
    TimeRanges a = some();
    TimeRanges b = some();
    std::set<int64_t> both;
    std::set<int64_t> either = set_of(a);
    for (int64_t i : set_of(b)) {
      if (either.count(i) != 0) both.insert(i);
      either.insert(i);
    }
    EXPECT_EQ(set_of(a.And(b)), both);
    EXPECT_EQ(set_of(a.Or(b)), either);
    for (size_t i = 1; i < a.intervals().size(); ++i) {
      EXPECT_GT(a.intervals()[i].from, a.intervals()[i - 1].to + 1);
    }
  }
}

}  // namespace
}  // namespace arc
