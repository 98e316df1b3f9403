// Rows move from hot memory to files under running queries: each query sees every row exactly once.
#include <gtest/gtest.h>

#include <atomic>

#include "arc/base/thread.h"
#include "sql_fixture.h"

namespace arc {
namespace {

TEST(VersionSwap, EveryRowOnceWhileFlushesSwap) {
  SqlFixture fixture(Layout::kHot);
  std::atomic<int> written{0};
  std::atomic<bool> stop{false};
  fixture.Write("default", "moving,host=h n=0i 1709251200\n");
  written = 1;
  Thread writer("writer", [&] {
    for (int round = 0; round < 60 && !stop; ++round) {
      std::string lines;
      for (int i = 0; i < 50; ++i) {
        int n = written + i;
        lines += "moving,host=h" + std::to_string(n % 7) + " n=" + std::to_string(n) + "i " +
                 std::to_string(1709251200 + n * 10) + "\n";
      }
      fixture.Write("default", lines);
      written += 50;
      if (round % 3 == 2) fixture.FlushAll();
    }
    stop = true;
  });
  int64_t queries = 0;
  int seen = 0;
  while (!stop || queries < 20) {
    int before = written;
    auto rows = fixture.Run(
        "SELECT count(*), count(DISTINCT n), max(n) + 1, (SELECT count(*) FROM moving), count(host) FROM moving");
    ASSERT_TRUE(rows.ok()) << rows.error().message;
    int count = std::stoi((*rows)[0]);
    std::string number = std::to_string(count);
    std::string expected = number + " | " + number + " | " + number + " | " + number + " | " + number;
    ASSERT_EQ((*rows)[0], expected);
    ASSERT_GE(count, before);
    ASSERT_GE(count, seen);
    seen = count;
    ++queries;
  }
  EXPECT_EQ(*fixture.Run("SELECT count(*) FROM moving"), std::vector<std::string>{std::to_string(written)});
}

}  // namespace
}  // namespace arc
