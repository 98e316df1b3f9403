#include "arc/flush/scheduler.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arc/io/power_cut_disk.h"
#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

using std::chrono::milliseconds;

class FlushSchedulerTest : public ::testing::Test {
 protected:
  FlushSchedulerTest() {
    store_ = *OpenLocalObjectStore(disk_, "/data/arc");
    catalog_ = *Catalog::Open("/data/arc.db", disk_, *store_, SystemClock(), random_, &budget_);
    flusher_.emplace(*catalog_, *store_, nullptr, ParquetOptions(), [this](Lsn) {
      ++waiting_;
      while (held_) SystemClock().SleepFor(milliseconds(1));
      return Status();
    });
    LogOptions options;
    options.folder = "/data/wal";
    options.segment_bytes = 1 << 20;
    auto floor = [this](const Uuid& lineage) -> Result<Lsn> {
      flusher_->UseLineage(lineage);
      return catalog_->UseLineage(lineage);
    };
    auto replay = [](Lsn, LogRecord&&) { return Status(); };
    log_ = *WriteAheadLog::Open(disk_, SystemClock(), random_, options, floor, replay, nullptr);
  }

  void Fill(int tables, int rows) {
    for (int i = 0; i < tables; ++i) {
      auto table = *catalog_->GetOrCreate("db", "m" + std::to_string(i));
      std::vector<int64_t> times(static_cast<size_t>(rows));
      for (size_t row = 0; row < times.size(); ++row) times[row] = static_cast<int64_t>(row);
      table->Apply(Lsn{static_cast<uint64_t>(i) + 1}, BatchForTest(times).Done(), {});
    }
  }
  template <typename Condition>
  static bool Eventually(Condition condition) {
    for (int i = 0; i < 10'000 && !condition(); ++i) SystemClock().SleepFor(milliseconds(1));
    return condition();
  }

  PowerCutDisk disk_;
  SeededRandom random_{1};
  ByteBudget budget_{1 << 20};
  std::atomic<bool> held_{false};  // flushes wait before they write
  std::atomic<int> waiting_{0};
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<Catalog> catalog_;
  std::optional<Flusher> flusher_;
  std::unique_ptr<WriteAheadLog> log_;
};

// Each look of the clock used to choose more tables for the same bytes while the first ones waited for the disk.
TEST_F(FlushSchedulerTest, UnderPressureWhatIsBeingFlushedCountsAsFreed) {
  constexpr int kTables = 40;
  held_ = true;
  FlushPolicy policy;
  FlushScheduler scheduler(*catalog_, *flusher_, *log_, budget_, SystemClock(), policy);
  Fill(kTables, 2000);
  const int64_t used = budget_.used_bytes();
  ASSERT_GT(used, budget_.limit_bytes() / 2);
  const int64_t excess = used - budget_.limit_bytes() / 2;
  const auto needed = static_cast<uint64_t>(excess / (used / kTables)) + 1;
  ASSERT_LT(needed * 2, uint64_t{kTables});
  scheduler.Wake();
  ASSERT_TRUE(Eventually([&] { return waiting_ > 0; }));
  for (int i = 0; i < 20; ++i) {
    scheduler.Wake();
    SystemClock().SleepFor(milliseconds(5));
  }
  held_ = false;
  ASSERT_TRUE(Eventually([&] { return budget_.used_bytes() <= budget_.limit_bytes() / 2; }));
  scheduler.Stop();
  EXPECT_GE(scheduler.stats().flushes, needed - 1);
  EXPECT_LE(scheduler.stats().flushes, needed + 1);
}

TEST_F(FlushSchedulerTest, FlushesAllTablesInGroups) {
  constexpr int kTables = 150;
  FlushScheduler scheduler(*catalog_, *flusher_, *log_, budget_, SystemClock(), FlushPolicy());
  Fill(kTables, 1);
  ASSERT_TRUE(scheduler.FlushAll().ok());
  scheduler.Stop();
  const auto stats = scheduler.stats();
  EXPECT_EQ(stats.flushes, uint64_t{kTables});
  EXPECT_EQ(stats.rows, uint64_t{kTables});
  EXPECT_LE(waiting_, 20);
  for (const auto& table : catalog_->AllTables()) EXPECT_EQ(table->hot_rows(), 0u);
}

}  // namespace
}  // namespace arc
