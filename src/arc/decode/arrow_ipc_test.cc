#include "arc/decode/arrow_ipc.h"

#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/binary_view_util.h>
#include <arrow/util/compression.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "arc/decode/arrow_for_test.h"
#include "arc/decode/batch_builder.h"
#include "arc/decode/batch_invariants.h"
#include "arc/decode/request_text.h"

namespace arc {
namespace {

TableBodyOptions For(const std::string& measurement) {
  TableBodyOptions options;
  options.measurement = measurement;
  return options;
}

std::string Decoded(std::string_view body, const TableBodyOptions& options = For("m")) {
  auto decoded = DecodeArrow(body, options);
  if (!decoded.ok()) return "error: " + decoded.error().message;
  EXPECT_EQ(BrokenRequest(*decoded), "");
  EXPECT_EQ(decoded->position_name, "row");
  return RequestText(*decoded);
}

using arrow::TimeUnit;

TEST(ArrowIpc, EveryPlainType) {
  const std::string stream = ArrowStream({
      {"time", Filled<arrow::TimestampBuilder>({1, 2}, arrow::timestamp(TimeUnit::MILLI, "Europe/Berlin"))},
      {"i8", Filled<arrow::Int8Builder>({-1, 2})},
      {"i16", Filled<arrow::Int16Builder>({-300, 2})},
      {"i32", Filled<arrow::Int32Builder>({-70000, 2})},
      {"i64", Filled<arrow::Int64Builder>({-5'000'000'000, 2})},
      {"u8", Filled<arrow::UInt8Builder>({255, 2})},
      {"u16", Filled<arrow::UInt16Builder>({65535, 2})},
      {"u32", Filled<arrow::UInt32Builder>({4294967295, 2})},
      {"u64", Filled<arrow::UInt64Builder>({18446744073709551615u, 2})},
      {"f32", Filled<arrow::FloatBuilder>({0.5, 2})},
      {"f64", Filled<arrow::DoubleBuilder>({0.1, 2})},
      {"b", Filled<arrow::BooleanBuilder>({true, false})},
      {"s", Filled<arrow::StringBuilder>({"x", ""})},
      {"ls", Filled<arrow::LargeStringBuilder>({"y", "z"})},
      {"sv", Filled<arrow::StringViewBuilder>({"a", "a text longer than twelve bytes"})},
      {"d32", Filled<arrow::Date32Builder>({1, -1})},
      {"ts", Filled<arrow::TimestampBuilder>({1'500, -1'500}, arrow::timestamp(TimeUnit::NANO))},
  });
  EXPECT_EQ(Decoded(stream),
            "m@0 time=1000 i8?=-1i i16?=-300i i32?=-70000i i64?=-5000000000i u8?=255i u16?=65535i u32?=4294967295i "
            "u64?=18446744073709551615u f32?=0.5 f64?=0.1 b?=true s?=\"x\" ls?=\"y\" sv?=\"a\" d32?=86400000000 ts?=1\n"
            "m@1 time=2000 i8?=2i i16?=2i i32?=2i i64?=2i u8?=2i u16?=2i u32?=2i u64?=2u f32?=2 f64?=2 b?=false "
            "s?=\"\" ls?=\"z\" sv?=\"a text longer than twelve bytes\" d32?=-86400000000 ts?=-2\n");
}

TEST(ArrowIpc, NullsAndColumnsOfNothingElse) {
  arrow::DoubleBuilder value;
  ASSERT_TRUE(value.AppendNull().ok() && value.Append(2).ok());
  const std::string stream = ArrowStream({{"time", Filled<arrow::Int64Builder>({1, 2})},
                                          {"v", *value.Finish()},
                                          {"nothing", std::make_shared<arrow::NullArray>(2)}});
  EXPECT_EQ(Decoded(stream), "m@0 time=1000000 v?=-\nm@1 time=2000000 v?=2\n");
}

TEST(ArrowIpc, DictionariesOfTextAreTags) {
  const auto tags = Dictionary<arrow::Int32Builder>({0, 1, 0}, Filled<arrow::StringBuilder>({"a", "b"}));
  const auto small = Dictionary<arrow::Int8Builder>({2, 2, 0}, Filled<arrow::LargeStringBuilder>({"x", "y", "z"}));
  const auto numbers = Dictionary<arrow::Int8Builder>({1, 1, 0}, Filled<arrow::Int32Builder>({7, 8}));
  const std::string stream =
      ArrowStream({{"time", Filled<arrow::Int64Builder>({1, 2, 3})}, {"t", tags}, {"u", small}, {"n", numbers}});
  EXPECT_EQ(Decoded(stream),
            "m@0 time=1000000 tag:t?=a tag:u?=z n?=8i\nm@1 time=2000000 tag:t?=b tag:u?=z n?=8i\n"
            "m@2 time=3000000 tag:t?=a tag:u?=x n?=7i\n");
  TableBodyOptions options = For("m");
  options.tags = {"n"};
  EXPECT_EQ(Decoded(stream, options),
            "m@0 time=1000000 t=\"a\" u=\"z\" tag:n=8\nm@1 time=2000000 t=\"b\" u=\"z\" tag:n=8\n"
            "m@2 time=3000000 t=\"a\" u=\"x\" tag:n=7\n");
}

TEST(ArrowIpc, RunsAndDecimals) {
  arrow::StringBuilder words;
  ASSERT_TRUE(words.Append("r").ok() && words.AppendNull().ok());
  const auto runs = *arrow::RunEndEncodedArray::Make(3, Filled<arrow::Int32Builder>({2, 3}), *words.Finish());
  arrow::Decimal128Builder whole(arrow::decimal128(20, 0)), real(arrow::decimal128(20, 2));
  for (int64_t value : {5, -6, 700}) {
    ASSERT_TRUE(whole.Append(arrow::Decimal128(value)).ok() && real.Append(arrow::Decimal128(value)).ok());
  }
  const std::string stream = ArrowStream(
      {{"time", Filled<arrow::Int64Builder>({1, 2, 3})}, {"r", runs}, {"w", *whole.Finish()}, {"x", *real.Finish()}});
  EXPECT_EQ(Decoded(stream),
            "m@0 time=1000000 r?=\"r\" w?=5i x?=0.05\nm@1 time=2000000 r?=\"r\" w?=-6i x?=-0.06\n"
            "m@2 time=3000000 r?=- w?=700i x?=7\n");
}

TEST(ArrowIpc, RowsWithoutATimeAreNamed) {
  arrow::StringBuilder time;
  ASSERT_TRUE(time.AppendValues({"2024-05-01T12:00:00Z", "soon"}).ok() && time.AppendNull().ok());
  const std::string stream = ArrowStream({{"when", *time.Finish()}, {"v", Filled<arrow::Int32Builder>({1, 2, 3})}});
  TableBodyOptions options = For("m");
  options.time_column = "when";
  EXPECT_EQ(Decoded(stream, options),
            "m@0 time=1714564800000000 v?=1i\n"
            "1! column 'when': time 'soon' is no RFC 3339 timestamp of the years 1 to 9999\n"
            "2! column 'when': time is null\n");
}

TEST(ArrowIpc, TypesThatCannotBeStoredAreNamed) {
  arrow::ListBuilder list(arrow::default_memory_pool(), std::make_shared<arrow::Int64Builder>());
  ASSERT_TRUE(list.Append().ok());
  const auto time = Filled<arrow::Int64Builder>({1});
  EXPECT_EQ(
      Decoded(ArrowStream({{"time", time}, {"l", *list.Finish()}})),
      "error: column 'l' is of Arrow type list: only numbers, booleans, text, timestamps and dates can be stored");
  EXPECT_EQ(
      Decoded(ArrowStream({{"time", time}, {"b", Filled<arrow::BinaryBuilder>({"x"})}})),
      "error: column 'b' is of Arrow type binary: only numbers, booleans, text, timestamps and dates can be stored");
  EXPECT_EQ(Decoded(ArrowStream({{"time", time}})), "error: there is no column beside 'time'");
}

TEST(ArrowIpc, SmallRecordBatchesAreGathered) {
  const std::string stream = ArrowStreamOf(5, [](int i) {
    return std::vector<NamedArray>{
        {"time", Filled<arrow::Int64Builder>({i})},
        {"t", Dictionary<arrow::Int32Builder>({0}, Filled<arrow::StringBuilder>({"tag" + std::to_string(i % 2)}))},
        {"v", Filled<arrow::DoubleBuilder>({i + 0.5})}};
  });
  auto decoded = DecodeArrow(stream, For("m"));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  ASSERT_EQ(decoded->batches.size(), 1u);
  EXPECT_EQ(decoded->batches[0].batch.rows, 5);
  EXPECT_EQ(BrokenRequest(*decoded), "");
}

// A record batch large enough to become a batch of its own.
std::vector<NamedArray> LargeBatch(int64_t first, int64_t rows) {
  arrow::TimestampBuilder time(arrow::timestamp(TimeUnit::MICRO, "UTC"), arrow::default_memory_pool());
  arrow::Int32Builder codes, narrow;
  arrow::DoubleBuilder value;
  arrow::StringBuilder text;
  arrow::TimestampBuilder seen(arrow::timestamp(TimeUnit::MICRO), arrow::default_memory_pool());
  for (int64_t i = 0; i < rows; ++i) {
    EXPECT_TRUE(time.Append(first + i).ok() && codes.Append(static_cast<int32_t>(i % 3)).ok());
    EXPECT_TRUE(narrow.Append(static_cast<int32_t>(i)).ok() && seen.Append(-i).ok());
    EXPECT_TRUE((i % 7 == 0 ? value.AppendNull() : value.Append(static_cast<double>(i) / 2)).ok());
    EXPECT_TRUE(text.Append("row " + std::to_string(i)).ok());
  }
  const auto words = Filled<arrow::StringBuilder>({"a", "b", "c"});
  auto type = arrow::dictionary(arrow::int32(), arrow::utf8());
  return {{"time", *time.Finish()}, {"host", std::make_shared<arrow::DictionaryArray>(type, *codes.Finish(), words)},
          {"v", *value.Finish()},   {"n", *narrow.Finish()},
          {"s", *text.Finish()},    {"seen", *seen.Finish()}};
}

TEST(ArrowIpc, LargeRecordBatchesKeepTheirArrays) {
  const std::string stream = ArrowStreamOf(2, [](int i) { return LargeBatch(i * 1'000'000, 10'000); });
  auto decoded = DecodeArrow(stream, For("m"));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(BrokenRequest(*decoded), "");
  ASSERT_EQ(decoded->batches.size(), 2u);
  const Batch& batch = decoded->batches[1].batch;
  EXPECT_EQ(batch.first_position, 10'000u);
  EXPECT_EQ(batch.min_time, 1'000'000);
  ASSERT_EQ(batch.columns.size(), 6u);
  EXPECT_EQ(batch.columns[5].type, ColumnType::kTimestamp);
  // What needs no conversion lies within one block of memory, the record batch's.
  const auto root = [](const arrow::Buffer* buffer) {
    while (buffer->parent() != nullptr) buffer = buffer->parent().get();
    return buffer;
  };
  const auto* body = root(batch.columns[0].values->data()->buffers[1].get());
  for (int column : {1, 2, 4, 5}) {
    EXPECT_EQ(root(batch.columns[static_cast<size_t>(column)].values->data()->buffers[1].get()), body) << column;
  }
  EXPECT_EQ(CellText(batch.columns[1], 1), "b");
  EXPECT_EQ(CellText(batch.columns[2], 7), "-");
  EXPECT_EQ(CellText(batch.columns[3], 9999), "9999i");
  EXPECT_EQ(CellText(batch.columns[4], 5), "\"row 5\"");
}

TEST(ArrowIpc, ABadRowOfALargeRecordBatchIsNamed) {
  std::vector<NamedArray> columns = LargeBatch(0, 9000);
  arrow::Int64Builder time;
  for (int64_t i = 0; i < 9000; ++i) ASSERT_TRUE((i == 4321 ? time.AppendNull() : time.Append(i)).ok());
  columns[0].array = *time.Finish();
  auto decoded = DecodeArrow(ArrowStream(columns), For("m"));
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(BrokenRequest(*decoded), "");
  ASSERT_EQ(decoded->errors.size(), 1u);
  EXPECT_EQ(decoded->errors[0].position, 4321u);
  EXPECT_EQ(decoded->batches[0].batch.rows, 8999);
  EXPECT_EQ(decoded->batches[0].batch.PositionOf(4321), 4322u);
}

TEST(ArrowIpc, ADictionaryWithAWordTwiceOrNullsIsBuiltAnew) {
  for (bool null : {false, true}) {
    std::vector<NamedArray> columns = LargeBatch(0, 9000);
    arrow::StringBuilder words;
    ASSERT_TRUE(words.Append("a").ok() && (null ? words.AppendNull() : words.Append("a")).ok() &&
                words.Append("c").ok());
    const auto& codes = static_cast<const arrow::DictionaryArray&>(*columns[1].array).indices();
    columns[1].array = std::make_shared<arrow::DictionaryArray>(columns[1].array->type(), codes, *words.Finish());
    auto decoded = DecodeArrow(ArrowStream(columns), For("m"));
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_EQ(BrokenRequest(*decoded), "");
    EXPECT_EQ(CellText(decoded->batches[0].batch.columns[1], 1), null ? "-" : "a");
  }
}

TEST(ArrowIpc, CompressedStreams) {
  for (auto codec : {arrow::Compression::LZ4_FRAME, arrow::Compression::ZSTD}) {
    auto options = arrow::ipc::IpcWriteOptions::Defaults();
    options.codec = *arrow::util::Codec::Create(codec);
    auto decoded = DecodeArrow(ArrowStream(LargeBatch(0, 9000), options), For("m"));
    ASSERT_TRUE(decoded.ok()) << decoded.error().message;
    EXPECT_EQ(BrokenRequest(*decoded), "");
    EXPECT_EQ(decoded->batches[0].batch.rows, 9000);
  }
}

TEST(ArrowIpc, ABombIsTooLarge) {
  // 320 MB of one value in 100 KB or so.
  arrow::DoubleBuilder zeros;
  ASSERT_TRUE(zeros.AppendEmptyValues(20'000'000).ok());
  const auto values = *zeros.Finish();
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.codec = *arrow::util::Codec::Create(arrow::Compression::ZSTD);
  const std::string stream =
      ArrowStream({{"time", *values->View(arrow::timestamp(TimeUnit::MICRO))}, {"v", values}}, options);
  ASSERT_LT(stream.size(), 1u << 20);
  auto decoded = DecodeArrow(stream, For("m"));
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().kind, ErrorKind::kTooLarge);
  // A single run of two billion rows.
  auto runs = arrow::RunEndEncodedArray::Make(2'000'000'000, Filled<arrow::Int32Builder>({2'000'000'000}),
                                              Filled<arrow::Int64Builder>({5}));
  auto bomb = DecodeArrow(ArrowStream({{"time", *runs}, {"v", *runs}}), For("m"));
  ASSERT_FALSE(bomb.ok());
  EXPECT_EQ(bomb.error().kind, ErrorKind::kTooLarge);
}

TEST(ArrowIpc, ManyViewsOfOneLongTextAreTooLarge) {
  // 30 GB to look at in 1.5 MB.
  const std::string text(1 << 20, 'x');
  const int64_t rows = 30'000;
  std::vector<arrow::StringViewType::c_type> views(
      rows, arrow::util::ToNonInlineBinaryView(text.data(), static_cast<int32_t>(text.size()), 0, 0));
  auto array =
      std::make_shared<arrow::StringViewArray>(arrow::utf8_view(), rows, arrow::Buffer::FromVector(std::move(views)),
                                               arrow::BufferVector{arrow::Buffer::FromString(text)});
  arrow::Int64Builder time;
  ASSERT_TRUE(time.AppendEmptyValues(rows).ok());
  const auto times = *time.Finish();
  const auto coded = Dictionary<arrow::Int8Builder>({0}, array);
  for (const auto& hostile : {std::static_pointer_cast<arrow::Array>(array), coded}) {
    auto decoded = DecodeArrow(ArrowStream({{"time", times->Slice(0, hostile->length())}, {"s", hostile}}), For("m"));
    ASSERT_FALSE(decoded.ok());
    EXPECT_EQ(decoded.error().kind, ErrorKind::kTooLarge) << decoded.error().message;
  }
}

TEST(ArrowIpc, WhatIsNoStream) {
  for (const char* body : {"", "x", "ARROW1\0\0", "{\"m\": 1}"}) {
    auto decoded = DecodeArrow(body, For("m"));
    ASSERT_FALSE(decoded.ok()) << body;
    EXPECT_EQ(decoded.error().kind, ErrorKind::kInvalidArgument);
  }
  const std::string stream =
      ArrowStream({{"time", Filled<arrow::Int64Builder>({1})}, {"v", Filled<arrow::Int64Builder>({1})}});
  EXPECT_EQ(Decoded(stream + "more"), "error: not one Arrow IPC stream: bytes follow its end");
}

TEST(ArrowIpc, CutOrChangedAnywhereItIsRefusedOrSound) {
  const std::string stream = ArrowStreamOf(2, [](int i) {
    return std::vector<NamedArray>{
        {"time", Filled<arrow::Int64Builder>({i, i + 1})},
        {"t", Dictionary<arrow::Int32Builder>({0, 1}, Filled<arrow::StringBuilder>({"x", "y"}))},
        {"s", Filled<arrow::StringBuilder>({"text", "more"})}};
  });
  for (size_t size = 0; size < stream.size(); ++size) {
    const std::string exact(stream, 0, size);
    auto decoded = DecodeArrow(exact, For("m"));
    if (decoded.ok()) {
      EXPECT_EQ(BrokenRequest(*decoded), "") << size;
    }
  }
  for (size_t at = 0; at < stream.size(); ++at) {
    for (int bit : {0, 3, 7}) {
      std::string changed = stream;
      changed[at] = static_cast<char>(changed[at] ^ (1 << bit));
      auto decoded = DecodeArrow(changed, For("m"));
      if (decoded.ok()) {
        EXPECT_EQ(BrokenRequest(*decoded), "") << at << " bit " << bit;
      }
    }
  }
}

}  // namespace
}  // namespace arc
