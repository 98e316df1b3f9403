#include "arc/maintain/compaction_plan.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace arc {
namespace {

constexpr int64_t kHour = 3'600'000'000;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kMega = 1 << 20;

class PlanTest : public ::testing::Test {
 protected:
  void Add(const std::string& key, int64_t from, int64_t to, int64_t bytes = kMega, int64_t rows = 10'000) {
    files_.push_back(std::make_shared<const FileEntry>(FileEntry{key, bytes, rows, from, to}));
  }
  // `count` files that follow each other within an hour.
  void AddHour(const std::string& prefix, int64_t hour, int count, int64_t bytes = kMega) {
    for (int i = 0; i < count; ++i) {
      const int64_t from = hour * kHour + i * (kHour / count);
      Add(prefix + std::to_string(i), from, from + kHour / count - 1, bytes);
    }
  }
  std::vector<CompactionCandidate> Plan(int64_t now) {
    return PlanCompaction(FileIndex(files_), 10, now, policy_, excluded_);
  }

  std::vector<std::shared_ptr<const FileEntry>> files_;
  CompactionPolicy policy_;
  std::unordered_set<std::string_view> excluded_;
};

TEST_F(PlanTest, AnHourIsMergedOnceItIsOver) {
  AddHour("a", 100, 10);
  AddHour("b", 101, 9);
  EXPECT_TRUE(Plan(101 * kHour - 1).empty());
  auto plan = Plan(101 * kHour + 5 * 60'000'000LL);
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0].partition, FlushedFile::Partition::kHour);
  EXPECT_EQ(plan[0].value, 100);
  EXPECT_EQ(plan[0].files.size(), 10u);
  EXPECT_EQ(plan[0].bytes, 10 * kMega);
  EXPECT_EQ(plan[0].rows, 100'000);
  policy_.min_age_ms = 3 * 3'600'000;
  EXPECT_TRUE(Plan(102 * kHour).empty());
  EXPECT_EQ(Plan(103 * kHour).size(), 1u);
  policy_.min_files = 11;
  EXPECT_TRUE(Plan(103 * kHour).empty());
}

TEST_F(PlanTest, ADayIsMergedOnceItIsOverMergedHoursIncluded) {
  for (int hour = 0; hour < 24; ++hour)
    Add("c" + std::to_string(hour), hour * kHour, hour * kHour + kHour - 1, 4 * kMega);
  Add("late", 3 * kHour, 3 * kHour + 5);
  Add("of days", 20 * kHour, 27 * kHour);
  EXPECT_TRUE(Plan(kDay).empty());
  auto plan = Plan(kDay + kHour);
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0].partition, FlushedFile::Partition::kDay);
  EXPECT_EQ(plan[0].value, 0);
  EXPECT_EQ(plan[0].files.size(), 25u);
}

TEST_F(PlanTest, TimesBefore1970HavePartitionsToo) {
  AddHour("a", -30, 12);
  auto plan = Plan(-28 * kHour);
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0].value, -30);
  plan = Plan(0);
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0].partition, FlushedFile::Partition::kDay);
  EXPECT_EQ(plan[0].value, -2);
}

TEST_F(PlanTest, LargeFilesAreLeftAlone) {
  AddHour("a", 5, 12);
  Add("half", 5 * kHour, 6 * kHour - 1, 256 * kMega);
  Add("giant", 5 * kHour, 6 * kHour - 1, 13 * kMega);  // larger than all others together
  auto plan = Plan(7 * kHour);
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0].files.size(), 12u);
  Add("more", 5 * kHour, 6 * kHour - 1, 2 * kMega);
  plan = Plan(7 * kHour);
  ASSERT_EQ(plan.size(), 1u);
  EXPECT_EQ(plan[0].files.size(), 14u);
}

TEST_F(PlanTest, RowsAreRewrittenALogarithmicNumberOfTimes) {
  // A file of 1 MB comes every hour for a day that is long over, and plans run each time.
  policy_.min_files = 2;
  int64_t rewritten = 0;
  for (int i = 0; i < 1000; ++i) {
    Add("f" + std::to_string(i), i, i);
    for (const auto& candidate : Plan(10 * kDay)) {
      rewritten += candidate.bytes;
      const std::set<std::shared_ptr<const FileEntry>> gone(candidate.files.begin(), candidate.files.end());
      std::erase_if(files_, [&](const auto& file) { return gone.contains(file); });
      Add("m" + std::to_string(i), 0, i, candidate.bytes, candidate.rows);
    }
  }
  EXPECT_LT(rewritten, 5 * 1000 * kMega);
  EXPECT_LE(files_.size(), 10u);
}

TEST_F(PlanTest, ExcludedFilesDoNotCount) {
  AddHour("a", 5, 10);
  EXPECT_EQ(Plan(7 * kHour).size(), 1u);
  excluded_.insert("a3");
  EXPECT_TRUE(Plan(7 * kHour).empty());
  policy_.min_files = 9;
  ASSERT_EQ(Plan(7 * kHour).size(), 1u);
  EXPECT_EQ(Plan(7 * kHour)[0].files.size(), 9u);
}

TEST_F(PlanTest, MemoryBoundsHowManyOverlappingFilesOneJobMerges) {
  policy_.memory_bytes = 128 * kMega;
  for (int i = 0; i < 100; ++i) Add("o" + std::to_string(i), 5 * kHour + i, 6 * kHour - 1, 4 * kMega, 200'000);
  auto plan = Plan(7 * kHour);
  ASSERT_GT(plan.size(), 5u);
  std::set<std::string> seen;
  for (const auto& candidate : plan) {
    EXPECT_GE(candidate.files.size(), 2u);
    EXPECT_LE(candidate.files.size(), 8u);
    for (const auto& file : candidate.files) EXPECT_TRUE(seen.insert(file->key).second);
  }
  EXPECT_GE(seen.size(), 98u);
  // The same files one after the other are one job.
  files_.clear();
  AddHour("a", 5, 100, 4 * kMega);
  EXPECT_EQ(Plan(7 * kHour).size(), 1u);
}

TEST_F(PlanTest, AJobIsOfBoundedSize) {
  AddHour("a", 5, 100, 200 * kMega);
  auto plan = Plan(7 * kHour);
  ASSERT_EQ(plan.size(), 5u);
  for (const auto& candidate : plan) EXPECT_LE(candidate.bytes, (8 * 512 + 200) * kMega);
}

}  // namespace
}  // namespace arc
