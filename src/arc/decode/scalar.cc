#include "arc/decode/scalar.h"

#include <charconv>

#include "arc/decode/batch_builder.h"

namespace arc {
namespace {

std::optional<int64_t> InRange(std::optional<int64_t> micros, const Scalar& value, TimePrecision precision,
                               std::string* why) {
  ScalarTextBuffer buffer;
  if (!micros) *why = TimeOutOfRange(TextOfScalar(value, buffer).value_or("value"), precision);
  return micros;
}

}  // namespace

std::optional<std::string_view> TextOfScalar(const Scalar& value, ScalarTextBuffer& buffer) {
  const auto written = [&](auto number) {
    const auto result = std::to_chars(buffer, buffer + sizeof(buffer), number);
    return std::string_view(buffer, static_cast<size_t>(result.ptr - buffer));
  };
  switch (value.kind) {
    case ScalarKind::kText: return value.text();
    case ScalarKind::kInt: return written(static_cast<int64_t>(value.bits));
    case ScalarKind::kUInt: return written(value.bits);
    case ScalarKind::kDouble: return written(value.real());
    case ScalarKind::kBool: return value.bits != 0 ? "true" : "false";
    case ScalarKind::kNil:
    case ScalarKind::kTime:
    case ScalarKind::kOther: break;
  }
  return std::nullopt;
}

std::optional<int64_t> TimeOfScalar(const Scalar& value, TimePrecision precision, std::string* why) {
  switch (value.kind) {
    case ScalarKind::kInt:
      return InRange(FastToMicros(static_cast<int64_t>(value.bits), precision), value, precision, why);
    case ScalarKind::kDouble: return InRange(ToMicros(value.real(), precision), value, precision, why);
    case ScalarKind::kTime: return static_cast<int64_t>(value.bits);
    case ScalarKind::kUInt: return InRange(std::nullopt, value, precision, why);
    case ScalarKind::kText: {
      const auto micros = ParseRfc3339(value.text());
      if (!micros) *why = "time " + Snippet(value.text()) + " is no RFC 3339 timestamp of the years 1 to 9999";
      return micros;
    }
    case ScalarKind::kNil: *why = "time is null"; return std::nullopt;
    case ScalarKind::kBool:
    case ScalarKind::kOther: break;
  }
  *why = "time is neither a number nor text";
  return std::nullopt;
}

}  // namespace arc
