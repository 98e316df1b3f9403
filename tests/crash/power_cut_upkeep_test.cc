// Power cuts under the whole engine while it merges, deletes, expires and drops, in an order drawn from the seed:
// ARC_POWER_CUTS and ARC_SEED as in power_cut_test.cc.
#include <gtest/gtest.h>

#include <cstdio>
#include <optional>
#include <string>
#include <unordered_set>

#include "arc/iceberg/load.h"
#include "arc/iceberg/reachable.h"
#include "power_cut_rig.h"

namespace arc {
namespace {

using Step = PowerCutRig::Step;

// Mutating disk operations of one undisturbed run.
int64_t OperationsOfARun(uint64_t seed) {
  PowerCutRig rig(seed);
  EXPECT_TRUE(rig.Open().ok());
  rig.RunAll();
  EXPECT_EQ(Join(rig.Check()), "");
  EXPECT_EQ(Join(rig.CheckSnapshots()), "");
  return static_cast<int64_t>(rig.disk().operations());
}

std::string Violations(PowerCutRig* rig) { return Join(rig->Check()) + Join(rig->CheckSnapshots()); }

TEST(PowerCutUpkeepTest, RowsAreThereOnceAndDeletedOnesAreGoneAfterEveryCut) {
  const auto seed = static_cast<uint64_t>(FromEnvironment("ARC_SEED", 20261122));
  const int64_t cuts = FromEnvironment("ARC_POWER_CUTS", 60);
  const int64_t operations = OperationsOfARun(seed);
  size_t acknowledged = 0;
  size_t deleted = 0;
  std::map<Step, int> done;
  for (int64_t cut = 0; cut < cuts; ++cut) {
    const int64_t at = cuts > operations ? 1 + cut % operations : 1 + cut * operations / cuts;
    const std::string where = "cut " + std::to_string(cut) + " at operation " + std::to_string(at);
    PowerCutRig rig(seed + static_cast<uint64_t>(cut));
    rig.disk().CutAfter(static_cast<uint64_t>(at));
    if (rig.Open().ok()) rig.RunAll();
    rig.PowerCycle();
    // A second cut in the recovery, or in what follows it.
    rig.disk().CutAfter(static_cast<uint64_t>(1 + (cut * 37) % 400));
    if (rig.Open().ok()) {
      ASSERT_EQ(rig.disk().power_is_on() ? Join(rig.Check()) : "", "") << where;
      rig.RunAll();
    }
    rig.PowerCycle();
    const auto opened = rig.Open();
    ASSERT_TRUE(opened.ok()) << where << ": " << opened.error().message;
    ASSERT_EQ(Violations(&rig), "") << where;
    rig.RunAll();
    ASSERT_TRUE(rig.engine().Flush().ok()) << where;
    ASSERT_EQ(Violations(&rig), "") << "having gone on, " << where;
    acknowledged += rig.ledger().acknowledged();
    deleted += rig.ledger().deleted();
    for (const auto& [step, count] : rig.done()) done[step] += count;
  }
  std::printf("seed %llu, %lld operations a run, %lld cuts: %zu rows there and %zu deleted in the end\n",
              static_cast<unsigned long long>(seed), static_cast<long long>(operations), static_cast<long long>(cuts),
              acknowledged, deleted);
  EXPECT_GT(acknowledged, static_cast<size_t>(cuts));
  EXPECT_GT(deleted, static_cast<size_t>(cuts));
  EXPECT_EQ(done.size(), 7u);  // every kind of step was acknowledged at some time
}

// The checker is worth nothing unless it fails where it must: each planted bug has to show within a bounded search.
template <typename Plant>
std::string HowItShows(Plant plant, std::string (*check)(PowerCutRig*) = Violations) {
  const int64_t operations = OperationsOfARun(7);
  for (int64_t at = operations; at > 0; at -= 7) {
    PowerCutRig rig(static_cast<uint64_t>(1000 + at));
    rig.disk().CutAfter(static_cast<uint64_t>(at));
    if (rig.Open().ok()) rig.RunAll(plant(&rig));
    rig.disk().renamed = {};
    rig.PowerCycle();
    rig.disk().IgnoreSync(false);
    if (const auto opened = rig.Open(); !opened.ok()) return opened.error().message;
    if (const auto violations = check(&rig); !violations.empty()) return violations;
  }
  return "";
}

TEST(PowerCutUpkeepCheckerTest, SeesAMergedFileThatIsNotSyncedBeforeTheCommit) {
  const auto shown = HowItShows([](PowerCutRig* rig) {
    return [rig](Step step, bool before) {
      if (step == Step::kCompact) rig->disk().IgnoreSync(before, "/1970/");  // where data files are
    };
  });
  EXPECT_NE(shown, "");
  std::printf("%s\n", shown.c_str());
}

TEST(PowerCutUpkeepCheckerTest, SeesADeletionAcknowledgedBeforeItIsDurable) {
  const auto shown = HowItShows([](PowerCutRig* rig) {
    return [rig](Step step, bool before) {
      if (step == Step::kDeleteRows || step == Step::kDeleteFiles) rig->disk().IgnoreSync(before, "/arc.db");
    };
  });
  EXPECT_NE(shown, "");
  std::printf("%s\n", shown.c_str());
}

// What is in the table now and will not be once the metadata at `location` is the table's, removed before it is.
void RemoveInputs(PowerCutRig* rig, const std::string& location) {
  auto& store = rig->engine().store();
  const auto next = ReadTableMetadata(store, location);
  if (!next.ok()) return;
  const auto live = ReadLiveFiles(store, *next);
  if (!live.ok()) return;
  std::unordered_set<std::string> keys;
  for (const auto& file : *live) keys.insert(file.key);
  for (const auto& table : rig->engine().catalog().Tables("default")) {
    if (table->ref().id != next->table_uuid) continue;
    for (const auto& file : table->committed_files()->files()) {
      if (!keys.contains(file->key)) (void)store.Delete(file->key);
    }
  }
}

TEST(PowerCutUpkeepCheckerTest, SeesInputsDeletedBeforeTheMergeIsCommitted) {
  const auto plant = [](PowerCutRig* rig) {
    auto merging = std::make_shared<bool>(false);
    rig->disk().renamed = [rig, merging](const std::string& path) {
      if (*merging && path.ends_with(".metadata.json")) RemoveInputs(rig, path);
    };
    return [merging](Step step, bool before) { *merging = before && step == Step::kCompact; };
  };
  // Older snapshots lose them too, which shows without a cut; the rows that are the table's need one.
  const auto shown = HowItShows(plant, [](PowerCutRig* rig) { return Join(rig->Check()); });
  EXPECT_NE(shown, "");
  std::printf("%s\n", shown.c_str());
}

// What the metadata before needs and the next does not, removed before the next is the table's.
void RemoveTooEarly(PowerCutRig* rig, const std::string& location) {
  auto& store = rig->engine().store();
  const auto next = ReadTableMetadata(store, location);
  if (!next.ok() || next->metadata_log.empty()) return;
  const std::string before = next->metadata_log.back().metadata_file;
  const auto previous = ReadTableMetadata(store, before);
  if (!previous.ok()) return;
  const auto needed = ReachableKeys(store, location, *next);
  const auto needed_before = ReachableKeys(store, before, *previous);
  if (!needed.ok() || !needed_before.ok()) return;
  for (const auto& key : *needed_before) {
    if (!needed->contains(key)) (void)store.Delete(key);
  }
}

TEST(PowerCutUpkeepCheckerTest, SeesAnExpiryThatDeletesBeforeItsCommit) {
  const auto shown = HowItShows([](PowerCutRig* rig) {
    auto expiring = std::make_shared<bool>(false);
    rig->disk().renamed = [rig, expiring](const std::string& path) {
      if (*expiring && path.ends_with(".metadata.json")) RemoveTooEarly(rig, path);
    };
    return [expiring](Step, bool before) { *expiring = before; };  // every commit expires
  });
  EXPECT_NE(shown, "");
  std::printf("%s\n", shown.c_str());
}

}  // namespace
}  // namespace arc
