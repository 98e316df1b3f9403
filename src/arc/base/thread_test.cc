#include "arc/base/thread.h"

#include <gtest/gtest.h>

#include <atomic>

namespace arc {
namespace {

TEST(ExecutorTest, StopRunsWhatWasPosted) {
  std::atomic<int> ran{0};
  Executor executor("test", 3);
  for (int i = 0; i < 1000; ++i) executor.Post([&] { ++ran; });
  executor.Stop();
  EXPECT_EQ(ran, 1000);
}

TEST(TickerTest, WakeCallsAtOnceAndStopIsFinal) {
  std::atomic<int> calls{0};
  Ticker ticker("test", std::chrono::hours(1), [&] { ++calls; });
  ticker.Wake();
  while (calls == 0) std::this_thread::yield();
  ticker.Stop();
  int after = calls;
  ticker.Wake();
  EXPECT_EQ(calls, after);
}

}  // namespace
}  // namespace arc
