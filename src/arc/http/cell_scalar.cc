#include <arrow/util/base64.h>
#include <arrow/util/float16.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <string>

#include "arc/http/cell_writers.h"

namespace arc {
namespace {

template <typename T>
class IntegerCell : public NullableCell<IntegerCell<T>> {
 public:
  IntegerCell(const std::shared_ptr<arrow::Array>& array, CellFormat format)
      : NullableCell<IntegerCell<T>>(array, format), values_(array->data()->template GetValues<T>(1)) {}
  void Value(int64_t row, OutputText* out) {
    char* to = out->Room(24);
    out->Advance(std::to_chars(to, to + 24, values_[row]).ptr);
  }

 private:
  const T* values_;
};

// `size` / 10^6 in fixed notation with at least one digit behind the point.
char* WriteMillionths(uint64_t size, char* to) {
  to = std::to_chars(to, to + 20, size / 1'000'000).ptr;
  auto fraction = static_cast<uint32_t>(size % 1'000'000);
  *to++ = '.';
  do {
    *to++ = static_cast<char>('0' + fraction / 100'000);
    fraction = fraction % 100'000 * 10;
  } while (fraction > 0);
  return to;
}

// Measurements mostly have few decimals, and those are found five times faster than by the general algorithm: a double
// that equals n / 10^6 (which is correctly rounded, as both are exact) is written by n's at most 15 digits, and of the
// texts that short only one reads back as it. Returns null for other numbers.
char* WriteShortDecimal(double value, char* to) {
  double size = std::fabs(value);
  if (!(size < 1e9) || (value == 0 && std::signbit(value))) return nullptr;
  auto millionths = static_cast<int64_t>(size * 1e6 + 0.5);
  if (static_cast<double>(millionths) / 1e6 != size) return nullptr;
  if (value < 0) *to++ = '-';
  return WriteMillionths(static_cast<uint64_t>(millionths), to);
}

// Shortest text that reads back as the same number; a point or exponent always says that it is a float.
template <typename T>
void AppendFloat(T value, bool json, OutputText* out) {
  if (!std::isfinite(value)) {
    out->Append(json ? "null" : std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf");
    return;
  }
  char* to = out->Room(40);
  if constexpr (std::is_same_v<T, double>) {
    if (char* end = WriteShortDecimal(value, to)) return out->Advance(end);
  }
  char* end = std::to_chars(to, to + 38, value).ptr;
  bool integral = true;
  for (const char* c = to; c != end; ++c) integral = integral && *c != '.' && *c != 'e';
  if (integral) {
    *end++ = '.';
    *end++ = '0';
  }
  out->Advance(end);
}

template <typename T>
class FloatCell : public NullableCell<FloatCell<T>> {
 public:
  FloatCell(const std::shared_ptr<arrow::Array>& array, CellFormat format)
      : NullableCell<FloatCell<T>>(array, format), values_(array->data()->template GetValues<T>(1)) {}
  void Value(int64_t row, OutputText* out) { AppendFloat(values_[row], this->json(), out); }

 private:
  const T* values_;
};

class HalfFloatCell : public NullableCell<HalfFloatCell> {
 public:
  using NullableCell::NullableCell;
  void Value(int64_t row, OutputText* out) {
    auto bits = static_cast<const arrow::HalfFloatArray&>(*array_).Value(row);
    AppendFloat(arrow::util::Float16::FromBits(bits).ToFloat(), json(), out);
  }
};

class BoolCell : public NullableCell<BoolCell> {
 public:
  using NullableCell::NullableCell;
  void Value(int64_t row, OutputText* out) {
    out->Append(static_cast<const arrow::BooleanArray&>(*array_).Value(row) ? "true" : "false");
  }
};

class Bool8Cell : public NullableCell<Bool8Cell> {
 public:
  using NullableCell::NullableCell;
  void Value(int64_t row, OutputText* out) {
    out->Append(static_cast<const arrow::Int8Array&>(*array_).Value(row) != 0 ? "true" : "false");
  }
};

template <typename ArrayType>
class StringCell : public NullableCell<StringCell<ArrayType>> {
 public:
  StringCell(const std::shared_ptr<arrow::Array>& array, CellFormat format)
      : NullableCell<StringCell<ArrayType>>(array, format), strings_(static_cast<const ArrayType&>(*array)) {}
  void Value(int64_t row, OutputText* out) {
    if (this->json()) {
      AppendJsonCell(strings_.GetView(row), out);
    } else {
      AppendCsvCell(strings_.GetView(row), out);
    }
  }

 private:
  const ArrayType& strings_;
};

template <typename ArrayType>
class BinaryCell : public NullableCell<BinaryCell<ArrayType>> {
 public:
  using NullableCell<BinaryCell<ArrayType>>::NullableCell;
  void Value(int64_t row, OutputText* out) {
    // Base64 needs neither escapes nor CSV quotes, except when it is empty.
    std::string text = arrow::util::base64_encode(static_cast<const ArrayType&>(*this->array_).GetView(row));
    bool quotes = this->json() || text.empty();
    if (quotes) out->Put('"');
    out->Append(text);
    if (quotes) out->Put('"');
  }
};

class UuidCell : public NullableCell<UuidCell> {
 public:
  using NullableCell::NullableCell;
  void Value(int64_t row, OutputText* out) {
    static constexpr char kDigits[] = "0123456789abcdef";
    const uint8_t* bytes = static_cast<const arrow::FixedSizeBinaryArray&>(*array_).GetValue(row);
    char* to = out->Room(40);
    if (json()) *to++ = '"';
    for (int i = 0; i < 16; ++i) {
      if (i == 4 || i == 6 || i == 8 || i == 10) *to++ = '-';
      *to++ = kDigits[bytes[i] >> 4];
      *to++ = kDigits[bytes[i] & 15];
    }
    if (json()) *to++ = '"';
    out->Advance(to);
  }
};

__extension__ using Int128 = __int128;
__extension__ using UInt128 = unsigned __int128;

// ±size / 10^scale in plain digits, exact.
void AppendDecimal(bool negative, UInt128 size, int scale, OutputText* out) {
  char digits[40];
  int count = 0;
  while (size > ~0ULL) {
    digits[count++] = static_cast<char>('0' + static_cast<int>(size % 10));
    size /= 10;
  }
  auto rest = static_cast<uint64_t>(size);
  do {
    digits[count++] = static_cast<char>('0' + rest % 10);
    rest /= 10;
  } while (rest > 0);
  char* to = out->Room(static_cast<size_t>(48 + std::abs(scale)));
  if (negative) *to++ = '-';
  int whole = count - scale;
  if (whole <= 0) {
    *to++ = '0';
    *to++ = '.';
    for (int i = whole; i < 0; ++i) *to++ = '0';
  }
  for (int i = count - 1; i >= 0; --i) {
    *to++ = digits[i];
    if (scale > 0 && i == scale) *to++ = '.';
  }
  for (int i = scale; i < 0; ++i) *to++ = '0';
  out->Advance(to);
}

template <typename T>
class DecimalCell : public NullableCell<DecimalCell<T>> {
 public:
  DecimalCell(const std::shared_ptr<arrow::Array>& array, int scale, CellFormat format)
      : NullableCell<DecimalCell<T>>(array, format),
        bytes_(array->data()->template GetValues<uint8_t>(1, 0) + array->offset() * static_cast<int64_t>(sizeof(T))),
        scale_(scale) {}
  void Value(int64_t row, OutputText* out) {
    T value;
    std::memcpy(&value, bytes_ + row * static_cast<int64_t>(sizeof(T)), sizeof(T));
    if constexpr (std::is_same_v<T, UInt128>) {
      AppendDecimal(false, value, scale_, out);
    } else {
      bool negative = value < 0;
      UInt128 size = negative ? ~static_cast<UInt128>(static_cast<Int128>(value)) + 1 : static_cast<UInt128>(value);
      AppendDecimal(negative, size, scale_, out);
    }
  }

 private:
  const uint8_t* bytes_;
  const int scale_;
};

class Decimal256Cell : public NullableCell<Decimal256Cell> {
 public:
  using NullableCell::NullableCell;
  void Value(int64_t row, OutputText* out) {
    out->Append(static_cast<const arrow::Decimal256Array&>(*array_).FormatValue(row));
  }
};

class NullCell : public CellWriter {
 public:
  explicit NullCell(CellFormat format) : json_(format == CellFormat::kJson) {}
  void Write(int64_t, OutputText* out) override {
    if (json_) out->Append("null");
  }

 private:
  const bool json_;
};

int ScaleOf(const arrow::Array& array) { return static_cast<const arrow::DecimalType&>(*array.type()).scale(); }

}  // namespace

std::unique_ptr<CellWriter> MakeUuidCell(const std::shared_ptr<arrow::Array>& array, CellFormat format) {
  return std::make_unique<UuidCell>(array, format);
}

std::unique_ptr<CellWriter> MakeHugeIntCell(const std::shared_ptr<arrow::Array>& array, bool is_signed,
                                            CellFormat format) {
  if (is_signed) return std::make_unique<DecimalCell<Int128>>(array, 0, format);
  return std::make_unique<DecimalCell<UInt128>>(array, 0, format);
}

std::unique_ptr<CellWriter> MakeBool8Cell(const std::shared_ptr<arrow::Array>& array, CellFormat format) {
  return std::make_unique<Bool8Cell>(array, format);
}

std::unique_ptr<CellWriter> MakeScalarCell(const std::shared_ptr<arrow::Array>& array, CellFormat format) {
  switch (array->type_id()) {
    case arrow::Type::NA: return std::make_unique<NullCell>(format);
    case arrow::Type::BOOL: return std::make_unique<BoolCell>(array, format);
    case arrow::Type::INT8: return std::make_unique<IntegerCell<int8_t>>(array, format);
    case arrow::Type::INT16: return std::make_unique<IntegerCell<int16_t>>(array, format);
    case arrow::Type::INT32: return std::make_unique<IntegerCell<int32_t>>(array, format);
    case arrow::Type::INT64: return std::make_unique<IntegerCell<int64_t>>(array, format);
    case arrow::Type::UINT8: return std::make_unique<IntegerCell<uint8_t>>(array, format);
    case arrow::Type::UINT16: return std::make_unique<IntegerCell<uint16_t>>(array, format);
    case arrow::Type::UINT32: return std::make_unique<IntegerCell<uint32_t>>(array, format);
    case arrow::Type::UINT64: return std::make_unique<IntegerCell<uint64_t>>(array, format);
    case arrow::Type::HALF_FLOAT: return std::make_unique<HalfFloatCell>(array, format);
    case arrow::Type::FLOAT: return std::make_unique<FloatCell<float>>(array, format);
    case arrow::Type::DOUBLE: return std::make_unique<FloatCell<double>>(array, format);
    case arrow::Type::STRING: return std::make_unique<StringCell<arrow::StringArray>>(array, format);
    case arrow::Type::LARGE_STRING: return std::make_unique<StringCell<arrow::LargeStringArray>>(array, format);
    case arrow::Type::STRING_VIEW: return std::make_unique<StringCell<arrow::StringViewArray>>(array, format);
    case arrow::Type::BINARY: return std::make_unique<BinaryCell<arrow::BinaryArray>>(array, format);
    case arrow::Type::LARGE_BINARY: return std::make_unique<BinaryCell<arrow::LargeBinaryArray>>(array, format);
    case arrow::Type::BINARY_VIEW: return std::make_unique<BinaryCell<arrow::BinaryViewArray>>(array, format);
    case arrow::Type::FIXED_SIZE_BINARY:
      return std::make_unique<BinaryCell<arrow::FixedSizeBinaryArray>>(array, format);
    case arrow::Type::DECIMAL32: return std::make_unique<DecimalCell<int32_t>>(array, ScaleOf(*array), format);
    case arrow::Type::DECIMAL64: return std::make_unique<DecimalCell<int64_t>>(array, ScaleOf(*array), format);
    case arrow::Type::DECIMAL128: return std::make_unique<DecimalCell<Int128>>(array, ScaleOf(*array), format);
    case arrow::Type::DECIMAL256: return std::make_unique<Decimal256Cell>(array, format);
    default: return nullptr;
  }
}

}  // namespace arc
