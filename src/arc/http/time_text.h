// ISO 8601 times, both ways, without locale or time zone database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arc {

struct CivilDate {
  int64_t year = 1970;
  unsigned month = 1;
  unsigned day = 1;
};

// Proleptic Gregorian calendar, days since 1970-01-01 (any sign).
CivilDate CivilFromDays(int64_t days);
int64_t DaysFromCivil(const CivilDate& date);

// Writes "2025-01-15" / "14:00:00.123456" (the fraction only when it is not zero, with 3, 6 or 9 digits) at `out`,
// which has room for 32 bytes, and returns the end. Years beyond 0000-9999 get a sign or more digits.
char* WriteDate(int64_t days, char* out);
char* WriteTimeOfDay(int64_t nanos, char* out);
// "2025-01-15T14:00:00.123456"; room for 64 bytes.
char* WriteTimestamp(int64_t seconds, int64_t nanos, char separator, char* out);

// "2025-01-15T14:00:00.123456Z".
std::string IsoMicros(int64_t micros);

// µs since 1970 UTC from "2025-01-15", "2025-01-15T14:00[:00[.123456]][Z|±hh[:mm]]" (a blank may stand for the T) or an
// integer of s, ms, µs or ns told apart by its size (TimePrecision::kAuto). Nothing when it is none of these.
std::optional<int64_t> ParseTime(std::string_view text);

}  // namespace arc
