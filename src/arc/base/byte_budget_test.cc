#include "arc/base/byte_budget.h"

#include <gtest/gtest.h>

#include "arc/base/thread.h"

namespace arc {
namespace {

using std::chrono::milliseconds;

TEST(ByteBudgetTest, RefusesBeyondTheLimitAndFreesWithTheLease) {
  ByteBudget budget(100);
  ByteLease first;
  ASSERT_TRUE(budget.Acquire(80, milliseconds(0), &first));
  ByteLease second;
  EXPECT_FALSE(budget.Acquire(30, milliseconds(0), &second));
  first.Release();
  EXPECT_TRUE(budget.Acquire(30, milliseconds(0), &second));
  EXPECT_EQ(budget.used_bytes(), 30);
}

TEST(ByteBudgetTest, AnOversizedRequestPassesWhenNothingElseIsHeld) {
  ByteBudget budget(100);
  ByteLease lease;
  EXPECT_TRUE(budget.Acquire(500, milliseconds(0), &lease));
  ByteLease other;
  EXPECT_FALSE(budget.Acquire(1, milliseconds(0), &other));
}

TEST(ByteBudgetTest, AWaiterIsLetInWhenBytesComeBack) {
  ByteBudget budget(100);
  ByteLease held = budget.Force(100);
  ByteLease taken;
  bool got = false;
  Thread waiter("waiter", [&] { got = budget.Acquire(50, milliseconds(10'000), &taken); });
  held.Release();
  waiter.Join();
  EXPECT_TRUE(got);
}

TEST(ByteBudgetTest, AbsorbAddsUpAndMovedFromLeasesAreEmpty) {
  ByteBudget budget(100);
  ByteLease a = budget.Force(10);
  ByteLease b = budget.Force(20);
  a.Absorb(std::move(b));
  EXPECT_EQ(a.bytes(), 30);
  ByteLease c = std::move(a);
  EXPECT_EQ(c.bytes(), 30);
  c.Release();
  EXPECT_EQ(budget.used_bytes(), 0);
}

}  // namespace
}  // namespace arc
