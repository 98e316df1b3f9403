#include "arc/query/hot_vectors.h"

#include <gtest/gtest.h>

#include "arc/buffer/tag_interner.h"

namespace arc {
namespace {

// A column of `values` where row i is NULL if i % 3 == 0, with room for `capacity` rows.
template <typename T>
struct TestColumn {
  TestColumn(ColumnType type, std::vector<T> data) : values(std::move(data)), validity(values.size() / 64 + 1) {
    for (auto& word : validity) word = 0;
    for (size_t row = 0; row < values.size(); ++row) {
      if (row % 3 != 0) validity[row / 64] |= uint64_t{1} << (row % 64);
    }
    column.type = type;
    column.values = values.data();
    column.validity = validity.data();
  }
  std::vector<T> values;
  std::vector<std::atomic<uint64_t>> validity;
  ChunkColumn column;
};

TEST(HotVectors, FixedWidthIsNotCopied) {
  TestColumn<double> test(ColumnType::kDouble, std::vector<double>(5000, 1.5));
  test.column.validity = nullptr;
  DuckDictionaries dictionaries;
  duckdb::Vector vector(duckdb::LogicalType::DOUBLE);
  FillVector(test.column, duckdb::LogicalType::DOUBLE, 2048, 2048, dictionaries, vector);
  EXPECT_EQ(duckdb::FlatVector::GetData<double>(vector), test.values.data() + 2048);
  EXPECT_TRUE(duckdb::FlatVector::Validity(vector).AllValid());
}

TEST(HotVectors, NullsAndTheRowsBehindTheCount) {
  TestColumn<int64_t> test(ColumnType::kInt64, std::vector<int64_t>(3000, 7));
  DuckDictionaries dictionaries;
  duckdb::Vector vector(duckdb::LogicalType::BIGINT);
  // 100 rows are published: what the appender does to the same words must not show.
  FillVector(test.column, duckdb::LogicalType::BIGINT, 2048, 100, dictionaries, vector);
  test.validity[2048 / 64] = 0;
  test.validity[2048 / 64 + 1] = 0;
  for (uint32_t row = 0; row < 100; ++row) {
    EXPECT_EQ(duckdb::FlatVector::IsNull(vector, row), (2048 + row) % 3 == 0) << row;
  }
  EXPECT_FALSE(duckdb::FlatVector::IsNull(vector, 100));
}

TEST(HotVectors, AllValidWordsLeaveNoMask) {
  TestColumn<int64_t> test(ColumnType::kInt64, std::vector<int64_t>(100, 7));
  test.validity[0] = ~uint64_t{0};
  test.validity[1] = (uint64_t{1} << 36) - 1;  // just the 100 rows there are
  DuckDictionaries dictionaries;
  duckdb::Vector vector(duckdb::LogicalType::BIGINT);
  FillVector(test.column, duckdb::LogicalType::BIGINT, 0, 100, dictionaries, vector);
  EXPECT_TRUE(duckdb::FlatVector::Validity(vector).AllValid());
}

TEST(HotVectors, IntegersUnderADoubleAreCast) {
  TestColumn<int64_t> test(ColumnType::kInt64, {1, 2, 3, 4});
  DuckDictionaries dictionaries;
  duckdb::Vector vector(duckdb::LogicalType::DOUBLE);
  FillVector(test.column, duckdb::LogicalType::DOUBLE, 0, 4, dictionaries, vector);
  EXPECT_EQ(vector.GetValue(1), duckdb::Value::DOUBLE(2));
  EXPECT_TRUE(vector.GetValue(3).IsNull());
}

TEST(HotVectors, TagsAreDictionaryVectorsMadeOnce) {
  TagInterner interner(nullptr);
  interner.Intern("short");
  interner.Intern("longer than twelve bytes");
  TestColumn<uint32_t> test(ColumnType::kString, {0, 1, 0, 0, 1, 1});
  test.column.dictionary = interner.dictionary();
  DuckDictionaries dictionaries;
  duckdb::Vector first(duckdb::LogicalType::VARCHAR);
  duckdb::Vector second(duckdb::LogicalType::VARCHAR);
  FillVector(test.column, duckdb::LogicalType::VARCHAR, 0, 6, dictionaries, first);
  FillVector(test.column, duckdb::LogicalType::VARCHAR, 0, 3, dictionaries, second);
  EXPECT_EQ(first.GetVectorType(), duckdb::VectorType::DICTIONARY_VECTOR);
  EXPECT_EQ(duckdb::DictionaryVector::DictionaryId(first), duckdb::DictionaryVector::DictionaryId(second));
  const char* expected[] = {nullptr, "longer than twelve bytes", "short",
                            nullptr, "longer than twelve bytes", "longer than twelve bytes"};
  for (duckdb::idx_t row = 0; row < 6; ++row) {
    if (expected[row] == nullptr) {
      EXPECT_TRUE(first.GetValue(row).IsNull()) << row;
    } else {
      EXPECT_EQ(first.GetValue(row).ToString(), expected[row]) << row;
    }
  }
  // Without NULLs the codes themselves are the selection.
  test.column.validity = nullptr;
  duckdb::Vector third(duckdb::LogicalType::VARCHAR);
  FillVector(test.column, duckdb::LogicalType::VARCHAR, 0, 6, dictionaries, third);
  EXPECT_EQ(duckdb::DictionaryVector::SelVector(third).data(), test.values.data());
  EXPECT_EQ(third.GetValue(0).ToString(), "short");
}

TEST(HotVectors, AnImpossibleTypeIsAnErrorNotGarbage) {
  TestColumn<int64_t> test(ColumnType::kInt64, {1, 2});
  DuckDictionaries dictionaries;
  duckdb::Vector vector(duckdb::LogicalType::VARCHAR);
  EXPECT_ANY_THROW(FillVector(test.column, duckdb::LogicalType::VARCHAR, 0, 2, dictionaries, vector));
}

}  // namespace
}  // namespace arc
