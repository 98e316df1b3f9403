// Decimal numbers of line protocol, read eight digits at a time.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>

#include "arc/decode/column_builder.h"

namespace arc {

enum class NumberFault : uint8_t { kNone, kMalformed, kOutOfRange, kNegativeUnsigned };

struct NumberText {
  uint64_t bits = 0;  // as ColumnBuilder::AddNumber takes them
  NumberForm form = NumberForm::kNone;
  NumberFault fault = NumberFault::kNone;

  static NumberText Faulty(NumberFault fault) { return {0, NumberForm::kNone, fault}; }
};

// Eight bytes of text, the first lowest, as digit values: bytes that are no digits become more than 9.
[[gnu::always_inline]] inline uint64_t LoadDigits(const char* p) {
  uint64_t chunk;
  std::memcpy(&chunk, p, 8);
  return chunk ^ 0x3030303030303030;
}
// The high bit of each byte that is no digit value.
[[gnu::always_inline]] inline uint64_t OtherBytes(uint64_t chunk) {
  return (((chunk & 0x7F7F7F7F7F7F7F7F) + 0x7676767676767676) | chunk) & 0x8080808080808080;
}
// The number that the first `digits` (1 to 8) digit values are: moved up so that zeros stand before them, then added as
// pairs, pairs of pairs and halves.
[[gnu::always_inline]] inline uint64_t CombineDigits(uint64_t chunk, int digits) {
  chunk <<= 64 - 8 * digits;
  chunk = chunk * 10 + (chunk >> 8);
  return ((chunk & 0x000000FF000000FF) * 0x000F424000000064 +
          ((chunk >> 16) & 0x000000FF000000FF) * 0x0000271000000001) >>
             32 &
         0xFFFFFFFF;
}

// Adds the run of digits at `*p` to `*value` (value * 10^n + run, wrapping) and moves `*p` behind it; returns how many.
// Reads up to 8 bytes past the run.
[[gnu::always_inline]] inline int ReadDigits(const char** p, uint64_t* value) {
  static constexpr uint64_t kPowers[8] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000};
  for (int count = 0;; count += 8, *p += 8) {
    const uint64_t chunk = LoadDigits(*p);
    const uint64_t others = OtherBytes(chunk);
    if (others == 0) {
      *value = *value * 100000000 + CombineDigits(chunk, 8);
      continue;
    }
    const int digits = __builtin_ctzll(others) >> 3;
    if (digits == 0) return count;
    *value = *value * kPowers[digits] + CombineDigits(chunk, digits);
    *p += digits;
    return count + digits;
  }
}

// ParseNumber for numbers that do not end within eight bytes or have an exponent.
NumberText ParseLongNumber(const char** p);
// The integer [begin, end), [+-]digits without suffix.
NumberText ParseLongInteger(const char* begin, const char* end, bool is_unsigned);

// Integers: digits with the suffix i (int64) or u (uint64); everything else is a double. NaN, infinities and
// hexadecimal are malformed. Moves `*p` behind the number and its suffix. The byte behind the number must be readable
// and no digit; 8 bytes may be read past it.
[[gnu::always_inline]] inline NumberText ParseNumber(const char** p) {
  static constexpr double kPowers[8] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7};
  const char* at = *p;
  const bool negative = *at == '-';
  at += negative || *at == '+' ? 1 : 0;
  // Digits with at most one point among them, closed up over the point. No branch and no load waits for where it
  // stands: where the next field begins depends on it.
  const uint64_t chunk = LoadDigits(at);
  const uint64_t others = OtherBytes(chunk);
  if (others == 0) return ParseLongNumber(p);
  const uint64_t first_other = others & (~others + 1);
  const uint64_t points = chunk ^ 0x1E1E1E1E1E1E1E1E;  // zero where a point is, exact for the first byte that is one
  const uint64_t point = first_other & ((points - 0x0101010101010101) & ~points);
  const uint64_t stops = others ^ point;
  if (stops == 0) return ParseLongNumber(p);
  const int stop = __builtin_ctzll(stops) >> 3;
  const int first = __builtin_ctzll(others) >> 3;
  const uint64_t before_point = point != 0 ? (uint64_t{1} << (8 * first)) - 1 : ~uint64_t{0};
  const int digits = stop - (point != 0 ? 1 : 0);
  const char after = at[stop];
  if (digits == 0 || after == 'e' || after == 'E') [[unlikely]]
    return ParseLongNumber(p);
  const uint64_t mantissa = CombineDigits((chunk & before_point) | ((chunk >> 8) & ~before_point), digits);
  *p = at + stop;
  if (point == 0 && after == 'i') {
    ++*p;
    return {negative ? ~mantissa + 1 : mantissa, NumberForm::kInt};
  }
  if (point == 0 && after == 'u') [[unlikely]] {
    ++*p;
    return negative ? NumberText::Faulty(NumberFault::kNegativeUnsigned) : NumberText{mantissa, NumberForm::kUInt};
  }
  // Both are exact doubles: one rounding only (W. D. Clinger, How to Read Floating Point Numbers Accurately, 1990).
  const double value = static_cast<double>(static_cast<int64_t>(mantissa)) / kPowers[point != 0 ? stop - first - 1 : 0];
  uint64_t bits;
  std::memcpy(&bits, &value, 8);
  return {bits | static_cast<uint64_t>(negative) << 63, NumberForm::kDouble};
}

}  // namespace arc
