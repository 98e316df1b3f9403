#include "arc/decode/number_text.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <system_error>

namespace arc {
namespace {

// std::from_chars takes no plus sign.
const char* SkipPlus(const char* begin) { return *begin == '+' ? begin + 1 : begin; }

template <typename T>
NumberText ParseInteger(const char* begin, const char* end, NumberForm form) {
  NumberText result;
  T value{};
  const auto [stopped, fault] = std::from_chars(SkipPlus(begin), end, value);
  if (fault != std::errc() || stopped != end) {
    result.fault = NumberFault::kOutOfRange;
    return result;
  }
  result.form = form;
  result.bits = static_cast<uint64_t>(value);
  return result;
}

// A double that needs exact rounding, [begin, end) being [+-]digits[.digits][e[+-]digits].
NumberText ParseExactDouble(const char* begin, const char* end) {
  NumberText result;
  double value = 0;
  const auto [stopped, fault] = std::from_chars(SkipPlus(begin), end, value);
  if (fault == std::errc::result_out_of_range) {
    // Said of too large and too small alike: too small is zero or the nearest denormal, too large is refused.
    value = std::strtod(std::string(SkipPlus(begin), end).c_str(), nullptr);
    if (std::isinf(value)) {
      result.fault = NumberFault::kOutOfRange;
      return result;
    }
  } else if (fault != std::errc() || stopped != end) {
    result.fault = NumberFault::kMalformed;
    return result;
  }
  result.form = NumberForm::kDouble;
  std::memcpy(&result.bits, &value, 8);
  return result;
}

}  // namespace

NumberText ParseLongInteger(const char* begin, const char* end, bool is_unsigned) {
  return is_unsigned ? ParseInteger<uint64_t>(begin, end, NumberForm::kUInt)
                     : ParseInteger<int64_t>(begin, end, NumberForm::kInt);
}

NumberText ParseLongNumber(const char** p) {
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
    if (is_unsigned && negative) return NumberText::Faulty(NumberFault::kNegativeUnsigned);
    if (digits > kSafeDigits) return ParseLongInteger(begin, at, is_unsigned);
    if (is_unsigned) return {mantissa, NumberForm::kUInt};
    const uint64_t bound = static_cast<uint64_t>(std::numeric_limits<int64_t>::max()) + (negative ? 1 : 0);
    if (mantissa > bound) return NumberText::Faulty(NumberFault::kOutOfRange);
    return {negative ? ~mantissa + 1 : mantissa, NumberForm::kInt};
  }
  int fraction = 0;
  if (*at == '.') {
    ++at;
    fraction = ReadDigits(&at, &mantissa);
    digits += fraction;
  }
  if (digits == 0) return NumberText::Faulty(NumberFault::kMalformed);
  bool plain = digits <= kSafeDigits;
  if (*at == 'e' || *at == 'E') {
    ++at;
    if (*at == '-' || *at == '+') ++at;
    uint64_t ignored = 0;
    if (ReadDigits(&at, &ignored) == 0) return NumberText::Faulty(NumberFault::kMalformed);
    plain = false;
  }
  *p = at;
  // As in ParseNumber; a bare integer is rounded once by the conversion.
  if (plain && (fraction == 0 || (mantissa < (uint64_t{1} << 53) && fraction <= 22))) {
    const double value = static_cast<double>(mantissa) / kPowers[fraction];
    uint64_t bits;
    std::memcpy(&bits, &value, 8);
    return {bits | static_cast<uint64_t>(negative) << 63, NumberForm::kDouble};
  }
  return ParseExactDouble(begin, at);
}

}  // namespace arc
