#include "arc/http/cell_text.h"

#include <arrow/api.h>
#include <arrow/extension/uuid.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>
#include <gtest/gtest.h>

#include <charconv>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include "arc/base/uuid.h"

namespace arc {
namespace {

using arrow::Array;

// All cells of the array, separated by blanks.
std::string Cells(const std::shared_ptr<Array>& array, CellFormat format = CellFormat::kJson,
                  const std::shared_ptr<arrow::KeyValueMetadata>& metadata = nullptr) {
  auto writer = MakeCellWriter(*arrow::field("x", array->type(), true, metadata), array, format);
  if (!writer.ok()) return "error: " + writer.error().message;
  OutputText out;
  for (int64_t i = 0; i < array->length(); ++i) {
    if (i > 0) out.Put(' ');
    (*writer)->Write(i, &out);
  }
  return std::string(out.view());
}

std::string Csv(const std::shared_ptr<Array>& array) { return Cells(array, CellFormat::kCsv); }

// An array of `Type` with the values given and one null at the end.
template <typename Builder, typename... Values>
std::shared_ptr<Array> Make(Builder&& builder, Values... values) {
  bool ok = (builder.Append(values).ok() && ... && builder.AppendNull().ok());
  EXPECT_TRUE(ok);
  return builder.Finish().ValueOrDie();
}

auto Pool() { return arrow::default_memory_pool(); }

TEST(CellText, Integers) {
  EXPECT_EQ(Cells(Make(arrow::Int8Builder(), -128, 7)), "-128 7 null");
  EXPECT_EQ(Cells(Make(arrow::UInt8Builder(), 255)), "255 null");
  EXPECT_EQ(Cells(Make(arrow::Int16Builder(), -32768)), "-32768 null");
  EXPECT_EQ(Cells(Make(arrow::UInt16Builder(), 65535)), "65535 null");
  EXPECT_EQ(Cells(Make(arrow::Int32Builder(), std::numeric_limits<int32_t>::min())), "-2147483648 null");
  EXPECT_EQ(Cells(Make(arrow::UInt32Builder(), 4294967295u)), "4294967295 null");
  EXPECT_EQ(Cells(Make(arrow::Int64Builder(), std::numeric_limits<int64_t>::min())), "-9223372036854775808 null");
  EXPECT_EQ(Cells(Make(arrow::UInt64Builder(), std::numeric_limits<uint64_t>::max())), "18446744073709551615 null");
  EXPECT_EQ(Csv(Make(arrow::Int64Builder(), 5)), "5 ");
}

TEST(CellText, Floats) {
  double infinity = std::numeric_limits<double>::infinity();
  auto doubles =
      Make(arrow::DoubleBuilder(), 0.1, 1.0, -0.0, 1e300, 5e-324, std::nan(""), infinity, -infinity, 123456789.0);
  EXPECT_EQ(Cells(doubles), "0.1 1.0 -0.0 1e+300 5e-324 null null null 123456789.0 null");
  EXPECT_EQ(Csv(doubles), "0.1 1.0 -0.0 1e+300 5e-324 nan inf -inf 123456789.0 ");
  EXPECT_EQ(Cells(Make(arrow::FloatBuilder(), 0.1f, 3.0f)), "0.1 3.0 null");
  EXPECT_EQ(Cells(Make(arrow::HalfFloatBuilder(), arrow::util::Float16(1.5f).bits())), "1.5 null");
}

// The short way must give what reads back, and never more digits than the general way.
TEST(CellText, DoublesReadBack) {
  SeededRandom random(7);
  auto check = [](double value) {
    std::string text = Cells(Make(arrow::DoubleBuilder(), value));
    text.resize(text.size() - 5);
    ASSERT_EQ(std::strtod(text.c_str(), nullptr), value) << text;
    char shortest[40];
    auto end = std::to_chars(shortest, shortest + sizeof shortest, value, std::chars_format::fixed).ptr;
    bool usual = std::fabs(value) < 1e9 && std::fabs(value) > 1e-6;
    ASSERT_TRUE(!usual || text.size() <= static_cast<size_t>(end - shortest) + 2) << text;
  };
  for (int i = 0; i < 20'000; ++i) {
    uint64_t bits = random.NextU64();
    double any = 0;
    std::memcpy(&any, &bits, sizeof any);
    if (std::isfinite(any)) check(any);
    auto digits = static_cast<double>(static_cast<int64_t>(bits % 2'000'000'000'000) - 1'000'000'000'000);
    for (double scale : {1.0, 10.0, 1e3, 1e6, 1e7, 1e9}) check(digits / scale);
    check(std::nextafter(digits / 1e3, 1e300));
  }
  for (double value : {0.0, -0.0, 1e9, 999999999.999999, 0.000001, 0.0000001, 0.5, 1e15, 123456.789}) check(value);
}

TEST(CellText, Booleans) { EXPECT_EQ(Cells(Make(arrow::BooleanBuilder(), true, false)), "true false null"); }

TEST(CellText, Strings) {
  auto strings =
      Make(arrow::StringBuilder(), "plain", "", "with \"quotes\" and \\", "line\nbreak\ttab\x01", "grüße 🙂",
           "bad \xff byte", "a long text without anything special in it, long enough for vectors \" then a quote");
  EXPECT_EQ(Cells(strings),
            "\"plain\" \"\" \"with \\\"quotes\\\" and \\\\\" \"line\\nbreak\\ttab\\u0001\" \"grüße 🙂\" \"bad "
            "\xef\xbf\xbd byte\" "
            "\"a long text without anything special in it, long enough for vectors \\\" then a quote\" null");
  EXPECT_EQ(Csv(Make(arrow::StringBuilder(), "plain", "", "a,b", "say \"x\"", "two\nlines")),
            "plain \"\" \"a,b\" \"say \"\"x\"\"\" \"two\nlines\" ");
  EXPECT_EQ(Cells(Make(arrow::LargeStringBuilder(), "x")), "\"x\" null");
  EXPECT_EQ(Cells(Make(arrow::StringViewBuilder(), "short", "a string that does not fit into the view itself")),
            "\"short\" \"a string that does not fit into the view itself\" null");
}

TEST(CellText, EveryByteAtEveryPlaceOfShortStrings) {
  for (size_t size = 1; size <= 18; ++size) {
    for (size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 0x80; ++byte) {
        std::string text(size, 'x');
        text[at] = static_cast<char>(byte);
        OutputText out;
        AppendJsonCell(text, &out);
        std::string_view cell = out.view();
        std::string_view middle = cell.substr(1 + at, cell.size() - 1 - size);
        bool escaped = byte < 0x20 || byte == '"' || byte == '\\';
        ASSERT_EQ(middle[0] == '\\', escaped) << size << " " << at << " " << byte;
        ASSERT_EQ(middle.size() > 1, escaped) << size << " " << at << " " << byte;
      }
    }
  }
}

TEST(CellText, Binary) {
  EXPECT_EQ(Cells(Make(arrow::BinaryBuilder(), std::string("\x00\xff", 2), "abc")), "\"AP8=\" \"YWJj\" null");
  EXPECT_EQ(Cells(Make(arrow::LargeBinaryBuilder(), "abc")), "\"YWJj\" null");
  EXPECT_EQ(Cells(Make(arrow::BinaryViewBuilder(), "abc")), "\"YWJj\" null");
  EXPECT_EQ(Cells(Make(arrow::FixedSizeBinaryBuilder(arrow::fixed_size_binary(3)), "abc")), "\"YWJj\" null");
  EXPECT_EQ(Csv(Make(arrow::BinaryBuilder(), "abc")), "YWJj ");
}

TEST(CellText, Timestamps) {
  int64_t second = 1736949600;  // 2025-01-15T14:00:00
  auto of = [](arrow::TimeUnit::type unit, int64_t value, const std::string& zone = "") {
    return Cells(Make(arrow::TimestampBuilder(arrow::timestamp(unit, zone), Pool()), value));
  };
  EXPECT_EQ(of(arrow::TimeUnit::SECOND, second), "\"2025-01-15T14:00:00\" null");
  EXPECT_EQ(of(arrow::TimeUnit::MILLI, second * 1000 + 5), "\"2025-01-15T14:00:00.005\" null");
  EXPECT_EQ(of(arrow::TimeUnit::MICRO, second * 1000000 + 123456), "\"2025-01-15T14:00:00.123456\" null");
  EXPECT_EQ(of(arrow::TimeUnit::NANO, second * 1000000000 + 1), "\"2025-01-15T14:00:00.000000001\" null");
  EXPECT_EQ(of(arrow::TimeUnit::MICRO, second * 1000000, "UTC"), "\"2025-01-15T14:00:00Z\" null");
  EXPECT_EQ(of(arrow::TimeUnit::MICRO, -1), "\"1969-12-31T23:59:59.999999\" null");
  EXPECT_EQ(of(arrow::TimeUnit::MICRO, -62135596800000000), "\"0001-01-01T00:00:00\" null");
  EXPECT_EQ(of(arrow::TimeUnit::MICRO, std::numeric_limits<int64_t>::max()), "\"infinity\" null");
  EXPECT_EQ(of(arrow::TimeUnit::MICRO, -std::numeric_limits<int64_t>::max()), "\"-infinity\" null");
  EXPECT_EQ(of(arrow::TimeUnit::SECOND, std::numeric_limits<int64_t>::max() - 1).substr(0, 14), "\"292277026596-");
  EXPECT_EQ(Csv(Make(arrow::TimestampBuilder(arrow::timestamp(arrow::TimeUnit::MICRO), Pool()), second * 1000000)),
            "2025-01-15T14:00:00 ");
}

TEST(CellText, DatesAndTimes) {
  EXPECT_EQ(Cells(Make(arrow::Date32Builder(), 0, 19782, -1, 11016)),
            "\"1970-01-01\" \"2024-02-29\" \"1969-12-31\" \"2000-02-29\" null");
  EXPECT_EQ(Cells(Make(arrow::Date64Builder(), 86'400'000)), "\"1970-01-02\" null");
  EXPECT_EQ(Cells(Make(arrow::Time32Builder(arrow::time32(arrow::TimeUnit::SECOND), Pool()), 3661)),
            "\"01:01:01\" null");
  EXPECT_EQ(Cells(Make(arrow::Time32Builder(arrow::time32(arrow::TimeUnit::MILLI), Pool()), 1)),
            "\"00:00:00.001\" null");
  EXPECT_EQ(Cells(Make(arrow::Time64Builder(arrow::time64(arrow::TimeUnit::MICRO), Pool()), 86'399'999'999)),
            "\"23:59:59.999999\" null");
  EXPECT_EQ(Cells(Make(arrow::Time64Builder(arrow::time64(arrow::TimeUnit::NANO), Pool()), 1)),
            "\"00:00:00.000000001\" null");
}

TEST(CellText, Intervals) {
  using Mdn = arrow::MonthDayNanoIntervalType::MonthDayNanos;
  EXPECT_EQ(Cells(Make(arrow::MonthDayNanoIntervalBuilder(), Mdn{14, 3, 3'661'500'000'000}, Mdn{0, 0, 0},
                       Mdn{-1, 0, -1'500'000'000})),
            "\"P1Y2M3DT1H1M1.5S\" \"PT0S\" \"P-1MT-1.5S\" null");
  EXPECT_EQ(Cells(Make(arrow::MonthIntervalBuilder(), 25)), "\"P2Y1M\" null");
  EXPECT_EQ(Cells(Make(arrow::DayTimeIntervalBuilder(), arrow::DayTimeIntervalType::DayMilliseconds{2, 250})),
            "\"P2DT0.25S\" null");
  EXPECT_EQ(Cells(Make(arrow::DurationBuilder(arrow::duration(arrow::TimeUnit::MICRO), Pool()), 90'000'000'000, 1)),
            "\"P1DT1H\" \"PT0.000001S\" null");
}

TEST(CellText, Decimals) {
  auto decimal = [](const std::string& text, int precision, int scale) {
    return Cells(Make(arrow::Decimal128Builder(arrow::decimal128(precision, scale), Pool()),
                      arrow::Decimal128::FromString(text).ValueOrDie()));
  };
  EXPECT_EQ(decimal("12.34", 10, 2), "12.34 null");
  EXPECT_EQ(decimal("-0.05", 10, 2), "-0.05 null");
  EXPECT_EQ(decimal("0.000001", 10, 6), "0.000001 null");
  EXPECT_EQ(decimal("0", 10, 0), "0 null");
  EXPECT_EQ(decimal("-99999999999999999999999999999999999999", 38, 0), "-99999999999999999999999999999999999999 null");
  EXPECT_EQ(decimal("18446744073709551615", 20, 0), "18446744073709551615 null");
  EXPECT_EQ(decimal("18446744073709551616", 20, 0), "18446744073709551616 null");
  EXPECT_EQ(Cells(Make(arrow::Decimal32Builder(arrow::decimal32(5, 2), Pool()), arrow::Decimal32(-12345))),
            "-123.45 null");
  EXPECT_EQ(Cells(Make(arrow::Decimal64Builder(arrow::decimal64(12, 3), Pool()), arrow::Decimal64(12345))),
            "12.345 null");
  EXPECT_EQ(
      Cells(Make(arrow::Decimal256Builder(arrow::decimal256(60, 1), Pool()),
                 arrow::Decimal256::FromString("12345678901234567890123456789012345678901234567890.5").ValueOrDie())),
      "12345678901234567890123456789012345678901234567890.5 null");
  auto sliced =
      Make(arrow::Decimal128Builder(arrow::decimal128(10, 2), Pool()), arrow::Decimal128(100), arrow::Decimal128(250))
          ->Slice(1);
  EXPECT_EQ(Cells(sliced), "2.50 null");
}

TEST(CellText, Uuids) {
  auto bytes = Make(arrow::FixedSizeBinaryBuilder(arrow::fixed_size_binary(16)),
                    "\x12\x34\x56\x78\x9a\xbc\xde\xf0\x11\x22\x33\x44\x55\x66\x77\x88");
  auto named = arrow::key_value_metadata({"ARROW:extension:name"}, {"arrow.uuid"});
  EXPECT_EQ(Cells(bytes, CellFormat::kJson, named), "\"12345678-9abc-def0-1122-334455667788\" null");
  EXPECT_EQ(Cells(bytes, CellFormat::kCsv, named), "12345678-9abc-def0-1122-334455667788 ");
  EXPECT_EQ(Cells(arrow::ExtensionType::WrapArray(arrow::extension::uuid(), bytes)),
            "\"12345678-9abc-def0-1122-334455667788\" null");
}

TEST(CellText, DuckDbsOpaqueTypes) {
  auto bytes = Make(arrow::FixedSizeBinaryBuilder(arrow::fixed_size_binary(16)), std::string(16, '\xff'));
  auto signed_type = arrow::key_value_metadata({"ARROW:extension:name", "ARROW:extension:metadata"},
                                               {"arrow.opaque", R"({"type_name":"hugeint","vendor_name":"DuckDB"})"});
  auto unsigned_type =
      arrow::key_value_metadata({"ARROW:extension:name", "ARROW:extension:metadata"},
                                {"arrow.opaque", R"({"type_name":"uhugeint","vendor_name":"DuckDB"})"});
  EXPECT_EQ(Cells(bytes, CellFormat::kJson, signed_type), "-1 null");
  EXPECT_EQ(Cells(bytes, CellFormat::kJson, unsigned_type), "340282366920938463463374607431768211455 null");
  auto bool8 = arrow::key_value_metadata({"ARROW:extension:name"}, {"arrow.bool8"});
  EXPECT_EQ(Cells(Make(arrow::Int8Builder(), 1, 0), CellFormat::kJson, bool8), "true false null");
}

std::shared_ptr<Array> Ints(std::vector<int64_t> values) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<Array> Texts(std::vector<std::string> values) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return builder.Finish().ValueOrDie();
}

TEST(CellText, Lists) {
  auto values = std::make_shared<arrow::Int64Builder>();
  arrow::ListBuilder builder(Pool(), values);
  ASSERT_TRUE(builder.Append().ok() && values->AppendValues({1, 2}).ok() && values->AppendNull().ok());
  ASSERT_TRUE(builder.Append().ok() && builder.AppendNull().ok());
  auto list = builder.Finish().ValueOrDie();
  EXPECT_EQ(Cells(list), "[1,2,null] [] null");
  EXPECT_EQ(Csv(list), "\"[1,2,null]\" [] ");
  EXPECT_EQ(Cells(list->Slice(1)), "[] null");
  auto fixed =
      std::make_shared<arrow::FixedSizeListArray>(arrow::fixed_size_list(arrow::int64(), 2), 2, Ints({1, 2, 3, 4}));
  EXPECT_EQ(Cells(fixed->Slice(1)), "[3,4]");
  auto offsets = std::static_pointer_cast<arrow::Int64Array>(Ints({0, 1, 3}));
  auto large = arrow::LargeListArray::FromArrays(*offsets, *Texts({"a", "b", "c"})).ValueOrDie();
  EXPECT_EQ(Cells(large), "[\"a\"] [\"b\",\"c\"]");
}

TEST(CellText, StructsAndMaps) {
  auto made = arrow::StructArray::Make({Ints({1, 2}), Texts({"x", "y"})}, std::vector<std::string>{"a \"b\"", "c"})
                  .ValueOrDie();
  EXPECT_EQ(Cells(made), R"({"a \"b\"":1,"c":"x"} {"a \"b\"":2,"c":"y"})");
  EXPECT_EQ(Cells(made->Slice(1)), R"({"a \"b\"":2,"c":"y"})");
  EXPECT_EQ(Csv(made->Slice(0, 1)), R"("{""a \""b\"""":1,""c"":""x""}")");
  arrow::Int32Builder offsets;
  ASSERT_TRUE(offsets.AppendValues({0, 2, 3}).ok());
  auto at = offsets.Finish().ValueOrDie();
  EXPECT_EQ(Cells(arrow::MapArray::FromArrays(at, Texts({"k", "l", "m"}), Ints({1, 2, 3})).ValueOrDie()),
            R"({"k":1,"l":2} {"m":3})");
  EXPECT_EQ(Cells(arrow::MapArray::FromArrays(at, Ints({7, 8, 9}), Texts({"a", "b", "c"})).ValueOrDie()),
            R"({"7":"a","8":"b"} {"9":"c"})");
}

TEST(CellText, DictionariesUnionsAndRuns) {
  arrow::StringDictionary32Builder dictionary;
  ASSERT_TRUE(dictionary.Append("a").ok() && dictionary.Append("b,c").ok() && dictionary.Append("a").ok() &&
              dictionary.AppendNull().ok());
  auto tags = dictionary.Finish().ValueOrDie();
  EXPECT_EQ(Cells(tags), "\"a\" \"b,c\" \"a\" null");
  EXPECT_EQ(Csv(tags), "a \"b,c\" a ");
  EXPECT_EQ(Cells(tags->Slice(1, 2)), "\"b,c\" \"a\"");

  arrow::Int32Builder ends;
  ASSERT_TRUE(ends.AppendValues({2, 5}).ok());
  auto runs = arrow::RunEndEncodedArray::Make(5, ends.Finish().ValueOrDie(), Ints({10, 20})).ValueOrDie();
  EXPECT_EQ(Cells(runs), "10 10 20 20 20");
  EXPECT_EQ(Cells(runs->Slice(1, 2)), "10 20");

  arrow::Int8Builder types;
  arrow::Int32Builder offsets;
  ASSERT_TRUE(types.AppendValues({0, 1, 0}).ok() && offsets.AppendValues({0, 0, 1}).ok());
  auto type_ids = types.Finish().ValueOrDie();
  auto dense = arrow::DenseUnionArray::Make(*type_ids, *offsets.Finish().ValueOrDie(), {Ints({1, 2}), Texts({"x"})})
                   .ValueOrDie();
  EXPECT_EQ(Cells(dense), "1 \"x\" 2");
  auto sparse = arrow::SparseUnionArray::Make(*type_ids, {Ints({1, 2, 3}), Texts({"x", "y", "z"})}).ValueOrDie();
  EXPECT_EQ(Cells(sparse), "1 \"y\" 3");
  EXPECT_EQ(Cells(sparse->Slice(1)), "\"y\" 3");
}

TEST(CellText, Nulls) {
  EXPECT_EQ(Cells(std::make_shared<arrow::NullArray>(2)), "null null");
  EXPECT_EQ(Csv(std::make_shared<arrow::NullArray>(2)), " ");
}

TEST(CellText, SlicesOfFixedWidth) {
  EXPECT_EQ(Cells(Ints({1, 2, 3})->Slice(1)), "2 3");
  EXPECT_EQ(Cells(Make(arrow::BooleanBuilder(), true, false)->Slice(1)), "false null");
}

}  // namespace
}  // namespace arc
