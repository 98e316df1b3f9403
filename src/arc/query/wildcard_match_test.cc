#include "arc/query/wildcard_match.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace arc {
namespace {

// All texts over `letters` up to `longest` of them.
std::vector<std::string> Texts(std::string_view letters, size_t longest) {
  std::vector<std::string> result{""};
  for (size_t from = 0, length = 0; length < longest; ++length) {
    const size_t to = result.size();
    for (; from < to; ++from) {
      for (char letter : letters) result.push_back(result[from] + letter);
    }
  }
  return result;
}

// What LIKE means, with no regard to time.
bool MeansLike(std::string_view text, std::string_view pattern) {
  if (pattern.empty()) return text.empty();
  if (pattern[0] == '%') {
    return MeansLike(text, pattern.substr(1)) || (!text.empty() && MeansLike(text.substr(1), pattern));
  }
  return !text.empty() && (pattern[0] == '_' || pattern[0] == text[0]) && MeansLike(text.substr(1), pattern.substr(1));
}

TEST(WildcardMatchTest, LikeAndGlobMeanWhatTheySay) {
  for (const std::string& pattern : Texts("ab%_", 5)) {
    std::string glob = pattern;
    for (char& letter : glob) letter = letter == '%' ? '*' : letter == '_' ? '?' : letter;
    for (const std::string& text : Texts("ab", 5)) {
      const bool expected = MeansLike(text, pattern);
      EXPECT_EQ(MatchesLike(text, pattern, std::nullopt), expected) << text << " LIKE " << pattern;
      EXPECT_EQ(MatchesLikeIgnoringCase(text, pattern), expected) << text << " ILIKE " << pattern;
      EXPECT_EQ(MatchesGlob(text, glob), expected) << text << " GLOB " << glob;
    }
  }
}

TEST(WildcardMatchTest, AnUnderscoreIsACharacterAndAPercentAnyBytes) {
  EXPECT_TRUE(MatchesLike("é", "_", std::nullopt));
  EXPECT_TRUE(MatchesLike("日本", "__", std::nullopt));
  EXPECT_FALSE(MatchesLike("日本", "_", std::nullopt));
  EXPECT_TRUE(MatchesLike("日本", "%本", std::nullopt));
  EXPECT_TRUE(MatchesLikeIgnoringCase("HeLLo", "hE__o"));
}

TEST(WildcardMatchTest, Escapes) {
  EXPECT_TRUE(MatchesLike("50%", "50$%", '$'));
  EXPECT_FALSE(MatchesLike("500", "50$%", '$'));
  EXPECT_TRUE(MatchesLike("a_b%", "a%_b%%", '%'));
  EXPECT_FALSE(MatchesLike("a", "a$", '$'));
  EXPECT_FALSE(MatchesLike("ab", "a$", '$'));
  EXPECT_TRUE(MatchesGlob("a*b", "a\\*b"));
  EXPECT_FALSE(MatchesGlob("axb", "a\\*b"));
}

TEST(WildcardMatchTest, SetsOfGlob) {
  EXPECT_TRUE(MatchesGlob("cat", "[a-d]at"));
  EXPECT_FALSE(MatchesGlob("rat", "[a-d]at"));
  EXPECT_TRUE(MatchesGlob("rat", "[!a-d]at"));
  EXPECT_TRUE(MatchesGlob("]", "[]]"));
  EXPECT_TRUE(MatchesGlob("x-y", "x[-]y"));
  EXPECT_FALSE(MatchesGlob("a", "[a"));
  EXPECT_FALSE(MatchesGlob("a", "[a-"));
  EXPECT_TRUE(MatchesGlob("file7.log", "*[0-9].log"));
}

// The product of text and pattern, not its power: a second for the unbounded ones would be years.
TEST(WildcardMatchTest, ManyWildcardsTakeNeitherYearsNorTheStack) {
  const std::string text(20'000, 'a');
  std::string pattern;
  std::string glob;
  for (int i = 0; i < 10'000; ++i) {
    pattern += "%a";
    glob += "*a";
  }
  EXPECT_TRUE(MatchesLike(text, pattern, std::nullopt));
  EXPECT_FALSE(MatchesLike(text, pattern + "b", std::nullopt));
  EXPECT_FALSE(MatchesLikeIgnoringCase(text, pattern + "B"));
  EXPECT_FALSE(MatchesGlob(text, glob + "b"));
}

}  // namespace
}  // namespace arc
