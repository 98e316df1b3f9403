#include "arc/base/thread.h"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <numeric>
#include <semaphore>
#include <thread>
#include <vector>

namespace arc {
namespace {

TEST(ExecutorTest, StopRunsWhatWasPosted) {
  std::atomic<int> ran{0};
  Executor executor("test", 3);
  for (int i = 0; i < 1000; ++i) executor.Post([&] { ++ran; });
  executor.Stop();
  EXPECT_EQ(ran, 1000);
}

// 105 threads took turns at one query after the other, and the allocator kept some memory for each of them.
TEST(ExecutorTest, TasksOneAfterTheOtherStayOnFewThreads) {
  constexpr int kTasks = 1000;
  Executor executor("test", 16);
  std::map<std::thread::id, int> ran;
  std::binary_semaphore done(0);
  for (int i = 0; i < kTasks; ++i) {
    executor.Post([&] {
      ++ran[std::this_thread::get_id()];
      done.release();
    });
    done.acquire();
  }
  std::vector<int> most_first;
  for (const auto& [thread, tasks] : ran) most_first.push_back(tasks);
  std::sort(most_first.rbegin(), most_first.rend());
  // Not one thread alone: the last one may still be on its way to sleep when the next task is posted.
  const auto first_three = std::min<size_t>(3, most_first.size());
  EXPECT_GT(std::accumulate(most_first.begin(), most_first.begin() + static_cast<long>(first_three), 0), kTasks / 2);
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
