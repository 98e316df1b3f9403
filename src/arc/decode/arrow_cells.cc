#include "arc/decode/arrow_cells.h"

#include <arrow/array.h>
#include <arrow/array/array_run_end.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>

#include <limits>
#include <type_traits>

#include "arc/base/check.h"
#include "arc/decode/batch_builder.h"

namespace arc {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;

template <typename ArrayType, typename Read>
class PlainCells : public ArrowCells {
 public:
  PlainCells(const arrow::Array& array, Read read) : array_(static_cast<const ArrayType&>(array)), read_(read) {}
  Scalar At(int64_t row) override { return array_.IsNull(row) ? Scalar() : read_(array_, row); }

 private:
  const ArrayType& array_;
  const Read read_;
};

template <typename ArrayType, typename Read>
std::unique_ptr<ArrowCells> Plain(const arrow::Array& array, Read read) {
  return std::make_unique<PlainCells<ArrayType, Read>>(array, read);
}

Scalar OfInt(int64_t value) { return Scalar::Of(ScalarKind::kInt, static_cast<uint64_t>(value)); }

Scalar OfUInt(uint64_t value) {
  const bool large = value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  return Scalar::Of(large ? ScalarKind::kUInt : ScalarKind::kInt, value);
}

template <typename ArrayType>
std::unique_ptr<ArrowCells> Integers(const arrow::Array& array) {
  return Plain<ArrayType>(array, [](const ArrayType& a, int64_t row) {
    if constexpr (std::is_signed_v<typename ArrayType::value_type>)
      return OfInt(a.Value(row));
    else
      return OfUInt(a.Value(row));
  });
}

template <typename ArrayType>
std::unique_ptr<ArrowCells> Reals(const arrow::Array& array) {
  return Plain<ArrayType>(array, [](const ArrayType& a, int64_t row) { return Scalar::OfDouble(a.Value(row)); });
}

template <typename ArrayType>
std::unique_ptr<ArrowCells> Texts(const arrow::Array& array) {
  return Plain<ArrayType>(array, [](const ArrayType& a, int64_t row) {
    const std::string_view text = a.GetView(row);
    // A Scalar cannot hold a longer one, nor any column: kMaxStringBytes refuses it.
    return Scalar::OfText(text.substr(0, kMaxStringBytes + 1));
  });
}

// Whole numbers where the type holds nothing else, and doubles.
std::unique_ptr<ArrowCells> Decimals(const arrow::Array& array) {
  const int32_t scale = static_cast<const arrow::Decimal128Type&>(*array.type()).scale();
  return Plain<arrow::Decimal128Array>(array, [scale](const arrow::Decimal128Array& a, int64_t row) {
    const arrow::Decimal128 value(a.GetValue(row));
    if (scale == 0 && value.high_bits() == 0) return OfUInt(value.low_bits());
    if (scale == 0 && value.high_bits() == -1 && value.low_bits() >> 63 != 0) {
      return OfInt(static_cast<int64_t>(value.low_bits()));
    }
    return Scalar::OfDouble(value.ToDouble(scale));
  });
}

class NoCells : public ArrowCells {
 public:
  Scalar At(int64_t) override { return {}; }
};

class DictionaryCells : public ArrowCells {
 public:
  explicit DictionaryCells(const arrow::Array& array)
      : array_(static_cast<const arrow::DictionaryArray&>(array)), words_(CellsOf(*array_.dictionary())) {}
  Scalar At(int64_t row) override { return array_.IsNull(row) ? Scalar() : words_->At(array_.GetValueIndex(row)); }

 private:
  const arrow::DictionaryArray& array_;
  const std::unique_ptr<ArrowCells> words_;
};

class RunCells : public ArrowCells {
 public:
  explicit RunCells(const arrow::Array& array)
      : array_(static_cast<const arrow::RunEndEncodedArray&>(array)), values_(CellsOf(*array_.values())) {}
  Scalar At(int64_t row) override {
    while (RunEnd(run_) <= row) ++run_;
    return values_->At(run_);
  }

 private:
  int64_t RunEnd(int64_t run) const {
    const arrow::Array& ends = *array_.run_ends();
    switch (ends.type_id()) {
      case arrow::Type::INT16: return static_cast<const arrow::Int16Array&>(ends).Value(run);
      case arrow::Type::INT32: return static_cast<const arrow::Int32Array&>(ends).Value(run);
      default: return static_cast<const arrow::Int64Array&>(ends).Value(run);
    }
  }
  const arrow::RunEndEncodedArray& array_;
  const std::unique_ptr<ArrowCells> values_;
  int64_t run_ = 0;
};

bool IsText(arrow::Type::type type) {
  return type == arrow::Type::STRING || type == arrow::Type::LARGE_STRING || type == arrow::Type::STRING_VIEW;
}

bool IsPlain(arrow::Type::type type) {
  switch (type) {
    case arrow::Type::NA:
    case arrow::Type::BOOL:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::UINT8:
    case arrow::Type::UINT16:
    case arrow::Type::UINT32:
    case arrow::Type::UINT64:
    case arrow::Type::HALF_FLOAT:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::DECIMAL128:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DATE32:
    case arrow::Type::DATE64: return true;
    default: return IsText(type);
  }
}

// The type inside an extension; the same type for all others.
const arrow::DataType* PlainType(const arrow::DataType& type) {
  if (type.id() != arrow::Type::EXTENSION) return &type;
  return static_cast<const arrow::ExtensionType&>(type).storage_type().get();
}

// What a dictionary or run-end encoding holds; the type itself where it is neither.
const arrow::DataType& Decoded(const arrow::DataType& type) {
  const arrow::DataType& plain = *PlainType(type);
  if (plain.id() == arrow::Type::DICTIONARY) return *static_cast<const arrow::DictionaryType&>(plain).value_type();
  if (plain.id() == arrow::Type::RUN_END_ENCODED)
    return *static_cast<const arrow::RunEndEncodedType&>(plain).value_type();
  return plain;
}

}  // namespace

bool IsTextDictionary(const arrow::DataType& type) {
  return PlainType(type)->id() == arrow::Type::DICTIONARY && IsText(Decoded(type).id());
}

std::optional<TimePrecision> ArrowTimeUnit(const arrow::DataType& type) {
  const arrow::DataType& decoded = Decoded(type);
  if (decoded.id() == arrow::Type::DATE32) return TimePrecision::kSeconds;
  if (decoded.id() == arrow::Type::DATE64) return TimePrecision::kMillis;
  if (decoded.id() != arrow::Type::TIMESTAMP) return std::nullopt;
  switch (static_cast<const arrow::TimestampType&>(decoded).unit()) {
    case arrow::TimeUnit::SECOND: return TimePrecision::kSeconds;
    case arrow::TimeUnit::MILLI: return TimePrecision::kMillis;
    case arrow::TimeUnit::MICRO: return TimePrecision::kMicros;
    case arrow::TimeUnit::NANO: return TimePrecision::kNanos;
  }
  return std::nullopt;
}

Status CheckArrowType(const std::string& column, const arrow::DataType& type) {
  const arrow::DataType& decoded = Decoded(type);
  if (IsPlain(decoded.id())) return {};
  return InvalidArgument("column " + Snippet(column) + " is of Arrow type " + std::string(decoded.name()) +
                         ": only numbers, booleans, text, timestamps and dates can be stored");
}

std::unique_ptr<ArrowCells> CellsOf(const arrow::Array& array) {
  switch (array.type_id()) {
    case arrow::Type::BOOL:
      return Plain<arrow::BooleanArray>(array, [](const arrow::BooleanArray& a, int64_t row) {
        return Scalar::Of(ScalarKind::kBool, a.Value(row) ? 1 : 0);
      });
    case arrow::Type::INT8: return Integers<arrow::Int8Array>(array);
    case arrow::Type::INT16: return Integers<arrow::Int16Array>(array);
    case arrow::Type::INT32: return Integers<arrow::Int32Array>(array);
    case arrow::Type::INT64: return Integers<arrow::Int64Array>(array);
    case arrow::Type::UINT8: return Integers<arrow::UInt8Array>(array);
    case arrow::Type::UINT16: return Integers<arrow::UInt16Array>(array);
    case arrow::Type::UINT32: return Integers<arrow::UInt32Array>(array);
    case arrow::Type::UINT64:
      // One form for the whole column, or values past INT64_MAX would make doubles of a mix.
      return Plain<arrow::UInt64Array>(
          array, [](const arrow::UInt64Array& a, int64_t row) { return Scalar::Of(ScalarKind::kUInt, a.Value(row)); });
    case arrow::Type::HALF_FLOAT:
      return Plain<arrow::HalfFloatArray>(array, [](const arrow::HalfFloatArray& a, int64_t row) {
        return Scalar::OfDouble(arrow::util::Float16::FromBits(a.Value(row)).ToDouble());
      });
    case arrow::Type::FLOAT: return Reals<arrow::FloatArray>(array);
    case arrow::Type::DOUBLE: return Reals<arrow::DoubleArray>(array);
    case arrow::Type::DECIMAL128: return Decimals(array);
    case arrow::Type::TIMESTAMP: return Integers<arrow::TimestampArray>(array);
    case arrow::Type::DATE64: return Integers<arrow::Date64Array>(array);
    case arrow::Type::DATE32:
      return Plain<arrow::Date32Array>(
          array, [](const arrow::Date32Array& a, int64_t row) { return OfInt(a.Value(row) * kSecondsPerDay); });
    case arrow::Type::STRING: return Texts<arrow::StringArray>(array);
    case arrow::Type::LARGE_STRING: return Texts<arrow::LargeStringArray>(array);
    case arrow::Type::STRING_VIEW: return Texts<arrow::StringViewArray>(array);
    case arrow::Type::DICTIONARY: return std::make_unique<DictionaryCells>(array);
    case arrow::Type::RUN_END_ENCODED: return std::make_unique<RunCells>(array);
    case arrow::Type::EXTENSION: return CellsOf(*static_cast<const arrow::ExtensionArray&>(array).storage());
    default: ARC_CHECK(array.type_id() == arrow::Type::NA); return std::make_unique<NoCells>();
  }
}

}  // namespace arc
