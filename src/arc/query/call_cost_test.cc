#include "arc/query/call_cost.h"

#include <gtest/gtest.h>

#include <string>

namespace arc {
namespace {

TEST(CallCostTest, WidthsOfFormat) {
  EXPECT_EQ(CostOfFormat("no places 2000000000").bytes, 0);
  EXPECT_EQ(CostOfFormat("{{:2000000000}}").bytes, 0);
  EXPECT_EQ(CostOfFormat("{} {}").places, 2);
  EXPECT_EQ(CostOfFormat("a{:2000000000}b{:.30f}").bytes, 2'000'000'030);
  EXPECT_FALSE(CostOfFormat("{:10}").takes_widths);
  EXPECT_TRUE(CostOfFormat("{:{}}").takes_widths);
  EXPECT_GT(CostOfFormat("{:" + std::string(400, '9') + "}").bytes, 1e300);
}

TEST(CallCostTest, WidthsOfPrintf) {
  EXPECT_EQ(CostOfPrintf("no places 2000000000").bytes, 0);
  EXPECT_EQ(CostOfPrintf("100%% 2000000000").bytes, 0);
  EXPECT_EQ(CostOfPrintf("%d %s").places, 2);
  EXPECT_EQ(CostOfPrintf("%-2000000000d|%.30f").bytes, 2'000'000'030);
  EXPECT_FALSE(CostOfPrintf("%10d").takes_widths);
  EXPECT_TRUE(CostOfPrintf("%*d").takes_widths);
  EXPECT_EQ(CostOfPrintf("%").places, 1);
}

TEST(CallCostTest, SizesOfRegularExpressions) {
  EXPECT_EQ(SizeOfRegex(""), 0);
  EXPECT_EQ(SizeOfRegex("abc"), 3);
  EXPECT_EQ(SizeOfRegex("a{100}"), 100);
  EXPECT_EQ(SizeOfRegex("[a-z]{10,20}"), 20);
  EXPECT_GE(SizeOfRegex("((a{100}){100}){100}"), 1e6);
  EXPECT_EQ(SizeOfRegex("\\{1000"), 5);
  EXPECT_LT(SizeOfRegex("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), 50);
  EXPECT_GE(SizeOfRegex(std::string(1'000'000, '(')), 0);
  EXPECT_GE(SizeOfRegex("[]"), 1);
  EXPECT_GE(SizeOfRegex("a{5,"), 1);
}

TEST(CallCostTest, ReferencesOfAReplacement) {
  EXPECT_EQ(CountGroupReferences("plain"), 0);
  EXPECT_EQ(CountGroupReferences("\\1-\\0"), 2);
  EXPECT_EQ(CountGroupReferences("\\\\1"), 0);
  EXPECT_EQ(CountGroupReferences("\\"), 0);
}

TEST(CallCostTest, DepthOfJsonTexts) {
  EXPECT_EQ(DepthOfJson("1"), 0);
  EXPECT_EQ(DepthOfJson("[1,[2],{\"a\":[3]}]"), 3);
  EXPECT_EQ(DepthOfJson("\"[[[[\\\"[[[\""), 0);
  EXPECT_EQ(DepthOfJson(std::string(100'000, '[')), 100'000);
}

}  // namespace
}  // namespace arc
