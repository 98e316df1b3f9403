// The log under a power cut at every operation it makes on the disk: what was acknowledged is there afterwards, exactly
// once, and what was not is there at most once.
#include <gtest/gtest.h>

#include <future>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "arc/io/power_cut_disk.h"
#include "arc/wal/log.h"
#include "arc/wal/log_fixture.h"

namespace arc {
namespace {

enum class Bug { kNone, kIgnoreSync, kIgnoreDirectorySync, kTruncateBeforeFlush };

// Writes numbered records, flushes now and then, reopens, and remembers what it was told. `tables` stand for Iceberg:
// they survive everything.
class World {
 public:
  World(uint64_t seed, SyncMode mode, Bug bug) : random_(seed), bug_(bug) {
    options_.folder = "/wal";
    options_.segment_bytes = 8 << 10;
    options_.recycled_segments = 1;
    options_.prepare_ahead = false;
    options_.sync_mode = mode;
    disk_.IgnoreSync(bug == Bug::kIgnoreSync);
    disk_.IgnoreDirectorySync(bug == Bug::kIgnoreDirectorySync);
  }

  PowerCutDisk& disk() { return disk_; }
  const std::string& violation() const { return violation_; }

  // Ends early when the power goes.
  void Run(int steps) {
    if (!Open()) return;
    for (int step = 0; step < steps && disk_.power_is_on(); ++step) {
      if (step % 9 == 8) {
        if (!Flush(step % 2 == 0)) return;
      } else if (step == steps / 2) {
        if (!log_->Close().ok() || !Open()) return;
      } else {
        Append(step % 5 == 4 ? 3 : 1);
      }
    }
  }

  // After a cut: turns the power on again and checks every promise.
  void Recover() {
    log_.reset();
    disk_.Restart(random_);
    if (!Open()) Violate("the log does not open: " + open_error_);
  }

  bool Open() {
    log_.reset();
    std::map<int64_t, int> seen;
    uint64_t last = 0;
    auto log = WriteAheadLog::Open(
        disk_, clock_, random_, options_, [this](const Uuid&) -> Result<Lsn> { return flushed_; },
        [&](Lsn lsn, LogRecord&& record) -> Status {
          const int64_t number = NumberOf(record);
          if (lsn.value <= last) Violate("LSN " + std::to_string(lsn.value) + " out of order");
          last = lsn.value;
          if (lsn <= flushed_) return {};  // as every caller does
          ++seen[number];
          if (!tried_.contains(number)) Violate("number " + std::to_string(number) + " was never written");
          if (refused_.contains(number)) Violate("number " + std::to_string(number) + " had been refused");
          auto acked = acknowledged_.find(number);
          if (acked != acknowledged_.end() && acked->second != lsn.value) {
            Violate("number " + std::to_string(number) + " came back under another LSN");
          }
          hot_[lsn.value] = number;
          return {};
        },
        nullptr);
    if (!log.ok()) {
      open_error_ = log.error().message;
      return false;
    }
    log_ = *std::move(log);
    for (const auto& [number, lsn] : acknowledged_) {
      const int times = seen[number] + (in_tables_.contains(number) ? 1 : 0);
      if (times != 1 && must_be_durable(lsn)) {
        Violate("acknowledged number " + std::to_string(number) + " is there " + std::to_string(times) + " times");
      }
    }
    for (const auto& [number, times] : seen) {
      if (times + (in_tables_.contains(number) ? 1 : 0) > 1) Violate("number " + std::to_string(number) + " twice");
      // Replayed once, it must stay.
      acknowledged_.try_emplace(number, 0);
    }
    std::erase_if(acknowledged_,
                  [&](const auto& entry) { return !seen.contains(entry.first) && !in_tables_.contains(entry.first); });
    for (auto& [lsn, number] : hot_) acknowledged_[number] = lsn;
    synced_ = log_->positions().durable.value;
    if (log_->positions().next.value <= flushed_.value) Violate("an LSN would be given twice");
    return true;
  }

  void Append(int count) {
    std::vector<LogRecord> records;
    std::vector<int64_t> numbers;
    for (int i = 0; i < count; ++i) {
      numbers.push_back(++next_number_);
      tried_.insert(next_number_);
      records.push_back(RowsRecord(MakeTable(static_cast<uint8_t>(i + 1), "m"), NumberedBatch(next_number_)));
    }
    std::promise<Result<Lsn>> done;
    std::map<uint64_t, int64_t> applied;
    log_->AppendAll(
        std::move(records), [&](Lsn lsn, LogRecord&& record) { applied[lsn.value] = NumberOf(record); },
        [&](Result<Lsn> lsn) { done.set_value(std::move(lsn)); });
    auto lsn = done.get_future().get();
    if (!lsn.ok()) {
      if (lsn.error().kind != ErrorKind::kUnknownOutcome) refused_.insert(numbers.begin(), numbers.end());
      return;
    }
    for (const auto& [at, number] : applied) {
      acknowledged_[number] = at;
      hot_[at] = number;
    }
  }

  // Everything hot goes to the tables, then the log is told (the bug: the other way round, and the tables never get
  // it).
  bool Flush(bool all) {
    if (hot_.empty()) return true;
    const uint64_t through = all ? hot_.rbegin()->first : hot_.begin()->first + hot_.size() / 2;
    const Lsn lsn{std::min(through, hot_.rbegin()->first)};
    if (!log_->SyncThrough(lsn).ok()) return false;
    if (bug_ != Bug::kTruncateBeforeFlush) {
      while (!hot_.empty() && hot_.begin()->first <= lsn.value) {
        in_tables_.insert(hot_.begin()->second);
        hot_.erase(hot_.begin());
      }
      flushed_ = lsn;
    }
    return log_->SetFlushed(lsn).ok();
  }

  void NoteSynced() {
    if (log_) synced_ = std::max(synced_, log_->positions().durable.value);
  }

 private:
  bool must_be_durable(uint64_t lsn) const { return options_.sync_mode != SyncMode::kAsync || lsn <= synced_; }
  void Violate(const std::string& what) {
    if (violation_.empty()) violation_ = what + " (after " + disk_.last_operation() + ")";
  }

  PowerCutDisk disk_;
  ManualClock clock_{1'754'000'000'000'000};
  SeededRandom random_;
  LogOptions options_;
  const Bug bug_;
  std::unique_ptr<WriteAheadLog> log_;
  std::string open_error_;
  std::string violation_;
  int64_t next_number_ = 0;
  std::set<int64_t> tried_;
  std::set<int64_t> refused_;
  std::map<int64_t, uint64_t> acknowledged_;  // number -> LSN
  std::map<uint64_t, int64_t> hot_;           // LSN -> number, not in tables
  std::set<int64_t> in_tables_;
  Lsn flushed_;
  uint64_t synced_ = 0;
};

constexpr int kSteps = 30;

uint64_t CountOperations(SyncMode mode) {
  World world(1, mode, Bug::kNone);
  world.Run(kSteps);
  return world.disk().operations();
}

// The first violation of a run that is cut after `n` operations, and cut again `m` operations into its recovery.
std::string CutAt(uint64_t n, uint64_t m, uint64_t seed, SyncMode mode, Bug bug) {
  World world(seed, mode, bug);
  world.disk().CutAfter(n);
  world.Run(kSteps);
  world.NoteSynced();
  if (m > 0) {
    world.disk().Restart(*std::make_unique<SeededRandom>(seed + 1));
    world.disk().CutAfter(m);
    if (world.Open()) world.NoteSynced();
  }
  world.Recover();
  if (!world.violation().empty()) return world.violation();
  // And life goes on.
  for (int i = 0; i < 4; ++i) world.Append(1);
  world.Flush(true);
  world.Append(2);
  world.Recover();
  return world.violation();
}

TEST(PowerCut, AtEveryOperation) {
  const uint64_t operations = CountOperations(SyncMode::kFdatasync);
  ASSERT_GT(operations, 60U);
  for (uint64_t n = 1; n <= operations + 1; ++n) {
    for (uint64_t seed = 1; seed <= 3; ++seed) {
      ASSERT_EQ(CutAt(n, 0, seed * 1000 + n, SyncMode::kFdatasync, Bug::kNone), "") << "cut " << n << " seed " << seed;
    }
  }
}

TEST(PowerCut, AgainDuringRecovery) {
  const uint64_t operations = CountOperations(SyncMode::kFdatasync);
  for (uint64_t n = 3; n <= operations; n += 7) {
    for (uint64_t m = 1; m <= 12; ++m) {
      ASSERT_EQ(CutAt(n, m, n * 100 + m, SyncMode::kFsync, Bug::kNone), "") << "cut " << n << " and " << m;
    }
  }
}

TEST(PowerCut, AsyncLosesOnlyWhatWasNotSynced) {
  const uint64_t operations = CountOperations(SyncMode::kAsync);
  for (uint64_t n = 1; n <= operations; ++n) {
    for (uint64_t seed = 1; seed <= 2; ++seed) {
      ASSERT_EQ(CutAt(n, 0, seed * 1000 + n, SyncMode::kAsync, Bug::kNone), "") << "cut " << n << " seed " << seed;
    }
  }
}

// The check above is worth something only if it notices what it should.
class PlantedBug : public testing::TestWithParam<Bug> {};

TEST_P(PlantedBug, IsNoticed) {
  const uint64_t operations = CountOperations(SyncMode::kFdatasync);
  int noticed = 0;
  for (uint64_t n = 1; n <= operations; ++n) {
    if (!CutAt(n, 0, n, SyncMode::kFdatasync, GetParam()).empty()) ++noticed;
  }
  EXPECT_GT(noticed, 10);
}

INSTANTIATE_TEST_SUITE_P(PowerCut, PlantedBug,
                         testing::Values(Bug::kIgnoreSync, Bug::kIgnoreDirectorySync, Bug::kTruncateBeforeFlush));

}  // namespace
}  // namespace arc
