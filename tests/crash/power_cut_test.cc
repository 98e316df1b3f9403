// Power cuts at enumerated points under the whole engine: log, data files and SQLite all stand on the PowerCutDisk.
// ARC_POWER_CUTS sets how many cuts are tried (default 60; the full run is `make test-all`), ARC_SEED the seed.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "arc/engine/engine.h"
#include "arc/io/power_cut_disk.h"
#include "arc/model/batch_for_test.h"
#include "ledger.h"

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr int kWritesPerRun = 12;
constexpr int kRowsPerWrite = 3;
const char* const kTables[] = {"cpu", "mem", "disk io"};

int64_t FromEnvironment(const char* name, int64_t fallback) {
  const char* text = std::getenv(name);
  return text == nullptr ? fallback : std::atoll(text);
}

// The database under test and the client's knowledge of it, across any number of power cuts.
class Rig {
 public:
  explicit Rig(uint64_t seed) : random_(seed) {
    temp_ = std::filesystem::temp_directory_path() / ("arc-power-cut-" + std::to_string(SystemRandom().NextU64()));
  }
  ~Rig() {
    engine_.reset();
    std::filesystem::remove_all(temp_);
  }

  PowerCutDisk& disk() { return disk_; }
  Engine& engine() { return *engine_; }
  bool open() const { return engine_ != nullptr; }

  Status Open() {
    EngineOptions options;
    options.data_folder = "/data";
    options.log.segment_bytes = 16 << 10;  // rotation and recycling happen within a run
    options.query.temp_folder = temp_.string();
    options.query.threads = 1;
    options.query.memory_limit_bytes = 256 << 20;
    auto engine = Engine::Open(options, disk_, SystemClock(), random_);
    if (!engine.ok()) return std::move(engine).error();
    engine_ = std::move(*engine);
    return {};
  }

  // Writes and flushes until done or the power is off.
  void Run(bool truncate_early = false) {
    for (int i = 0; i < kWritesPerRun && disk_.power_is_on(); ++i) {
      WriteOne(i);
      if (truncate_early) (void)engine_->log().SetFlushed(engine_->log().positions().applied);
      if (i % 4 == 3) (void)engine_->Flush();
    }
  }

  // The machine stops and comes back with what its disk kept.
  void PowerCycle() {
    engine_.reset();
    disk_.Restart(random_);
  }

  Result<std::vector<int64_t>> Ids() {
    std::vector<int64_t> ids;
    for (const char* table : kTables) {
      if (engine_->catalog().Find("default", table) == nullptr) continue;
      QueryRequest request;
      request.sql = std::string("SELECT id FROM \"default\".\"") + table + "\"";
      request.principal = Principal::Admin("test");
      ARC_ASSIGN_OR_RETURN(auto stream, engine_->Query(request));
      while (true) {
        ARC_ASSIGN_OR_RETURN(auto batch, stream->Next());
        if (batch == nullptr) break;
        const auto& column = static_cast<const arrow::Int64Array&>(*batch->column(0));
        for (int64_t row = 0; row < column.length(); ++row) ids.push_back(column.Value(row));
      }
    }
    return ids;
  }

  std::vector<std::string> Check() {
    auto ids = Ids();
    if (!ids.ok()) return {"query failed: " + ids.error().message};
    auto violations = ledger_.Check(*ids);
    ledger_.Settle(*ids);
    return violations;
  }

  size_t acknowledged() const { return ledger_.acknowledged(); }

 private:
  void WriteOne(int number) {
    std::vector<int64_t> times;
    std::vector<std::optional<int64_t>> ids;
    std::vector<std::optional<std::string>> hosts;
    for (int row = 0; row < kRowsPerWrite; ++row) {
      ids.push_back(next_id_++);
      times.push_back((number % 3) * kHourMicros + *ids.back());
      hosts.push_back("host" + std::to_string(row));
      ledger_.Sent(*ids.back());
    }
    WriteRequest request;
    BatchForTest batch(times);
    batch.Tags("host", hosts).Ints("id", ids);
    request.batches.push_back({kTables[number % 3], batch.Done()});
    auto outcome = engine_->WriteAndWait(std::move(request), {});
    if (!outcome.ok()) return;
    for (const auto& id : ids) ledger_.Acknowledged(*id);
  }

  SeededRandom random_;
  PowerCutDisk disk_;
  std::filesystem::path temp_;
  std::unique_ptr<Engine> engine_;
  Ledger ledger_;
  int64_t next_id_ = 1;
};

std::string Join(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

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
  Rig rig(seed);
  EXPECT_TRUE(rig.Open().ok());
  rig.Run();
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
    Rig rig(seed + static_cast<uint64_t>(cut));
    rig.disk().CutAfter(static_cast<uint64_t>(at));
    if (rig.Open().ok()) rig.Run();
    rig.PowerCycle();
    // A second cut in the recovery itself.
    rig.disk().CutAfter(static_cast<uint64_t>(1 + cut % 23));
    if (rig.Open().ok()) rig.Run();
    rig.PowerCycle();
    auto opened = rig.Open();
    ASSERT_TRUE(opened.ok()) << "cut " << cut << " at operation " << at << ": " << opened.error().message;
    auto violations = rig.Check();
    ASSERT_TRUE(violations.empty()) << "cut " << cut << " at operation " << at << "\n" << Join(violations);
    ASSERT_TRUE(rig.engine().Flush().ok());
    violations = rig.Check();
    ASSERT_TRUE(violations.empty()) << "after the flush, cut " << cut << "\n" << Join(violations);
    acknowledged += rig.acknowledged();
  }
  std::printf("%zu rows acknowledged over all cuts\n", acknowledged);
  EXPECT_GT(acknowledged, static_cast<size_t>(cuts));
}

// The checker is worth nothing unless it fails where it must: each planted bug has to show within a bounded search.
template <typename Plant>
bool PlantedBugShows(Plant plant) {
  int64_t operations = OperationsOfARun(7);
  for (int64_t at = operations; at > 0; at -= 3) {
    Rig rig(static_cast<uint64_t>(1000 + at));
    if (plant(rig, at)) return true;
  }
  return false;
}

TEST(PowerCutCheckerTest, SeesAMissingFdatasync) {
  EXPECT_TRUE(PlantedBugShows([](Rig& rig, int64_t at) {
    rig.disk().IgnoreSync(true);
    rig.disk().CutAfter(static_cast<uint64_t>(at));
    if (rig.Open().ok()) rig.Run();
    rig.PowerCycle();
    rig.disk().IgnoreSync(false);
    return !rig.Open().ok() || !rig.Check().empty();
  }));
}

TEST(PowerCutCheckerTest, SeesALogTruncatedBeforeTheCommit) {
  EXPECT_TRUE(PlantedBugShows([](Rig& rig, int64_t at) {
    rig.disk().CutAfter(static_cast<uint64_t>(at));
    if (rig.Open().ok()) rig.Run(/*truncate_early=*/true);
    rig.PowerCycle();
    return rig.Open().ok() && !rig.Check().empty();
  }));
}

TEST(PowerCutCheckerTest, SeesAFlushedLsnIgnoredAtReplay) {
  EXPECT_TRUE(PlantedBugShows([](Rig& rig, int64_t at) {
    rig.disk().CutAfter(static_cast<uint64_t>(at));
    if (rig.Open().ok()) rig.Run();
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
