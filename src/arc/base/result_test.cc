#include "arc/base/result.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace arc {
namespace {

Result<int> Half(int value) {
  if (value % 2 != 0) return InvalidArgument("odd");
  return value / 2;
}

Result<int> Quarter(int value) {
  ARC_ASSIGN_OR_RETURN(int half, Half(value));
  ARC_ASSIGN_OR_RETURN(int quarter, Half(half));
  return quarter;
}

Status CheckQuarter(int value) {
  ARC_RETURN_IF_ERROR(Quarter(value));
  return {};
}

TEST(ResultTest, CarriesValueOrError) {
  EXPECT_EQ(*Quarter(8), 2);
  ASSERT_FALSE(Quarter(6).ok());
  EXPECT_EQ(Quarter(6).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_TRUE(CheckQuarter(4).ok());
  EXPECT_EQ(CheckQuarter(2).error().message, "odd");
}

TEST(ResultTest, MovesOnlyTypesThrough) {
  Result<std::unique_ptr<int>> made = std::make_unique<int>(7);
  std::unique_ptr<int> taken = std::move(made).value();
  EXPECT_EQ(*taken, 7);
}

TEST(ResultTest, ValueOfATemporaryOutlivesIt) {
  auto make = [] { return Result<std::vector<int>>(std::vector<int>{1, 2, 3}); };
  int sum = 0;
  for (int value : *make()) sum += value;
  EXPECT_EQ(sum, 6);
}

TEST(ResultTest, ContextStandsBeforeTheMessage) {
  EXPECT_EQ(WithContext(NotFound("no such file"), "opening x").message, "opening x: no such file");
}

TEST(ResultDeathTest, ValueOfAnErrorAborts) {
  EXPECT_DEATH({ (void)Half(1).value(); }, "invariant broken");
}

}  // namespace
}  // namespace arc
