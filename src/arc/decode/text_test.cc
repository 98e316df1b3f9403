// The small readers beneath the decoders: UTF-8, numbers, times and interning.
#include <gtest/gtest.h>

#include <charconv>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include "arc/decode/number_text.h"
#include "arc/decode/string_table.h"
#include "arc/decode/timestamp.h"
#include "arc/decode/utf8.h"

namespace arc {
namespace {

TEST(Utf8, Table) {
  for (const char* good : {"", "a", "plain ascii text of some length", "\xC2\x80", "\xE0\xA0\x80", "\xEF\xBF\xBF",
                           "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "0123456\xC3\xA9", "01234567\xC3\xA9"}) {
    EXPECT_TRUE(ValidUtf8(good)) << good;
  }
  for (const char* bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xE2\x82", "\xF0\x80\x80\x80",
        "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFF", "0123456\xC3", "01234567\xC3"}) {
    EXPECT_FALSE(ValidUtf8(bad)) << bad;
  }
}

TEST(Utf8, Prefix) {
  for (size_t before = 0; before < 40; ++before) {
    for (const std::string unit : {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"}) {
      std::string good;
      for (size_t i = 0; i < before; ++i) good += unit;
      EXPECT_EQ(ValidUtf8Prefix(good), good.size());
      for (const char* bad : {"\xFF", "\xC3", "\x80\x80\x80\x80\x80\x80", "\xE2\x82", "\xF0\x9F\x98"}) {
        EXPECT_EQ(ValidUtf8Prefix(good + bad), good.size()) << before << " " << unit;
        EXPECT_EQ(ValidUtf8Prefix(good + bad + "tail" + good), good.size()) << before << " " << unit;
      }
    }
  }
}

NumberText Parse(const std::string& text) {
  std::string padded = text + "\n" + std::string(16, '9');
  const char* end = padded.c_str();
  const NumberText number = ParseNumber(&end);
  if (number.fault == NumberFault::kNone) {
    EXPECT_EQ(end, padded.c_str() + text.size()) << text;
  }
  return number;
}

TEST(NumberText, DoublesMatchFromChars) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 200000; ++i) {
    char text[64];
    double value = 0;
    if (i % 2 == 0) {
      // Any bits; then decimals as sensors send them.
      const uint64_t bits = random();
      std::memcpy(&value, &bits, 8);
      if (value != value || value - value != 0) continue;
      *std::to_chars(text, text + sizeof(text), value).ptr = '\0';
    } else {
      const auto digits = static_cast<int>(random() % 12);
      std::snprintf(text, sizeof(text), "%.*f", digits, static_cast<double>(random() % 2000000) / 977.0 - 1000);
    }
    std::from_chars(text, text + std::strlen(text), value);
    const NumberText number = Parse(text);
    ASSERT_EQ(number.form, NumberForm::kDouble) << text;
    double parsed;
    std::memcpy(&parsed, &number.bits, 8);
    ASSERT_EQ(parsed, value) << text;
    ASSERT_EQ(std::signbit(parsed), std::signbit(value)) << text;
  }
}

TEST(NumberText, IntegersOfEveryLength) {
  std::mt19937_64 random(11);
  for (int i = 0; i < 200000; ++i) {
    const auto value = static_cast<int64_t>(random()) >> (random() % 64);
    const NumberText number = Parse(std::to_string(value) + "i");
    ASSERT_EQ(number.form, NumberForm::kInt) << value;
    ASSERT_EQ(static_cast<int64_t>(number.bits), value);
    const uint64_t whole = random() >> (random() % 64);
    const NumberText unsigned_number = Parse(std::to_string(whole) + "u");
    ASSERT_EQ(unsigned_number.form, NumberForm::kUInt) << whole;
    ASSERT_EQ(unsigned_number.bits, whole);
  }
}

TEST(Timestamp, Precisions) {
  EXPECT_EQ(ParseTimePrecision("ns"), TimePrecision::kNanos);
  EXPECT_EQ(ParseTimePrecision("n"), TimePrecision::kNanos);
  EXPECT_EQ(ParseTimePrecision("u"), TimePrecision::kMicros);
  EXPECT_EQ(ParseTimePrecision("us"), TimePrecision::kMicros);
  EXPECT_EQ(ParseTimePrecision("ms"), TimePrecision::kMillis);
  EXPECT_EQ(ParseTimePrecision("s"), TimePrecision::kSeconds);
  EXPECT_EQ(ParseTimePrecision("m"), TimePrecision::kMinutes);
  EXPECT_EQ(ParseTimePrecision("h"), TimePrecision::kHours);
  EXPECT_EQ(ParseTimePrecision("auto"), TimePrecision::kAuto);
  EXPECT_EQ(ParseTimePrecision("second"), TimePrecision::kSeconds);
  EXPECT_EQ(ParseTimePrecision(""), std::nullopt);
  EXPECT_EQ(ParseTimePrecision("d"), std::nullopt);
}

TEST(Timestamp, Bounds) {
  EXPECT_EQ(ToMicros(kMaxTimeMicros, TimePrecision::kMicros), kMaxTimeMicros);
  EXPECT_EQ(ToMicros(kMinTimeMicros, TimePrecision::kMicros), kMinTimeMicros);
  EXPECT_EQ(ToMicros(kMaxTimeMicros + 1, TimePrecision::kMicros), std::nullopt);
  EXPECT_EQ(ToMicros(kMinTimeMicros - 1, TimePrecision::kMicros), std::nullopt);
  for (const auto precision : {TimePrecision::kMicros, TimePrecision::kMillis, TimePrecision::kSeconds,
                               TimePrecision::kMinutes, TimePrecision::kHours}) {
    EXPECT_EQ(ToMicros(INT64_MAX, precision), std::nullopt);
    EXPECT_EQ(ToMicros(INT64_MIN, precision), std::nullopt);
  }
  EXPECT_EQ(ToMicros(INT64_MIN, TimePrecision::kAuto), -9223372036854776);
  EXPECT_EQ(ToMicros(1e300, TimePrecision::kMillis), std::nullopt);
  EXPECT_EQ(ToMicros(-1e300, TimePrecision::kNanos), std::nullopt);
  EXPECT_EQ(ToMicros(0.0015, TimePrecision::kMillis), 2);
}

TEST(Timestamp, Rfc3339) {
  const std::vector<std::pair<std::string, int64_t>> good = {
      {"1970-01-01T00:00:00Z", 0},
      {"1970-01-01t00:00:00z", 0},
      {"1970-01-01 00:00:00+00:00", 0},
      {"1969-12-31T23:59:59.999999Z", -1},
      {"1969-12-31T23:59:59.9999999Z", -1},
      {"2000-02-29T12:34:56.5Z", 951827696500000},
      {"2024-05-01T00:00:00-05:30", 1714541400000000},
      {"2016-12-31T23:59:60Z", 1483228800000000},
      {"0001-01-01T00:00:00Z", kMinTimeMicros},
      {"9999-12-31T23:59:59.999999Z", kMaxTimeMicros},
  };
  for (const auto& [text, micros] : good) EXPECT_EQ(ParseRfc3339(text), micros) << text;
  for (const char* bad : {"",
                          "2024",
                          "2024-05-01",
                          "2024-05-01T00:00:00",
                          "2024-13-01T00:00:00Z",
                          "2024-00-01T00:00:00Z",
                          "2023-02-29T00:00:00Z",
                          "1900-02-29T00:00:00Z",
                          "2024-05-32T00:00:00Z",
                          "2024-05-01T24:00:00Z",
                          "2024-05-01T00:60:00Z",
                          "2024-05-01T00:00:61Z",
                          "2024-05-01T00:00:00.Z",
                          "2024-05-01T00:00:00Zx",
                          "2024-05-01T00:00:00+24:00",
                          "2024-05-01T00:00:00+0530",
                          "0000-01-01T00:00:00Z",
                          "0001-01-01T00:00:00+01:00",
                          "9999-12-31T23:59:59-01:00",
                          "2024/05/01T00:00:00Z",
                          " 2024-05-01T00:00:00Z"}) {
    EXPECT_EQ(ParseRfc3339(bad), std::nullopt) << bad;
  }
}

TEST(StringTable, MatchesAMap) {
  std::mt19937_64 random(3);
  MemoryBudget budget(int64_t{1} << 30);
  StringTable table;
  std::unordered_map<std::string, int32_t> expected;
  for (int i = 0; i < 100000; ++i) {
    // Every length around 8, 16 and 32, with zero bytes, from few letters so that texts repeat and share prefixes.
    std::string text(random() % 40, '\0');
    for (char& c : text) c = "ab\0"[random() % 3 == 0 ? random() % 3 : 0];
    const std::vector<char> exact(text.begin(), text.end());
    const std::string_view view = exact.empty() ? std::string_view(text) : std::string_view(exact.data(), exact.size());
    const char* limit = view.data() + view.size();
    const int32_t found = table.Find(view, limit);
    const auto known = expected.find(text);
    ASSERT_EQ(found, known == expected.end() ? StringTable::kAbsent : known->second);
    // Bytes behind the text must not matter.
    const std::string followed = text + "abcdefghijklmnopqrst";
    ASSERT_EQ(table.Find({followed.data(), text.size()}, followed.data() + followed.size()), found);
    if (found < 0) {
      ASSERT_EQ(table.Add(view, &budget), static_cast<int32_t>(expected.size()));
      expected.emplace(text, static_cast<int32_t>(expected.size()));
    }
  }
  for (const auto& [text, code] : expected) ASSERT_EQ(table.at(code), text);
  EXPECT_GT(expected.size(), 1000U);
}

}  // namespace
}  // namespace arc
