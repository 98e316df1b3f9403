#include "arc/model/row_set.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace arc {
namespace {

TEST(RowSet, AnEmptyOneHoldsNothing) {
  RowSet rows;
  EXPECT_EQ(rows.NextIn(0), RowSet::kNone);
  EXPECT_EQ(rows.NextIn(1'000'000), RowSet::kNone);
  EXPECT_EQ(rows.NextOut(0), 0);
  EXPECT_EQ(rows.NextOut(77), 77);
}

TEST(RowSet, AddingTwiceIsTold) {
  RowSet rows;
  EXPECT_TRUE(rows.Add(64));
  EXPECT_FALSE(rows.Add(64));
  EXPECT_EQ(rows.NextIn(0), 64);
  EXPECT_EQ(rows.NextIn(64), 64);
  EXPECT_EQ(rows.NextIn(65), RowSet::kNone);
  EXPECT_EQ(rows.NextOut(64), 65);
}

TEST(RowSet, FindsWhatASetFinds) {
  std::mt19937 random(3);
  for (int round = 0; round < 20; ++round) {
    RowSet rows;
    std::set<int64_t> model;
    const int64_t size = 1 + static_cast<int64_t>(random() % 1000);
    int64_t row = 0;
    while (row < size) {
      const bool in = random() % 2 == 0;
      const auto run = static_cast<int64_t>(1 + random() % 150);
      for (int64_t i = row; in && i < std::min(size, row + run); ++i) {
        EXPECT_EQ(rows.Add(i), model.insert(i).second);
      }
      row += run;
    }
    for (int64_t from = 0; from < size + 200; ++from) {
      const auto found = model.lower_bound(from);
      ASSERT_EQ(rows.NextIn(from), found == model.end() ? RowSet::kNone : *found) << from;
      int64_t out = from;
      while (model.contains(out)) ++out;
      ASSERT_EQ(rows.NextOut(from), out) << from;
    }
  }
}

}  // namespace
}  // namespace arc
