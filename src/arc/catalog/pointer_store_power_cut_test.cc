// Commits to the pointer store with the power cut at every operation of the disk.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>

#include "arc/base/uuid.h"
#include "arc/catalog/pointer_store.h"
#include "arc/catalog/sqlite_database.h"
#include "arc/io/power_cut_disk.h"

namespace arc {
namespace {

using Locations = std::map<std::string, std::string>;  // "database.table" -> metadata location

Locations LocationsOf(PointerStore& store) {
  Locations locations;
  Result<std::vector<TablePointer>> pointers = store.List();
  EXPECT_TRUE(pointers.ok());
  if (!pointers.ok()) return locations;
  for (const TablePointer& pointer : *pointers) {
    locations[pointer.database + "." + pointer.table] = pointer.metadata_location;
  }
  return locations;
}

// One run of commits until the power goes; what was acknowledged, and what the last call may have done besides.
struct History {
  Locations acknowledged;
  Locations perhaps;
};

History CommitUntilTheCut(PowerCutDisk& disk, int commits) {
  History run;
  Result<std::unique_ptr<PointerStore>> store = PointerStore::Open("/data/catalog.db", disk);
  if (!store.ok()) return run;
  Locations now = LocationsOf(**store);
  run.acknowledged = run.perhaps = now;
  for (int i = 0; i < commits; ++i) {
    std::string table = "t" + std::to_string(i % 3);
    std::string next = "/m/" + std::to_string(i) + std::string(i % 4 == 0 ? 2500 : 10, 'x');
    auto old = now.find("db." + table);
    Status status;
    if (i % 5 == 4) {
      now.erase("db." + table);
      run.perhaps = now;
      status = (*store)->Drop("db", table);
    } else if (i % 5 == 3) {
      // Three at once: all or none.
      std::vector<PointerSwap> swaps;
      for (int other = 0; other < 3; ++other) {
        std::string name = "t" + std::to_string(other);
        auto known = now.find("db." + name);
        swaps.push_back({"db", name, known == now.end() ? std::nullopt : std::optional(known->second), next});
        now["db." + name] = next;
      }
      run.perhaps = now;
      auto swapped = (*store)->SwapAll(swaps);
      if (!swapped.ok()) return run;
    } else {
      auto expected = old == now.end() ? std::nullopt : std::optional(old->second);
      now["db." + table] = next;
      run.perhaps = now;
      status = (*store)->CompareAndSwap("db", table, expected, next);
    }
    if (!status.ok()) return run;
    run.acknowledged = now;
  }
  return run;
}

// What is wrong with the store after a restart; empty if nothing is.
std::string Verdict(PowerCutDisk& disk, const History& run) {
  Result<std::unique_ptr<PointerStore>> store = PointerStore::Open("/data/catalog.db", disk);
  if (!store.ok()) return "does not open: " + store.error().message;
  Result<std::vector<TablePointer>> pointers = (*store)->List();
  if (!pointers.ok()) return "cannot list: " + pointers.error().message;
  Locations found = LocationsOf(**store);
  Result<std::unique_ptr<SqliteDatabase>> database = SqliteDatabase::Open("/data/catalog.db", disk);
  if (!database.ok()) return "does not open twice";
  Result<std::vector<SqliteDatabase::Row>> sound = (*database)->Query("PRAGMA integrity_check");
  if (!sound.ok() || sound->size() != 1 || (*sound)[0][0] != "ok") return "is corrupt";
  if (found != run.acknowledged && found != run.perhaps) return "holds neither the old nor the new state";
  return "";
}

TEST(PointerStorePowerCuts, EveryAcknowledgedSwapSurvivesEveryCut) {
  constexpr int kCommits = 7;
  uint64_t operations = 0;
  {
    PowerCutDisk disk;
    CommitUntilTheCut(disk, kCommits);
    operations = disk.operations();
  }
  ASSERT_GT(operations, 50u);
  int took_effect = 0;
  for (uint64_t cut = 1; cut <= operations + 1; ++cut) {
    for (uint64_t seed = 0; seed < 8; ++seed) {
      PowerCutDisk disk;
      disk.CutAfter(cut);
      History run = CommitUntilTheCut(disk, kCommits);
      if (cut > operations) disk.CutNow();
      ASSERT_FALSE(disk.power_is_on());
      std::string at = "cut " + std::to_string(cut) + " seed " + std::to_string(seed) + " at " + disk.last_operation();
      SeededRandom random(cut * 1000 + seed);
      disk.Restart(random);
      // Recovery is cut too: rolling back must be repeatable.
      disk.CutAfter(1 + seed);
      {
        Result<std::unique_ptr<PointerStore>> ignored = PointerStore::Open("/data/catalog.db", disk);
      }
      disk.Restart(random);
      std::string verdict = Verdict(disk, run);
      ASSERT_EQ(verdict, "") << at;
      Result<std::unique_ptr<PointerStore>> store = PointerStore::Open("/data/catalog.db", disk);
      if (run.perhaps != run.acknowledged && LocationsOf(**store) == run.perhaps) ++took_effect;
    }
  }
  EXPECT_GT(took_effect, 0);  // else the cuts never fell where they should
}

int RunsThatFail(const std::function<void(PowerCutDisk&)>& plant) {
  int failed = 0;
  for (uint64_t cut = 1; cut <= 100; ++cut) {
    for (uint64_t seed = 0; seed < 4; ++seed) {
      PowerCutDisk disk;
      plant(disk);
      disk.CutAfter(cut);
      History run = CommitUntilTheCut(disk, 7);
      disk.CutNow();
      SeededRandom random(cut * 1000 + seed);
      disk.Restart(random);
      if (!Verdict(disk, run).empty()) ++failed;
    }
  }
  return failed;
}

TEST(PointerStorePowerCuts, TheCheckNoticesMissingSyncs) {
  EXPECT_EQ(RunsThatFail([](PowerCutDisk&) {}), 0);
  EXPECT_GT(RunsThatFail([](PowerCutDisk& disk) { disk.IgnoreSync(true); }), 0);
  EXPECT_GT(RunsThatFail([](PowerCutDisk& disk) { disk.IgnoreDirectorySync(true); }), 0);
}

}  // namespace
}  // namespace arc
