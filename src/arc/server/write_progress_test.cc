#include "arc/server/write_progress.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <sstream>

namespace arc {
namespace {

using std::chrono::seconds;
using ::testing::HasSubstr;

TEST(WriteProgress, TheLine) {
  EXPECT_EQ(ProgressLine(1'234'000, 50, 0, 100, 10),
            " 50% [============>           ] 1,234,000 rows  123,400 rows/s  ETA 10s");
  EXPECT_EQ(ProgressLine(7, 100, 0, 100, 0.5), "100% [========================] 7 rows  14 rows/s");
  // What an earlier run did says nothing about this one's speed.
  EXPECT_THAT(ProgressLine(100, 60, 50, 100, 10), HasSubstr("ETA 40s"));
  EXPECT_THAT(ProgressLine(0, 0, 0, 100, 0), HasSubstr("  0% [>"));
  EXPECT_THAT(ProgressLine(1, 1, 0, 3600, 2), HasSubstr("ETA 1h59m"));
}

TEST(WriteProgress, Grouping) {
  EXPECT_EQ(Grouped(0), "0");
  EXPECT_EQ(Grouped(999), "999");
  EXPECT_EQ(Grouped(1000), "1,000");
  EXPECT_EQ(Grouped(-123456), "-123,456");
}

TEST(WriteProgress, ATerminalIsRedrawnAndCleared) {
  ManualClock clock(0);
  std::ostringstream out;
  WriteProgress progress(out, true, clock);
  progress.Show(0, 0, 10);
  clock.Advance(std::chrono::milliseconds(50));
  progress.Show(1, 1, 10);  // too soon
  EXPECT_EQ(out.str(), "\r" + ProgressLine(0, 0, 0, 10, 0) + "\x1b[K");
  out.str("");
  progress.Clear();
  progress.Clear();
  EXPECT_EQ(out.str(), "\r\x1b[K");
}

TEST(WriteProgress, ElsewhereALineEveryTenSeconds) {
  ManualClock clock(0);
  std::ostringstream out;
  WriteProgress progress(out, false, clock);
  progress.Show(0, 0, 10);
  clock.Advance(seconds(9));
  progress.Show(5, 5, 10);
  EXPECT_EQ(out.str(), "");
  clock.Advance(seconds(1));
  progress.Show(6, 6, 10);
  progress.Clear();
  EXPECT_EQ(out.str(), ProgressLine(6, 6, 0, 10, 10) + "\n");
}

}  // namespace
}  // namespace arc
