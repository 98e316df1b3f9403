#include "arc/buffer/table_buffer.h"

#include <arrow/buffer.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "arc/buffer/block_pool.h"
#include "arc/buffer/plain_rows.h"

namespace arc {
namespace {

Schema SmallSchema() {
  Schema schema;
  schema.columns = {MakeColumn("time", ColumnType::kTimestamp, ColumnRole::kTime, 1),
                    MakeColumn("host", ColumnType::kString, ColumnRole::kTag, 2),
                    MakeColumn("value", ColumnType::kDouble, ColumnRole::kField, 3),
                    MakeColumn("note", ColumnType::kString, ColumnRole::kField, 4),
                    MakeColumn("up", ColumnType::kBool, ColumnRole::kField, 5)};
  return schema;
}

PlainRow SmallRow(int64_t time) {
  return {time, "host-" + std::to_string(time % 7), 0.5 * static_cast<double>(time),
          time % 3 == 0 ? PlainValue() : PlainValue("a note that is too long to stand inline " + std::to_string(time)),
          time % 2 == 0};
}

std::vector<PlainRow> SmallRows(int64_t first, int64_t count) {
  std::vector<PlainRow> rows;
  for (int64_t i = 0; i < count; ++i) rows.push_back(SmallRow(first + i));
  return rows;
}

std::vector<ChunkView> Views(const HotRows& hot) {
  std::vector<ChunkView> views;
  if (hot.sealed != nullptr) views = *hot.sealed;
  if (hot.open.chunk != nullptr) views.push_back(hot.open);
  return views;
}

void ExpectRows(const HotRows& hot, const Schema& schema, const std::vector<PlainRow>& expected) {
  size_t at = 0;
  for (const auto& view : Views(hot)) {
    auto batch = ToRecordBatch(view, schema);
    ASSERT_TRUE(batch.ok()) << batch.error().message;
    ASSERT_TRUE((*batch)->ValidateFull().ok());
    ASSERT_EQ((*batch)->num_rows(), view.rows);
    for (uint32_t row = 0; row < view.rows; ++row, ++at) {
      ASSERT_LT(at, expected.size());
      ASSERT_EQ(ReadChunkRow(view, row, schema), Expected(expected[at], schema)) << at;
      ASSERT_EQ(ReadBatchRow(**batch, row), Expected(expected[at], schema)) << at;
    }
  }
  EXPECT_EQ(at, expected.size());
  EXPECT_EQ(hot.rows, expected.size());
}

TEST(TableBufferTest, EmptyHasNothing) {
  ByteBudget budget(1 << 20);
  TableBuffer buffer(&budget);
  EXPECT_EQ(buffer.rows(), 0u);
  EXPECT_EQ(buffer.bytes(), 0);
  EXPECT_EQ(buffer.first_lsn(), Lsn{});
  const HotRows hot = buffer.View();
  EXPECT_EQ(hot.sealed, nullptr);
  EXPECT_EQ(hot.open.chunk, nullptr);
  buffer.Seal();
  buffer.Release(Lsn{5});
  EXPECT_EQ(budget.used_bytes(), 0);
}

TEST(TableBufferTest, EmptyBatchChangesNothing) {
  TableBuffer buffer(nullptr);
  buffer.Append(SmallSchema(), Batch{}, Lsn{1}, {});
  EXPECT_EQ(buffer.rows(), 0u);
  EXPECT_EQ(buffer.View().open.chunk, nullptr);
}

TEST(TableBufferTest, ChunksDoubleAndSplitBatches) {
  const Schema schema = SmallSchema();
  TableBuffer buffer(nullptr);
  std::vector<PlainRow> all;
  for (uint64_t lsn = 1; lsn <= 40; ++lsn) {
    auto rows = SmallRows(static_cast<int64_t>(lsn) * 100, 100);
    buffer.Append(schema, PlainBatch(schema, rows, {0, 1, 2, 3, 4}), Lsn{lsn}, {});
    all.insert(all.end(), rows.begin(), rows.end());
  }
  const HotRows hot = buffer.View();
  ExpectRows(hot, schema, all);
  std::vector<uint32_t> capacities;
  for (const auto& view : Views(hot)) capacities.push_back(view.chunk->capacity());
  EXPECT_EQ(capacities, (std::vector<uint32_t>{256, 512, 1024, 2048, 4096}));
  // Row 256 is in the third batch (rows 200-299): both chunks hold a part of LSN 3.
  EXPECT_EQ((*hot.sealed)[0].last_lsn, Lsn{3});
  EXPECT_EQ((*hot.sealed)[1].first_lsn, Lsn{3});
  EXPECT_EQ((*hot.sealed)[0].min_time, 100);
  EXPECT_EQ((*hot.sealed)[0].max_time, 355);
  EXPECT_EQ((*hot.sealed)[1].min_time, 356);
  EXPECT_EQ(buffer.first_lsn(), Lsn{1});
}

TEST(TableBufferTest, FirstChunkHoldsTheFirstBatch) {
  const Schema schema = SmallSchema();
  TableBuffer buffer(nullptr);
  buffer.Append(schema, PlainBatch(schema, SmallRows(0, 1000), {0, 1, 2}), Lsn{1}, {});
  EXPECT_EQ(buffer.View().open.chunk->capacity(), 1024u);
}

TEST(TableBufferTest, FirstChunkOfATableIsSmall) {
  Schema schema;
  schema.columns.push_back(MakeColumn("time", ColumnType::kTimestamp, ColumnRole::kTime, 1));
  std::vector<size_t> which{0};
  PlainRow row{int64_t{1}};
  for (int i = 0; i < 4; ++i) {
    schema.columns.push_back(MakeColumn("tag" + std::to_string(i), ColumnType::kString, ColumnRole::kTag, 2 + i));
    schema.columns.push_back(MakeColumn("f" + std::to_string(i), ColumnType::kDouble, ColumnRole::kField, 20 + i));
    row.push_back("value");
    row.push_back(1.0);
    which.push_back(static_cast<size_t>(2 * i + 1));
    which.push_back(static_cast<size_t>(2 * i + 2));
  }
  ByteBudget budget(1 << 30);
  TableBuffer buffer(&budget);
  buffer.Append(schema, PlainBatch(schema, {row}, which), Lsn{1}, budget.Force(100));
  EXPECT_LE(buffer.bytes(), 24 * 1024);
  EXPECT_EQ(budget.used_bytes(), buffer.bytes());
}

TEST(TableBufferTest, EarlierViewsStayAsTheyWere) {
  const Schema schema = SmallSchema();
  TableBuffer buffer(nullptr);
  std::vector<std::pair<HotRows, std::vector<PlainRow>>> views;
  std::vector<PlainRow> all;
  for (uint64_t lsn = 1; lsn <= 300; ++lsn) {
    auto rows = SmallRows(static_cast<int64_t>(lsn) * 5, 5);
    buffer.Append(schema, PlainBatch(schema, rows, {0, 1, 2, 3, 4}), Lsn{lsn}, {});
    all.insert(all.end(), rows.begin(), rows.end());
    if (lsn % 37 == 0) views.emplace_back(buffer.View(), all);
  }
  buffer.Seal();
  buffer.Release(Lsn{300});
  EXPECT_EQ(buffer.rows(), 0u);
  for (const auto& [view, rows] : views) ExpectRows(view, schema, rows);
}

TEST(TableBufferTest, NewColumnStartsAChunkAndTrimsTheOldOne) {
  Schema schema = SmallSchema();
  TableBuffer buffer(nullptr);
  std::vector<PlainRow> all = SmallRows(0, 10);
  buffer.Append(schema, PlainBatch(schema, all, {0, 1, 2}), Lsn{1}, {});
  for (auto& row : all) row.resize(3);
  schema.columns.push_back(MakeColumn("extra", ColumnType::kUInt64, ColumnRole::kField, 9));
  PlainRow with_extra = SmallRow(77);
  with_extra.push_back(UINT64_MAX);
  buffer.Append(schema, PlainBatch(schema, {with_extra}, {0, 1, 2, 3, 4, 5}), Lsn{2}, {});
  all.push_back(with_extra);
  // Fits the chunk made for the union, though it lacks columns.
  buffer.Append(schema, PlainBatch(schema, {{int64_t{78}, PlainValue(), 1.5}}, {0, 2}), Lsn{3}, {});
  all.push_back({int64_t{78}, PlainValue(), 1.5});
  const HotRows hot = buffer.View();
  ExpectRows(hot, schema, all);
  ASSERT_EQ(hot.sealed->size(), 1u);
  EXPECT_EQ((*hot.sealed)[0].chunk->capacity(), 10u);
  EXPECT_EQ((*hot.sealed)[0].chunk->columns().size(), 3u);
  EXPECT_EQ(hot.open.rows, 2u);
}

TEST(TableBufferTest, ManyNewColumnsDoNotHoardMemory) {
  Schema schema = SmallSchema();
  schema.columns.resize(1);
  ByteBudget budget(int64_t{1} << 30);
  TableBuffer buffer(&budget);
  for (uint64_t lsn = 1; lsn <= 200; ++lsn) {
    const auto id = static_cast<int32_t>(lsn) + 100;
    schema.columns.push_back(MakeColumn("c" + std::to_string(id), ColumnType::kDouble, ColumnRole::kField, id));
    PlainRow row(schema.columns.size());
    row[0] = int64_t{1};
    row.back() = 1.0;
    buffer.Append(schema, PlainBatch(schema, {row}, {0, schema.columns.size() - 1}), Lsn{lsn}, {});
  }
  EXPECT_LT(buffer.bytes(), 2 << 20);
  EXPECT_EQ(budget.used_bytes(), buffer.bytes());
}

TEST(TableBufferTest, WideningReadsOldChunksAsDoubles) {
  Schema schema = SmallSchema();
  schema.columns[2].type = ColumnType::kInt64;
  TableBuffer buffer(nullptr);
  const PlainRow integer{int64_t{1}, "h", int64_t{41}};
  const PlainRow real{int64_t{2}, "h", 0.25};
  buffer.Append(schema, PlainBatch(schema, {integer}, {0, 1, 2}), Lsn{1}, {});
  schema.columns[2].type = ColumnType::kDouble;
  buffer.Append(schema, PlainBatch(schema, {real}, {0, 1, 2}), Lsn{2}, {});
  // Logged before the widening, applied after it.
  buffer.Append(schema, PlainBatch(schema, {integer}, {0, 1, 2}), Lsn{3}, {});
  const HotRows hot = buffer.View();
  ExpectRows(hot, schema, {integer, real, integer});
  EXPECT_EQ(hot.open.rows, 2u);
}

TEST(TableBufferTest, ImpossibleTypeChangeIsAnError) {
  Schema schema = SmallSchema();
  TableBuffer buffer(nullptr);
  buffer.Append(schema, PlainBatch(schema, SmallRows(0, 1), {0, 2}), Lsn{1}, {});
  schema.columns[2].type = ColumnType::kString;
  auto batch = ToRecordBatch(buffer.View().open, schema);
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().kind, ErrorKind::kInternal);
  EXPECT_NE(batch.error().message.find("value"), std::string::npos);
}

TEST(TableBufferTest, LargeBatchIsAdoptedWithoutCopy) {
  const Schema schema = SmallSchema();
  ByteBudget budget(int64_t{1} << 30);
  TableBuffer buffer(&budget);
  auto rows = SmallRows(0, kAdoptRows);
  const Batch batch = PlainBatch(schema, rows, {0, 1, 2, 3, 4});
  buffer.Append(schema, PlainBatch(schema, SmallRows(-5, 5), {0, 1, 2, 3, 4}), Lsn{1}, {});
  buffer.Append(schema, batch, Lsn{2}, budget.Force(batch.ByteSize()));
  const HotRows hot = buffer.View();
  ASSERT_EQ(hot.sealed->size(), 2u);  // order of LSNs: the open chunk is cut first
  EXPECT_EQ(hot.open.chunk, nullptr);
  const ChunkView& adopted = (*hot.sealed)[1];
  EXPECT_EQ(adopted.chunk->columns()[0].values, batch.columns[0].values->data()->GetValues<int64_t>(1));
  EXPECT_EQ(adopted.chunk->columns()[2].values, batch.columns[2].values->data()->GetValues<double>(1));
  EXPECT_EQ(adopted.chunk->columns()[0].validity, nullptr);
  EXPECT_NE(adopted.chunk->columns()[3].validity, nullptr);
  auto all = SmallRows(-5, 5);
  all.insert(all.end(), rows.begin(), rows.end());
  ExpectRows(hot, schema, all);
  EXPECT_EQ(budget.used_bytes(), buffer.bytes());
  auto converted = ToRecordBatch(adopted, schema);
  ASSERT_TRUE(converted.ok());
  EXPECT_EQ((*converted)->column(3), batch.columns[3].values);
}

TEST(TableBufferTest, AdoptedNullsReadAsZeroWhateverArrowHeld) {
  const Schema schema = SmallSchema();
  std::vector<PlainRow> rows = SmallRows(0, kAdoptRows);
  for (size_t i = 0; i < rows.size(); i += 3) rows[i][1] = rows[i][2] = PlainValue();
  Batch batch = PlainBatch(schema, rows, {0, 1, 2});
  auto scribble = [](BatchColumn* column, auto garbage) {
    auto data = column->values->data()->Copy();
    auto bytes = *arrow::AllocateBuffer(data->buffers[1]->size());
    std::memcpy(bytes->mutable_data(), data->buffers[1]->data(), static_cast<size_t>(bytes->size()));
    auto* values = reinterpret_cast<decltype(garbage)*>(bytes->mutable_data());
    for (int64_t row = 0; row < data->length; row += 3) values[row] = garbage;
    data->buffers[1] = std::move(bytes);
    column->values = arrow::MakeArray(data);
  };
  scribble(&batch.columns[1], int32_t{-12345});
  scribble(&batch.columns[2], 1e300);
  TableBuffer buffer(nullptr);
  buffer.Append(schema, batch, Lsn{1}, {});
  for (auto& row : rows) row.resize(3);
  ExpectRows(buffer.View(), schema, rows);  // ReadChunkRow checks that null rows are zero
}

// Chunks are made of memory that held other chunks: what a batch leaves out must not show what was there.
TEST(TableBufferTest, NothingShinesThroughFromEarlierChunks) {
  for (int64_t bytes = 64 << 10; bytes < (16 << 20); bytes += bytes / 10) {
    const auto block = ChunkBlocks().Take(bytes);
    std::memset(block.data, 0xAB, static_cast<size_t>(block.bytes));
    ChunkBlocks().Give(block);
  }
  const Schema schema = SmallSchema();
  std::vector<PlainRow> expected;
  TableBuffer buffer(nullptr);
  Lsn lsn;
  const auto append = [&](std::vector<size_t> columns, bool nulls) {
    std::vector<PlainRow> rows = SmallRows(static_cast<int64_t>(expected.size()), 1000);
    for (size_t i = 0; i < rows.size(); ++i) {
      for (size_t column = 1; column < 5; ++column) {
        const bool left_out = std::find(columns.begin(), columns.end(), column) == columns.end();
        if (left_out || (nulls && (i + column) % 3 == 0)) {
          rows[i][column] = PlainValue();
        }
      }
    }
    buffer.Append(schema, PlainBatch(schema, rows, columns), lsn = Lsn{lsn.value + 1}, {});
    expected.insert(expected.end(), rows.begin(), rows.end());
  };
  for (int round = 0; round < 12; ++round) {
    append({0, 1, 2, 3, 4}, false);
    append({0, 2}, false);
    append({0, 1, 3, 4}, true);
    append({0, 1, 2, 3, 4}, true);
  }
  ExpectRows(buffer.View(), schema, expected);
}

TEST(TableBufferTest, SliceOfALargeBodyIsCopiedInsteadOfPinned) {
  const Schema schema = SmallSchema();
  std::vector<PlainRow> rows = SmallRows(0, kAdoptRows);
  Batch batch = PlainBatch(schema, rows, {0, 2});
  auto body = std::shared_ptr<arrow::Buffer>(*arrow::AllocateBuffer(4 << 20));
  for (auto& column : batch.columns) {
    auto data = column.values->data()->Copy();
    const int64_t size = kAdoptRows * 8;
    std::memcpy(body->mutable_data(), data->buffers[1]->data(), static_cast<size_t>(size));
    auto part = arrow::SliceBuffer(body, 0, size);
    data->buffers[1] = part;
    if (&column != &batch.columns[0]) data->buffers[1] = batch.columns[1].values->data()->buffers[1];
    column.values = arrow::MakeArray(data);
  }
  std::memcpy(body->mutable_data(), PlainBatch(schema, rows, {0}).columns[0].values->data()->buffers[1]->data(),
              static_cast<size_t>(kAdoptRows * 8));
  ByteBudget budget(int64_t{1} << 30);
  TableBuffer buffer(&budget);
  buffer.Append(schema, batch, Lsn{1}, {});
  EXPECT_LT(buffer.bytes(), 1 << 20);
  for (auto& row : rows) row = {row[0], PlainValue(), row[2]};
  ExpectRows(buffer.View(), schema, rows);
}

TEST(TableBufferTest, TagThatOutgrowsItsDictionaryTurnsPlain) {
  const Schema schema = SmallSchema();
  ByteBudget budget(int64_t{1} << 30);
  TableBuffer buffer(&budget);
  std::vector<PlainRow> all;
  uint64_t lsn = 1;
  for (int64_t first = 0; first < 70'000; first += 5000) {
    std::vector<PlainRow> rows;
    for (int64_t i = first; i < first + 5000; ++i) {
      rows.push_back({i, i % 11 == 0 ? PlainValue() : PlainValue("request-identifier-" + std::to_string(i))});
    }
    // Every other batch is large enough to be adopted once repeated.
    if (first % 10'000 == 5000) {
      const std::vector<PlainRow> again = rows;
      rows.insert(rows.end(), again.begin(), again.end());
    }
    buffer.Append(schema, PlainBatch(schema, rows, {0, 1}), Lsn{lsn++}, {});
    all.insert(all.end(), rows.begin(), rows.end());
  }
  for (int64_t i = 70'000; i < 80'000; ++i) {
    all.push_back({i, "request-identifier-" + std::to_string(i)});
  }
  buffer.Append(schema, PlainBatch(schema, {all.end() - 10'000, all.end()}, {0, 1}), Lsn{lsn++}, {});
  HotRows hot = buffer.View();
  ExpectRows(hot, schema, all);
  EXPECT_NE(hot.sealed->front().chunk->columns()[1].dictionary, nullptr);
  EXPECT_EQ(hot.sealed->back().chunk->columns()[1].dictionary, nullptr);
  EXPECT_EQ(budget.used_bytes(), buffer.bytes());
  buffer.Seal();
  EXPECT_EQ(buffer.View().open.chunk, nullptr);
  // A new generation starts with a dictionary again.
  buffer.Append(schema, PlainBatch(schema, {{int64_t{1}, "x"}}, {0, 1}), Lsn{lsn}, {});
  EXPECT_NE(buffer.View().open.chunk->columns()[1].dictionary, nullptr);
  hot = HotRows();
  buffer.Release(Lsn{lsn - 1});
  EXPECT_EQ(buffer.rows(), 1u);
  EXPECT_EQ(buffer.first_lsn(), Lsn{lsn});
  EXPECT_EQ(budget.used_bytes(), buffer.bytes());
}

TEST(TableBufferTest, MoreDictionaryValuesThanRowsInternsOnlyTheUsed) {
  const Schema schema = SmallSchema();
  Batch batch = PlainBatch(schema, {{int64_t{1}, "v3"}, {int64_t{2}, PlainValue()}}, {0, 1});
  arrow::StringBuilder values;
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(values.Append("v" + std::to_string(i)).ok());
  arrow::Int32Builder codes;
  ASSERT_TRUE(codes.Append(3).ok());
  ASSERT_TRUE(codes.AppendNull().ok());
  batch.columns[1].values = *arrow::DictionaryArray::FromArrays(BatchArrowType(ColumnType::kString, ColumnRole::kTag),
                                                                *codes.Finish(), *values.Finish());
  TableBuffer buffer(nullptr);
  buffer.Append(schema, batch, Lsn{1}, {});
  EXPECT_EQ(buffer.View().open.chunk->columns()[1].dictionary->size(), 1u);
  ExpectRows(buffer.View(), schema, {{int64_t{1}, "v3"}, {int64_t{2}}});
}

TEST(TableBufferTest, DictionariesAreSharedWithinAGenerationOnly) {
  const Schema schema = SmallSchema();
  TableBuffer buffer(nullptr);
  buffer.Append(schema, PlainBatch(schema, SmallRows(0, 300), {0, 1}), Lsn{1}, {});
  buffer.Append(schema, PlainBatch(schema, SmallRows(300, 300), {0, 1, 2}), Lsn{2}, {});
  HotRows hot = buffer.View();
  const auto views = Views(hot);
  ASSERT_EQ(views.size(), 2u);
  EXPECT_EQ(views[0].chunk->columns()[1].dictionary, views[1].chunk->columns()[1].dictionary);
  auto first = ToRecordBatch(views[0], schema);
  auto second = ToRecordBatch(views[1], schema);
  auto dictionary = [](const auto& batch) {
    return static_cast<const arrow::DictionaryArray&>(*batch.value()->column(1)).data()->dictionary.get();
  };
  EXPECT_EQ(dictionary(first), dictionary(second));
  buffer.Seal();
  buffer.Append(schema, PlainBatch(schema, SmallRows(600, 3), {0, 1}), Lsn{3}, {});
  EXPECT_NE(buffer.View().open.chunk->columns()[1].dictionary, views[1].chunk->columns()[1].dictionary);
}

TEST(TableBufferTest, ReleaseKeepsLaterChunksAndReadersKeepTheirs) {
  const Schema schema = SmallSchema();
  ByteBudget budget(int64_t{1} << 30);
  TableBuffer buffer(&budget);
  auto first = SmallRows(0, 500);
  auto second = SmallRows(500, 20);
  buffer.Append(schema, PlainBatch(schema, first, {0, 1, 2, 3, 4}), Lsn{1}, budget.Force(1000));
  buffer.Seal();
  buffer.Append(schema, PlainBatch(schema, second, {0, 1, 2, 3, 4}), Lsn{2}, budget.Force(1000));
  HotRows pinned = buffer.View();
  const int64_t both = budget.used_bytes();
  buffer.Release(Lsn{1});
  EXPECT_EQ(budget.used_bytes(), both) << "a reader still holds the released chunk";
  ExpectRows(buffer.View(), schema, second);
  auto all = first;
  all.insert(all.end(), second.begin(), second.end());
  ExpectRows(pinned, schema, all);
  pinned = HotRows();
  EXPECT_LT(budget.used_bytes(), both);
  EXPECT_EQ(budget.used_bytes(), buffer.bytes());
  buffer.Seal();
  buffer.Release(Lsn{2});
  EXPECT_EQ(budget.used_bytes(), 0);
  EXPECT_EQ(buffer.bytes(), 0);
}

TEST(TableBufferTest, RecordBatchOutlivesTheBuffer) {
  const Schema schema = SmallSchema();
  ByteBudget budget(int64_t{1} << 30);
  std::shared_ptr<arrow::RecordBatch> batch;
  const auto rows = SmallRows(0, 100);
  {
    TableBuffer buffer(&budget);
    buffer.Append(schema, PlainBatch(schema, rows, {0, 1, 2, 3, 4}), Lsn{1}, {});
    batch = ToRecordBatch(buffer.View().open, schema).value();
  }
  EXPECT_GT(budget.used_bytes(), 0);
  for (int64_t row = 0; row < 100; ++row) {
    ASSERT_EQ(ReadBatchRow(*batch, row), rows[static_cast<size_t>(row)]);
  }
  batch.reset();
  EXPECT_EQ(budget.used_bytes(), 0);
}

TEST(TableBufferTest, LongStringsCloseAChunkEarly) {
  const Schema schema = SmallSchema();
  TableBuffer buffer(nullptr);
  const std::string large(9 << 20, 'x');
  std::vector<PlainRow> all;
  for (uint64_t lsn = 1; lsn <= 10; ++lsn) {
    PlainRow row{static_cast<int64_t>(lsn), "h", 1.0, large};
    buffer.Append(schema, PlainBatch(schema, {row}, {0, 1, 2, 3}), Lsn{lsn}, {});
    all.push_back(row);
  }
  const HotRows hot = buffer.View();
  ASSERT_NE(hot.sealed, nullptr);
  EXPECT_EQ((*hot.sealed)[0].rows, 8u);
  ExpectRows(hot, schema, all);
}

}  // namespace
}  // namespace arc
