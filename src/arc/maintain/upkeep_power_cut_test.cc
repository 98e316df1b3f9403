// Retention, expiry and orphan removal with the power cut at every operation of the disk: between any two steps of
// each.
#include <gtest/gtest.h>

#include <functional>

#include "arc/maintain/test_lake.h"
#include "arc/maintain/upkeep.h"

namespace arc {
namespace {

constexpr int64_t kNow = TestLake::kNowHour;
constexpr int64_t kDayMs = 86'400'000;
using Names = std::set<std::string>;

const Names kAll{"old1", "old2", "young1", "young2"};
const Names kYoung{"young1", "young2"};

class Scenario {
 public:
  // Two tables with old and young files, short histories and an object that belongs to nothing.
  Scenario() : lake_({.max_snapshots = 2, .keep_metadata_files = 2, .trusts_clock = {}}) {
    EXPECT_TRUE(lake_.Open());
    for (const char* table : {"cpu", "mem"}) {
      EXPECT_TRUE(lake_.Flush("db", table, "old1", kNow - 24 * 10).ok());
      EXPECT_TRUE(lake_.Flush("db", table, "old2", kNow - 24 * 9).ok());
      EXPECT_TRUE(lake_.Flush("db", table, "young1", kNow - 2).ok());
      EXPECT_TRUE(lake_.Flush("db", table, "young2", kNow - 1).ok());
      EXPECT_TRUE(lake_.store->PutIfAbsent(std::string("db/") + table + "/lost.parquet", "lost").ok());
    }
    EXPECT_TRUE(OpenMaintenance());
    RetentionPolicy policy;
    policy.name = "week";
    policy.database = "db";
    policy.retention_days = 7;
    EXPECT_TRUE(retention_->Add(policy).ok());
  }

  PowerCutDisk& disk() { return lake_.disk; }

  // Stops at the first step that the cut reaches.
  bool Maintain() {
    if (!retention_->Run(1).ok()) return false;
    for (int i = 0; i < 2; ++i) {
      for (const char* table : {"cpu", "mem"}) {
        if (!lake_.Flush("db", table, "more" + std::to_string(next_++), kNow).ok()) return false;
      }
      if (!upkeep_->ExpireSnapshots("", "").ok()) return false;
    }
    const auto removed = upkeep_->RemoveOrphans("", "", 3 * kDayMs, false);
    return removed.ok() && removed->errors.empty() && lake_.disk.power_is_on();
  }

  bool Reopen() {
    Close();
    return lake_.Open() && OpenMaintenance();
  }
  void Close() {
    upkeep_.reset();
    retention_.reset();
    record_.reset();
  }

  // What is wrong with the lake; empty: nothing.
  std::string Verdict() {
    for (const char* table : {"cpu", "mem"}) {
      Names files = lake_.Files("db", table);
      std::erase_if(files, [](const std::string& name) { return name.starts_with("more"); });
      if (files != kAll && files != kYoung) return std::string(table) + " is half deleted";
      // Reads everything that snapshots name but data files, which must be there if they are needed.
      std::vector<ObjectInfo> made;
      for (const auto& name : kAll) made.push_back({std::string("db/") + table + "/" + name, 4, 1});
      for (int i = 0; i < next_; ++i) made.push_back({std::string("db/") + table + "/more" + std::to_string(i), 4, 1});
      const auto unneeded = lake_.catalog->Unneeded(*lake_.catalog->Find("db", table), made);
      if (!unneeded.ok()) return unneeded.error().message;
      Names missing;
      for (const auto& object : made) missing.insert(object.key);
      for (const auto& object : *unneeded) missing.erase(object.key);
      for (const auto& key : lake_.Objects()) missing.erase(key);
      if (!missing.empty()) return "a snapshot needs " + *missing.begin();
    }
    return "";
  }
  // Objects that nothing needs.
  size_t Orphans() { return upkeep_->RemoveOrphans("", "", 3 * kDayMs, true)->count; }
  Names Files() { return lake_.Files("db", "cpu"); }

 private:
  bool OpenMaintenance() {
    auto record = MaintenanceStore::Open("/data/maintenance.db", lake_.disk, lake_.clock);
    if (!record.ok()) return false;
    record_ = std::move(*record);
    retention_ = std::make_unique<Retention>(*lake_.catalog, *record_, watch_, lake_.clock);
    upkeep_ = std::make_unique<Upkeep>(*lake_.catalog, *lake_.store, *record_, *retention_, watch_, lake_.clock,
                                       UpkeepOptions{.enabled = false});
    return true;
  }

  TestLake lake_;
  ClockWatch watch_{lake_.clock};
  std::unique_ptr<MaintenanceStore> record_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<Upkeep> upkeep_;
  int next_ = 0;
};

struct Counts {
  int before = 0;  // cuts after which the old files were still there
  int after = 0;
  int left_orphans = 0;
};

// Cut once, restarted, and gone on with. What was wrong; empty: nothing.
std::string Round(uint64_t cut, const std::function<void(PowerCutDisk&)>& plant, Counts* counts) {
  Scenario scenario;
  plant(scenario.disk());
  scenario.disk().CutAfter(cut);
  if (scenario.Maintain()) return "the cut did not happen";
  scenario.Close();
  SeededRandom random(cut);
  scenario.disk().Restart(random);
  if (!scenario.Reopen()) return "does not open";
  if (auto verdict = scenario.Verdict(); !verdict.empty()) return verdict;
  ++(scenario.Files().contains("old1") ? counts->before : counts->after);
  counts->left_orphans += scenario.Orphans() > 0;
  // Maintenance goes on where it was cut, and leaves nothing behind.
  if (!scenario.Maintain()) return "does not go on";
  if (auto verdict = scenario.Verdict(); !verdict.empty()) return "having gone on, " + verdict;
  if (scenario.Files().contains("old1")) return "old files are still there";
  return scenario.Orphans() == 0 ? "" : "orphans are left";
}

uint64_t OperationsInAll() {
  Scenario scenario;
  const uint64_t before = scenario.disk().operations();
  EXPECT_TRUE(scenario.Maintain());
  EXPECT_EQ(scenario.Verdict(), "");
  return scenario.disk().operations() - before;
}

TEST(UpkeepPowerCuts, NothingThatASnapshotNeedsIsEverGone) {
  const uint64_t operations = OperationsInAll();
  ASSERT_GT(operations, 100u);
  Counts counts;
  for (uint64_t cut = 1; cut <= operations; ++cut) {
    ASSERT_EQ(Round(cut, [](PowerCutDisk&) {}, &counts), "") << "cut " << cut << " of " << operations;
  }
  EXPECT_GT(counts.before, 10);
  EXPECT_GT(counts.after, 10);
  EXPECT_GT(counts.left_orphans, 10);
}

TEST(UpkeepPowerCuts, TheCheckNoticesMissingSyncs) {
  const uint64_t operations = OperationsInAll();
  for (const bool of_folders : {false, true}) {
    int noticed = 0;
    Counts counts;
    for (uint64_t cut = 5; cut <= operations; cut += 17) {
      const auto plant = [&](PowerCutDisk& disk) {
        of_folders ? disk.IgnoreDirectorySync(true) : disk.IgnoreSync(true);
      };
      noticed += !Round(cut, plant, &counts).empty();
    }
    EXPECT_GT(noticed, 0) << of_folders;
  }
}

}  // namespace
}  // namespace arc
