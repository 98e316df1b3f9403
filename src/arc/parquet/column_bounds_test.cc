#include "arc/parquet/column_bounds.h"

#include <arrow/array.h>
#include <arrow/json/from_string.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <limits>

#include "arc/parquet/single_value.h"

namespace arc {
namespace {

ColumnMetrics Measure(ColumnType type, const std::vector<std::string>& arrays) {
  ColumnBounds bounds(type);
  std::vector<std::shared_ptr<arrow::Array>> alive;
  for (const auto& json : arrays) {
    alive.push_back(*arrow::json::ArrayFromJSONString(BatchArrowType(type, ColumnRole::kField), json));
    bounds.Add(*alive.back());
  }
  return bounds.Finish();
}

TEST(ColumnBoundsTest, NothingHasNoBounds) {
  for (const auto type : {ColumnType::kTimestamp, ColumnType::kDouble, ColumnType::kInt64, ColumnType::kUInt64,
                          ColumnType::kBool, ColumnType::kString}) {
    const ColumnMetrics metrics = Measure(type, {"[null, null]", "[]"});
    EXPECT_EQ(metrics.values, 2);
    EXPECT_EQ(metrics.nulls, 2);
    EXPECT_FALSE(metrics.lower.has_value());
    EXPECT_FALSE(metrics.upper.has_value());
    EXPECT_EQ(metrics.nans.has_value(), type == ColumnType::kDouble);
  }
}

TEST(ColumnBoundsTest, IntegersAcrossArrays) {
  const ColumnMetrics metrics = Measure(ColumnType::kInt64, {"[3, null, -7]", "[null]", "[9223372036854775807]"});
  EXPECT_EQ(metrics.values, 5);
  EXPECT_EQ(metrics.nulls, 2);
  EXPECT_EQ(metrics.lower, EncodeLong(-7));
  EXPECT_EQ(metrics.upper, EncodeLong(INT64_MAX));
}

TEST(ColumnBoundsTest, UnsignedBeyondTheSignedRange) {
  const ColumnMetrics metrics = Measure(ColumnType::kUInt64, {"[18446744073709551615, null]", "[300]"});
  EXPECT_EQ(metrics.lower, EncodeDecimal(300));
  EXPECT_EQ(metrics.upper, EncodeDecimal(UINT64_MAX));
}

TEST(ColumnBoundsTest, NansAreCountedAndNeverBounds) {
  const ColumnMetrics metrics =
      Measure(ColumnType::kDouble, {"[NaN, 2.5, null, 1.0, NaN, 7.0, 3.0]", "[NaN, NaN, NaN, NaN, NaN]"});
  EXPECT_EQ(metrics.nans, 7);
  EXPECT_EQ(metrics.lower, EncodeDouble(1.0));
  EXPECT_EQ(metrics.upper, EncodeDouble(7.0));
  const ColumnMetrics only = Measure(ColumnType::kDouble, {"[NaN, null]"});
  EXPECT_EQ(only.nans, 1);
  EXPECT_FALSE(only.lower.has_value());
}

TEST(ColumnBoundsTest, ZerosIncludeBothSigns) {
  const ColumnMetrics metrics = Measure(ColumnType::kDouble, {"[0.0, -0.0]"});
  EXPECT_EQ(metrics.lower, EncodeDouble(-0.0));
  EXPECT_EQ(metrics.upper, EncodeDouble(0.0));
}

TEST(ColumnBoundsTest, InfinitiesAreBounds) {
  const ColumnMetrics metrics = Measure(ColumnType::kDouble, {"[Inf]", "[-Inf, 1.0]"});
  EXPECT_EQ(metrics.lower, EncodeDouble(-std::numeric_limits<double>::infinity()));
  EXPECT_EQ(metrics.upper, EncodeDouble(std::numeric_limits<double>::infinity()));
  const ColumnMetrics high = Measure(ColumnType::kDouble, {"[Inf, Inf]"});
  EXPECT_EQ(high.lower, EncodeDouble(std::numeric_limits<double>::infinity()));
}

TEST(ColumnBoundsTest, Booleans) {
  EXPECT_EQ(Measure(ColumnType::kBool, {"[true, null]"}).lower, EncodeBool(true));
  EXPECT_EQ(Measure(ColumnType::kBool, {"[true]", "[false]"}).lower, EncodeBool(false));
  EXPECT_EQ(Measure(ColumnType::kBool, {"[false, null]"}).upper, EncodeBool(false));
}

TEST(ColumnBoundsTest, StringsCompareByBytesAndAreCut) {
  const ColumnMetrics metrics =
      Measure(ColumnType::kString, {R"(["b", null, "abcdefgh2", "abcdefgh1"])", R"(["ü", "abcdefgh", "z"])"});
  EXPECT_EQ(metrics.lower, "abcdefgh");
  EXPECT_EQ(metrics.upper, "ü");
  EXPECT_EQ(Measure(ColumnType::kString, {R"(["", "a"])"}).lower, "");
  EXPECT_EQ(Measure(ColumnType::kString, {R"(["aaaaaaaaaaaaaaaaaaaa"])"}).lower, "aaaaaaaaaaaaaaaa");
  EXPECT_EQ(Measure(ColumnType::kString, {R"(["aaaaaaaaaaaaaaaaaaaa"])"}).upper, "aaaaaaaaaaaaaaab");
}

TEST(ColumnBoundsTest, SlicesCountOnlyTheirRows) {
  const auto array = *arrow::json::ArrayFromJSONString(arrow::int64(), "[100, 5, null, 7, -100]");
  ColumnBounds bounds(ColumnType::kInt64);
  bounds.Add(*array->Slice(1, 3));
  const ColumnMetrics metrics = bounds.Finish();
  EXPECT_EQ(metrics.nulls, 1);
  EXPECT_EQ(metrics.lower, EncodeLong(5));
  EXPECT_EQ(metrics.upper, EncodeLong(7));
  const auto bools = *arrow::json::ArrayFromJSONString(arrow::boolean(), "[false, true, null, true, false]");
  ColumnBounds flags(ColumnType::kBool);
  flags.Add(*bools->Slice(1, 3));
  EXPECT_EQ(flags.Finish().lower, EncodeBool(true));
}

}  // namespace
}  // namespace arc
