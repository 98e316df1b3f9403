#include "arc/buffer/tag_interner.h"

#include <arrow/array.h>
#include <gtest/gtest.h>

#include <string>

namespace arc {
namespace {

TEST(TagInternerTest, SameStringSameCode) {
  TagInterner interner(nullptr);
  EXPECT_EQ(interner.Intern("a"), 0u);
  EXPECT_EQ(interner.Intern("a much longer value than twelve bytes"), 1u);
  EXPECT_EQ(interner.Intern(""), 2u);
  EXPECT_EQ(interner.Intern("a"), 0u);
  EXPECT_EQ(interner.Intern(""), 2u);
  EXPECT_EQ(interner.Intern("a much longer value than twelve byteS"), 3u);
  EXPECT_EQ((*interner.dictionary())[1].view(), "a much longer value than twelve bytes");
  EXPECT_EQ(interner.dictionary()->size(), 4u);
}

TEST(TagInternerTest, ValuesThatDifferOnlyInZeroBytes) {
  TagInterner interner(nullptr);
  for (size_t length = 0; length < 40; ++length) {
    EXPECT_EQ(interner.Intern(std::string(length, '\0')), length);
  }
  for (size_t length = 0; length < 40; ++length) EXPECT_EQ(interner.Intern(std::string(length, '\0')), length);
}

TEST(TagInternerTest, FillsToTheLimitAndKeepsKnownValues) {
  TagInterner interner(nullptr);
  for (uint32_t i = 0; i < TagInterner::kMaxValues; ++i) {
    ASSERT_EQ(interner.Intern("host_" + std::to_string(i) + (i % 2 == 0 ? "" : "_with_a_longer_name")), i);
  }
  EXPECT_EQ(interner.Intern("one too many"), TagInterner::kFull);
  EXPECT_EQ(interner.Intern("host_0"), 0u);
  EXPECT_EQ(interner.Intern("host_65535_with_a_longer_name"), 65535u);
}

TEST(TagInternerTest, BytesAreBounded) {
  TagInterner interner(nullptr);
  uint32_t i = 0;
  while (interner.Intern(std::string(20'000'000, static_cast<char>('a' + i))) != TagInterner::kFull) ++i;
  EXPECT_EQ(i, 13u);
  EXPECT_LE(interner.bytes(), TagInterner::kMaxBytes);
}

TEST(TagInternerTest, OldArraysStayReadable) {
  TagInterner interner(nullptr);
  interner.Intern("first value, rather long");
  const HotString* early = interner.dictionary()->values();
  for (int i = 0; i < 1000; ++i) interner.Intern(std::to_string(i));
  EXPECT_NE(early, interner.dictionary()->values());
  EXPECT_EQ(early[0].view(), "first value, rather long");
}

TEST(TagInternerTest, BudgetCoversTableAndDictionary) {
  ByteBudget budget(1 << 30);
  {
    TagInterner interner(&budget);
    for (int i = 0; i < 5000; ++i) interner.Intern("a value that goes to the arena " + std::to_string(i));
    EXPECT_EQ(budget.used_bytes(), interner.bytes());
    auto dictionary = interner.dictionary();
    EXPECT_GT(budget.used_bytes(), 5000 * 16);
  }
  EXPECT_EQ(budget.used_bytes(), 0);
}

TEST(TagDictionaryTest, ArrowArrayIsSharedAndGrowsWithTheDictionary) {
  TagInterner interner(nullptr);
  interner.Intern("x");
  interner.Intern("");
  auto first = interner.dictionary()->ToArrow(2);
  EXPECT_EQ(first, interner.dictionary()->ToArrow(1));
  interner.Intern("a value longer than twelve");
  auto second = interner.dictionary()->ToArrow(3);
  ASSERT_EQ(second->length, 3);
  const arrow::StringArray strings(second);
  EXPECT_EQ(strings.GetView(0), "x");
  EXPECT_EQ(strings.GetView(1), "");
  EXPECT_EQ(strings.GetView(2), "a value longer than twelve");
  EXPECT_TRUE(strings.ValidateFull().ok());
}

TEST(TagDictionaryTest, EmptyDictionaryHasAHarmlessFirstEntry) {
  TagInterner interner(nullptr);
  EXPECT_EQ(interner.dictionary()->size(), 0u);
  EXPECT_EQ((*interner.dictionary())[0].view(), "");
}

}  // namespace
}  // namespace arc
