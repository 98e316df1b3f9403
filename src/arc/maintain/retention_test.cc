#include "arc/maintain/retention.h"

#include <gtest/gtest.h>

#include <map>
#include <optional>

#include "arc/maintain/test_lake.h"

namespace arc {
namespace {

constexpr int64_t kNow = TestLake::kNowHour;
using Names = std::set<std::string>;

class RetentionTest : public ::testing::Test {
 protected:
  RetentionTest() {
    EXPECT_TRUE(lake_.Open());
    OpenRetention();
  }
  void OpenRetention() {
    retention_.reset();
    record_ = *MaintenanceStore::Open("/data/maintenance.db", lake_.disk, lake_.clock);
    retention_ = std::make_unique<Retention>(*lake_.catalog, *record_, watch_, lake_.clock);
  }
  // Old, straddling (a day file), young.
  void Fill(const std::string& database, const std::string& table) {
    ASSERT_TRUE(lake_.Flush(database, table, "old1", kNow - 24 * 10).ok());
    ASSERT_TRUE(lake_.Flush(database, table, "old2", kNow - 24 * 9).ok());
    auto straddling =
        TestLake::File(database + "/" + table + "/straddles", kNow / 24 * 24 - 7 * 24, kNow / 24 * 24 - 7 * 24 + 23);
    ASSERT_TRUE(lake_.Commit(*lake_.catalog->Find(database, table), straddling).ok());
    ASSERT_TRUE(lake_.Flush(database, table, "young", kNow - 1).ok());
  }
  int64_t Add(const std::string& name, const std::string& measurement, int64_t days, bool active = true) {
    RetentionPolicy policy;
    policy.name = name;
    policy.database = "db";
    policy.measurement = measurement;
    policy.retention_days = days;
    policy.active = active;
    auto added = retention_->Add(policy);
    EXPECT_TRUE(added.ok()) << added.error().message;
    return added.ok() ? added->id : 0;
  }

  TestLake lake_;
  ClockWatch watch_{lake_.clock};
  std::unique_ptr<MaintenanceStore> record_;
  std::unique_ptr<Retention> retention_;
};

TEST_F(RetentionTest, DeletesWholeFilesAndSaysSoBefore) {
  Fill("db", "cpu");
  const int64_t policy = Add("week", "cpu", 7);
  const auto objects = lake_.Objects();
  auto planned = retention_->Plan(policy);
  ASSERT_TRUE(planned.ok()) << planned.error().message;
  EXPECT_EQ(planned->total.files, 2);
  EXPECT_EQ(planned->total.rows, 20);
  EXPECT_EQ(planned->total.bytes, 8);
  EXPECT_EQ(planned->total.straddling_files, 1);
  EXPECT_EQ(lake_.Objects(), objects);
  EXPECT_TRUE(record_->Executions(policy, 10)->empty());
  const auto pinned = lake_.catalog->Find("db", "cpu")->Current();

  const auto done = retention_->Run(policy);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->total.files, 2);
  EXPECT_EQ(lake_.Files("db", "cpu"), (Names{"straddles", "young"}));
  EXPECT_EQ(pinned->files->files().size(), 4u);
  EXPECT_TRUE(lake_.Objects().contains("db/cpu/old1"));  // earlier snapshots have it
  EXPECT_EQ(retention_->stats().files, 2u);

  ASSERT_TRUE(lake_.Open());
  OpenRetention();
  EXPECT_EQ(lake_.Files("db", "cpu"), (Names{"straddles", "young"}));
  const auto executions = *record_->Executions(policy, 10);
  ASSERT_EQ(executions.size(), 1u);
  EXPECT_EQ(executions[0].state, RetentionExecution::State::kCompleted);
  EXPECT_EQ(executions[0].files, 2);
  EXPECT_EQ(executions[0].rows, 20);
  EXPECT_FALSE(executions[0].scheduled);
  lake_.clock.Advance(std::chrono::hours(24));  // now the straddling one is wholly older
  EXPECT_EQ(retention_->Run(policy)->total.files, 1);
  EXPECT_EQ(lake_.Files("db", "cpu"), (Names{"young"}));
}

TEST_F(RetentionTest, TheBufferIsKeptBeyond) {
  Fill("db", "cpu");
  const int64_t id = Add("week", "cpu", 7);
  RetentionPolicy policy = *record_->Policy(id);
  policy.buffer_days = 2;
  ASSERT_TRUE(retention_->Change(policy).ok());
  EXPECT_EQ(retention_->Plan(id)->total.files, 1);  // nine days to the hour is not older than nine days
  policy.buffer_days = 4;
  ASSERT_TRUE(retention_->Change(policy).ok());
  EXPECT_EQ(retention_->Plan(id)->total.files, 0);
}

TEST_F(RetentionTest, TheScheduleRunsActivePoliciesAndTheNearestOneCounts) {
  Fill("db", "cpu");
  Fill("db", "mem");
  Fill("db", "disk");
  Fill("other", "cpu");
  const int64_t all = Add("all", "", 7);
  const int64_t own = Add("mem keeps more", "mem", 100);
  Add("asleep", "disk", 1, false);  // an inactive policy of its own shields no measurement
  retention_->RunScheduled();
  EXPECT_EQ(lake_.Files("db", "cpu"), (Names{"straddles", "young"}));
  EXPECT_EQ(lake_.Files("db", "disk"), (Names{"straddles", "young"}));
  EXPECT_EQ(lake_.Files("db", "mem").size(), 4u);
  EXPECT_EQ(lake_.Files("other", "cpu").size(), 4u);
  retention_->RunScheduled();
  EXPECT_EQ(record_->Executions(all, 10)->size(), 1u);  // what deletes nothing leaves no record
  EXPECT_TRUE(record_->Executions(own, 10)->empty());
  EXPECT_TRUE(record_->Executions(all, 10)->at(0).scheduled);
}

TEST_F(RetentionTest, DeletesNothingAfterTheClockLeapt) {
  Fill("db", "cpu");
  const int64_t policy = Add("long", "cpu", 365);
  lake_.clock.SetWall(lake_.clock.WallMicros() + int64_t{3} * 365 * 24 * TestLake::kHourMicros);
  EXPECT_EQ(retention_->Plan(policy)->total.files, 4);
  const auto refused = retention_->Run(policy);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  retention_->RunScheduled();
  EXPECT_EQ(lake_.Files("db", "cpu").size(), 4u);
  lake_.clock.Advance(std::chrono::hours(25));  // nobody objected
  EXPECT_EQ(retention_->Run(policy)->total.files, 4);
}

TEST_F(RetentionTest, FilesThatOthersTookMeanwhileAreNoError) {
  Fill("db", "cpu");
  const int64_t policy = Add("week", "cpu", 7);
  // Another process removes old1, which this one has not heard of.
  auto other = *Catalog::Open("/data/arc.db", lake_.disk, *lake_.store, lake_.clock, lake_.random, &lake_.budget);
  ASSERT_TRUE(other->UseLineage(lake_.lineage).ok());
  auto table = other->Find("db", "cpu");
  FileReplacement removal;
  removal.same_rows = false;
  for (const auto& file : table->committed_files()->files()) {
    if (file->key.ends_with("old1")) removal.removed.push_back(file);
  }
  ASSERT_TRUE(other->CommitReplace(*table, removal).ok());
  const auto done = retention_->Run(policy);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->total.files, 1);
  EXPECT_EQ(lake_.Files("db", "cpu"), (Names{"straddles", "young"}));
}

TEST_F(RetentionTest, FailuresAreRecorded) {
  Fill("db", "cpu");
  const int64_t policy = Add("week", "cpu", 7);
  std::map<std::string, std::string> lost;
  for (const auto& key : lake_.Objects()) {
    if (key.find("/snap-") != std::string::npos) lost[key] = *lake_.store->ReadAll(key);
  }
  for (const auto& [key, bytes] : lost) ASSERT_TRUE(lake_.store->Delete(key).ok());
  const auto failed = retention_->Run(policy);
  for (const auto& [key, bytes] : lost) ASSERT_TRUE(lake_.store->PutIfAbsent(key, bytes).ok());
  ASSERT_FALSE(failed.ok());
  EXPECT_EQ(lake_.Files("db", "cpu").size(), 4u);
  const auto executions = *record_->Executions(policy, 10);
  ASSERT_EQ(executions.size(), 1u);
  EXPECT_EQ(executions[0].state, RetentionExecution::State::kFailed);
  EXPECT_FALSE(executions[0].error.empty());
  EXPECT_EQ(retention_->stats().failed, 1u);
  EXPECT_EQ(retention_->Run(policy)->total.files, 2);
}

TEST_F(RetentionTest, RefusesImpossiblePolicies) {
  const auto kind = [&](RetentionPolicy policy) {
    auto added = retention_->Add(policy);
    return added.ok() ? std::optional<ErrorKind>() : added.error().kind;
  };
  RetentionPolicy good;
  good.name = "p";
  good.database = "db";
  good.retention_days = 1;
  RetentionPolicy bad = good;
  bad.name = "";
  EXPECT_EQ(kind(bad), ErrorKind::kInvalidArgument);
  bad = good;
  bad.database = "";
  EXPECT_EQ(kind(bad), ErrorKind::kInvalidArgument);
  for (const int64_t days : {INT64_MIN, int64_t{-1}, int64_t{0}, Retention::kMaxDays + 1, INT64_MAX}) {
    bad = good;
    bad.retention_days = days;
    EXPECT_EQ(kind(bad), ErrorKind::kInvalidArgument);
    bad.retention_days = 1;
    bad.buffer_days = days;
    if (days != 0) {
      EXPECT_EQ(kind(bad), ErrorKind::kInvalidArgument);
    }
  }
  EXPECT_EQ(kind(good), std::nullopt);
  EXPECT_EQ(kind(good), ErrorKind::kAlreadyExists);
  EXPECT_EQ(retention_->Run(99).error().kind, ErrorKind::kNotFound);
}

}  // namespace
}  // namespace arc
