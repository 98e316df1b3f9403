#include "arc/base/log.h"

#include <gtest/gtest.h>

namespace arc {
namespace {

std::string Json(std::string_view text) {
  std::string out;
  AppendJsonString(text, &out);
  return out;
}

TEST(JsonStringTest, EscapesWhatJsonNeeds) {
  EXPECT_EQ(Json("a\"b\\c\n\x01"), R"("a\"b\\c\n\u0001")");
  EXPECT_EQ(Json("grün 漢 😀"), "\"grün 漢 😀\"");
}

TEST(JsonStringTest, ReplacesInvalidUtf8ByteByByte) {
  EXPECT_EQ(Json("\xff"), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(Json("\xed\xa0\x80"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"");  // a surrogate
  EXPECT_EQ(Json("a\xc3"), "\"a\xef\xbf\xbd\"");                                // cut short
}

TEST(LogFieldTest, WritesNumbersBare) {
  EXPECT_EQ(LogField("k", 3).json, "3");
  EXPECT_EQ(LogField("k", 0.5).json, "0.5");
  EXPECT_EQ(LogField("k", true).json, "true");
  EXPECT_EQ(LogField("k", "x").json, "\"x\"");
}

}  // namespace
}  // namespace arc
