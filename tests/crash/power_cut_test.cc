// Power cuts at enumerated points under the whole engine: log, data files and SQLite all stand on the PowerCutDisk.
// ARC_POWER_CUTS sets how many cuts are tried (default 60; the full run is `make test-all`), ARC_SEED the seed.
#include <gtest/gtest.h>

#include <cstdio>
#include <string>

#include "power_cut_rig.h"

namespace arc {
namespace {

// Every file under `folder` whose name ends so, rewritten with `from` replaced; what is not there is left alone.
void ReplaceInFiles(LocalDisk& disk, const std::string& folder, const std::string& suffix, const std::string& from,
                    const std::string& to) {
  auto names = disk.List(folder);
  if (!names.ok()) return;
  for (const auto& name : *names) {
    std::string path = folder + "/" + name;
    if (auto is_folder = disk.IsDirectory(path); is_folder.ok() && *is_folder) {
      ReplaceInFiles(disk, path, suffix, from, to);
      continue;
    }
    if (!path.ends_with(suffix)) continue;
    auto text = ReadWholeFile(disk, path);
    ASSERT_TRUE(text.ok());
    for (size_t at = 0; (at = text->find(from, at)) != std::string::npos; at += to.size()) {
      text->replace(at, from.size(), to);
    }
    auto bytes = std::span(reinterpret_cast<const uint8_t*>(text->data()), text->size());
    ASSERT_TRUE(DurablePut(disk, path, bytes).ok());
  }
}

// Mutating disk operations of one undisturbed run.
int64_t OperationsOfARun(uint64_t seed) {
  PowerCutRig rig(seed);
  EXPECT_TRUE(rig.Open().ok());
  rig.RunWrites();
  return static_cast<int64_t>(rig.disk().operations());
}

TEST(PowerCutTest, AcknowledgedRowsSurviveEveryCutExactlyOnce) {
  auto seed = static_cast<uint64_t>(FromEnvironment("ARC_SEED", 20261121));
  int64_t cuts = FromEnvironment("ARC_POWER_CUTS", 60);
  int64_t operations = OperationsOfARun(seed);
  std::printf("seed %llu, %lld operations a run, %lld cuts\n", static_cast<unsigned long long>(seed),
              static_cast<long long>(operations), static_cast<long long>(cuts));
  size_t acknowledged = 0;
  for (int64_t cut = 0; cut < cuts; ++cut) {
    // Enumerates the points of a run evenly; with more cuts than points each is tried with several outcomes.
    int64_t at = 1 + cut * operations / cuts;
    if (cuts > operations) at = 1 + cut % operations;
    PowerCutRig rig(seed + static_cast<uint64_t>(cut));
    rig.disk().CutAfter(static_cast<uint64_t>(at));
    if (rig.Open().ok()) rig.RunWrites();
    rig.PowerCycle();
    // A second cut in the recovery itself.
    rig.disk().CutAfter(static_cast<uint64_t>(1 + cut % 23));
    if (rig.Open().ok()) rig.RunWrites();
    rig.PowerCycle();
    auto opened = rig.Open();
    ASSERT_TRUE(opened.ok()) << "cut " << cut << " at operation " << at << ": " << opened.error().message;
    auto violations = rig.Check();
    ASSERT_TRUE(violations.empty()) << "cut " << cut << " at operation " << at << "\n" << Join(violations);
    ASSERT_TRUE(rig.engine().Flush().ok());
    violations = rig.Check();
    ASSERT_TRUE(violations.empty()) << "after the flush, cut " << cut << "\n" << Join(violations);
    acknowledged += rig.ledger().acknowledged();
  }
  std::printf("%zu rows acknowledged over all cuts\n", acknowledged);
  EXPECT_GT(acknowledged, static_cast<size_t>(cuts));
}

// The checker is worth nothing unless it fails where it must: each planted bug has to show within a bounded search.
template <typename Plant>
bool PlantedBugShows(Plant plant) {
  int64_t operations = OperationsOfARun(7);
  for (int64_t at = operations; at > 0; at -= 3) {
    PowerCutRig rig(static_cast<uint64_t>(1000 + at));
    if (plant(rig, at)) return true;
  }
  return false;
}

TEST(PowerCutCheckerTest, SeesAMissingFdatasync) {
  EXPECT_TRUE(PlantedBugShows([](PowerCutRig& rig, int64_t at) {
    rig.disk().IgnoreSync(true);
    rig.disk().CutAfter(static_cast<uint64_t>(at));
    if (rig.Open().ok()) rig.RunWrites();
    rig.PowerCycle();
    rig.disk().IgnoreSync(false);
    return !rig.Open().ok() || !rig.Check().empty();
  }));
}

TEST(PowerCutCheckerTest, SeesALogTruncatedBeforeTheCommit) {
  EXPECT_TRUE(PlantedBugShows([](PowerCutRig& rig, int64_t at) {
    rig.disk().CutAfter(static_cast<uint64_t>(at));
    if (rig.Open().ok()) rig.RunWrites(/*truncate_early=*/true);
    rig.PowerCycle();
    return rig.Open().ok() && !rig.Check().empty();
  }));
}

TEST(PowerCutCheckerTest, SeesAFlushedLsnIgnoredAtReplay) {
  EXPECT_TRUE(PlantedBugShows([](PowerCutRig& rig, int64_t at) {
    rig.disk().CutAfter(static_cast<uint64_t>(at));
    if (rig.Open().ok()) rig.RunWrites();
    rig.PowerCycle();
    // What a replay without the flushed LSN would do: the property is gone from every metadata file, and the
    // checkpoint with it.
    ReplaceInFiles(rig.disk(), "/data/arc", ".metadata.json", "arc.flushed-lsn.", "arc.flushed-xxx.");
    ReplaceInFiles(rig.disk(), "/data/wal", "checkpoint.json", "\"iceberg_lsn\": ", "\"iceberg_lsn\": 0, \"was\": ");
    return rig.Open().ok() && !rig.Check().empty();
  }));
}

}  // namespace
}  // namespace arc
