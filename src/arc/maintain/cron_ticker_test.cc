#include "arc/maintain/cron_ticker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr std::chrono::milliseconds kPeriod(5);
constexpr auto kSomeLooks = 20 * kPeriod;

class CronTickerTest : public testing::Test {
 protected:
  // Whether there have been so many calls, soon, and stay so many.
  bool AreCalls(int expected) {
    for (int i = 0; i < 2000 && calls_ < expected; ++i) SystemClock().SleepFor(kPeriod);
    SystemClock().SleepFor(kSomeLooks);
    return calls_ == expected;
  }

  ManualClock clock_{500'000 * kHourMicros};
  std::atomic<int> calls_ = 0;
};

TEST_F(CronTickerTest, WhatCameDueSeveralTimesIsDoneOnce) {
  CronTicker ticker("test", *CronSchedule::Parse("5 * * * *"), clock_, [&] { ++calls_; }, kPeriod);
  EXPECT_EQ(ticker.Next(), 500'000 * kHourMicros + kHourMicros / 12);
  EXPECT_TRUE(AreCalls(0));
  clock_.SetWall(500'003 * kHourMicros);
  EXPECT_TRUE(AreCalls(1));
  clock_.SetWall(500'001 * kHourMicros);
  EXPECT_TRUE(AreCalls(1));
  // A clock that was set back counts from there.
  clock_.SetWall(500'002 * kHourMicros);
  EXPECT_TRUE(AreCalls(2));
  ticker.Stop();
  clock_.SetWall(500'009 * kHourMicros);
  EXPECT_TRUE(AreCalls(2));
}

TEST_F(CronTickerTest, WithoutAScheduleItIsNeverDue) {
  CronTicker ticker("test", {}, clock_, [&] { ++calls_; }, kPeriod);
  EXPECT_FALSE(ticker.Next());
  clock_.SetWall(500'009 * kHourMicros);
  EXPECT_TRUE(AreCalls(0));
}

}  // namespace
}  // namespace arc
