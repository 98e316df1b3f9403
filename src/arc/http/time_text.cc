#include "arc/http/time_text.h"

#include <array>
#include <charconv>
#include <cstring>

#include "arc/decode/timestamp.h"

namespace arc {
namespace {

constexpr int64_t kDayNanos = 86'400'000'000'000;

constexpr std::array<char, 200> kPairs = [] {
  std::array<char, 200> pairs{};
  for (size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}();

// Two digits of a number below 100.
char* WritePair(uint32_t value, char* out) {
  std::memcpy(out, kPairs.data() + 2 * value, 2);
  return out + 2;
}

char* WriteThree(uint32_t value, char* out) {
  *out++ = static_cast<char>('0' + value / 100);
  return WritePair(value % 100, out);
}

// Reads exactly `digits` decimal digits from the front.
bool ReadDigits(std::string_view* text, int digits, int64_t* value) {
  if (text->size() < static_cast<size_t>(digits)) return false;
  *value = 0;
  for (int i = 0; i < digits; ++i) {
    char c = (*text)[static_cast<size_t>(i)];
    if (c < '0' || c > '9') return false;
    *value = *value * 10 + (c - '0');
  }
  text->remove_prefix(static_cast<size_t>(digits));
  return true;
}

bool ReadChar(std::string_view* text, char c) {
  if (text->empty() || text->front() != c) return false;
  text->remove_prefix(1);
  return true;
}

// [.fraction] as µs; digits beyond six are dropped.
bool ReadFraction(std::string_view* text, int64_t* micros) {
  if (!ReadChar(text, '.')) return true;
  int digits = 0;
  while (!text->empty() && text->front() >= '0' && text->front() <= '9') {
    if (digits < 6) *micros = *micros * 10 + (text->front() - '0');
    ++digits;
    text->remove_prefix(1);
  }
  for (int i = digits; i < 6; ++i) *micros *= 10;
  return digits > 0;
}

// [Z|±hh[:mm]] as µs to take off.
bool ReadZone(std::string_view* text, int64_t* offset) {
  if (text->empty() || ReadChar(text, 'Z') || ReadChar(text, 'z')) return true;
  int64_t sign = text->front() == '-' ? -1 : 1;
  if (!ReadChar(text, '+') && !ReadChar(text, '-')) return false;
  int64_t hours = 0;
  int64_t minutes = 0;
  if (!ReadDigits(text, 2, &hours)) return false;
  ReadChar(text, ':');
  if (!text->empty() && !ReadDigits(text, 2, &minutes)) return false;
  *offset = sign * (hours * 60 + minutes) * 60'000'000;
  return hours < 24 && minutes < 60;
}

std::optional<int64_t> ParseEpoch(std::string_view text) {
  int64_t value = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return ToMicros(value, TimePrecision::kAuto);
}

}  // namespace

// Both after Howard Hinnant's published algorithms: eras of 400 years, the year starting in March.
CivilDate CivilFromDays(int64_t days) {
  days += 719'468;
  int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  auto day_of_era = static_cast<unsigned>(days - era * 146'097);
  unsigned year_of_era = (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  unsigned shifted = (5 * day_of_year + 2) / 153;
  CivilDate date;
  date.day = day_of_year - (153 * shifted + 2) / 5 + 1;
  date.month = shifted < 10 ? shifted + 3 : shifted - 9;
  date.year = static_cast<int64_t>(year_of_era) + era * 400 + (date.month <= 2 ? 1 : 0);
  return date;
}

int64_t DaysFromCivil(const CivilDate& date) {
  int64_t year = date.year - (date.month <= 2 ? 1 : 0);
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  auto year_of_era = static_cast<unsigned>(year - era * 400);
  unsigned day_of_year = (153 * (date.month > 2 ? date.month - 3 : date.month + 9) + 2) / 5 + date.day - 1;
  unsigned day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + static_cast<int64_t>(day_of_era) - 719'468;
}

char* WriteDate(int64_t days, char* out) {
  CivilDate date = CivilFromDays(days);
  if (date.year >= 0 && date.year <= 9999) {
    auto year = static_cast<uint32_t>(date.year);
    out = WritePair(year % 100, WritePair(year / 100, out));
  } else {
    out = std::to_chars(out, out + 20, date.year).ptr;
  }
  *out++ = '-';
  out = WritePair(date.month, out);
  *out++ = '-';
  return WritePair(date.day, out);
}

char* WriteTimeOfDay(int64_t nanos, char* out) {
  auto seconds = static_cast<uint32_t>(nanos / 1'000'000'000);
  auto fraction = static_cast<uint32_t>(nanos % 1'000'000'000);
  out = WritePair(seconds / 3600 % 100, out);
  *out++ = ':';
  out = WritePair(seconds / 60 % 60, out);
  *out++ = ':';
  out = WritePair(seconds % 60, out);
  if (fraction == 0) return out;
  *out++ = '.';
  out = WriteThree(fraction / 1'000'000, out);
  if (fraction % 1'000'000 == 0) return out;
  out = WriteThree(fraction / 1'000 % 1'000, out);
  return fraction % 1'000 == 0 ? out : WriteThree(fraction % 1'000, out);
}

char* WriteTimestamp(int64_t seconds, int64_t nanos, char separator, char* out) {
  int64_t days = seconds / 86'400;
  int64_t rest = seconds % 86'400;
  if (rest < 0) {
    rest += 86'400;
    --days;
  }
  out = WriteDate(days, out);
  *out++ = separator;
  return WriteTimeOfDay((rest * 1'000'000'000 + nanos) % kDayNanos, out);
}

std::string IsoMicros(int64_t micros) {
  int64_t seconds = micros / 1'000'000;
  int64_t rest = micros % 1'000'000;
  if (rest < 0) {
    rest += 1'000'000;
    --seconds;
  }
  char text[64];
  char* end = WriteTimestamp(seconds, rest * 1'000, 'T', text);
  *end++ = 'Z';
  return {text, end};
}

std::optional<int64_t> ParseTime(std::string_view text) {
  if (auto epoch = ParseEpoch(text)) return epoch;
  int64_t year = 0;
  int64_t month = 0;
  int64_t day = 0;
  if (!ReadDigits(&text, 4, &year) || !ReadChar(&text, '-') || !ReadDigits(&text, 2, &month) || !ReadChar(&text, '-') ||
      !ReadDigits(&text, 2, &day) || month < 1 || month > 12 || day < 1 || day > 31) {
    return std::nullopt;
  }
  CivilDate date{year, static_cast<unsigned>(month), static_cast<unsigned>(day)};
  int64_t days = DaysFromCivil(date);
  if (CivilFromDays(days).day != date.day) return std::nullopt;  // February 30
  int64_t micros = days * 86'400'000'000;
  if (text.empty()) return micros;
  if (!ReadChar(&text, 'T') && !ReadChar(&text, 't') && !ReadChar(&text, ' ')) return std::nullopt;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t fraction = 0;
  int64_t offset = 0;
  if (!ReadDigits(&text, 2, &hour) || !ReadChar(&text, ':') || !ReadDigits(&text, 2, &minute)) return std::nullopt;
  if (ReadChar(&text, ':') && (!ReadDigits(&text, 2, &second) || !ReadFraction(&text, &fraction))) return std::nullopt;
  if (!ReadZone(&text, &offset) || !text.empty()) return std::nullopt;
  if (hour > 23 || minute > 59 || second > 60) return std::nullopt;
  return micros + ((hour * 60 + minute) * 60 + second) * 1'000'000 + fraction - offset;
}

}  // namespace arc
