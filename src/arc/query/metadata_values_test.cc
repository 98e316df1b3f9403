// How bytes of Iceberg metadata become SQL values.
#include <gtest/gtest.h>

#include "arc/query/column_metrics.h"
#include "arc/query/metadata_table.h"
#include "arc/query/partition_fields.h"

namespace arc {
namespace {

std::string Bytes(std::initializer_list<int> bytes) {
  std::string result;
  for (const int byte : bytes) result.push_back(static_cast<char>(byte));
  return result;
}

std::string Shown(ColumnType type, std::initializer_list<int> bytes) {
  return BoundValue(type, Bytes(bytes)).ToString();
}

TEST(BoundValues, OfEveryType) {
  EXPECT_EQ(Shown(ColumnType::kTimestamp, {0x40, 0x42, 0x0f, 0, 0, 0, 0, 0}), "1970-01-01 00:00:01");
  EXPECT_EQ(Shown(ColumnType::kInt64, {0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), "-2");
  EXPECT_EQ(Shown(ColumnType::kInt64, {0xfe, 0xff, 0xff, 0xff}), "-2");  // an int of another engine
  EXPECT_EQ(Shown(ColumnType::kDouble, {0, 0, 0, 0, 0, 0, 0xf8, 0x3f}), "1.5");
  EXPECT_EQ(Shown(ColumnType::kDouble, {0, 0, 0xc0, 0x3f}), "1.5");  // a float
  EXPECT_EQ(Shown(ColumnType::kBool, {1}), "true");
  EXPECT_EQ(Shown(ColumnType::kString, {'a', 'b'}), "ab");
  EXPECT_EQ(Shown(ColumnType::kString, {}), "");
  EXPECT_EQ(Shown(ColumnType::kUInt64, {0x05}), "5");
  EXPECT_EQ(Shown(ColumnType::kUInt64, {0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), "18446744073709551615");
}

TEST(BoundValues, BytesThatAreNoneAreNull) {
  EXPECT_TRUE(BoundValue(ColumnType::kTimestamp, "short").IsNull());
  EXPECT_TRUE(BoundValue(ColumnType::kInt64, "").IsNull());
  EXPECT_TRUE(BoundValue(ColumnType::kDouble, "123").IsNull());
  EXPECT_TRUE(BoundValue(ColumnType::kBool, "12").IsNull());
  EXPECT_TRUE(BoundValue(ColumnType::kString, "\xff\xfe").IsNull());
  EXPECT_TRUE(BoundValue(ColumnType::kUInt64, Bytes({0xff})).IsNull());  // negative
  EXPECT_TRUE(BoundValue(ColumnType::kUInt64, std::string(10, '\1')).IsNull());
  EXPECT_TRUE(BoundValue(ColumnType::kUInt64, std::string(9, '\1')).IsNull());
  EXPECT_EQ(BoundValue(ColumnType::kUInt64, "").type(), duckdb::LogicalType::UBIGINT);
}

TEST(MetricsValues, AbsentOnesAreNull) {
  EXPECT_TRUE(CountsValue({}).IsNull());
  EXPECT_TRUE(BoundsValue({}).IsNull());
  EXPECT_EQ(CountsValue({{1, 5}, {3, 7}}).ToString(), "{1=5, 3=7}");
}

TableMetadata WithSpecs(std::vector<PartitionSpec> specs) {
  TableMetadata metadata;
  metadata.partition_specs = std::move(specs);
  return metadata;
}

TEST(PartitionFieldsTest, OneStructOfAllSpecs) {
  const PartitionFields fields(WithSpecs({{0, {{1, 1000, "time_hour", "hour", {}}}},
                                          {1, {{1, 1001, "time_day", "day", {}}}},
                                          {2, {{2, 1002, "host", "identity", {}}}},
                                          {3, {{1, 1000, "time_hour", "hour", {}}}},
                                          {4, {}}}));
  ASSERT_FALSE(fields.empty());
  EXPECT_EQ(fields.type().ToString(), "STRUCT(time_hour INTEGER, time_day DATE)");
  EXPECT_EQ(fields.ValueOf(0, 489058).ToString(), "{'time_hour': 489058, 'time_day': NULL}");
  EXPECT_EQ(fields.ValueOf(3, 489058).ToString(), "{'time_hour': 489058, 'time_day': NULL}");
  EXPECT_EQ(fields.ValueOf(1, 20377).ToString(), "{'time_hour': NULL, 'time_day': 2025-10-16}");
  EXPECT_EQ(fields.ValueOf(2, std::nullopt).ToString(), "{'time_hour': NULL, 'time_day': NULL}");
  EXPECT_EQ(fields.ValueOf(0, std::nullopt).ToString(), "{'time_hour': NULL, 'time_day': NULL}");
  EXPECT_EQ(fields.BoundText(0, Bytes({0x62, 0x76, 0x07, 0x00})).ToString(), "2025-10-16-10");
  EXPECT_EQ(fields.BoundText(1, Bytes({0x99, 0x4f, 0x00, 0x00})).ToString(), "2025-10-16");
  EXPECT_EQ(fields.BoundText(1, Bytes({0xff, 0xff, 0xff, 0xff})).ToString(), "1969-12-31");
  EXPECT_TRUE(fields.BoundText(1, "x").IsNull());
  EXPECT_TRUE(fields.BoundText(1, std::nullopt).IsNull());
  EXPECT_TRUE(fields.BoundText(2, Bytes({1, 0, 0, 0})).IsNull());
  EXPECT_TRUE(PartitionFields(WithSpecs({{0, {}}})).empty());
}

TEST(PartitionFieldsTest, MonthsAndYearsInWords) {
  const PartitionFields fields(WithSpecs(
      {{0, {{1, 1000, "m", "month", {}}}}, {1, {{1, 1001, "y", "year", {}}}}, {2, {{1, 1002, "b", "bucket[8]", {}}}}}));
  EXPECT_EQ(fields.BoundText(0, Bytes({0, 0, 0, 0})).ToString(), "1970-01");
  EXPECT_EQ(fields.BoundText(0, Bytes({0xff, 0xff, 0xff, 0xff})).ToString(), "1969-12");
  EXPECT_EQ(fields.BoundText(0, Bytes({0xf4, 0xff, 0xff, 0xff})).ToString(), "1969-01");
  EXPECT_EQ(fields.BoundText(1, Bytes({55, 0, 0, 0})).ToString(), "2025");
  EXPECT_EQ(fields.BoundText(2, Bytes({7, 0, 0, 0})).ToString(), "7");
}

TEST(MetadataTableNames, AreTheTablesNameAndAnEnding) {
  const auto files = ParseMetadataTableName("cpu$Files");
  ASSERT_TRUE(files);
  EXPECT_EQ(files->table, "cpu");
  EXPECT_EQ(files->kind, MetadataTableKind::kFiles);
  EXPECT_EQ(ParseMetadataTableName("a$b$history")->table, "a$b");
  for (const char* name : {"cpu", "cpu$", "$files", "cpu$nosuch", "cpu$files ", ""}) {
    EXPECT_FALSE(ParseMetadataTableName(name)) << name;
  }
}

}  // namespace
}  // namespace arc
