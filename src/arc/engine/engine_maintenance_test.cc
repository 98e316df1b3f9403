// Retention and expiry while queries read: each sees a table before or after, and reads on what it began to read.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>

#include "arc/base/thread.h"
#include "arc/engine/engine.h"
#include "arc/io/power_cut_disk.h"
#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

class EngineMaintenanceTest : public ::testing::Test {
 protected:
  EngineMaintenanceTest() {
    temp_ = std::filesystem::temp_directory_path() / ("arc-upkeep-" + std::to_string(SystemRandom().NextU64()));
    options_.data_folder = "/data";
    options_.query.temp_folder = temp_.string();
    options_.query.memory_limit_bytes = 512 << 20;
    options_.history.max_snapshots = 1;
    auto engine = Engine::Open(options_, disk_);
    EXPECT_TRUE(engine.ok()) << engine.error().message;
    engine_ = std::move(*engine);
  }
  ~EngineMaintenanceTest() override {
    engine_.reset();
    std::filesystem::remove_all(temp_);
  }
  // Rows `first` to `first + count - 1` as ids, all of one time.
  void WriteAndFlush(int64_t first, int count, int64_t time) {
    std::vector<std::optional<int64_t>> ids;
    for (int64_t i = first; i < first + count; ++i) ids.push_back(i);
    WriteRequest request;
    request.batches.push_back(
        {"m", BatchForTest(std::vector<int64_t>(static_cast<size_t>(count), time)).Ints("id", ids).Done()});
    ASSERT_TRUE(engine_->WriteAndWait(std::move(request), {}).ok());
    ASSERT_TRUE(engine_->Flush().ok());
  }
  std::unique_ptr<ResultStream> Begin(const std::string& sql) {
    QueryRequest request;
    request.sql = sql;
    request.principal = Principal::Admin("test");
    auto stream = engine_->Query(request);
    EXPECT_TRUE(stream.ok()) << stream.error().message;
    return stream.ok() ? std::move(*stream) : nullptr;
  }
  int64_t CountRest(ResultStream& stream) {
    int64_t rows = 0;
    while (true) {
      auto batch = stream.Next();
      EXPECT_TRUE(batch.ok()) << batch.error().message;
      if (!batch.ok() || *batch == nullptr) return rows;
      rows += (*batch)->num_rows();
    }
  }
  int64_t CountNow() {
    auto stream = Begin("SELECT id FROM m");
    return stream == nullptr ? -1 : CountRest(*stream);
  }

  EngineOptions options_;
  PowerCutDisk disk_;
  std::filesystem::path temp_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(EngineMaintenanceTest, QueriesSeeATableBeforeOrAfterRetention) {
  constexpr int kOld = 30'000;
  constexpr int kYoung = 1000;
  WriteAndFlush(0, kOld, 5);
  WriteAndFlush(kOld, kYoung, SystemClock().WallMicros());
  RetentionPolicy policy;
  policy.name = "p";
  policy.database = "default";
  policy.retention_days = 7;
  const auto added = engine_->retention().Add(policy);
  ASSERT_TRUE(added.ok()) << added.error().message;

  auto begun = Begin("SELECT * FROM m");
  ASSERT_NE(begun, nullptr);
  std::atomic<bool> done{false};
  std::atomic<int> before{0};
  std::atomic<int> after{0};
  Thread reader("reader", [&] {
    while (after == 0) {
      const bool was_done = done;
      const int64_t rows = CountNow();
      ASSERT_TRUE(rows == kOld + kYoung || rows == kYoung) << rows;
      ASSERT_TRUE(!was_done || rows == kYoung);
      ++(rows == kYoung ? after : before);
    }
  });
  for (int i = 0; i < 20'000 && before == 0; ++i) SystemClock().SleepFor(std::chrono::milliseconds(1));
  const auto outcome = engine_->retention().Run(added->id);
  done = true;
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(outcome->total.rows, kOld);
  const auto expired = engine_->upkeep().ExpireSnapshots("", "");
  EXPECT_TRUE(expired.ok());
  reader.Join();
  EXPECT_EQ(CountRest(*begun), kOld + kYoung);  // its files outlived their last snapshot
  begun.reset();

  ASSERT_TRUE(engine_->upkeep().ExpireSnapshots("", "").ok());
  int64_t data_files = 0;
  for (const auto& object : *engine_->store().List("default/m/")) data_files += object.key.ends_with(".parquet");
  EXPECT_EQ(data_files, 1);
  EXPECT_EQ(engine_->maintenance_stats().retention.rows, static_cast<uint64_t>(kOld));

  engine_.reset();
  auto engine = Engine::Open(options_, disk_);
  ASSERT_TRUE(engine.ok()) << engine.error().message;
  engine_ = std::move(*engine);
  EXPECT_EQ(CountNow(), kYoung);
  EXPECT_EQ(engine_->retention().store().Executions(added->id, 10)->size(), 1u);
}

}  // namespace
}  // namespace arc
