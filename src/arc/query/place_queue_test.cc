#include "arc/query/place_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

#include "arc/base/clock.h"
#include "arc/base/thread.h"

namespace arc {
namespace {

int64_t In(int milliseconds) { return SystemClock().MonotonicNanos() + int64_t{milliseconds} * 1'000'000; }

void WaitUntilQueued(const PlaceQueue& queue, int count) {
  while (queue.queued() < count) SystemClock().SleepFor(std::chrono::milliseconds(1));
}

TEST(PlaceQueue, PlacesAreDistinctAndComeBack) {
  PlaceQueue queue(2, 0);
  Result<int> a = queue.Acquire(QueryPriority::kNormal, In(0));
  Result<int> b = queue.Acquire(QueryPriority::kNormal, In(0));
  ASSERT_TRUE(a.ok() && b.ok());
  EXPECT_NE(*a, *b);
  EXPECT_EQ(queue.active(), 2);
  Result<int> c = queue.Acquire(QueryPriority::kNormal, In(1000));
  ASSERT_FALSE(c.ok());
  EXPECT_EQ(c.error().kind, ErrorKind::kOverloaded);
  queue.Release(*a);
  EXPECT_EQ(*queue.Acquire(QueryPriority::kNormal, In(0)), *a);
}

TEST(PlaceQueue, WaitingTimesOut) {
  PlaceQueue queue(1, 5);
  ASSERT_TRUE(queue.Acquire(QueryPriority::kNormal, In(0)).ok());
  Result<int> late = queue.Acquire(QueryPriority::kNormal, In(20));
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().kind, ErrorKind::kTimeout);
  EXPECT_EQ(queue.queued(), 0);
  queue.Release(0);
  EXPECT_TRUE(queue.Acquire(QueryPriority::kNormal, In(0)).ok());
}

TEST(PlaceQueue, HigherPriorityGoesFirstAndArrivalBreaksTies) {
  PlaceQueue queue(1, 10);
  int place = *queue.Acquire(QueryPriority::kNormal, In(0));
  std::mutex mutex;
  std::string order;
  std::vector<Thread> threads;
  auto start = [&](char name, QueryPriority priority) {
    int before = queue.queued();
    threads.emplace_back("waiter", [&, name, priority] {
      int mine = *queue.Acquire(priority, In(5000));
      {
        std::lock_guard lock(mutex);
        order += name;
      }
      queue.Release(mine);
    });
    WaitUntilQueued(queue, before + 1);
  };
  start('l', QueryPriority::kLow);
  start('n', QueryPriority::kNormal);
  start('m', QueryPriority::kNormal);
  start('c', QueryPriority::kCritical);
  start('h', QueryPriority::kHigh);
  queue.Release(place);
  threads.clear();
  EXPECT_EQ(order, "chnml");
  EXPECT_EQ(queue.active(), 0);
}

TEST(PlaceQueue, NeverMoreHoldersThanPlaces) {
  PlaceQueue queue(3, 100);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  {
    std::vector<Thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back("holder", [&] {
        for (int round = 0; round < 500; ++round) {
          int place = *queue.Acquire(QueryPriority::kNormal, In(10000));
          int now = ++inside;
          int seen = most.load();
          while (now > seen && !most.compare_exchange_weak(seen, now)) {
          }
          --inside;
          queue.Release(place);
        }
      });
    }
  }
  EXPECT_LE(most.load(), 3);
  EXPECT_EQ(queue.active(), 0);
  EXPECT_EQ(queue.queued(), 0);
}

}  // namespace
}  // namespace arc
