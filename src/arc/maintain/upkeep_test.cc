#include "arc/maintain/upkeep.h"

#include <gtest/gtest.h>

#include "arc/catalog/pointer_store.h"
#include "arc/maintain/orphans.h"
#include "arc/maintain/test_lake.h"

namespace arc {
namespace {

constexpr int64_t kNow = TestLake::kNowHour;
constexpr int64_t kDayMs = 86'400'000;
using Names = std::set<std::string>;
using std::chrono::hours;

class UpkeepTest : public ::testing::Test {
 protected:
  UpkeepTest() {
    EXPECT_TRUE(lake_.Open());
    record_ = *MaintenanceStore::Open("/data/maintenance.db", lake_.disk, lake_.clock);
    retention_ = std::make_unique<Retention>(*lake_.catalog, *record_, watch_, lake_.clock);
    Start({});
  }
  void Start(const UpkeepOptions& options) {
    upkeep_ =
        std::make_unique<Upkeep>(*lake_.catalog, *lake_.store, *record_, *retention_, watch_, lake_.clock, options);
  }
  // As a server does that runs all along.
  void Pass(int days) {
    for (int i = 0; i < days * 12; ++i) {
      lake_.clock.Advance(hours(2));
      upkeep_->RunDue();
    }
  }
  void AddPolicy(int64_t days) {
    RetentionPolicy policy;
    policy.name = "p";
    policy.database = "db";
    policy.retention_days = days;
    ASSERT_TRUE(retention_->Add(policy).ok());
  }
  void PutOrphans() {
    for (const char* key : {"db/cpu/2023/11/14/22/lost.parquet", "db/cpu/metadata/lost-m0.avro", "db/cpu/metadata/x"}) {
      ASSERT_TRUE(lake_.store->PutIfAbsent(key, "lost").ok());
    }
  }

  TestLake lake_;
  ClockWatch watch_{lake_.clock};
  std::unique_ptr<MaintenanceStore> record_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<Upkeep> upkeep_;
};

// Nothing is written any more: no flush would expire anything.
TEST_F(UpkeepTest, AnIdleTableShrinksByItself) {
  AddPolicy(3);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(lake_.Flush("db", "cpu", "f" + std::to_string(i), kNow - i).ok());
  Pass(2);
  EXPECT_EQ(lake_.Files("db", "cpu").size(), 5u);
  EXPECT_EQ(upkeep_->stats().snapshots_expired, 0u);
  Pass(2);
  EXPECT_EQ(lake_.Files("db", "cpu"), Names{});
  EXPECT_TRUE(lake_.Objects().contains("db/cpu/f0"));  // snapshots have it
  Pass(7);
  EXPECT_EQ(upkeep_->stats().errors, 0u) << upkeep_->stats().last_error;
  EXPECT_GT(upkeep_->stats().snapshots_expired, 4u);
  const auto objects = lake_.Objects();
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(objects.contains("db/cpu/f" + std::to_string(i))) << i;
  ASSERT_TRUE(lake_.Open());
  EXPECT_EQ(lake_.Files("db", "cpu"), Names{});
}

TEST_F(UpkeepTest, TheScheduleRemovesAnOrphanAtItsSecondLook) {
  ASSERT_TRUE(lake_.Flush("db", "cpu", "live", kNow).ok());
  PutOrphans();
  ASSERT_TRUE(lake_.store->PutIfAbsent("other/cpu/of_another_server", "rows").ok());
  const auto before = lake_.Objects();
  Pass(1);
  EXPECT_EQ(lake_.Objects(), before);
  EXPECT_EQ(upkeep_->stats().orphans_found, 3u);
  Pass(1);
  EXPECT_EQ(upkeep_->stats().orphans_removed, 3u);
  EXPECT_EQ(upkeep_->stats().orphans_found, 0u);
  EXPECT_EQ(lake_.Objects().size(), before.size() - 3);
  EXPECT_TRUE(lake_.Objects().contains("other/cpu/of_another_server"));
  ASSERT_TRUE(lake_.Open());
  EXPECT_EQ(lake_.Files("db", "cpu"), Names{"live"});
}

TEST_F(UpkeepTest, OrphansByHandAreADryRunFirst) {
  ASSERT_TRUE(lake_.Flush("db", "cpu", "live", kNow).ok());
  ASSERT_TRUE(lake_.Flush("db", "mem", "live", kNow).ok());
  PutOrphans();
  const auto before = lake_.Objects();
  auto found = upkeep_->RemoveOrphans("db", "cpu", 3 * kDayMs, true);
  ASSERT_TRUE(found.ok()) << found.error().message;
  EXPECT_EQ(found->count, 3u);
  EXPECT_EQ(found->bytes, 12);
  EXPECT_EQ(found->removed, 0u);
  EXPECT_EQ(lake_.Objects(), before);
  EXPECT_EQ(upkeep_->RemoveOrphans("db", "mem", 3 * kDayMs, false)->count, 0u);
  // The disk says that everything is of 1970: younger than that is all there is.
  EXPECT_EQ(upkeep_->RemoveOrphans("db", "", lake_.clock.WallMicros() / 1000 + kDayMs, false)->count, 0u);
  EXPECT_EQ(upkeep_->RemoveOrphans("db", "", 2 * kDayMs, false).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(upkeep_->RemoveOrphans("", "", 3 * kDayMs, false)->removed, 3u);
  EXPECT_EQ(lake_.Objects().size(), before.size() - 3);
}

TEST_F(UpkeepTest, WhatIsReadStagedOrInHistoryIsNoOrphan) {
  for (const char* name : {"a", "b", "c"}) ASSERT_TRUE(lake_.Flush("db", "cpu", name, kNow).ok());
  const auto table = lake_.catalog->Find("db", "cpu");
  const auto pinned = table->Current();
  FileReplacement removal;
  removal.removed = {table->committed_files()->files()[0]};
  removal.same_rows = false;
  ASSERT_TRUE(lake_.catalog->CommitReplace(*table, removal).ok());
  FlushedFile staged = TestLake::File("db/cpu/staged", kNow, kNow);
  ASSERT_TRUE(lake_.store->PutIfAbsent("db/cpu/staged", "rows").ok());
  const Lsn lsn{++lake_.last_lsn};
  table->Apply(lsn, table->Align(BatchForTest({1}).Ints("id", {1}).Done())->batch, {});
  table->BeginFlush();
  table->Stage(std::make_shared<const StagedRun>(StagedRun{pinned->schema, {staged}, lsn, lsn}));
  const auto orphans = FindOrphans(*lake_.catalog, *lake_.store, *table, 1, lake_.clock.WallMicros());
  ASSERT_TRUE(orphans.ok()) << orphans.error().message;
  EXPECT_TRUE(orphans->empty()) << orphans->at(0).key;
}

// A table renamed by another engine keeps its folder, and a new one of the old name would look for orphans in it.
TEST_F(UpkeepTest, ASharedFolderIsLeftAlone) {
  ASSERT_TRUE(lake_.Flush("db", "cpu", "old", kNow).ok());
  auto pointers = *PointerStore::Open("/data/arc.db", lake_.disk);
  const auto location = **pointers->Load("db", "cpu");
  ASSERT_TRUE(pointers->Drop("db", "cpu").ok());
  ASSERT_TRUE(pointers->CompareAndSwap("db", "cpu_old", std::nullopt, location).ok());
  ASSERT_TRUE(lake_.Open());
  retention_ = std::make_unique<Retention>(*lake_.catalog, *record_, watch_, lake_.clock);
  Start({});
  ASSERT_TRUE(lake_.Flush("db", "cpu", "new", kNow).ok());
  const auto outcome = upkeep_->RemoveOrphans("db", "cpu", 3 * kDayMs, false);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->removed, 0u);
  EXPECT_EQ(outcome->errors.size(), 1u);
  EXPECT_TRUE(lake_.Objects().contains("db/cpu/old"));
}

// A server with a new data folder on a lake whose catalog was lost.
TEST_F(UpkeepTest, TheFilesOfACatalogThatWasLostStay) {
  ASSERT_TRUE(lake_.Flush("db", "cpu", "old", kNow).ok());
  const auto before = lake_.Objects();
  ASSERT_TRUE(lake_.disk.Remove("/data/arc.db").ok());
  ASSERT_TRUE(lake_.Open());
  retention_ = std::make_unique<Retention>(*lake_.catalog, *record_, watch_, lake_.clock);
  Start({});
  ASSERT_TRUE(lake_.catalog->GetOrCreate("db", "cpu").ok());
  for (const char* name : {"", "new"}) {
    if (*name != 0) {
      ASSERT_TRUE(lake_.Flush("db", "cpu", name, kNow).ok());
    }
    const auto outcome = upkeep_->RemoveOrphans("db", "cpu", 3 * kDayMs, false);
    ASSERT_TRUE(outcome.ok());
    EXPECT_EQ(outcome->removed, 0u);
    EXPECT_EQ(outcome->errors.size(), 1u);
    for (const auto& key : before) EXPECT_TRUE(lake_.Objects().contains(key)) << key;
  }
}

TEST_F(UpkeepTest, ACatalogPutBackToAnEarlierStateCostsNothing) {
  ASSERT_TRUE(lake_.Flush("db", "cpu", "first", kNow).ok());
  auto pointers = *PointerStore::Open("/data/arc.db", lake_.disk);
  const auto first = **pointers->Load("db", "cpu");
  ASSERT_TRUE(lake_.Flush("db", "cpu", "second", kNow).ok());
  const auto second = **pointers->Load("db", "cpu");
  ASSERT_TRUE(pointers->CompareAndSwap("db", "cpu", second, first).ok());
  ASSERT_TRUE(lake_.Open());
  retention_ = std::make_unique<Retention>(*lake_.catalog, *record_, watch_, lake_.clock);
  Start({});
  const auto outcome = upkeep_->RemoveOrphans("db", "cpu", 3 * kDayMs, false);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->errors.size(), 1u);
  EXPECT_TRUE(lake_.Objects().contains("db/cpu/second"));
}

TEST_F(UpkeepTest, NothingIsDeletedAfterTheClockLeapt) {
  HistoryPolicy history;
  history.trusts_clock = [this] { return watch_.IsTrusted(); };
  lake_.history = history;
  upkeep_.reset();
  ASSERT_TRUE(lake_.Open());
  retention_ = std::make_unique<Retention>(*lake_.catalog, *record_, watch_, lake_.clock);
  Start({});
  AddPolicy(30);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(lake_.Flush("db", "cpu", "f" + std::to_string(i), kNow).ok());
  PutOrphans();
  const auto before = lake_.Objects();
  lake_.clock.SetWall(lake_.clock.WallMicros() + 400 * 24 * TestLake::kHourMicros);
  for (int i = 0; i < 23; ++i) {
    lake_.clock.Advance(hours(1));
    upkeep_->RunDue();
  }
  EXPECT_GT(upkeep_->stats().clock_hold_ms, 0);
  EXPECT_EQ(upkeep_->RemoveOrphans("", "", 3 * kDayMs, false).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(upkeep_->ExpireSnapshots("", "")->snapshots, 0u);
  ASSERT_TRUE(lake_.Flush("db", "cpu", "late", kNow).ok());  // no flush expires anything either
  for (const auto& key : before) EXPECT_TRUE(lake_.Objects().contains(key)) << key;
  EXPECT_GT(record_->LastClock()->hold_ms, 0);
}

TEST_F(UpkeepTest, TroubleWithOneTableIsNoTroubleForTheOthers) {
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(lake_.Flush("db", "cpu", "f" + std::to_string(i), kNow).ok());
    ASSERT_TRUE(lake_.Flush("db", "mem", "f" + std::to_string(i), kNow).ok());
  }
  for (const auto& key : lake_.Objects()) {
    if (key.starts_with("db/cpu/metadata/")) {
      ASSERT_TRUE(lake_.store->Delete(key).ok());
    }
  }
  Pass(6);
  EXPECT_GT(upkeep_->stats().errors, 0u);
  EXPECT_NE(upkeep_->stats().last_error.find("db.cpu"), std::string::npos);
  EXPECT_EQ(upkeep_->stats().snapshots_expired, 2u);
  EXPECT_EQ(lake_.Files("db", "mem").size(), 3u);
  EXPECT_TRUE(lake_.Objects().contains("db/cpu/f0"));  // what cannot be proven dead stays
}

}  // namespace
}  // namespace arc
