#include "arc/maintain/cron.h"

#include <gtest/gtest.h>

#include <chrono>

namespace arc {
namespace {

int64_t At(int year, unsigned month, unsigned day, int hour, int minute, int second = 0) {
  const std::chrono::sys_days days{std::chrono::year(year) / static_cast<int>(month) / static_cast<int>(day)};
  return (int64_t{days.time_since_epoch().count()} * 86'400 + hour * 3600 + minute * 60 + second) * 1'000'000;
}

int64_t Next(std::string_view schedule, int64_t from) {
  auto parsed = CronSchedule::Parse(schedule);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  return parsed->Next(from).value_or(-1);
}

TEST(Cron, NextFittingMinute) {
  const int64_t now = At(2025, 10, 16, 14, 3, 30);  // a Thursday
  EXPECT_EQ(Next("5 * * * *", now), At(2025, 10, 16, 14, 5));
  EXPECT_EQ(Next("5 * * * *", At(2025, 10, 16, 14, 5)), At(2025, 10, 16, 15, 5));
  EXPECT_EQ(Next("5 * * * *", At(2025, 12, 31, 23, 59)), At(2026, 1, 1, 0, 5));
  EXPECT_EQ(Next("* * * * *", now), At(2025, 10, 16, 14, 4));
  EXPECT_EQ(Next("*/20 * * * *", now), At(2025, 10, 16, 14, 20));
  EXPECT_EQ(Next("3/20 * * * *", now), At(2025, 10, 16, 14, 23));
  EXPECT_EQ(Next("0 3,9-11 * * *", now), At(2025, 10, 17, 3, 0));
  EXPECT_EQ(Next("0 9-17/4 * * *", now), At(2025, 10, 16, 17, 0));
  EXPECT_EQ(Next("30 2 1 * *", now), At(2025, 11, 1, 2, 30));
  EXPECT_EQ(Next("0 0 * feb *", now), At(2026, 2, 1, 0, 0));
  EXPECT_EQ(Next("0 0 29 2 *", now), At(2028, 2, 29, 0, 0));
  EXPECT_EQ(Next("0 0 * * MON", now), At(2025, 10, 20, 0, 0));
  EXPECT_EQ(Next("0 0 * * 7", now), At(2025, 10, 19, 0, 0));
  EXPECT_EQ(Next("0 0 * * 0", now), At(2025, 10, 19, 0, 0));
  EXPECT_EQ(Next("0 0 18 * mon-tue", now), At(2025, 10, 18, 0, 0));  // either day
  EXPECT_EQ(Next("  5  *   * * *  ", now), At(2025, 10, 16, 14, 5));
  EXPECT_EQ(Next("0 0 30 2 *", now), -1);
  EXPECT_EQ(Next("5 * * * *", At(1969, 12, 31, 23, 59, 1)), At(1970, 1, 1, 0, 5));
}

TEST(Cron, RefusesWithTheFieldNamed) {
  for (const auto& [text, named] :
       {std::pair("60 * * * *", "minute"), std::pair("* 24 * * *", "hour"), std::pair("* * 0 * *", "day of the month"),
        std::pair("* * * 13 *", "month"), std::pair("* * * * FOO", "day of the week"),
        std::pair("5-1 * * * *", "minute"), std::pair("*/0 * * * *", "minute"), std::pair("1, * * * *", "minute"),
        std::pair("1- * * * *", "minute"), std::pair("* * * *", "4 fields"), std::pair("", "0 fields"),
        std::pair("* * * * * *", "more than five")}) {
    auto parsed = CronSchedule::Parse(text);
    ASSERT_FALSE(parsed.ok()) << text;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kInvalidArgument);
    EXPECT_NE(parsed.error().message.find(named), std::string::npos) << parsed.error().message;
  }
}

}  // namespace
}  // namespace arc
