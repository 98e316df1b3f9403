#include "arc/maintain/cron_ticker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr auto kTwoLooks = std::chrono::milliseconds(2500);

TEST(CronTicker, WhatCameDueSeveralTimesIsDoneOnce) {
  ManualClock clock(500'000 * kHourMicros);
  std::atomic<int> calls = 0;
  CronTicker ticker("test", *CronSchedule::Parse("5 * * * *"), clock, [&] { ++calls; });
  EXPECT_EQ(ticker.Next(), 500'000 * kHourMicros + kHourMicros / 12);
  SystemClock().SleepFor(kTwoLooks);
  EXPECT_EQ(calls, 0);
  clock.SetWall(500'003 * kHourMicros);
  SystemClock().SleepFor(kTwoLooks);
  EXPECT_EQ(calls, 1);
  clock.SetWall(500'001 * kHourMicros);
  SystemClock().SleepFor(kTwoLooks);
  EXPECT_EQ(calls, 1);
  // A clock that was set back counts from there.
  clock.SetWall(500'002 * kHourMicros);
  SystemClock().SleepFor(kTwoLooks);
  EXPECT_EQ(calls, 2);
  ticker.Stop();
  clock.SetWall(500'009 * kHourMicros);
  SystemClock().SleepFor(kTwoLooks);
  EXPECT_EQ(calls, 2);
}

TEST(CronTicker, WithoutAScheduleItIsNeverDue) {
  ManualClock clock(0);
  CronTicker ticker("test", {}, clock, [] { FAIL(); });
  EXPECT_FALSE(ticker.Next());
  clock.SetWall(500'000 * kHourMicros);
  SystemClock().SleepFor(kTwoLooks);
  ticker.Stop();
}

}  // namespace
}  // namespace arc
