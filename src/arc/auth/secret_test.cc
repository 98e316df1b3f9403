#include "arc/auth/secret.h"

#include <gtest/gtest.h>

#include <set>

namespace arc {
namespace {

TEST(Secret, HasPrefixAndAllItsBits) {
  SeededRandom random(1);
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    std::string secret = NewSecret(random);
    EXPECT_EQ(secret.size(), 4u + 43u);
    EXPECT_EQ(secret.substr(0, 4), "arc_");
    EXPECT_EQ(secret.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
              std::string::npos);
    EXPECT_TRUE(CheckChosenSecret(secret).ok());
    EXPECT_TRUE(seen.insert(secret).second);
  }
}

TEST(Secret, EncodesKnownBytes) {
  struct Fixed : RandomSource {
    void Fill(std::span<uint8_t> bytes) override {
      for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(0xff - i);
    }
  } random;
  // python3: base64.urlsafe_b64encode(bytes(range(255, 223, -1)))
  EXPECT_EQ(NewSecret(random), "arc___79_Pv6-fj39vX08_Lx8O_u7ezr6uno5-bl5OPi4eA");
}

TEST(Secret, HashesAsSha256) {
  // FIPS 180-2, appendix B.1.
  SecretHash hash = HashSecret("abc");
  EXPECT_EQ(hash[0], 0xba);
  EXPECT_EQ(hash[1], 0x78);
  EXPECT_EQ(hash[31], 0xad);
  EXPECT_NE(HashSecret(""), hash);
}

TEST(Secret, ChosenOnesMustFitAHeader) {
  EXPECT_TRUE(CheckChosenSecret("12345678").ok());
  EXPECT_FALSE(CheckChosenSecret("1234567").ok());
  EXPECT_FALSE(CheckChosenSecret("with space").ok());
  EXPECT_FALSE(CheckChosenSecret("line\nbreak").ok());
  EXPECT_FALSE(CheckChosenSecret("schl\xc3\xbcssel").ok());
  EXPECT_TRUE(CheckChosenSecret(std::string(512, 'x')).ok());
  EXPECT_FALSE(CheckChosenSecret(std::string(513, 'x')).ok());
}

}  // namespace
}  // namespace arc
