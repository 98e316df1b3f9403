#include "arc/maintain/tiering_plan.h"

#include <gtest/gtest.h>

#include <string>

#include "arc/io/cold_key.h"

namespace arc {
namespace {

constexpr int64_t kHour = 3'600'000'000;
constexpr int64_t kDay = 24 * kHour;
constexpr int64_t kNow = 1000 * kDay;
constexpr int64_t kCutoff = kNow - 30 * kDay;

std::shared_ptr<const FileEntry> File(const std::string& key, int64_t from, int64_t to, int64_t bytes = 100) {
  return std::make_shared<const FileEntry>(FileEntry{key, bytes, 10, from, to});
}

std::vector<std::string> Keys(const TieringPlan& plan) {
  std::vector<std::string> keys;
  for (const auto& file : plan.files) keys.push_back(file->key);
  return keys;
}

using Strings = std::vector<std::string>;

TEST(TieringPlan, TakesWhatIsWhollyOlderThanTheCutoff) {
  const FileIndex files({File("older", kCutoff - kDay, kCutoff - kHour), File("last", kCutoff - kHour, kCutoff - 1),
                         File("at", kCutoff - kHour, kCutoff), File("begins", kCutoff, kCutoff + kHour),
                         File("new", kNow - kHour, kNow)});
  const auto plan = PlanTiering(files, 3, kNow, kCutoff, nullptr);
  EXPECT_EQ(Keys(plan), (Strings{"older", "last"}));
  EXPECT_EQ(plan.moving.files, 2);
  EXPECT_EQ(plan.moving.bytes, 200);
  EXPECT_EQ(plan.moving.rows, 20);
  EXPECT_EQ(plan.straddling.files, 1);
  EXPECT_EQ(plan.hot.files, 5);
  EXPECT_EQ(plan.cold.files, 0);
}

TEST(TieringPlan, WhatIsColdStaysThere) {
  const FileIndex files({File(ColdKey("a"), kCutoff - kDay, kCutoff - kHour), File("b", kCutoff - kDay, kCutoff - 1),
                         File(ColdKey("young"), kNow - kHour, kNow)});
  const auto plan = PlanTiering(files, 3, kNow, kCutoff, nullptr);
  EXPECT_EQ(Keys(plan), (Strings{"b"}));
  EXPECT_EQ(plan.cold.files, 2);
  EXPECT_EQ(plan.hot.files, 1);
}

TEST(TieringPlan, WhatCompactionMergesWaitsForIt) {
  CompactionPolicy policy;
  policy.min_files = 3;
  const int64_t day = kCutoff - 5 * kDay;
  std::vector<std::shared_ptr<const FileEntry>> entries = {File("large", day, day + kHour, policy.target_bytes),
                                                           File("alone", day - kDay, day - kDay + kHour)};
  for (int i = 0; i < 3; ++i)
    entries.push_back(File("small" + std::to_string(i), day + i * kHour, day + i * kHour + 1));
  const FileIndex files(std::move(entries));
  const auto plan = PlanTiering(files, 3, kNow, kCutoff, &policy);
  EXPECT_EQ(Keys(plan), (Strings{"alone", "large"}));
  EXPECT_EQ(plan.waiting.files, 3);
  // Where compaction does not run they would wait for ever.
  EXPECT_EQ(PlanTiering(files, 3, kNow, kCutoff, nullptr).moving.files, 5);
}

TEST(TieringPlan, ColdFilesAreNoCandidatesOfCompaction) {
  CompactionPolicy policy;
  policy.min_files = 2;
  const int64_t day = kCutoff - 5 * kDay;
  const FileIndex files({File(ColdKey("a"), day, day + 1), File(ColdKey("b"), day + kHour, day + kHour + 1),
                         File("late", day + 2 * kHour, day + 2 * kHour + 1)});
  EXPECT_TRUE(PlanCompaction(files, 3, kNow, policy, {}).empty());
  EXPECT_EQ(Keys(PlanTiering(files, 3, kNow, kCutoff, &policy)), (Strings{"late"}));
}

}  // namespace
}  // namespace arc
