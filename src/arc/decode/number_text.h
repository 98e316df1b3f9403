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

// Adds the run of digits at `*p` to `*value` (value * 10^n + run, wrapping) and moves `*p` behind it; returns how many.
// Reads up to 8 bytes past the run.
[[gnu::always_inline]] inline int ReadDigits(const char** p, uint64_t* value) {
  static constexpr uint64_t kPowers[9] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};
  int count = 0;
  for (;;) {
    uint64_t chunk;
    std::memcpy(&chunk, *p, 8);
    chunk ^= 0x3030303030303030;  // digits become 0 to 9, everything else more
    const uint64_t others = (((chunk & 0x7F7F7F7F7F7F7F7F) + 0x7676767676767676) | chunk) & 0x8080808080808080;
    const int digits = others == 0 ? 8 : __builtin_ctzll(others) >> 3;
    if (digits == 0) return count;
    // The first digit is the lowest byte: move the run up so that zeros stand before it, then add pairs, pairs of
    // pairs and halves.
    chunk <<= 64 - 8 * digits;
    chunk = chunk * 10 + (chunk >> 8);
    chunk = ((chunk & 0x000000FF000000FF) * 0x000F424000000064 + ((chunk >> 16) & 0x000000FF000000FF) * 0x0000271000000001) >> 32;
    *value = *value * kPowers[digits] + (chunk & 0xFFFFFFFF);
    *p += digits;
    count += digits;
    if (digits < 8) return count;
  }
}

// The ways that are rare: more than 19 digits, or a double that needs exact rounding. [begin, end) is
// [+-]digits[.digits][e[+-]digits] without suffix.
NumberText ParseLongInteger(const char* begin, const char* end, bool is_unsigned);
NumberText ParseExactDouble(const char* begin, const char* end);

// Integers: digits with the suffix i (int64) or u (uint64); everything else is a double. NaN, infinities and
// hexadecimal are malformed. Moves `*p` behind the number and its suffix. The byte behind the number must be readable
// and no digit; 8 bytes may be read past it.
[[gnu::always_inline]] inline NumberText ParseNumber(const char** p) {
  static constexpr double kPowers[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                         1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  constexpr int kSafeDigits = 19;  // 10^19 - 1 fits into 64 bits
  const char* const begin = *p;
  const char* at = begin;
  const bool negative = *at == '-';
  if (negative || *at == '+') ++at;
  uint64_t mantissa = 0;
  int digits = ReadDigits(&at, &mantissa);
  if (digits > 0 && (*at == 'i' || *at == 'u')) {
    const bool is_unsigned = *at == 'u';
    *p = at + 1;
    if (digits > kSafeDigits) [[unlikely]] return ParseLongInteger(begin, at, is_unsigned);
    if (is_unsigned) {
      return negative ? NumberText::Faulty(NumberFault::kNegativeUnsigned) : NumberText{mantissa, NumberForm::kUInt};
    }
    const uint64_t bound = static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) + (negative ? 1 : 0);
    if (mantissa > bound) [[unlikely]] return NumberText::Faulty(NumberFault::kOutOfRange);
    return {negative ? ~mantissa + 1 : mantissa, NumberForm::kInt};
  }
  int fraction = 0;
  if (*at == '.') {
    ++at;
    fraction = ReadDigits(&at, &mantissa);
    digits += fraction;
  }
  if (digits == 0) [[unlikely]] return NumberText::Faulty(NumberFault::kMalformed);
  bool plain = digits <= kSafeDigits;
  if (*at == 'e' || *at == 'E') [[unlikely]] {
    ++at;
    if (*at == '-' || *at == '+') ++at;
    uint64_t ignored = 0;
    if (ReadDigits(&at, &ignored) == 0) return NumberText::Faulty(NumberFault::kMalformed);
    plain = false;
  }
  *p = at;
  // Exact when both parts are exact doubles: one rounding only (W. D. Clinger, How to Read Floating Point Numbers
  // Accurately, 1990). A bare integer is rounded once by the conversion.
  if (plain && (fraction == 0 || (mantissa < (uint64_t{1} << 53) && fraction <= 22))) [[likely]] {
    double value = static_cast<double>(mantissa) / kPowers[fraction];
    if (negative) value = -value;
    uint64_t bits;
    std::memcpy(&bits, &value, 8);
    return {bits, NumberForm::kDouble};
  }
  return ParseExactDouble(begin, at);
}

}  // namespace arc
