#include "arc/catalog/table.h"

#include <gtest/gtest.h>

#include <atomic>

#include "arc/base/thread.h"
#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

Schema TimeOnly() {
  Schema schema;
  schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, true}};
  return schema;
}

class TableTest : public ::testing::Test {
 protected:
  Batch Aligned(Batch batch) {
    auto aligned = table_.Align(batch);
    EXPECT_TRUE(aligned.ok());
    return std::move(aligned->batch);
  }
  void Write(uint64_t lsn, int64_t first_time, int rows) {
    std::vector<int64_t> times;
    std::vector<std::optional<int64_t>> ids;
    for (int i = 0; i < rows; ++i) {
      times.push_back(first_time + i);
      ids.push_back(first_time + i);
    }
    BatchForTest batch(times);
    table_.Apply({lsn}, Aligned(batch.Ints("id", ids).Done()), {});
  }
  std::shared_ptr<const FileIndex> OneFile(int64_t rows) {
    return std::make_shared<const FileIndex>(std::vector<std::shared_ptr<const FileEntry>>{
        std::make_shared<const FileEntry>(FileEntry{"key", 100, rows, 0, 10})});
  }

  ManualClock clock_{0};
  ByteBudget budget_{1 << 30};
  Table table_{{{}, "db", "m"}, &budget_, clock_, TimeOnly(), nullptr, {}};
};

TEST_F(TableTest, AppliedRowsAreVisibleAndOldVersionsStayAsTheyWere) {
  Write(1, 0, 10);
  auto before = table_.Current();
  Write(2, 10, 5);
  EXPECT_EQ(before->hot.rows, 10u);
  EXPECT_EQ(table_.Current()->hot.rows, 15u);
  EXPECT_EQ(table_.Current()->applied, Lsn{2});
  EXPECT_GT(table_.Current()->number, before->number);
  EXPECT_EQ(table_.first_unflushed(), Lsn{1});
}

TEST_F(TableTest, AFlushSwapsChunksForFilesInOneVersion) {
  Write(1, 0, 10);
  auto input = table_.BeginFlush();
  EXPECT_EQ(input.last, Lsn{1});
  Write(2, 10, 5);  // during the flush
  auto pinned = table_.Current();
  EXPECT_EQ(pinned->hot.rows, 15u);
  table_.CommitFlush(OneFile(10), input.last);
  auto after = table_.Current();
  EXPECT_EQ(after->hot.rows, 5u);
  EXPECT_EQ(after->files->rows(), 10);
  EXPECT_EQ(pinned->hot.rows, 15u);
  EXPECT_EQ(pinned->files->rows(), 0);
  EXPECT_EQ(table_.first_unflushed(), Lsn{2});
  EXPECT_EQ(table_.flushed(), Lsn{1});
}

TEST_F(TableTest, StagedRunsTakeThePlaceOfTheirChunksUntilTheyAreCommitted) {
  auto stage = [&](const std::string& key, int64_t rows) {
    auto input = table_.BeginFlush();
    FlushedFile file;
    file.file.key = key;
    file.file.rows = rows;
    table_.Stage(
        std::make_shared<const StagedRun>(StagedRun{input.schema, {file}, input.chunks[0].first_lsn, input.last}));
  };
  Write(1, 0, 10);
  stage("a", 10);
  Write(2, 10, 5);
  EXPECT_EQ(table_.hot_rows(), 5u);
  EXPECT_EQ(table_.Current()->files->rows(), 10);
  EXPECT_EQ(table_.committed_files()->rows(), 0);
  EXPECT_EQ(table_.first_unflushed(), Lsn{1});  // the log keeps what is only staged
  EXPECT_EQ(table_.first_hot(), Lsn{2});
  stage("b", 5);
  Write(3, 15, 1);
  ASSERT_EQ(table_.staged().size(), 2u);
  EXPECT_EQ(table_.Current()->files->rows(), 15);

  auto first = table_.staged()[0];
  table_.CommitFlush(table_.committed_files()->With({EntryOf(first->files[0].file)}), first->last);
  EXPECT_EQ(table_.flushed(), Lsn{1});
  EXPECT_EQ(table_.first_unflushed(), Lsn{2});
  EXPECT_EQ(table_.committed_files()->rows(), 10);
  EXPECT_EQ(table_.Current()->files->rows(), 15);
  EXPECT_EQ(table_.Current()->hot.rows, 1u);
  auto second = table_.staged()[0];
  table_.CommitFlush(table_.committed_files()->With({EntryOf(second->files[0].file)}), second->last);
  EXPECT_TRUE(table_.staged().empty());
  EXPECT_EQ(table_.committed_files()->rows(), 15);
  EXPECT_EQ(table_.Current()->files->rows(), 15);
  EXPECT_EQ(table_.first_unflushed(), Lsn{3});
  EXPECT_GT(table_.hot_since_nanos(), 0);
}

TEST_F(TableTest, AFailedFlushIsTakenUpWholeByTheNext) {
  Write(1, 0, 10);
  EXPECT_EQ(table_.BeginFlush().last, Lsn{1});
  Write(2, 10, 5);
  auto again = table_.BeginFlush();
  EXPECT_EQ(again.last, Lsn{2});
  uint32_t rows = 0;
  for (const auto& chunk : again.chunks) rows += chunk.rows;
  EXPECT_EQ(rows, 15u);
}

TEST_F(TableTest, ReplayedRowsAtOrBelowFlushedAreSkipped) {
  Table table({{}, "db", "m"}, &budget_, clock_, TimeOnly(), OneFile(3), {5});
  auto aligned = table.Align(BatchForTest({1}).Ints("id", {1}).Done());
  table.Apply({5}, aligned->batch, {});
  EXPECT_EQ(table.hot_rows(), 0u);
  table.Apply({6}, aligned->batch, {});
  EXPECT_EQ(table.hot_rows(), 1u);
}

TEST_F(TableTest, AFlushFixesTheTypesOfAllColumns) {
  Write(1, 0, 1);
  (void)table_.Align(BatchForTest({1}).Ints("later", {1}).Done());  // known, but without a row yet
  table_.BeginFlush();
  auto refused = table_.Align(BatchForTest({1}).Doubles("later", {1.5}).Done());
  EXPECT_EQ(refused->errors.size(), 1u);
}

TEST_F(TableTest, TryAlignChangesNothing) {
  auto trial = table_.TryAlign(BatchForTest({1}).Ints("id", {1}).Done());
  EXPECT_TRUE(trial->errors.empty());
  EXPECT_EQ(table_.Current()->schema->columns.size(), 1u);
}

TEST_F(TableTest, AgeIsThatOfTheOldestRowStillHot) {
  EXPECT_EQ(table_.hot_since_nanos(), 0);
  clock_.Advance(std::chrono::seconds(1));
  Write(1, 0, 1);
  int64_t first = table_.hot_since_nanos();
  auto input = table_.BeginFlush();
  clock_.Advance(std::chrono::seconds(5));
  Write(2, 1, 1);
  EXPECT_EQ(table_.hot_since_nanos(), first);
  table_.CommitFlush(OneFile(1), input.last);
  EXPECT_GE(table_.hot_since_nanos(), first + 5'000'000'000);
}

CommittedTable Committed(std::vector<Column> columns, int32_t last_column_id) {
  CommittedTable committed;
  committed.schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, true}};
  for (auto& column : columns) committed.schema.columns.push_back(std::move(column));
  committed.files = std::make_shared<const FileIndex>();
  committed.last_column_id = last_column_id;
  return committed;
}

TEST_F(TableTest, AnotherEnginesColumnsAreAdoptedAndHotRowsStay) {
  Write(1, 0, 10);  // id: field id 2
  auto late = Aligned(BatchForTest({50}).Ints("id", {50}).Done());
  table_.Adopt(Committed({{"renamed", ColumnType::kInt64, ColumnRole::kField, 2, true},
                          {"theirs", ColumnType::kDouble, ColumnRole::kField, 4, true}},
                         6));
  auto version = table_.Current();
  EXPECT_EQ(version->hot.rows, 10u);
  EXPECT_EQ(version->schema->Find("renamed"), 1);
  EXPECT_EQ(version->schema->Find("id"), -1);
  // A batch aligned before comes under the old name: that is a new column now, under an id nobody had.
  table_.Apply({2}, late, {});
  version = table_.Current();
  EXPECT_EQ(version->hot.rows, 11u);
  ASSERT_GE(version->schema->Find("id"), 0);
  EXPECT_EQ(version->schema->columns[static_cast<size_t>(version->schema->Find("id"))].field_id, 7);
}

TEST_F(TableTest, LoggedRowsAreNeverRefused) {
  Write(1, 0, 1);
  table_.Adopt(Committed({{"id", ColumnType::kString, ColumnRole::kField, 3, true}}, 3));
  EXPECT_EQ(table_.Align(BatchForTest({5}).Ints("id", {5}).Done())->refused, 1u);
  auto kept = table_.AlignLogged(BatchForTest({5}).Ints("id", {5}).Done());
  ASSERT_TRUE(kept.ok());
  EXPECT_EQ(kept->refused, 0u);
  EXPECT_EQ(kept->batch.columns[1].name, "id_bigint");
}

TEST_F(TableTest, ColumnsOfHotRowsKeepTheirTypes) {
  Schema retyped = Committed({{"id", ColumnType::kString, ColumnRole::kField, 2, true}}, 2).schema;
  Aligned(BatchForTest({1}).Ints("id", {1}).Done());
  EXPECT_TRUE(table_.CanAdopt(retyped));  // no row holds it
  Write(1, 0, 1);
  EXPECT_FALSE(table_.CanAdopt(retyped));
  EXPECT_TRUE(table_.CanAdopt(TimeOnly()));  // dropped
}

TEST_F(TableTest, NoColumnIsAddedWhileTheSchemaIsHeld) {
  auto held = table_.HoldSchema();
  std::atomic<bool> added{false};
  Thread other("aligner", [&] {
    Aligned(BatchForTest({1}).Ints("new", {1}).Done());
    added = true;
  });
  table_.Adopt(Committed({{"theirs", ColumnType::kInt64, ColumnRole::kField, 2, true}}, 2));
  EXPECT_FALSE(added);
  held.unlock();
  other.Join();
  auto schema = table_.Current()->schema;
  EXPECT_EQ(schema->columns[static_cast<size_t>(schema->Find("new"))].field_id, 3);
}

TEST_F(TableTest, WhatIsRefusedIsSaid) {
  table_.Refuse("for a reason");
  EXPECT_EQ(table_.Current()->unreadable, "for a reason");
  auto refused = table_.Align(BatchForTest({1}).Ints("id", {1}).Done());
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("for a reason"), std::string::npos);
  table_.Adopt(Committed({}, 1));
  EXPECT_EQ(table_.Current()->unreadable, "");
  EXPECT_TRUE(table_.Align(BatchForTest({1}).Ints("id", {1}).Done()).ok());
}

TEST_F(TableTest, EveryReaderSeesEachRowOnceWhileFlushesSwapVersions) {
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> applied{0};
  std::atomic<int> bad{0};
  auto read = [&] {
    while (!stop) {
      uint64_t at_least = applied;
      auto version = table_.Current();
      uint64_t rows = version->hot.rows + static_cast<uint64_t>(version->files->rows());
      if (rows < at_least || rows != version->applied.value * 10) ++bad;
    }
  };
  Thread first("reader", read);
  Thread second("reader", read);
  int64_t flushed_rows = 0;
  for (uint64_t lsn = 1; lsn <= 500; ++lsn) {
    Write(lsn, static_cast<int64_t>(lsn) * 10, 10);
    applied = lsn * 10;
    if (lsn % 7 != 0) continue;
    auto input = table_.BeginFlush();
    for (const auto& chunk : input.chunks) flushed_rows += chunk.rows;
    table_.CommitFlush(OneFile(flushed_rows), input.last);
  }
  stop = true;
  first.Join();
  second.Join();
  EXPECT_EQ(bad, 0);
}

}  // namespace
}  // namespace arc
