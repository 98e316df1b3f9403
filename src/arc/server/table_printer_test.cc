#include "arc/server/table_printer.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <sstream>

namespace arc {
namespace {

std::shared_ptr<arrow::RecordBatch> Sample() {
  arrow::StringBuilder names;
  arrow::DoubleBuilder values;
  arrow::TimestampBuilder times(arrow::timestamp(arrow::TimeUnit::MICRO), arrow::default_memory_pool());
  EXPECT_TRUE(names.AppendValues({"web-1", "", "日本"}).ok());
  EXPECT_TRUE(values.AppendValues({1.5, -20}).ok());
  EXPECT_TRUE(values.AppendNull().ok());
  EXPECT_TRUE(times.AppendValues({0, 1'500'000, 2}).ok());
  auto schema = arrow::schema(
      {arrow::field("host", arrow::utf8()), arrow::field("v", arrow::float64()), arrow::field("time", times.type())});
  return arrow::RecordBatch::Make(schema, 3, {*names.Finish(), *values.Finish(), *times.Finish()});
}

TEST(TablePrinter, DrawsABox) {
  std::ostringstream out;
  TablePrinter printer(out, 100);
  auto batch = Sample();
  printer.Begin(*batch->schema());
  ASSERT_TRUE(printer.Rows(*batch).ok());
  printer.End(12.34);
  EXPECT_EQ(out.str(),
            "┌───────┬──────┬────────────────────────────┐\n"
            "│ host  │    v │ time                       │\n"
            "├───────┼──────┼────────────────────────────┤\n"
            "│ web-1 │  1.5 │ 1970-01-01 00:00:00.000000 │\n"
            "│       │  -20 │ 1970-01-01 00:00:01.500000 │\n"
            "│ 日本  │ NULL │ 1970-01-01 00:00:00.000002 │\n"
            "└───────┴──────┴────────────────────────────┘\n"
            "3 rows in 12.3 ms\n");
}

TEST(TablePrinter, KeepsOnlyWhatItShows) {
  std::ostringstream out;
  TablePrinter printer(out, 2);
  auto batch = Sample();
  printer.Begin(*batch->schema());
  for (int i = 0; i < 1000; ++i) ASSERT_TRUE(printer.Rows(*batch).ok());
  printer.End(1500);
  EXPECT_NE(out.str().find("3,000 rows (2 shown) in 1.50 s\n"), std::string::npos) << out.str();
  EXPECT_EQ(out.str().find("日本"), std::string::npos);
}

TEST(TablePrinter, EmptyResultsAndHostileText) {
  std::ostringstream out;
  TablePrinter printer(out, 10);
  printer.Begin(*arrow::schema({arrow::field("a\nb", arrow::utf8())}));
  printer.End(0);
  EXPECT_NE(out.str().find("│ a\\nb │\n"), std::string::npos) << out.str();
  EXPECT_NE(out.str().find("0 rows in 0.0 ms"), std::string::npos);

  arrow::StringBuilder builder;
  ASSERT_TRUE(builder.Append("tab\there\x1b[31mred").ok());
  auto schema = arrow::schema({arrow::field("x", arrow::utf8())});
  std::ostringstream second;
  TablePrinter wild(second, 10);
  wild.Begin(*schema);
  ASSERT_TRUE(wild.Rows(*arrow::RecordBatch::Make(schema, 1, {*builder.Finish()})).ok());
  wild.End(0);
  EXPECT_NE(second.str().find("tab\\there\\x1b[31mred"), std::string::npos) << second.str();
  EXPECT_NE(second.str().find("1 row in"), std::string::npos);
}

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("abc"), 3);
  EXPECT_EQ(DisplayWidth("é"), 1);
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);
  EXPECT_EQ(DisplayWidth("日本"), 4);
  EXPECT_EQ(DisplayWidth("😀"), 2);
  EXPECT_EQ(DisplayWidth("\xff\xfe"), 2);
}

TEST(GroupDigits, Groups) {
  EXPECT_EQ(GroupDigits(0), "0");
  EXPECT_EQ(GroupDigits(999), "999");
  EXPECT_EQ(GroupDigits(1000), "1,000");
  EXPECT_EQ(GroupDigits(-1234567), "-1,234,567");
  EXPECT_EQ(GroupDigits(-100), "-100");
}

}  // namespace
}  // namespace arc
