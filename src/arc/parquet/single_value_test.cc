#include "arc/parquet/single_value.h"

#include <gtest/gtest.h>

#include <limits>

namespace arc {
namespace {

using std::string_literals::operator""s;

TEST(SingleValueTest, Numbers) {
  EXPECT_EQ(EncodeLong(1), "\1\0\0\0\0\0\0\0"s);
  EXPECT_EQ(EncodeLong(-2), "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s);
  EXPECT_EQ(EncodeDouble(1.0), "\0\0\0\0\0\0\xF0\x3F"s);
  EXPECT_EQ(EncodeDouble(-0.0), "\0\0\0\0\0\0\0\x80"s);
  EXPECT_EQ(EncodeBool(true), "\1"s);
  EXPECT_EQ(EncodeBool(false), "\0"s);
}

TEST(SingleValueTest, DecimalsTakeAsFewBytesAsASignedNumberNeeds) {
  EXPECT_EQ(EncodeDecimal(0), "\0"s);
  EXPECT_EQ(EncodeDecimal(1), "\1"s);
  EXPECT_EQ(EncodeDecimal(127), "\x7F"s);
  EXPECT_EQ(EncodeDecimal(128), "\0\x80"s);
  EXPECT_EQ(EncodeDecimal(255), "\0\xFF"s);
  EXPECT_EQ(EncodeDecimal(256), "\1\0"s);
  EXPECT_EQ(EncodeDecimal(0x0102030405060708u), "\1\2\3\4\5\6\7\10"s);
  EXPECT_EQ(EncodeDecimal(std::numeric_limits<uint64_t>::max()), "\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"s);
}

TEST(StringBoundTest, ShortStringsAreExact) {
  EXPECT_EQ(LowerStringBound("0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(UpperStringBound("0123456789abcdef"), "0123456789abcdef");
  EXPECT_EQ(UpperStringBound(""), "");
}

TEST(StringBoundTest, LongStringsAreCutAndRoundedUp) {
  EXPECT_EQ(LowerStringBound("0123456789abcdefg"), "0123456789abcdef");
  EXPECT_EQ(UpperStringBound("0123456789abcdefg"), "0123456789abcdeg");
}

TEST(StringBoundTest, CodePointsAreCountedNotBytes) {
  const std::string umlauts = "ääääääääääääääää";  // 16
  EXPECT_EQ(LowerStringBound(umlauts), umlauts);
  EXPECT_EQ(LowerStringBound(umlauts + "x"), umlauts);
  EXPECT_EQ(UpperStringBound(umlauts + "x"), umlauts.substr(0, 30) + "å");
}

TEST(StringBoundTest, RoundingUpCarriesAndSkipsSurrogates) {
  const std::string last = "\xF4\x8F\xBF\xBF";                                   // U+10FFFF
  EXPECT_EQ(UpperStringBound("0123456789abcde\x7F_"), "0123456789abcde\u0080");  // one byte to two
  EXPECT_EQ(UpperStringBound("0123456789abcd" + last + last), "0123456789abcd" + last + last);
  EXPECT_EQ(UpperStringBound("0123456789abcd" + last + last + "x"), "0123456789abce");
  EXPECT_EQ(UpperStringBound("0123456789abcde\xED\x9F\xBF_"), "0123456789abcde\xEE\x80\x80");  // U+D7FF to U+E000
  EXPECT_EQ(UpperStringBound("0123456789abcde\uFFFF_"), "0123456789abcde\U00010000");
  std::string highest;
  for (int i = 0; i < 16; ++i) highest += last;
  EXPECT_EQ(UpperStringBound(highest), highest);
  EXPECT_EQ(UpperStringBound(highest + "a"), std::nullopt);
}

TEST(StringBoundTest, WhatIsNotUtf8HasNoUpperBound) {
  for (const std::string bad :
       {"\xFF_______________________", "\x80________________________", "\xC0\x80______________________",
        "\xED\xA0\x80_____________________", "\xF5\x80\x80\x80__________________"}) {
    EXPECT_EQ(UpperStringBound(bad), std::nullopt);
    EXPECT_LE(LowerStringBound(bad), bad);
  }
  EXPECT_EQ(UpperStringBound("0123456789abcde\xE4"), std::nullopt) << "cut inside a code point";
}

}  // namespace
}  // namespace arc
