#include "arc/parquet/checked_store.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "arc/parquet/data_file.h"
#include "arc/parquet/memory_store.h"
#include "arc/parquet/page_checks.h"
#include "arc/parquet/sorted_rows.h"

namespace arc {
namespace {

constexpr int kRows = 3000;
constexpr char kKey[] = "db/cpu/file.parquet";

class CheckedStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::mt19937_64 random(1);
    const auto pool = arrow::default_memory_pool();
    const auto micros = BatchArrowType(ColumnType::kTimestamp, ColumnRole::kTime);
    arrow::TimestampBuilder times(micros, pool);
    arrow::StringDictionary32Builder hosts;
    arrow::Int64Builder ids;
    for (int row = 0; row < kRows; ++row) {
      EXPECT_TRUE(times.Append(row).ok());
      EXPECT_TRUE(hosts.Append("host" + std::to_string(random() % 50)).ok());
      EXPECT_TRUE(ids.Append(static_cast<int64_t>(random() >> 20)).ok());
    }
    Schema schema;
    schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, true},
                      {"host", ColumnType::kString, ColumnRole::kTag, 2, true},
                      {"id", ColumnType::kInt64, ColumnRole::kField, 3, true}};
    const arrow::ArrayVector arrays{*times.Finish(), *hosts.Finish(), *ids.Finish()};
    arrow::FieldVector fields;
    for (size_t i = 0; i < arrays.size(); ++i) {
      fields.push_back(arrow::field(schema.columns[i].name, arrays[i]->type()));
    }
    auto sorted = SortedRows::Of({arrow::RecordBatch::Make(arrow::schema(fields), kRows, arrays)});
    ASSERT_TRUE(sorted.ok()) << sorted.error().message;
    ParquetOptions options;
    options.row_group_rows = 1000;
    auto written = WriteDataFile(store_, kKey, schema, *sorted, options);
    EXPECT_TRUE(written.ok()) << written.error().message;
  }

  std::string& content() { return store_.objects.at(kKey); }
  // In pieces of so many bytes.
  static Status ReadAll(CheckedStore& store, int64_t piece, int64_t bytes) {
    ARC_ASSIGN_OR_RETURN(const auto file, store.OpenKnown(kKey, bytes));
    std::vector<uint8_t> buffer(static_cast<size_t>(piece));
    for (int64_t at = 0; at < bytes; at += piece) {
      ARC_ASSIGN_OR_RETURN(const size_t count, file->ReadAt(at, buffer));
      EXPECT_EQ(count, static_cast<size_t>(std::min(piece, bytes - at)));
    }
    return {};
  }

  MemoryStore store_;
};

TEST_F(CheckedStoreTest, ASoundFileReadsAsItIs) {
  CheckedStore checked(store_);
  const auto bytes = static_cast<int64_t>(content().size());
  for (const int64_t piece : {bytes, int64_t{5000}, int64_t{333}}) {
    const auto read = ReadAll(checked, piece, bytes);
    EXPECT_TRUE(read.ok()) << read.error().message;
  }
  EXPECT_EQ(checked.ReadAll(kKey)->size(), content().size());
}

TEST_F(CheckedStoreTest, AFlippedBitOfAPageFailsItsReads) {
  const std::string sound = content();
  const auto bytes = static_cast<int64_t>(sound.size());
  std::mt19937_64 random(2);
  int noticed = 0;
  constexpr int kFlips = 200;
  for (int flip = 0; flip < kFlips; ++flip) {
    content() = sound;
    // The footer of so small a file is its last quarter at most.
    content()[4 + random() % (sound.size() * 3 / 4)] ^= static_cast<char>(1 << random() % 8);
    CheckedStore checked(store_);
    const auto read = ReadAll(checked, flip % 2 == 0 ? bytes : 1000, bytes);
    if (read.ok()) continue;  // a bit of a page's header that no checksum covers
    ++noticed;
    EXPECT_EQ(read.error().kind, ErrorKind::kCorruption) << read.error().message;
    EXPECT_NE(read.error().message.find(kKey), std::string::npos) << read.error().message;
  }
  EXPECT_GT(noticed, kFlips * 9 / 10);
}

TEST_F(CheckedStoreTest, WhatIsNotReadIsNotLookedAt) {
  const auto bytes = static_cast<int64_t>(content().size());
  content()[static_cast<size_t>(bytes) / 2] ^= 1;
  CheckedStore checked(store_);
  const auto file = checked.OpenKnown(kKey, bytes);
  std::vector<uint8_t> end(8);
  EXPECT_TRUE((*file)->ReadAt(bytes - 8, end).ok());
  std::vector<uint8_t> begin(16);
  EXPECT_TRUE((*file)->ReadAt(4, begin).ok());
  EXPECT_EQ((*file)->ReadAt(bytes / 2, begin).error().kind, ErrorKind::kCorruption);
  EXPECT_EQ((*file)->ReadAt(bytes / 2, begin).error().kind, ErrorKind::kCorruption);  // nor remembered as good
}

TEST_F(CheckedStoreTest, AFileOfAnotherLengthIsDamaged) {
  const auto bytes = static_cast<int64_t>(content().size());
  content().pop_back();
  CheckedStore checked(store_);
  const auto file = checked.OpenKnown(kKey, bytes);
  ASSERT_FALSE(file.ok());
  EXPECT_EQ(file.error().kind, ErrorKind::kCorruption);
}

// That reader says what is wrong.
TEST_F(CheckedStoreTest, WhatIsNoParquetFileHasNothingToCheck) {
  store_.objects["text.parquet"] = "no Parquet file at all";
  CheckedStore checked(store_);
  std::vector<uint8_t> buffer(100);
  const auto read = (*checked.OpenKnown("text.parquet", 22))->ReadAt(0, buffer);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, 22u);
}

TEST_F(CheckedStoreTest, FilesNotReadForLongAreForgotten) {
  store_.objects["b.parquet"] = content();
  PageChecks checks(20);  // 9 column chunks in each file
  const std::shared_ptr<ObjectReader> a = *store_.Open(kKey);
  const std::shared_ptr<ObjectReader> b = *store_.Open("b.parquet");
  const auto first = *checks.Of(kKey, a);
  EXPECT_EQ(first->chunks(), 9u);
  EXPECT_EQ(*checks.Of(kKey, a), first);
  (void)checks.Of("b.parquet", b);
  EXPECT_EQ(*checks.Of(kKey, a), first);  // both are remembered
  (void)checks.Of("c.parquet", b);
  EXPECT_EQ(*checks.Of(kKey, a), first);  // the one read last stays
  EXPECT_NE(checks.Of("b.parquet", b)->get(), nullptr);
}

}  // namespace
}  // namespace arc
