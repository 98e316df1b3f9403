#include "arc/query/result_builder.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <string>

namespace arc {
namespace {

using duckdb::LogicalType;
using duckdb::Value;

// Rows of (BIGINT, VARCHAR, BOOLEAN), appended as chunks of the given values.
class ResultBuilderTest : public testing::Test {
 protected:
  ResultBuilderTest() { builder_ = ResultBuilder::Make(types_, schema_); }

  void Append(const std::vector<std::vector<Value>>& rows) {
    duckdb::DataChunk chunk;
    chunk.Initialize(duckdb::Allocator::DefaultAllocator(), types_);
    for (size_t row = 0; row < rows.size(); ++row) {
      for (size_t column = 0; column < types_.size(); ++column) chunk.SetValue(column, row, rows[row][column]);
    }
    chunk.SetCardinality(rows.size());
    ASSERT_TRUE(builder_->Append(chunk).ok());
  }

  std::shared_ptr<arrow::RecordBatch> Finish() {
    auto batch = builder_->Finish();
    EXPECT_TRUE(batch.ok());
    EXPECT_TRUE((*batch)->ValidateFull().ok()) << (*batch)->ValidateFull();
    return *batch;
  }

  const duckdb::vector<LogicalType> types_{LogicalType::BIGINT, LogicalType::VARCHAR, LogicalType::BOOLEAN};
  const std::shared_ptr<arrow::Schema> schema_ = arrow::schema(
      {arrow::field("n", arrow::int64()), arrow::field("s", arrow::utf8()), arrow::field("b", arrow::boolean())});
  std::unique_ptr<ResultBuilder> builder_;
};

TEST_F(ResultBuilderTest, ChunksFollowEachOtherAndNullsBeginAnywhere) {
  const std::string text(3000, 'x');
  builder_->Expect(2);  // fewer than come
  Append({{Value::BIGINT(1), Value("a"), Value::BOOLEAN(true)}, {Value::BIGINT(2), Value(""), Value::BOOLEAN(false)}});
  Append({{Value(LogicalType::BIGINT), Value(text), Value(LogicalType::BOOLEAN)}});
  Append({{Value::BIGINT(-4), Value(LogicalType::VARCHAR), Value::BOOLEAN(true)}});
  Append({{Value::BIGINT(5), Value("twelve bytes"), Value::BOOLEAN(true)},
          {Value::BIGINT(6), Value("thirteen byte"), Value::BOOLEAN(false)}});
  EXPECT_EQ(builder_->rows(), 6);
  EXPECT_EQ(builder_->text_bytes(), 3000 + 1 + 12 + 13);
  auto batch = Finish();
  EXPECT_EQ(batch->column(0)->ToString(), "[\n  1,\n  2,\n  null,\n  -4,\n  5,\n  6\n]");
  EXPECT_EQ(batch->column(2)->ToString(), "[\n  true,\n  false,\n  null,\n  true,\n  true,\n  false\n]");
  const auto& strings = static_cast<const arrow::StringArray&>(*batch->column(1));
  EXPECT_EQ(strings.GetView(1), "");
  EXPECT_EQ(strings.GetView(2), text);
  EXPECT_TRUE(strings.IsNull(3));
  EXPECT_EQ(strings.GetView(4), "twelve bytes");
  EXPECT_EQ(strings.GetView(5), "thirteen byte");
}

TEST_F(ResultBuilderTest, EachBatchBeginsAnew) {
  Append({{Value(LogicalType::BIGINT), Value("first"), Value::BOOLEAN(true)}});
  auto first = Finish();
  Append({{Value::BIGINT(7), Value("second"), Value::BOOLEAN(false)}});
  auto second = Finish();
  EXPECT_EQ(first->column(0)->null_count(), 1);
  EXPECT_EQ(second->column(0)->ToString(), "[\n  7\n]");
  EXPECT_EQ(second->column(1)->ToString(), "[\n  \"second\"\n]");
  EXPECT_EQ(first->column(1)->ToString(), "[\n  \"first\"\n]");
}

TEST_F(ResultBuilderTest, VectorsThatAreNotFlatAreReadThroughTheirSelection) {
  duckdb::DataChunk chunk;
  chunk.Initialize(duckdb::Allocator::DefaultAllocator(), types_);
  chunk.data[0].Reference(Value::BIGINT(9));
  chunk.data[1].Reference(Value("constant"));
  chunk.data[2].Reference(Value(LogicalType::BOOLEAN));
  chunk.SetCardinality(3);
  ASSERT_TRUE(builder_->Append(chunk).ok());
  auto batch = Finish();
  EXPECT_EQ(batch->column(0)->ToString(), "[\n  9,\n  9,\n  9\n]");
  EXPECT_EQ(batch->column(1)->ToString(), "[\n  \"constant\",\n  \"constant\",\n  \"constant\"\n]");
  EXPECT_EQ(batch->column(2)->null_count(), 3);
}

TEST(ResultBuilderMakeTest, OtherTypesAreLeftToDuckDb) {
  auto one = [](const LogicalType& type, const std::shared_ptr<arrow::DataType>& arrow_type) {
    return ResultBuilder::Make({type}, arrow::schema({arrow::field("x", arrow_type)})) != nullptr;
  };
  EXPECT_TRUE(one(LogicalType::TIMESTAMP, arrow::timestamp(arrow::TimeUnit::MICRO)));
  EXPECT_TRUE(one(LogicalType::DATE, arrow::date32()));
  EXPECT_FALSE(one(LogicalType::HUGEINT, arrow::decimal128(38, 0)));
  EXPECT_FALSE(one(LogicalType::LIST(LogicalType::BIGINT), arrow::list(arrow::int64())));
  EXPECT_FALSE(one(LogicalType::VARCHAR, arrow::utf8_view()));
  EXPECT_FALSE(one(LogicalType::JSON(), arrow::utf8()));
}

}  // namespace
}  // namespace arc
