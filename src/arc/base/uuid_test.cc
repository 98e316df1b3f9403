#include "arc/base/uuid.h"

#include <gtest/gtest.h>

namespace arc {
namespace {

TEST(UuidTest, TextRoundTrip) {
  SeededRandom random(1);
  for (int i = 0; i < 100; ++i) {
    Uuid uuid = Uuid::Random(random);
    EXPECT_EQ(*Uuid::Parse(uuid.ToString()), uuid);
    EXPECT_EQ(uuid.ToString()[14], '4');
  }
}

TEST(UuidTest, RefusesWhatIsNoUuid) {
  for (const char* text : {"", "x", "00000000-0000-0000-0000-00000000000g", "00000000x0000-0000-0000-000000000000",
                           "00000000-0000-0000-0000-0000000000000"}) {
    EXPECT_FALSE(Uuid::Parse(text).ok()) << text;
  }
}

TEST(RandomTest, ASeedRepeatsAndSystemRandomDoesNot) {
  EXPECT_EQ(SeededRandom(7).NextU64(), SeededRandom(7).NextU64());
  EXPECT_NE(SeededRandom(7).NextU64(), SeededRandom(8).NextU64());
  EXPECT_NE(SystemRandom().NextU64(), SystemRandom().NextU64());
}

}  // namespace
}  // namespace arc
