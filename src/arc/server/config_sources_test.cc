#include "arc/server/config_sources.h"

#include <gtest/gtest.h>

#include <map>

namespace arc {
namespace {

TEST(ParseSize, UnitsAndRefusals) {
  EXPECT_EQ(ParseSize("0")->bytes, 0);
  EXPECT_EQ(ParseSize("4096")->bytes, 4096);
  EXPECT_EQ(ParseSize("2.8GB")->bytes, 2'800'000'000);
  EXPECT_EQ(ParseSize("512 mb")->bytes, 512'000'000);
  EXPECT_EQ(ParseSize("1GiB")->bytes, 1 << 30);
  EXPECT_EQ(ParseSize("1.5k")->bytes, 1500);
  for (const char* text : {"", "GB", "-1", "1XB", "1 G B", "nan", "inf", "1e300TB", "80%"}) {
    EXPECT_FALSE(ParseSize(text).ok()) << text;
  }
}

TEST(ReadTomlSettings, FlattensWithPlaces) {
  auto entries = ReadTomlSettings("top = 1\n[a]\nb = 1.5\n[a.c]\nd = true\ne = 'x'\n", "f");
  ASSERT_TRUE(entries.ok());
  ASSERT_EQ(entries->size(), 4u);
  std::map<std::string, std::string> found;
  for (const SourceEntry& entry : *entries) found[entry.name] = entry.text + "@" + entry.source;
  EXPECT_EQ(found["top"], "1@f:1");
  EXPECT_EQ(found["a.b"], "1.5@f:3");
  EXPECT_EQ(found["a.c.d"], "true@f:5");
  EXPECT_EQ(found["a.c.e"], "x@f:6");
  EXPECT_FALSE(ReadTomlSettings("a = [[1]]\n", "f").ok());
}

}  // namespace
}  // namespace arc
