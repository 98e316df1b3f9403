// Prints what queries cost over a million hot rows. Run with --gtest_also_run_disabled_tests in a release build.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "arc/io/local_disk.h"
#include "arc/model/batch_for_test.h"
#include "arc/query/catalog_for_test.h"

namespace arc {
namespace {

constexpr int64_t kStart = 1'704'067'200'000'000;
constexpr int kRows = 1'000'000;

class QuerySpeed : public ::testing::Test {
 protected:
  QuerySpeed() {
    store_ = *OpenLocalObjectStore(SystemDisk(), std::filesystem::path(::testing::TempDir()) / "speed");
    for (int first = 0; first < kRows; first += 10'000) {
      std::vector<int64_t> times;
      std::vector<std::optional<std::string>> hosts;
      std::vector<std::optional<double>> cpu;
      std::vector<std::optional<double>> mem;
      for (int i = first; i < first + 10'000; ++i) {
        times.push_back(kStart + i * int64_t{3600});
        hosts.push_back("host_" + std::to_string(i % 200));
        cpu.push_back((i % 1000) * 0.1);
        mem.push_back(i % 10 == 0 ? std::nullopt : std::optional<double>(i * 0.5));
      }
      catalog_.Write("default", "cpu",
                     BatchForTest(times).Tags("host", hosts).Doubles("cpu", cpu).Doubles("mem", mem).Done());
    }
    QueryOptions options;
    options.threads = 2;
    engine_ = std::move(*QueryEngine::Open(options, catalog_, *store_));
  }

  void Measure(const char* name, const std::string& sql) {
    QueryRequest request;
    request.sql = sql;
    request.principal = Principal::Admin("test");
    std::vector<double> milliseconds;
    int64_t rows = 0;
    for (int round = 0; round < 21; ++round) {
      int64_t start = SystemClock().MonotonicNanos();
      auto stream = engine_->Execute(request);
      ASSERT_TRUE(stream.ok()) << stream.error().message;
      rows = 0;
      while (auto batch = *(*stream)->Next()) rows += batch->num_rows();
      milliseconds.push_back(static_cast<double>(SystemClock().MonotonicNanos() - start) / 1e6);
    }
    std::sort(milliseconds.begin(), milliseconds.end());
    std::printf("%-28s %8.3f ms (best %.3f), %ld rows\n", name, milliseconds[10], milliseconds[0],
                static_cast<long>(rows));
  }

  std::unique_ptr<ObjectStore> store_;
  CatalogForTest catalog_;
  std::unique_ptr<QueryEngine> engine_;
};

TEST_F(QuerySpeed, DISABLED_HotRows) {
  Measure("select 1", "SELECT 1");
  Measure("count(*)", "SELECT count(*) FROM cpu");
  Measure("max(time)", "SELECT max(time) FROM cpu");
  Measure("explain", "EXPLAIN SELECT host, avg(cpu) FROM cpu WHERE time > now() - INTERVAL '1 hour' GROUP BY host");
  Measure("last point", "SELECT * FROM cpu ORDER BY time DESC LIMIT 1");
  Measure("group by host", "SELECT host, avg(cpu) FROM cpu GROUP BY host");
  Measure("group by minute", "SELECT time_bucket(INTERVAL '1 minute', time) b, avg(cpu), max(mem) FROM cpu GROUP BY b");
  Measure("group by minute, host",
          "SELECT time_bucket(INTERVAL '1 minute', time) b, host, avg(cpu) FROM cpu GROUP BY b, host");
  Measure("one host", "SELECT avg(cpu) FROM cpu WHERE host = 'host_77'");
  Measure("last 1 %", "SELECT avg(cpu) FROM cpu WHERE time >= '2024-01-01 00:59:24'");
  Measure("three sums", "SELECT sum(cpu), sum(mem), max(mem) FROM cpu");
  Measure("all rows", "SELECT * FROM cpu");
}

}  // namespace
}  // namespace arc
