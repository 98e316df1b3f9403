#include "arc/decode/number_text.h"

#include <charconv>
#include <cmath>
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

}  // namespace

NumberText ParseLongInteger(const char* begin, const char* end, bool is_unsigned) {
  return is_unsigned ? ParseInteger<uint64_t>(begin, end, NumberForm::kUInt)
                     : ParseInteger<int64_t>(begin, end, NumberForm::kInt);
}

NumberText ParseExactDouble(const char* begin, const char* end) {
  NumberText result;
  double value = 0;
  const auto [stopped, fault] = std::from_chars(SkipPlus(begin), end, value);
  if (fault == std::errc::result_out_of_range) {
    // Too small is zero or the nearest denormal, as strtod says; too large is refused.
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

}  // namespace arc
