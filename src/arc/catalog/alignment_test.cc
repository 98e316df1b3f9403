#include "arc/catalog/alignment.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

const TableRef kTable{{}, "db", "m"};

Schema TimeOnly() {
  Schema schema;
  schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, false}};
  return schema;
}

AlignedBatch Align(const Batch& batch, Schema* schema) {
  auto aligned = AlignBatch(kTable, batch, schema);
  EXPECT_TRUE(aligned.ok());
  return std::move(aligned).value();
}

TEST(AlignmentTest, NewColumnsGetFreshFieldIds) {
  Schema schema = TimeOnly();
  auto aligned = Align(BatchForTest({1, 2}).Tags("host", {"a", {}}).Doubles("v", {1.5, 2.5}).Done(), &schema);
  ASSERT_EQ(schema.columns.size(), 3u);
  EXPECT_EQ(schema.columns[1].field_id, 2);
  EXPECT_EQ(schema.columns[2].field_id, 3);
  EXPECT_GT(schema.version, 0u);
  EXPECT_TRUE(aligned.errors.empty());
  EXPECT_TRUE(MatchesExactly(schema, aligned.batch));
}

TEST(AlignmentTest, AnotherCaseJoinsTheFirstSpelling) {
  Schema schema = TimeOnly();
  Align(BatchForTest({1}).Doubles("Usage", {1.0}).Done(), &schema);
  auto aligned = Align(BatchForTest({2}).Doubles("usage", {2.0}).Done(), &schema);
  EXPECT_EQ(schema.columns.size(), 2u);
  EXPECT_EQ(aligned.batch.columns[1].name, "Usage");
  EXPECT_TRUE(aligned.notices.empty());
}

TEST(AlignmentTest, TwoSpellingsInOneBatchMergeAndTheFirstValueStays) {
  Schema schema = TimeOnly();
  auto aligned = Align(BatchForTest({1, 2, 3})
                           .Tags("Host", {"a", {}, {}})
                           .Tags("host", {"x", "b", {}})
                           .Ints("n", {1, {}, {}})
                           .Ints("N", {9, 2, {}})
                           .Done(),
                       &schema);
  ASSERT_EQ(aligned.batch.columns.size(), 3u);
  const auto& host = static_cast<const arrow::DictionaryArray&>(*aligned.batch.columns[1].values);
  const auto& names = static_cast<const arrow::StringArray&>(*host.dictionary());
  EXPECT_EQ(names.GetView(host.GetValueIndex(0)), "a");
  EXPECT_EQ(names.GetView(host.GetValueIndex(1)), "b");
  EXPECT_TRUE(host.IsNull(2));
  const auto& n = static_cast<const arrow::Int64Array&>(*aligned.batch.columns[2].values);
  EXPECT_EQ(n.Value(0), 1);
  EXPECT_EQ(n.Value(1), 2);
  EXPECT_TRUE(n.IsNull(2));
}

TEST(AlignmentTest, AFieldNamedLikeATagGetsASuffixAndANotice) {
  Schema schema = TimeOnly();
  auto aligned = Align(BatchForTest({1}).Tags("x", {"tag"}).Doubles("x", {1.0}).Doubles("time", {5.0}).Done(), &schema);
  ASSERT_EQ(schema.columns.size(), 4u);
  EXPECT_EQ(schema.columns[2].name, "x_field");
  EXPECT_EQ(schema.columns[3].name, "time_field");
  EXPECT_EQ(aligned.notices.size(), 2u);
  auto again = Align(BatchForTest({2}).Doubles("x", {2.0}).Done(), &schema);
  EXPECT_EQ(again.batch.columns[1].name, "x_field");
  EXPECT_EQ(schema.columns.size(), 4u);
}

TEST(AlignmentTest, ATakenSuffixCountsOn) {
  Schema schema = TimeOnly();
  Align(BatchForTest({1}).Tags("x", {"a"}).Tags("x_field", {"b"}).Done(), &schema);
  auto aligned = Align(BatchForTest({1}).Doubles("x", {1.0}).Done(), &schema);
  EXPECT_EQ(aligned.batch.columns[1].name, "x_1");
}

TEST(AlignmentTest, AGuessedRoleGivesWayToTheTables) {
  Schema schema = TimeOnly();
  Align(BatchForTest({1}).Strings("message", {"a"}).Tags("host", {"h"}).Done(), &schema);
  Batch guessed = BatchForTest({2, 3}).Tags("message", {"b", {}}).Done();
  guessed.columns[1].role_known = false;
  auto aligned = Align(guessed, &schema);
  EXPECT_EQ(schema.columns.size(), 3u);
  ASSERT_EQ(aligned.batch.columns[1].values->type_id(), arrow::Type::STRING);
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*aligned.batch.columns[1].values).GetView(0), "b");
  EXPECT_TRUE(aligned.batch.columns[1].values->IsNull(1));
}

TEST(AlignmentTest, IntegersIntoADoubleConvert) {
  Schema schema = TimeOnly();
  Align(BatchForTest({1}).Doubles("v", {1.5}).Done(), &schema);
  auto aligned = Align(BatchForTest({1, 2}).Ints("v", {3, {}}).Done(), &schema);
  EXPECT_EQ(aligned.batch.columns[1].type, ColumnType::kDouble);
  EXPECT_TRUE(aligned.batch.columns[1].values->IsNull(1));
}

TEST(AlignmentTest, ADoubleWidensABigintUntilItsTypeIsFixed) {
  Schema schema = TimeOnly();
  Align(BatchForTest({1}).Ints("v", {1}).Done(), &schema);
  uint64_t before = schema.version;
  auto widened = Align(BatchForTest({1}).Doubles("v", {1.5}).Done(), &schema);
  EXPECT_EQ(schema.columns[1].type, ColumnType::kDouble);
  EXPECT_GT(schema.version, before);
  EXPECT_TRUE(widened.errors.empty());
}

TEST(AlignmentTest, WideningLateInABatchReachesTheEarlierSpelling) {
  Schema schema = TimeOnly();
  auto aligned = Align(BatchForTest({1, 2}).Ints("v", {1, {}}).Doubles("V", {{}, 2.5}).Done(), &schema);
  ASSERT_EQ(aligned.batch.columns.size(), 2u);
  EXPECT_EQ(aligned.batch.columns[1].type, ColumnType::kDouble);
  const auto& v = static_cast<const arrow::DoubleArray&>(*aligned.batch.columns[1].values);
  EXPECT_EQ(v.Value(0), 1.0);
  EXPECT_EQ(v.Value(1), 2.5);
}

TEST(AlignmentTest, AfterACommitOnlyRowsSentAsIntegersFitABigint) {
  Schema schema = TimeOnly();
  Align(BatchForTest({1}).Ints("v", {1}).Done(), &schema);
  schema.columns[1].type_fixed = true;
  Batch mixed = BatchForTest({10, 20, 30}).Doubles("v", {4.0, 1.5, {}}).Done();
  static const uint8_t kFirstIsInteger[] = {0b001};
  mixed.columns[1].integral = std::make_shared<arrow::Buffer>(kFirstIsInteger, 1);
  mixed.positions = {7, 8, 9};
  auto aligned = Align(mixed, &schema);
  ASSERT_EQ(aligned.errors.size(), 1u);
  EXPECT_EQ(aligned.errors[0].position, 8u);
  EXPECT_NE(aligned.errors[0].message.find("\"v\""), std::string::npos);
  ASSERT_EQ(aligned.batch.rows, 2);
  EXPECT_EQ(aligned.batch.min_time, 10);
  EXPECT_EQ(aligned.batch.max_time, 30);
  EXPECT_EQ(static_cast<const arrow::Int64Array&>(*aligned.batch.columns[1].values).Value(0), 4);
}

TEST(AlignmentTest, ImpossibleValuesRefuseTheirRowsOnceWhateverElseTheyHold) {
  Schema schema = TimeOnly();
  Align(BatchForTest({1}).Tags("host", {"a"}).Doubles("v", {1.0}).Bools("b", {true}).Done(), &schema);
  auto aligned =
      Align(BatchForTest({1, 2}).Tags("host", {"x", "y"}).Strings("v", {"text", {}}).Strings("b", {"text", {}}).Done(),
            &schema);
  ASSERT_EQ(aligned.errors.size(), 1u);
  ASSERT_EQ(aligned.batch.rows, 1);
  EXPECT_EQ(aligned.batch.min_time, 2);
  const auto& host = static_cast<const arrow::DictionaryArray&>(*aligned.batch.columns[1].values);
  EXPECT_EQ(static_cast<const arrow::StringArray&>(*host.dictionary()).GetView(host.GetValueIndex(0)), "y");
}

TEST(AlignmentTest, BigintAndUbigintConvertWhereTheValueFits) {
  Schema schema = TimeOnly();
  Align(BatchForTest({1}).Ints("i", {1}).UInts("u", {1u}).Done(), &schema);
  auto aligned = Align(BatchForTest({1, 2, 3}).UInts("i", {5u, 1ull << 63, {}}).Ints("u", {-1, 6, 7}).Done(), &schema);
  EXPECT_EQ(aligned.errors.size(), 2u);
  EXPECT_EQ(aligned.batch.rows, 1);
}

TEST(AlignmentTest, TheColumnLimitHolds) {
  Schema schema = TimeOnly();
  for (size_t i = 1; i < kMaxColumns; ++i) {
    schema.columns.push_back(
        {"c" + std::to_string(i), ColumnType::kDouble, ColumnRole::kField, static_cast<int32_t>(i + 1), false});
  }
  EXPECT_TRUE(AlignBatch(kTable, BatchForTest({1}).Doubles("c77", {1.0}).Done(), &schema).ok());
  EXPECT_FALSE(AlignBatch(kTable, BatchForTest({1}).Doubles("more", {1.0}).Done(), &schema).ok());
}

}  // namespace
}  // namespace arc
