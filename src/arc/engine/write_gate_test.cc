#include "arc/engine/write_gate.h"

#include <gtest/gtest.h>

#include "arc/base/thread.h"

namespace arc {
namespace {

using std::chrono::milliseconds;

TEST(WriteGate, ClosesWhenTheLastIsOutAndLetsInWhoWaited) {
  WriteGate gate;
  int waited = 0;
  const auto wait = [&waited]() -> std::function<void()> { return [&waited] { ++waited; }; };
  ASSERT_TRUE(gate.Enter(wait));
  EXPECT_FALSE(gate.Close(milliseconds(1)));  // somebody is inside
  EXPECT_FALSE(gate.Enter(wait));
  {
    Thread leaver("leaver", [&gate] { gate.Leave(); });
    EXPECT_TRUE(gate.Close(milliseconds(10'000)));
  }
  EXPECT_FALSE(gate.Enter(wait));
  EXPECT_EQ(waited, 0);
  gate.Open();
  EXPECT_EQ(waited, 2);
  EXPECT_TRUE(gate.Enter(wait));
}

}  // namespace
}  // namespace arc
