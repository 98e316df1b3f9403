#include <arrow/array.h>
#include <arrow/array/concatenate.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>
#include <parquet/page_index.h>
#include <parquet/statistics.h>

#include "arc/parquet/data_file.h"
#include "arc/parquet/memory_store.h"
#include "arc/parquet/single_value.h"

namespace arc {
namespace {

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

Schema FileTestSchema() {
  Schema schema;
  schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, false},
                    {"host", ColumnType::kString, ColumnRole::kTag, 7, false},
                    {"value", ColumnType::kDouble, ColumnRole::kField, 3, false},
                    {"count", ColumnType::kInt64, ColumnRole::kField, 4, false},
                    {"big.count", ColumnType::kUInt64, ColumnRole::kField, 12, false},
                    {"up", ColumnType::kBool, ColumnRole::kField, 5, false},
                    {"note", ColumnType::kString, ColumnRole::kField, 6, false}};
  return schema;
}

std::shared_ptr<arrow::RecordBatch> MakeBatch(const std::vector<std::string>& columns, const std::string& dictionary) {
  const Schema schema = FileTestSchema();
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const auto type = BatchArrowType(schema.columns[i].type, schema.columns[i].role);
    fields.push_back(arrow::field(schema.columns[i].name, type, i > 0));
    arrays.push_back(type->id() == arrow::Type::DICTIONARY
                         ? *arrow::json::DictArrayFromJSONString(type, columns[i], dictionary)
                         : *arrow::json::ArrayFromJSONString(type, columns[i]));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), arrays[0]->length(), arrays);
}

SortedRows RowsOf(const Batches& batches) { return SortedRows::Of(batches).value(); }

Batches TwoBatches() {
  return {MakeBatch({"[-5, 0, 1000000]", "[0, null, 2]", "[1.5, NaN, null]", "[1, null, -3]",
                     "[18446744073709551615, null, 7]", "[true, null, false]", R"(["x", null, ""])"},
                    R"(["a", "never", "c"])"),
          MakeBatch({"[2000000, 2000001]", "[0, 1]", "[-0.0, 2.0]", "[5, 6]", "[0, 1]", "[true, true]",
                     R"(["a longer text than sixteen", "y"])"},
                    R"(["d", "a"])")};
}

std::unique_ptr<parquet::ParquetFileReader> OpenParquet(const std::string& bytes) {
  return parquet::ParquetFileReader::Open(std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes)));
}

std::shared_ptr<arrow::Table> ReadTable(const std::string& bytes) {
  auto reader = *parquet::arrow::OpenFile(std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(bytes)),
                                          arrow::default_memory_pool());
  return *reader->ReadTable();
}

TEST(WriteDataFileTest, ReadsBackWithTypesAndFieldIds) {
  MemoryStore store;
  const auto file = WriteDataFile(store, "a/f.parquet", FileTestSchema(), RowsOf(TwoBatches()), {});
  ASSERT_TRUE(file.ok()) << file.error().message;
  const std::string& bytes = store.objects.at("a/f.parquet");
  EXPECT_EQ(file->bytes, static_cast<int64_t>(bytes.size()));
  const auto table = ReadTable(bytes);
  ASSERT_EQ(table->num_rows(), 5);
  const std::vector<std::string> types{"timestamp[us]",     "string", "double", "int64",
                                       "decimal128(20, 0)", "bool",   "string"};
  for (int i = 0; i < table->num_columns(); ++i) {
    const auto field = table->schema()->field(i);
    EXPECT_EQ(field->name(), FileTestSchema().columns[static_cast<size_t>(i)].name);
    EXPECT_EQ(field->type()->ToString(), types[static_cast<size_t>(i)]);
    EXPECT_EQ(*field->metadata()->Get("PARQUET:field_id"),
              std::to_string(FileTestSchema().columns[static_cast<size_t>(i)].field_id));
    EXPECT_EQ(field->nullable(), i > 0);
  }
  auto expect = [&](int column, const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
    const auto expected = *arrow::json::ArrayFromJSONString(type, json);
    const auto actual = table->column(column)->chunk(0);
    EXPECT_TRUE(expected->Equals(actual, arrow::EqualOptions::Defaults().nans_equal(true))) << actual->ToString();
  };
  expect(1, arrow::utf8(), R"(["a", null, "c", "d", "a"])");
  expect(2, arrow::float64(), "[1.5, NaN, null, -0.0, 2.0]");
  expect(3, arrow::int64(), "[1, null, -3, 5, 6]");
  expect(4, arrow::decimal128(20, 0), R"(["18446744073709551615", null, "7", "0", "1"])");
  expect(5, arrow::boolean(), "[true, null, false, true, true]");
  expect(6, arrow::utf8(), R"(["x", null, "", "a longer text than sixteen", "y"])");
}

TEST(WriteDataFileTest, AColumnIsRequiredWhereNoBatchHasANull) {
  Schema schema;
  schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, false},
                    {"full", ColumnType::kDouble, ColumnRole::kField, 2, false},
                    {"late", ColumnType::kInt64, ColumnRole::kField, 3, false}};
  const auto batch = [](const std::string& times, const std::string& full, const std::string& late) {
    const arrow::FieldVector fields{arrow::field("time", arrow::timestamp(arrow::TimeUnit::MICRO)),
                                    arrow::field("full", arrow::float64()), arrow::field("late", arrow::int64())};
    const auto array = [&](size_t i, const std::string& json) {
      return *arrow::json::ArrayFromJSONString(fields[i]->type(), json);
    };
    return arrow::RecordBatch::Make(arrow::schema(fields), 2, {array(0, times), array(1, full), array(2, late)});
  };
  MemoryStore store;
  const auto rows = RowsOf({batch("[1, 2]", "[0.5, 1.5]", "[null, null]"), batch("[3, 4]", "[2.5, 3.5]", "[7, 8]")});
  ASSERT_TRUE(WriteDataFile(store, "f", schema, rows, {}).ok());
  const auto table = ReadTable(store.objects.at("f"));
  EXPECT_FALSE(table->schema()->field(0)->nullable());
  EXPECT_FALSE(table->schema()->field(1)->nullable());
  EXPECT_TRUE(table->schema()->field(2)->nullable());
  EXPECT_EQ(table->column(1)->chunk(0)->ToString(),
            (*arrow::json::ArrayFromJSONString(arrow::float64(), "[0.5, 1.5, 2.5, 3.5]"))->ToString());
  EXPECT_EQ(table->column(2)->null_count(), 2);
}

TEST(WriteDataFileTest, MetricsAreIcebergs) {
  MemoryStore store;
  const auto file = WriteDataFile(store, "f", FileTestSchema(), RowsOf(TwoBatches()), {}).value();
  EXPECT_EQ(file.key, "f");
  EXPECT_EQ(file.rows, 5);
  EXPECT_EQ(file.min_time, -5);
  EXPECT_EQ(file.max_time, 2000001);
  ASSERT_EQ(file.metrics.size(), 7u);
  int64_t total = 0;
  for (const auto& [id, metrics] : file.metrics) {
    EXPECT_EQ(metrics.values, 5) << id;
    EXPECT_GT(metrics.bytes, 0) << id;
    EXPECT_EQ(metrics.nans.has_value(), id == 3) << id;
    total += metrics.bytes;
  }
  EXPECT_LT(total, file.bytes);
  EXPECT_EQ(file.metrics.at(1).lower, EncodeLong(-5));
  EXPECT_EQ(file.metrics.at(1).nulls, 0);
  EXPECT_EQ(file.metrics.at(7).nulls, 1);
  EXPECT_EQ(file.metrics.at(7).lower, "a");
  EXPECT_EQ(file.metrics.at(7).upper, "d") << "\"never\" stands in no row";
  EXPECT_EQ(file.metrics.at(3).nans, 1);
  EXPECT_EQ(file.metrics.at(3).lower, EncodeDouble(-0.0));
  EXPECT_EQ(file.metrics.at(3).upper, EncodeDouble(2.0));
  EXPECT_EQ(file.metrics.at(4).lower, EncodeLong(-3));
  EXPECT_EQ(file.metrics.at(12).lower, EncodeDecimal(0));
  EXPECT_EQ(file.metrics.at(12).upper, EncodeDecimal(UINT64_MAX));
  EXPECT_EQ(file.metrics.at(5).lower, EncodeBool(false));
  EXPECT_EQ(file.metrics.at(6).lower, "");
  EXPECT_EQ(file.metrics.at(6).upper, "y");
}

TEST(WriteDataFileTest, EncodingsStatisticsAndIndexes) {
  MemoryStore store;
  ParquetOptions options;
  options.tag_statistics = true;
  const auto file = WriteDataFile(store, "f", FileTestSchema(), RowsOf(TwoBatches()), options).value();
  const auto reader = OpenParquet(store.objects.at("f"));
  const auto group = reader->metadata()->RowGroup(0);
  auto has = [&](int column, parquet::Encoding::type encoding) {
    const auto chunk = group->ColumnChunk(column);
    const auto& encodings = chunk->encodings();
    return std::find(encodings.begin(), encodings.end(), encoding) != encodings.end();
  };
  EXPECT_TRUE(has(0, parquet::Encoding::DELTA_BINARY_PACKED));
  EXPECT_FALSE(has(0, parquet::Encoding::RLE_DICTIONARY));
  EXPECT_TRUE(has(1, parquet::Encoding::RLE_DICTIONARY));
  EXPECT_FALSE(has(2, parquet::Encoding::RLE_DICTIONARY));
  EXPECT_TRUE(has(3, parquet::Encoding::RLE_DICTIONARY));
  for (int i = 0; i < group->num_columns(); ++i) {
    EXPECT_EQ(group->ColumnChunk(i)->compression(), parquet::Compression::LZ4);
    EXPECT_EQ(group->ColumnChunk(i)->is_stats_set(), i != 2) << i;  // a NaN is in column 2
    EXPECT_EQ(group->ColumnChunk(i)->GetColumnIndexLocation().has_value(), i != 2) << i;
    EXPECT_TRUE(group->ColumnChunk(i)->GetOffsetIndexLocation().has_value()) << i;
  }
  const auto* time_type = reader->metadata()->schema()->Column(0);
  EXPECT_EQ(time_type->logical_type()->ToString(),
            "Timestamp(isAdjustedToUTC=false, timeUnit=microseconds, is_from_converted_type=false, "
            "force_set_converted_type=false)");
  EXPECT_EQ(file.split_offsets, std::vector<int64_t>{4});
}

TEST(WriteDataFileTest, TagsHaveNoParquetStatisticsUnlessAsked) {
  MemoryStore store;
  const auto file = WriteDataFile(store, "f", FileTestSchema(), RowsOf(TwoBatches()), {}).value();
  const auto reader = OpenParquet(store.objects.at("f"));
  const auto group = reader->metadata()->RowGroup(0);
  for (int i = 0; i < group->num_columns(); ++i) {
    EXPECT_EQ(group->ColumnChunk(i)->is_stats_set(), i != 1 && i != 2) << i;
    EXPECT_TRUE(group->ColumnChunk(i)->GetOffsetIndexLocation().has_value()) << i;
  }
  EXPECT_TRUE(file.metrics.at(7).lower.has_value());
}

TEST(WriteDataFileTest, DoublesWithoutNanHaveParquetStatistics) {
  MemoryStore store;
  const auto batch = TwoBatches()[1];
  ASSERT_TRUE(WriteDataFile(store, "f", FileTestSchema(), RowsOf({batch}), {}).ok());
  const auto reader = OpenParquet(store.objects.at("f"));
  EXPECT_TRUE(reader->metadata()->RowGroup(0)->ColumnChunk(2)->is_stats_set());
}

TEST(WriteDataFileTest, RowGroupsSplitAcrossBatches) {
  MemoryStore store;
  ParquetOptions options;
  options.row_group_rows = 2;
  options.compression = "zstd";
  const auto file = WriteDataFile(store, "f", FileTestSchema(), RowsOf(TwoBatches()), options).value();
  const auto reader = OpenParquet(store.objects.at("f"));
  ASSERT_EQ(reader->metadata()->num_row_groups(), 3);
  EXPECT_EQ(reader->metadata()->RowGroup(1)->num_rows(), 2);
  EXPECT_EQ(reader->metadata()->RowGroup(2)->num_rows(), 1);
  ASSERT_EQ(file.split_offsets.size(), 3u);
  EXPECT_LT(file.split_offsets[0], file.split_offsets[1]);
  EXPECT_LT(file.split_offsets[1], file.split_offsets[2]);
  EXPECT_EQ(file.metrics.at(7).values, 5);
  MemoryStore whole;
  ASSERT_TRUE(WriteDataFile(whole, "f", FileTestSchema(), RowsOf(TwoBatches()), {}).ok());
  const auto options_for_nan = arrow::EqualOptions::Defaults().nans_equal(true);
  EXPECT_TRUE(ReadTable(store.objects.at("f"))->Equals(*ReadTable(whole.objects.at("f")), options_for_nan));
}

TEST(WriteDataFileTest, RowsOutOfOrderAreMeasuredOverAllRowGroups) {
  const std::string dictionary =
      R"(["a tag longer than a short string", "m", "n", "o", "z tag longer than a short one"])";
  const Batches batches{
      MakeBatch({"[0, 30, 10, 50]", "[2, 0, 3, null]", "[1, 2, 3, 4]", "[1, 2, 3, 4]", "[1, 2, 3, 4]",
                 "[true, true, true, null]", R"(["m", "a text longer than a short string", null, "q"])"},
                dictionary),
      MakeBatch({"[20, 40]", "[1, 4]", "[5, NaN]", "[5, 6]", "[5, 6]", "[true, false]",
                 R"(["n", "z text longer than a short string"])"},
                dictionary)};
  MemoryStore store;
  ParquetOptions options;
  options.row_group_rows = 2;
  const auto hours = SplitByTime(batches, 3'600'000'000).value();
  ASSERT_EQ(hours.size(), 1u);
  const auto file = WriteDataFile(store, "f", FileTestSchema(), hours.at(0), options).value();
  const auto table = ReadTable(store.objects.at("f"));
  auto expect = [&](int column, const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
    const auto expected = *arrow::json::ArrayFromJSONString(type, json);
    const auto actual = *arrow::Concatenate(table->column(column)->chunks());
    EXPECT_TRUE(expected->Equals(actual, arrow::EqualOptions::Defaults().nans_equal(true))) << actual->ToString();
  };
  expect(1, arrow::utf8(),
         R"(["n", "o", "m", "a tag longer than a short string", "z tag longer than a short one", null])");
  expect(2, arrow::float64(), "[1, 3, 5, 2, NaN, 4]");
  expect(3, arrow::int64(), "[1, 3, 5, 2, 6, 4]");
  expect(5, arrow::boolean(), "[true, true, true, true, false, null]");
  expect(6, arrow::utf8(),
         R"(["m", null, "n", "a text longer than a short string", "z text longer than a short string", "q"])");
  EXPECT_EQ(file.min_time, 0);
  EXPECT_EQ(file.max_time, 50);
  EXPECT_EQ(file.metrics.at(7).lower, "a tag longer tha");
  EXPECT_EQ(file.metrics.at(7).upper, "z tag longer thb");
  EXPECT_EQ(file.metrics.at(6).lower, "a text longer th");
  EXPECT_EQ(file.metrics.at(6).upper, "z text longer ti");
  EXPECT_EQ(file.metrics.at(3).nans, 1);
  const auto reader = OpenParquet(store.objects.at("f"));
  for (int group = 0; group < 3; ++group) {
    EXPECT_FALSE(reader->metadata()->RowGroup(group)->ColumnChunk(2)->is_stats_set()) << "a NaN is in the last group";
  }
}

TEST(WriteDataFileTest, NanOfAnotherHourCostsNoStatistics) {
  std::vector<std::string> columns(7, "[null, null]");
  columns[0] = "[3600000000, 0]";
  columns[2] = "[NaN, 1]";
  const auto hours = SplitByTime({MakeBatch(columns, "[]")}, 3'600'000'000).value();
  for (const auto& [hour, rows] : hours) {
    MemoryStore store;
    ASSERT_TRUE(WriteDataFile(store, "f", FileTestSchema(), rows, {}).ok());
    EXPECT_EQ(OpenParquet(store.objects.at("f"))->metadata()->RowGroup(0)->ColumnChunk(2)->is_stats_set(), hour == 0);
  }
}

TEST(WriteDataFileTest, EachRowGroupHoldsTheTagsItUses) {
  Schema schema = FileTestSchema();
  schema.columns.resize(2);
  const auto type = BatchArrowType(ColumnType::kString, ColumnRole::kTag);
  std::string times = "[";
  std::string codes = "[";
  std::string values = "[";
  for (int row = 0; row < 1000; ++row) {
    const char* comma = row == 0 ? "" : ",";
    times += comma + std::to_string(row);
    codes += comma + std::to_string(row);
    values += comma + ("\"host number " + std::to_string(row) + "\"");
  }
  const auto batch = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("time", BatchArrowType(ColumnType::kTimestamp, ColumnRole::kTime), false),
                     arrow::field("host", type)}),
      1000,
      {*arrow::json::ArrayFromJSONString(BatchArrowType(ColumnType::kTimestamp, ColumnRole::kTime), times + "]"),
       *arrow::json::DictArrayFromJSONString(type, codes + "]", values + "]")});
  MemoryStore store;
  ParquetOptions options;
  options.row_group_rows = 100;
  options.compression = "none";
  const auto file = WriteDataFile(store, "f", schema, RowsOf({batch}), options).value();
  EXPECT_EQ(file.metrics.at(7).lower, "host number 0");
  EXPECT_EQ(file.metrics.at(7).upper, "host number 999");
  const auto reader = OpenParquet(store.objects.at("f"));
  EXPECT_LT(reader->metadata()->RowGroup(9)->ColumnChunk(1)->total_uncompressed_size(), 100 * 24);
}

TEST(WriteDataFileTest, ColumnsWithoutAnyValueAreWritten) {
  const auto batch = MakeBatch(
      {"[1, 2]", "[null, null]", "[null, null]", "[null, null]", "[null, null]", "[null, null]", "[null, null]"}, "[]");
  MemoryStore store;
  const auto file = WriteDataFile(store, "f", FileTestSchema(), RowsOf({batch}), {});
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto table = ReadTable(store.objects.at("f"));
  for (int i = 1; i < 7; ++i) EXPECT_EQ(table->column(i)->null_count(), 2);
  EXPECT_EQ(file->metrics.at(7).nulls, 2);
  EXPECT_FALSE(file->metrics.at(7).lower.has_value());
}

TEST(WriteDataFileTest, ManyTagValuesAndDictionariesStayDictionaryEncoded) {
  Schema schema = FileTestSchema();
  schema.columns.resize(2);
  const auto type = BatchArrowType(ColumnType::kString, ColumnRole::kTag);
  Batches batches;
  std::vector<std::string> expected;
  for (int batch = 0; batch < 5; ++batch) {
    std::string times = "[";
    std::string codes = "[";
    std::string values = "[";
    for (int row = 0; row < 2000; ++row) {
      const char* comma = row == 0 ? "" : ",";
      times += comma + std::to_string(batch * 2000 + row);
      codes += comma + std::to_string(1999 - row);
      values += comma + ("\"value " + std::to_string(row + batch * 700) + "\"");
      expected.push_back("value " + std::to_string(1999 - row + batch * 700));
    }
    batches.push_back(arrow::RecordBatch::Make(
        arrow::schema({arrow::field("time", BatchArrowType(ColumnType::kTimestamp, ColumnRole::kTime), false),
                       arrow::field("host", type)}),
        2000,
        {*arrow::json::ArrayFromJSONString(BatchArrowType(ColumnType::kTimestamp, ColumnRole::kTime), times + "]"),
         *arrow::json::DictArrayFromJSONString(type, codes + "]", values + "]")}));
  }
  batches[3] = batches[3]->Slice(100, 1000);
  expected.erase(expected.begin() + 7100, expected.begin() + 8000);
  expected.erase(expected.begin() + 6000, expected.begin() + 6100);
  MemoryStore store;
  ParquetOptions options;
  options.row_group_rows = 3000;
  const auto file = WriteDataFile(store, "f", schema, RowsOf(batches), options);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto reader = OpenParquet(store.objects.at("f"));
  for (int group = 0; group < reader->metadata()->num_row_groups(); ++group) {
    // Only the dictionary page itself is plain: no data page fell back.
    const auto chunk = reader->metadata()->RowGroup(group)->ColumnChunk(1);
    ASSERT_FALSE(chunk->encoding_stats().empty());
    for (const auto& pages : chunk->encoding_stats()) {
      if (pages.page_type == parquet::PageType::DATA_PAGE) {
        EXPECT_EQ(pages.encoding, parquet::Encoding::RLE_DICTIONARY);
      }
    }
  }
  const auto column = ReadTable(store.objects.at("f"))->column(1);
  size_t at = 0;
  for (const auto& chunk : column->chunks()) {
    const auto& strings = static_cast<const arrow::StringArray&>(*chunk);
    for (int64_t row = 0; row < strings.length(); ++row, ++at) ASSERT_EQ(strings.GetView(row), expected[at]) << at;
  }
  EXPECT_EQ(at, expected.size());
}

// A vector of DuckDB's that is made of two pages loses its dictionary.
TEST(WriteDataFileTest, PagesEndWhereVectorsDo) {
  constexpr int kRows = 50'000;
  constexpr int64_t kVectorRows = 2048;
  std::vector<std::string> columns(7, "[");
  for (int row = 0; row < kRows; ++row) {
    const std::string comma = row == 0 ? "" : ",";
    for (size_t i = 0; i < columns.size(); ++i) columns[i] += comma + (i == 0 ? std::to_string(row) : "null");
    columns[1].replace(columns[1].size() - 4, 4, std::to_string(row % 3));
    columns[2].replace(columns[2].size() - 4, 4, std::to_string(row) + ".25");
  }
  for (auto& column : columns) column += "]";
  MemoryStore store;
  const auto batch = MakeBatch(columns, R"(["a", "b", "c"])");
  ASSERT_TRUE(WriteDataFile(store, "f", FileTestSchema(), RowsOf({batch}), {}).ok());
  const auto reader = OpenParquet(store.objects.at("f"));
  const auto indexes = reader->GetPageIndexReader();
  const auto group = indexes->RowGroup(0);
  for (int column = 0; column < 7; ++column) {
    const auto pages = group->GetOffsetIndex(column);
    EXPECT_EQ(pages->page_locations().size(), 3u) << column;
    for (const auto& place : pages->page_locations()) EXPECT_EQ(place.first_row_index % kVectorRows, 0) << column;
  }
}

TEST(WriteDataFileTest, DistinctNumbersAndTextsGoWithoutDictionary) {
  std::vector<std::string> columns(7, "[");
  std::vector<std::string> repeated(7, "[");
  for (int row = 0; row < 5000; ++row) {
    const std::string comma = row == 0 ? "" : ",";
    const std::string number = std::to_string(row * 1000 + row % 7);
    const std::string few = std::to_string(row % 50);
    columns[0] += comma + std::to_string(row);
    repeated[0] += comma + std::to_string(row);
    for (const int i : {1, 2, 5}) {
      columns[i] += comma + "null";
      repeated[i] += comma + "null";
    }
    columns[3] += comma + number;
    columns[4] += comma + number;
    columns[6] += comma + (row % 100 == 0 ? "null" : "\"text " + number + "\"");
    repeated[3] += comma + few;
    repeated[4] += comma + few;
    repeated[6] += comma + "\"text " + few + "\"";
  }
  for (auto& column : columns) column += "]";
  for (auto& column : repeated) column += "]";
  MemoryStore store;
  ASSERT_TRUE(WriteDataFile(store, "distinct", FileTestSchema(), RowsOf({MakeBatch(columns, "[]")}), {}).ok());
  ASSERT_TRUE(WriteDataFile(store, "repeated", FileTestSchema(), RowsOf({MakeBatch(repeated, "[]")}), {}).ok());
  for (const int i : {3, 4, 6}) {
    EXPECT_FALSE(
        OpenParquet(store.objects.at("distinct"))->metadata()->RowGroup(0)->ColumnChunk(i)->has_dictionary_page());
    EXPECT_TRUE(
        OpenParquet(store.objects.at("repeated"))->metadata()->RowGroup(0)->ColumnChunk(i)->has_dictionary_page());
  }
  const auto table = ReadTable(store.objects.at("distinct"));
  const auto& counts = static_cast<const arrow::Int64Array&>(*table->column(3)->chunk(0));
  for (int row = 0; row < 5000; ++row) ASSERT_EQ(counts.Value(row), row * 1000 + row % 7);
}

TEST(WriteDataFileTest, EveryCompressionAndNoOther) {
  for (const std::string name : {"lz4_raw", "snappy", "zstd", "none"}) {
    MemoryStore store;
    ParquetOptions options;
    options.compression = name;
    ASSERT_TRUE(WriteDataFile(store, "f", FileTestSchema(), RowsOf(TwoBatches()), options).ok()) << name;
    EXPECT_EQ(ReadTable(store.objects.at("f"))->num_rows(), 5);
  }
  MemoryStore store;
  ParquetOptions options;
  options.compression = "brotli";
  EXPECT_EQ(WriteDataFile(store, "f", FileTestSchema(), RowsOf(TwoBatches()), options).error().kind,
            ErrorKind::kInvalidArgument);
  EXPECT_TRUE(store.objects.empty());
}

TEST(WriteDataFileTest, FailuresLeaveNothingBehind) {
  MemoryStore store;
  EXPECT_EQ(WriteDataFile(store, "f", FileTestSchema(), RowsOf({}), {}).error().kind, ErrorKind::kInvalidArgument);
  ASSERT_TRUE(WriteDataFile(store, "f", FileTestSchema(), RowsOf(TwoBatches()), {}).ok());
  EXPECT_EQ(WriteDataFile(store, "f", FileTestSchema(), RowsOf(TwoBatches()), {}).error().kind,
            ErrorKind::kAlreadyExists);
  const auto whole = static_cast<int64_t>(store.objects.at("f").size());
  for (const int64_t space : {int64_t{0}, int64_t{4}, int64_t{100}, whole - 1}) {
    store.space = space;
    EXPECT_EQ(WriteDataFile(store, "g", FileTestSchema(), RowsOf(TwoBatches()), {}).error().kind, ErrorKind::kDiskFull)
        << space;
    EXPECT_EQ(store.objects.size(), 1u);
  }
  store.space = whole;
  EXPECT_TRUE(WriteDataFile(store, "g", FileTestSchema(), RowsOf(TwoBatches()), {}).ok());
}

TEST(WriteDataFileTest, BatchesThatDoNotFitTheSchema) {
  MemoryStore store;
  Schema schema = FileTestSchema();
  schema.columns[3].type = ColumnType::kDouble;
  EXPECT_EQ(WriteDataFile(store, "f", schema, RowsOf(TwoBatches()), {}).error().kind, ErrorKind::kInternal);
  schema.columns.pop_back();
  EXPECT_EQ(WriteDataFile(store, "f", schema, RowsOf(TwoBatches()), {}).error().kind, ErrorKind::kInternal);
  EXPECT_TRUE(store.objects.empty());
}

}  // namespace
}  // namespace arc
