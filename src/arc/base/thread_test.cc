#include "arc/base/thread.h"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>
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

TEST(ThreadTest, AYieldingThreadAndThoseItMakesAreNice) {
  int nice = -1;
  int childs = -1;
  const int own = getpriority(PRIO_PROCESS, 0);
  Thread(
      "yielding",
      [&] {
        nice = getpriority(PRIO_PROCESS, 0);
        Thread("child", [&] { childs = getpriority(PRIO_PROCESS, 0); }).Join();
      },
      ThreadPriority::kYielding)
      .Join();
  EXPECT_EQ(nice, std::max(own, 5));
  EXPECT_EQ(childs, nice);
  EXPECT_EQ(getpriority(PRIO_PROCESS, 0), own);
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
