// One value of a self-describing format (MessagePack, JSON) on its way into a column.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "arc/decode/column_builder.h"
#include "arc/decode/timestamp.h"

namespace arc {

enum class ScalarKind : uint8_t {
  kNil,
  kBool,
  kInt,
  kUInt,  // past INT64_MAX
  kDouble,
  kText,   // bytes that live as long as the body (or where the decoder keeps them)
  kTime,   // a timestamp of the format's own, in microseconds
  kOther,  // an array, map or extension: no column holds it
};

// 16 bytes, so that a block of them stays near the size of the body.
struct Scalar {
  uint64_t bits = 0;  // of the bool, int64, uint64, double, microseconds; a text's address
  uint32_t size = 0;  // of a text
  ScalarKind kind = ScalarKind::kNil;

  static Scalar Of(ScalarKind kind, uint64_t bits) { return {bits, 0, kind}; }
  static Scalar OfDouble(double value) {
    Scalar scalar{0, 0, ScalarKind::kDouble};
    std::memcpy(&scalar.bits, &value, 8);
    return scalar;
  }
  // The text must be shorter than 4 GB.
  static Scalar OfText(std::string_view text) {
    return {reinterpret_cast<uint64_t>(text.data()), static_cast<uint32_t>(text.size()), ScalarKind::kText};
  }
  std::string_view text() const { return {reinterpret_cast<const char*>(bits), size}; }
  double real() const {
    double value;
    std::memcpy(&value, &bits, 8);
    return value;
  }
};

// Adds a field's value. A kNil adds nothing; kTime and kOther are kFault: UnfitForField says why.
inline Added AddFieldScalar(ColumnBuilder& column, uint32_t row, const Scalar& value) {
  switch (value.kind) {
    case ScalarKind::kDouble: return column.AddNumber(row, value.bits, NumberForm::kDouble);
    case ScalarKind::kInt: return column.AddNumber(row, value.bits, NumberForm::kInt);
    case ScalarKind::kUInt: return column.AddNumber(row, value.bits, NumberForm::kUInt);
    case ScalarKind::kBool: return column.AddBool(row, value.bits != 0);
    case ScalarKind::kText: return column.AddString(row, value.text());
    case ScalarKind::kNil: return Added::kOk;
    case ScalarKind::kTime:
    case ScalarKind::kOther: break;
  }
  return Added::kFault;
}

// Room for a number or boolean as text.
using ScalarTextBuffer = char[32];
// A tag's value: text as it is, numbers and booleans written out (doubles in their shortest form) into `buffer`;
// nothing for the other kinds.
std::optional<std::string_view> TextOfScalar(const Scalar& value, ScalarTextBuffer& buffer);

// A time: a number of `precision`, RFC 3339 text or the format's own; otherwise nothing, with the reason in `why`.
std::optional<int64_t> TimeOfScalar(const Scalar& value, TimePrecision precision, std::string* why);

}  // namespace arc
