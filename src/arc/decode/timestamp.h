// Times as clients send them -> microseconds since 1970 UTC.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace arc {

// The unit of a bare number. kAuto guesses each value by its size, as InfluxDB 3 does: below 5e9 seconds, below 5e12
// milliseconds, below 5e15 microseconds, else nanoseconds.
enum class TimePrecision : uint8_t { kNanos, kMicros, kMillis, kSeconds, kMinutes, kHours, kAuto };

// "ns" "n" "us" "u" "µs" "ms" "s" "m" "h" "auto" and InfluxDB 3's "nanosecond" … "second"; nothing for other words.
std::optional<TimePrecision> ParseTimePrecision(std::string_view name);

// Times outside the years 1 to 9999 are refused: no reader takes them, and they nearly always mean a wrong unit.
inline constexpr int64_t kMinTimeMicros = -62'135'596'800'000'000;
inline constexpr int64_t kMaxTimeMicros = 253'402'300'799'999'999;

// Nanoseconds are cut towards the past. Nothing when the time is outside the bounds above.
std::optional<int64_t> ToMicros(int64_t value, TimePrecision precision);
// Rounded to the nearest microsecond; nothing for NaN and infinities either.
std::optional<int64_t> ToMicros(double value, TimePrecision precision);

// Seconds and nanoseconds (0 to 999,999,999) since 1970, as MessagePack's timestamp extension holds them.
std::optional<int64_t> ToMicros(int64_t seconds, uint32_t nanos);

// RFC 3339: "2024-05-01T12:00:00[.fraction](Z|±hh:mm)"; a blank may stand for the T, and lower case is taken. Second 60
// is the second after 59. Digits past the microsecond are cut.
std::optional<int64_t> ParseRfc3339(std::string_view text);

// "1633024800000000 ms is outside the years 1 to 9999 (is it in another unit?)"
std::string TimeOutOfRange(std::string_view value, TimePrecision precision);

// ToMicros, inline for the units that most numbers have.
inline std::optional<int64_t> FastToMicros(int64_t value, TimePrecision precision) {
  if (precision == TimePrecision::kNanos) {
    // Every int64 of nanoseconds lies in the years 1677 to 2262.
    const int64_t quotient = value / 1000;
    return quotient - (value % 1000 < 0 ? 1 : 0);
  }
  if (precision == TimePrecision::kMillis && value >= kMinTimeMicros / 1000 && value <= kMaxTimeMicros / 1000) {
    return value * 1000;
  }
  return ToMicros(value, precision);
}

}  // namespace arc
