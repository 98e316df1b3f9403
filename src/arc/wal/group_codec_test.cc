#include <gtest/gtest.h>

#include <cstdio>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "arc/io/crc32c.h"
#include "arc/wal/group_decoder.h"
#include "arc/wal/group_encoder.h"
#include "arc/wal/test_batches.h"

namespace arc {
namespace {

constexpr int64_t kWall = 1'754'000'000'123'456;
const GroupPlace kPlace{0xABCDEF0123456789, 4096, Lsn{6}};

std::vector<uint8_t> Encode(GroupEncoder& encoder, const std::vector<LogRecord>& records, Lsn first) {
  std::vector<const LogRecord*> pointers;
  for (const auto& record : records) pointers.push_back(&record);
  auto status = encoder.Encode(pointers, first, kWall);
  EXPECT_TRUE(status.ok()) << status.error().message;
  const auto bytes = encoder.Seal(kPlace);
  EXPECT_EQ(static_cast<int64_t>(bytes.size()), encoder.bytes() + kEndMarkerBytes);
  return {bytes.begin(), bytes.end()};
}

std::vector<std::pair<Lsn, LogRecord>> Decode(std::span<const uint8_t> bytes, Lsn after = {}) {
  auto group = CheckGroup(bytes.first(bytes.size() - kEndMarkerBytes), kPlace.offset);
  std::vector<std::pair<Lsn, LogRecord>> records;
  EXPECT_TRUE(group.has_value());
  if (!group) return records;
  auto status = DecodeGroup(*group, MakeTable(9, "").id, after, [&](Lsn lsn, LogRecord&& record) -> Status {
    records.emplace_back(lsn, std::move(record));
    return {};
  });
  EXPECT_TRUE(status.ok()) << status.error().message;
  return records;
}

Batch EveryType() {
  const double inf = std::numeric_limits<double>::infinity();
  using Strings = std::vector<std::optional<std::string>>;
  const Strings texts = {"", std::nullopt, "Grüße 🌍", std::string("a\0b", 3), std::string(5000, 'x')};
  const Strings tags = {"", std::nullopt, "müller", "", "\xF0\x9F\x8C\x8D"};
  return MakeBatch(
      {TimeColumn({5, -7, std::numeric_limits<int64_t>::max(), 0, 5}), TagColumn("tag", tags),
       DoubleColumn("d", {1.5, std::nullopt, std::numeric_limits<double>::quiet_NaN(), -0.0, inf}),
       MakeColumn("i", ColumnType::kInt64, ColumnRole::kField,
                  ArrayOf<arrow::Int64Builder, int64_t>({INT64_MIN, std::nullopt, 0, 1, INT64_MAX})),
       MakeColumn("u", ColumnType::kUInt64, ColumnRole::kField,
                  ArrayOf<arrow::UInt64Builder, uint64_t>({0, std::nullopt, UINT64_MAX, 1, 2})),
       MakeColumn("b", ColumnType::kBool, ColumnRole::kField,
                  ArrayOf<arrow::BooleanBuilder, bool>({true, std::nullopt, false, true, true})),
       MakeColumn("s", ColumnType::kString, ColumnRole::kField, ArrayOf<arrow::StringBuilder, std::string>(texts)),
       TagColumn("никогда", {std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt}),
       DoubleColumn("nothing", {std::nullopt, std::nullopt, std::nullopt, std::nullopt, std::nullopt}),
       MakeColumn("__lsn", ColumnType::kInt64, ColumnRole::kField,
                  ArrayOf<arrow::Int64Builder, int64_t>({1, 2, 3, 4, 5}))});
}

TEST(GroupCodec, EveryTypeWithNullsDictionariesAndUnicode) {
  GroupEncoder encoder(MakeTable(9, "").id);
  TableRef table = MakeTable(1, "wetter \"süd\"");
  table.database = "größe/☃";
  const Batch batch = EveryType();
  const auto bytes = Encode(encoder, {RowsRecord(table, batch)}, Lsn{7});
  const auto records = Decode(bytes);
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0].first, Lsn{7});
  EXPECT_EQ(records[0].second.kind, LogRecord::Kind::kRows);
  EXPECT_EQ(records[0].second.table.id, table.id);
  EXPECT_EQ(records[0].second.table.database, table.database);
  EXPECT_EQ(records[0].second.table.name, table.name);
  EXPECT_EQ(BatchDifference(records[0].second.batch, batch), "");
}

TEST(GroupCodec, ManyTablesAndSchemasInOneGroupComeBackInLsnOrder) {
  GroupEncoder encoder(MakeTable(9, "").id);
  std::vector<LogRecord> records;
  for (int i = 0; i < 60; ++i) {
    const TableRef table = MakeTable(static_cast<uint8_t>(i % 7 + 1), "m" + std::to_string(i % 7));
    if (i % 13 == 5) {
      records.push_back({LogRecord::Kind::kDropTable, table, {}});
    } else if (i % 13 == 6) {
      TableRef database;
      database.database = "neu";
      records.push_back({LogRecord::Kind::kCreateDatabase, database, {}});
    } else if (i % 3 == 0) {
      records.push_back(RowsRecord(table, NumberedBatch(i)));
    } else {
      records.push_back(RowsRecord(table, SmallBatch(1 + i, i)));
    }
  }
  for (int round = 0; round < 2; ++round) {  // the second time with known shapes
    const auto bytes = Encode(encoder, records, Lsn{100});
    const auto back = Decode(bytes);
    ASSERT_EQ(back.size(), records.size());
    for (size_t i = 0; i < records.size(); ++i) {
      EXPECT_EQ(back[i].first.value, 100 + i);
      EXPECT_EQ(back[i].second.kind, records[i].kind) << i;
      EXPECT_EQ(back[i].second.table.id, records[i].table.id) << i;
      EXPECT_EQ(back[i].second.table.database, records[i].table.database) << i;
      if (records[i].kind == LogRecord::Kind::kRows) {
        EXPECT_EQ(BatchDifference(back[i].second.batch, records[i].batch), "") << i;
      }
    }
    EXPECT_EQ(Decode(bytes, Lsn{149}).size(), 10U);
    EXPECT_EQ(Decode(bytes, Lsn{149}).front().first, Lsn{150});
    EXPECT_TRUE(Decode(bytes, Lsn{159}).empty());
  }
}

TEST(GroupCodec, FramesSayWhereTheyBelong) {
  GroupEncoder encoder(MakeTable(9, "").id);
  const auto bytes =
      Encode(encoder,
             {RowsRecord(MakeTable(1, "a"), SmallBatch(10, 1)), RowsRecord(MakeTable(2, "b"), SmallBatch(10, 2)),
              RowsRecord(MakeTable(1, "a"), SmallBatch(10, 3))},
             Lsn{7});
  const auto group = CheckGroup(std::span<const uint8_t>(bytes).first(bytes.size() - kEndMarkerBytes), kPlace.offset);
  ASSERT_TRUE(group);
  EXPECT_EQ(group->first, Lsn{7});
  EXPECT_EQ(group->last, Lsn{9});
  EXPECT_EQ(group->durable, Lsn{6});
  EXPECT_EQ(group->epoch, kPlace.epoch);
  // Table a: schema, 2 × (two dictionaries, batch); table b: schema, two dictionaries, batch.
  ASSERT_EQ(group->messages.size(), 11U);
  for (const auto& message : group->messages) {
    EXPECT_EQ(message.frame.at, kPlace.offset + static_cast<int64_t>(message.start));
    EXPECT_EQ(message.frame.group_bytes, static_cast<int64_t>(bytes.size()) - kEndMarkerBytes);
    EXPECT_EQ(message.frame.group_offset, kPlace.offset);
    EXPECT_EQ(message.start % 8, 0U);
  }
  EXPECT_EQ(group->messages[0].frame.first, Lsn{7});
  EXPECT_EQ(group->messages[0].frame.last, Lsn{9});
  EXPECT_EQ(group->messages[4].frame.first, Lsn{9});
  EXPECT_EQ(group->messages[7].frame.table, MakeTable(2, "b").id);
}

// docs/formats/wal.md, "Bytes": files written today must be read by every later version.
TEST(GroupCodec, TheFrameStandsWhereTheFormatSays) {
  GroupEncoder encoder(MakeTable(9, "").id);
  const auto bytes = Encode(encoder, {RowsRecord(MakeTable(1, "a"), NumberedBatch(3))}, Lsn{0x1F});
  const auto number = [&](size_t at, int size) {
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; --i) value = value << 8 | bytes[at + static_cast<size_t>(i)];
    return value;
  };
  EXPECT_EQ(number(0, 4), 0xFFFFFFFFU);
  EXPECT_EQ(number(8, 4), 20U);
  const std::vector<uint64_t> vtable = {14, 24, 20, 22, 12, 4, 16};
  for (size_t i = 0; i < vtable.size(); ++i) EXPECT_EQ(number(12 + 2 * i, 2), vtable[i]) << i;
  EXPECT_EQ(number(28, 4), 16U);
  EXPECT_EQ(number(32, 8), 0U) << "a schema has no body";
  EXPECT_EQ(number(48, 2), 4U);
  EXPECT_EQ(number(50, 1), 1U);
  EXPECT_EQ(number(52, 4), 1U);
  EXPECT_EQ(std::string(bytes.begin() + 84, bytes.begin() + 91), "arc.wal");
  EXPECT_EQ(number(92, 4), 235U);
  const std::string value(bytes.begin() + 96, bytes.begin() + 96 + 235);
  const std::string expected =
      "v1 table=01010101-0101-0101-0101-010101010101 lsn=000000000000001f-000000000000001f "
      "group=000000000000001f@0000000000001000+" +
      value.substr(value.find('+') + 1, 16) +
      " at=0000000000001000 durable=0000000000000006 epoch=abcdef0123456789 body=00000000 crc=";
  EXPECT_EQ(value.substr(0, 227), expected);
  // The documented checksum, by the slow way.
  std::vector<uint8_t> head(bytes.begin(), bytes.begin() + 8 + static_cast<std::ptrdiff_t>(number(4, 4)));
  const std::string crc = value.substr(227);
  std::fill_n(head.begin() + 96 + 227, 8, '0');
  char text[9];
  std::snprintf(text, sizeof(text), "%08x", ExtendCrc32cByTable(0, head));
  EXPECT_EQ(crc, text);
}

TEST(GroupCodec, AnyChangedByteIsNoticed) {
  GroupEncoder encoder(MakeTable(9, "").id);
  auto bytes = Encode(encoder, {RowsRecord(MakeTable(1, "a"), SmallBatch(3, 1))}, Lsn{7});
  bytes.resize(bytes.size() - kEndMarkerBytes);
  ASSERT_TRUE(CheckGroup(bytes, kPlace.offset));
  EXPECT_FALSE(CheckGroup(bytes, kPlace.offset + 8)) << "bound to its place";
  for (size_t i = 0; i < bytes.size(); ++i) {
    for (uint8_t flip : {0x01, 0x80}) {
      bytes[i] ^= flip;
      EXPECT_FALSE(CheckGroup(bytes, kPlace.offset)) << "byte " << i;
      bytes[i] ^= flip;
    }
  }
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(CheckGroup(std::span<const uint8_t>(bytes).first(size), kPlace.offset)) << size;
  }
}

TEST(GroupCodec, ABatchThatBreaksItsPromiseIsRefused) {
  GroupEncoder encoder(MakeTable(9, "").id);
  auto wrong_type = RowsRecord(MakeTable(1, "a"), NumberedBatch(1));
  wrong_type.batch.columns[1].type = ColumnType::kInt64;
  auto wrong_length = RowsRecord(MakeTable(1, "a"), NumberedBatch(1));
  wrong_length.batch.columns.push_back(DoubleColumn("two", {1.0, 2.0}));
  for (const auto* record : {&wrong_type, &wrong_length}) {
    auto status = encoder.Encode({&record, 1}, Lsn{1}, kWall);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, ErrorKind::kInternal);
  }
}

TEST(GroupCodec, SummaryNamesTablesAndCounts) {
  GroupEncoder encoder(MakeTable(9, "").id);
  const auto bytes = Encode(
      encoder, {RowsRecord(MakeTable(1, "a"), SmallBatch(10, 1)), {LogRecord::Kind::kDropTable, MakeTable(2, "b"), {}}},
      Lsn{7});
  const auto group = CheckGroup(std::span<const uint8_t>(bytes).first(bytes.size() - kEndMarkerBytes), kPlace.offset);
  ASSERT_TRUE(group);
  auto summaries = SummarizeGroup(*group);
  ASSERT_TRUE(summaries.ok()) << summaries.error().message;
  ASSERT_EQ(summaries->size(), 2U);
  EXPECT_EQ((*summaries)[0].meaning.table.name, "a");
  EXPECT_EQ((*summaries)[0].rows, 10U);
  EXPECT_EQ((*summaries)[0].meaning.lineage, MakeTable(9, "").id);
  EXPECT_EQ((*summaries)[1].meaning.kind, StreamKind::kDropTable);
  EXPECT_EQ((*summaries)[1].records, 1U);
  EXPECT_EQ((*summaries)[1].rows, 0U);
}

}  // namespace
}  // namespace arc
