#include "arc/maintain/clock_watch.h"

#include <gtest/gtest.h>

namespace arc {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr int64_t kNow = 1'700'000'000'000'000;
constexpr int64_t kHourMicros = 3'600'000'000;

TEST(ClockWatch, TrustsAClockThatRunsEvenly) {
  ManualClock clock(kNow);
  ClockWatch watch(clock);
  for (int i = 0; i < 100; ++i) {
    clock.Advance(hours(5));
    EXPECT_TRUE(watch.IsTrusted());
  }
  for (int i = 0; i < 100; ++i) {  // a machine that sleeps at night
    clock.SetWall(clock.WallMicros() + 8 * kHourMicros);
    EXPECT_TRUE(watch.IsTrusted());
  }
}

TEST(ClockWatch, WaitsADayAfterALeapInEitherDirection) {
  for (const int64_t leap : {25 * kHourMicros, -25 * kHourMicros, 24 * 365 * kHourMicros}) {
    ManualClock clock(kNow);
    ClockWatch watch(clock);
    clock.SetWall(kNow + leap);
    EXPECT_FALSE(watch.IsTrusted());
    clock.Advance(hours(23));
    EXPECT_EQ(watch.HoldMs(), 3'600'000);
    clock.Advance(hours(1));
    EXPECT_TRUE(watch.IsTrusted());
    clock.SetWall(clock.WallMicros() - leap);  // and back: again
    EXPECT_FALSE(watch.IsTrusted());
  }
}

TEST(ClockWatch, ARestartNeitherHidesNorShortensIt) {
  ManualClock clock(kNow);
  ClockWatch fresh(clock);
  fresh.Resume(0, 0);
  EXPECT_TRUE(fresh.IsTrusted());
  ClockWatch soon(clock);
  soon.Resume(kNow - 23 * kHourMicros, 0);
  EXPECT_TRUE(soon.IsTrusted());
  ClockWatch holding(clock);
  holding.Resume(kNow - kHourMicros, 5 * 3'600'000);
  EXPECT_EQ(holding.HoldMs(), 5 * 3'600'000);
  for (const int64_t seen : {kNow - 25 * kHourMicros, kNow + 25 * kHourMicros}) {
    ClockWatch leapt(clock);
    leapt.Resume(seen, 5 * 3'600'000);
    EXPECT_EQ(leapt.HoldMs(), ClockWatch::kHoldMs);
  }
}

}  // namespace
}  // namespace arc
