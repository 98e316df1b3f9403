#include "arc/server/utc_text.h"

#include <gtest/gtest.h>

namespace arc {
namespace {

TEST(UtcText, Seconds) {
  EXPECT_EQ(UtcSeconds(0), "1970-01-01 00:00:00Z");
  EXPECT_EQ(UtcSeconds(1'767'225'599'999'999), "2025-12-31 23:59:59Z");
  EXPECT_EQ(UtcSeconds(-1), "1969-12-31 23:59:59Z");
  EXPECT_EQ(UtcSeconds(1'709'164'800'000'000), "2024-02-29 00:00:00Z");
}

TEST(UtcText, WithoutFraction) {
  EXPECT_EQ(WithoutFraction("2026-01-31T14:05:00.123456Z"), "2026-01-31 14:05:00Z");
  EXPECT_EQ(WithoutFraction("2026-01-31T14:05:00Z"), "2026-01-31 14:05:00Z");
  EXPECT_EQ(WithoutFraction(""), "");
  EXPECT_EQ(WithoutFraction("tomorrow"), "tomorrow");
}

}  // namespace
}  // namespace arc
