#include "arc/parquet/merge.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/io/memory.h>
#include <arrow/memory_pool.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>
#include <gtest/gtest.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/writer.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>

#include "arc/parquet/memory_store.h"

namespace arc {
namespace {

struct Row {
  int64_t time = 0;
  std::optional<std::string> host;
  std::optional<double> value;
  std::optional<uint64_t> count;
  std::optional<std::string> note;

  auto Key() const { return std::tuple(time, host, value, count, note); }
};

Schema TestSchema() {
  Schema schema;
  schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, true},
                    {"host", ColumnType::kString, ColumnRole::kTag, 2, true},
                    {"value", ColumnType::kDouble, ColumnRole::kField, 3, true},
                    {"count", ColumnType::kUInt64, ColumnRole::kField, 4, true},
                    {"note", ColumnType::kString, ColumnRole::kField, 5, true}};
  return schema;
}

template <typename Builder, typename Get>
std::shared_ptr<arrow::Array> Build(Builder builder, const std::vector<Row>& rows, Get get) {
  for (const Row& row : rows) {
    const auto value = get(row);
    EXPECT_TRUE((value ? builder.Append(*value) : builder.AppendNull()).ok());
  }
  return *builder.Finish();
}

std::shared_ptr<arrow::RecordBatch> BatchOf(const std::vector<Row>& rows, const Schema& schema) {
  arrow::ArrayVector arrays;
  arrow::FieldVector fields;
  for (const auto& column : schema.columns) {
    fields.push_back(arrow::field(column.name, BatchArrowType(column.type, column.role)));
    const auto pool = arrow::default_memory_pool();
    switch (column.field_id) {
      case 1:
        arrays.push_back(Build(arrow::TimestampBuilder(fields.back()->type(), pool), rows,
                               [](const Row& row) { return std::optional(row.time); }));
        break;
      case 2:
        arrays.push_back(Build(arrow::StringDictionary32Builder(), rows, [](const Row& row) { return row.host; }));
        break;
      case 3: arrays.push_back(Build(arrow::DoubleBuilder(), rows, [](const Row& row) { return row.value; })); break;
      case 4: arrays.push_back(Build(arrow::UInt64Builder(), rows, [](const Row& row) { return row.count; })); break;
      default: arrays.push_back(Build(arrow::StringBuilder(), rows, [](const Row& row) { return row.note; }));
    }
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), static_cast<int64_t>(rows.size()), arrays);
}

class MergeTest : public ::testing::Test {
 protected:
  MergeInput Put(const std::string& key, const std::vector<Row>& rows, const Schema& schema = TestSchema(),
                 ParquetOptions options = {}) {
    auto sorted = SortedRows::Of({BatchOf(rows, schema)});
    auto file = WriteDataFile(store_, key, schema, *sorted, options);
    EXPECT_TRUE(file.ok()) << file.error().message;
    return {key, file->bytes, file->rows, file->min_time};
  }

  Result<std::vector<WrittenFile>> Run(std::vector<MergeInput> inputs) {
    std::stable_sort(inputs.begin(), inputs.end(),
                     [](const auto& a, const auto& b) { return a.min_time < b.min_time; });
    inputs_ = inputs;
    return MergeDataFiles(
        store_, schema_, inputs_, options_, [this](int64_t) { return "out" + std::to_string(outputs_++); }, &refused_);
  }

  std::vector<Row> Read(const std::string& key) {
    auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(store_.objects.at(key)));
    auto reader = *parquet::arrow::OpenFile(file, arrow::default_memory_pool());
    auto batch = *(*reader->ReadTable())->CombineChunksToBatch();
    const auto& times = static_cast<const arrow::TimestampArray&>(*batch->column(0));
    const auto& hosts = static_cast<const arrow::StringArray&>(*batch->column(1));
    const auto& values = static_cast<const arrow::DoubleArray&>(*batch->column(2));
    const auto& notes = static_cast<const arrow::StringArray&>(*batch->column(4));
    std::vector<Row> rows;
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      Row row{times.Value(i), {}, {}, {}, {}};
      if (hosts.IsValid(i)) row.host = hosts.GetString(i);
      if (values.IsValid(i)) row.value = values.Value(i);
      if (batch->column(3)->IsValid(i)) row.count = std::stoull((*batch->column(3)->GetScalar(i))->ToString());
      if (notes.IsValid(i)) row.note = notes.GetString(i);
      rows.push_back(row);
    }
    return rows;
  }

  MemoryStore store_;
  Schema schema_ = TestSchema();
  MergeOptions options_;
  std::vector<MergeInput> inputs_;
  std::vector<MergeRefusal> refused_;
  int outputs_ = 0;
};

std::vector<Row> RandomRows(std::mt19937_64& random, size_t count, int64_t from, int64_t to) {
  std::vector<Row> rows(count);
  for (Row& row : rows) {
    row.time = from + static_cast<int64_t>(random() % static_cast<uint64_t>(to - from));
    if (random() % 5 != 0) row.host = "host" + std::to_string(random() % 50);
    if (random() % 5 != 0) row.value = static_cast<double>(random() % 1000) / 8;
    if (random() % 5 != 0) row.count = random() % 4 == 0 ? ~uint64_t{0} : random() % 100;
    if (random() % 5 != 0) row.note = std::string(random() % 20, static_cast<char>('a' + random() % 26));
  }
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.time < b.time; });
  return rows;
}

std::vector<Row> Sorted(std::vector<Row> rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.time < b.time; });
  return rows;
}

void ExpectSame(const std::vector<Row>& expected, const std::vector<Row>& found) {
  ASSERT_EQ(expected.size(), found.size());
  for (size_t i = 0; i < expected.size(); ++i) ASSERT_EQ(expected[i].Key(), found[i].Key()) << i;
}

TEST_F(MergeTest, EveryRowOnceInOrderHoweverTheInputsOverlap) {
  for (uint64_t seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    options_.parquet.row_group_rows = static_cast<int64_t>(1 + random() % 700);
    options_.target_bytes = random() % 2 == 0 ? 1 << 30 : 20'000;
    store_.objects.clear();
    const int64_t span = seed % 3 == 0 ? 40'000 : 100;  // overlap not at all, a little, wholly
    std::vector<MergeInput> inputs;
    std::vector<std::pair<int64_t, std::vector<Row>>> given;
    for (size_t i = 0; i < 1 + random() % 12; ++i) {
      const int64_t from = seed % 3 == 2 ? 0 : static_cast<int64_t>(i) * 100;
      auto rows = RandomRows(random, 1 + random() % 900, from, from + span);
      ParquetOptions options;
      options.row_group_rows = static_cast<int64_t>(1 + random() % 500);
      inputs.push_back(Put("in" + std::to_string(i), rows, TestSchema(), options));
      given.emplace_back(rows[0].time, std::move(rows));
    }
    std::stable_sort(given.begin(), given.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<Row> expected;
    for (const auto& [first, rows] : given) expected.insert(expected.end(), rows.begin(), rows.end());
    expected = Sorted(std::move(expected));
    auto merged = Run(inputs);
    ASSERT_TRUE(merged.ok()) << merged.error().message;
    std::vector<Row> found;
    for (const auto& file : *merged) {
      const auto rows = Read(file.key);
      ASSERT_FALSE(rows.empty());
      EXPECT_EQ(file.min_time, rows.front().time);
      EXPECT_EQ(file.max_time, rows.back().time);
      EXPECT_EQ(file.rows, static_cast<int64_t>(rows.size()));
      EXPECT_EQ(file.bytes, static_cast<int64_t>(store_.objects.at(file.key).size()));
      const auto nulls = std::count_if(rows.begin(), rows.end(), [](const Row& row) { return !row.host; });
      EXPECT_EQ(file.metrics.at(2).nulls, nulls);
      found.insert(found.end(), rows.begin(), rows.end());
    }
    ExpectSame(expected, found);
    if (options_.target_bytes == 20'000 && expected.size() > 4000) {
      EXPECT_GT(merged->size(), 1u);
    }
  }
}

TEST_F(MergeTest, RowsLeftOutDoNotComeAlong) {
  for (uint64_t seed = 0; seed < 30; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937_64 random(seed);
    options_.parquet.row_group_rows = static_cast<int64_t>(1 + random() % 700);
    store_.objects.clear();
    std::vector<RowSet> left_out(1 + random() % 4);
    std::vector<MergeInput> inputs;
    std::vector<Row> expected;
    for (size_t i = 0; i < left_out.size(); ++i) {
      // More rows than a batch of the reader holds, where they are all of one file.
      const size_t count = left_out.size() == 1 ? 70'000 : 1 + random() % 900;
      const auto rows = RandomRows(random, count, static_cast<int64_t>(i) * 1000, static_cast<int64_t>(i) * 1000 + 500);
      ParquetOptions options;
      options.row_group_rows = static_cast<int64_t>(1 + count / 5);
      inputs.push_back(Put("in" + std::to_string(i), rows, TestSchema(), options));
      bool out = random() % 2 == 0;
      for (size_t row = 0; row < rows.size(); ++row) {
        if (random() % (seed % 3 == 0 ? 2 : seed % 3 == 1 ? 300 : 40'000) == 0) out = !out;
        if (out) {
          left_out[i].Add(static_cast<int64_t>(row));
        } else {
          expected.push_back(rows[row]);
        }
      }
      inputs.back().left_out = &left_out[i];
    }
    auto merged = Run(inputs);
    ASSERT_TRUE(merged.ok()) << merged.error().message;
    std::vector<Row> found;
    for (const auto& file : *merged) {
      const auto rows = Read(file.key);
      EXPECT_EQ(file.rows, static_cast<int64_t>(rows.size()));
      EXPECT_EQ(file.min_time, rows.front().time);
      EXPECT_EQ(file.max_time, rows.back().time);
      found.insert(found.end(), rows.begin(), rows.end());
    }
    ExpectSame(expected, found);
  }
}

TEST_F(MergeTest, WhereAllRowsAreLeftOutThereIsNoOutput) {
  std::mt19937_64 random(1);
  const auto rows = RandomRows(random, 300, 0, 1000);
  auto input = Put("a", rows);
  RowSet all;
  for (int64_t row = 0; row < 300; ++row) all.Add(row);
  input.left_out = &all;
  auto merged = Run({input});
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  EXPECT_TRUE(merged->empty());
  EXPECT_EQ(store_.objects.size(), 1u);
}

TEST_F(MergeTest, ColumnsThatAFileLacksAreNull) {
  Schema old = schema_;
  old.columns.erase(old.columns.begin() + 1, old.columns.begin() + 3);  // neither host nor value yet
  std::mt19937_64 random(1);
  const auto first = RandomRows(random, 300, 0, 1000);
  const auto second = RandomRows(random, 300, 500, 1500);
  auto merged = Run({Put("a", first, old), Put("b", second)});
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  std::vector<Row> expected;
  for (Row row : first) {
    row.host.reset();
    row.value.reset();
    expected.push_back(row);
  }
  expected.insert(expected.end(), second.begin(), second.end());
  ExpectSame(Sorted(expected), Read(merged->at(0).key));
}

TEST_F(MergeTest, ARenamedColumnIsFoundByItsId) {
  Schema old = schema_;
  old.columns[2].name = "count";  // what is the name of another column by now
  old.columns[3].name = "former";
  std::mt19937_64 random(1);
  const auto rows = RandomRows(random, 100, 0, 1000);
  auto merged = Run({Put("a", rows, old)});
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  ExpectSame(rows, Read(merged->at(0).key));
}

TEST_F(MergeTest, AFileWithAColumnThatTheTableDoesNotKnowIsRefused) {
  std::mt19937_64 random(1);
  const auto rows = RandomRows(random, 100, 0, 1000);
  const std::vector<MergeInput> inputs{Put("a", rows), Put("b", rows)};
  schema_.columns.pop_back();
  auto merged = Run(inputs);
  ASSERT_FALSE(merged.ok());
  EXPECT_EQ(merged.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(refused_.size(), 2u);
  EXPECT_EQ(store_.objects.size(), 2u);
}

TEST_F(MergeTest, NanCostsTheStatisticsOfItsColumnOnly) {
  std::mt19937_64 random(1);
  auto rows = RandomRows(random, 1000, 0, 1000);
  rows[500].value = std::nan("");
  auto merged = Run({Put("a", rows), Put("b", RandomRows(random, 1000, 0, 1000))});
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  ASSERT_EQ(merged->size(), 1u);
  EXPECT_EQ(merged->at(0).metrics.at(3).nans, 1);
  auto file = std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(store_.objects.at("out0")));
  const auto metadata = parquet::ReadMetaData(file);
  EXPECT_FALSE(metadata->RowGroup(0)->ColumnChunk(2)->is_stats_set());
  EXPECT_TRUE(metadata->RowGroup(0)->ColumnChunk(3)->is_stats_set());
}

// Other writers' statistics leave NaN out without saying so.
TEST_F(MergeTest, AForeignFilesNanBeginsAnotherOutput) {
  auto metadata_of = [](int id) { return arrow::key_value_metadata({"PARQUET:field_id"}, {std::to_string(id)}); };
  const auto time_type = arrow::timestamp(arrow::TimeUnit::MICRO);
  const auto foreign_schema = arrow::schema({arrow::field("time", time_type, true, metadata_of(1)),
                                             arrow::field("value", arrow::float64(), true, metadata_of(3))});
  arrow::TimestampBuilder times(time_type, arrow::default_memory_pool());
  arrow::DoubleBuilder values;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(times.Append(i).ok());
    ASSERT_TRUE(values.Append(i == 600 ? std::nan("") : i).ok());
  }
  auto batch = arrow::RecordBatch::Make(foreign_schema, 1000, {*times.Finish(), *values.Finish()});
  auto sink = *arrow::io::BufferOutputStream::Create();
  auto table = *arrow::Table::FromRecordBatches({batch});
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), sink, 1000).ok());
  store_.objects["foreign"] = (*sink->Finish())->ToString();
  options_.parquet.row_group_rows = 250;
  auto merged = Run({{"foreign", static_cast<int64_t>(store_.objects["foreign"].size()), 1000, 0}});
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  ASSERT_EQ(merged->size(), 2u);
  EXPECT_EQ(merged->at(0).rows, 500);
  EXPECT_EQ(merged->at(0).metrics.at(3).nans, 0);
  EXPECT_EQ(merged->at(1).metrics.at(3).nans, 1);
}

TEST_F(MergeTest, DamagedInputsAreNamedAndNothingRemains) {
  std::mt19937_64 random(1);
  std::vector<MergeInput> inputs;
  for (int i = 0; i < 6; ++i)
    inputs.push_back(Put("in" + std::to_string(i), RandomRows(random, 2000, i * 100, i * 100 + 50)));
  const auto sound = store_.objects;
  auto expect_refused = [&](const std::string& key) {
    options_.parquet.row_group_rows = 700;
    options_.target_bytes = 1;  // outputs are finished before the damage is met
    auto merged = Run(inputs);
    ASSERT_FALSE(merged.ok()) << key;
    EXPECT_EQ(merged.error().kind, ErrorKind::kCorruption) << merged.error().message;
    EXPECT_NE(merged.error().message.find(key), std::string::npos) << merged.error().message;
    ASSERT_EQ(refused_.size(), 1u);
    EXPECT_EQ(inputs_[refused_[0].input].key, key);
    for (const auto& [object, bytes] : store_.objects) EXPECT_TRUE(object.starts_with("in")) << object;
    store_.objects = sound;
  };
  store_.objects["in3"].resize(store_.objects["in3"].size() / 2);
  expect_refused("in3");
  store_.objects["in4"][store_.objects["in4"].size() - 3] ^= 1;
  expect_refused("in4");
  // Any bit of the pages: their checksums tell.
  for (int i = 0; i < 30; ++i) {
    const auto at = 4 + random() % (store_.objects["in2"].size() / 2);
    store_.objects["in2"][at] ^= static_cast<char>(1 << random() % 8);
    auto merged = Run(inputs);
    if (merged.ok()) {
      // A bit of a page's header that means nothing.
      std::vector<Row> found;
      for (const auto& file : *merged) {
        const auto rows = Read(file.key);
        found.insert(found.end(), rows.begin(), rows.end());
      }
      EXPECT_EQ(found.size(), 12'000u) << at;
    } else {
      EXPECT_EQ(merged.error().kind, ErrorKind::kCorruption) << merged.error().message;
      EXPECT_EQ(inputs_[refused_.at(0).input].key, "in2");
    }
    store_.objects = sound;
  }
}

TEST_F(MergeTest, AnUnsortedFileIsRefused) {
  std::mt19937_64 random(1);
  auto rows = RandomRows(random, 100, 0, 1000);
  auto disorder = rows;
  std::swap(disorder[10].time, disorder[90].time);
  auto merged = Run({Put("a", rows), Put("b", disorder)});
  ASSERT_FALSE(merged.ok());
  EXPECT_EQ(merged.error().kind, ErrorKind::kUnsupported);
  EXPECT_EQ(inputs_[refused_.at(0).input].key, "b");
}

TEST_F(MergeTest, AFullDiskLeavesNothing) {
  std::mt19937_64 random(1);
  const std::vector<MergeInput> inputs{Put("a", RandomRows(random, 5000, 0, 1000)),
                                       Put("b", RandomRows(random, 5000, 0, 1000))};
  options_.parquet.row_group_rows = 1000;
  store_.space = 30'000;
  auto merged = Run(inputs);
  ASSERT_FALSE(merged.ok());
  EXPECT_EQ(merged.error().kind, ErrorKind::kDiskFull);
  EXPECT_TRUE(refused_.empty());
  EXPECT_EQ(store_.objects.size(), 2u);
}

TEST_F(MergeTest, OnlyInputsThatOverlapTakeMemory) {
  std::mt19937_64 random(1);
  std::vector<MergeInput> inputs;
  constexpr int64_t kRows = 30'000;
  for (int64_t i = 0; i < 12; ++i) {
    inputs.push_back(Put("in" + std::to_string(i), RandomRows(random, kRows, i * 1000, i * 1000 + 999)));
  }
  constexpr int64_t kMemory = 16 << 20;
  const size_t columns = schema_.columns.size();
  options_.parquet.row_group_rows = MergeGroupRows(columns, kMemory);
  EXPECT_LT(options_.parquet.row_group_rows, 122'880);
  // One that ends, one that begins.
  const int64_t bound = MergeBytesOfOutput(columns, kMemory) + 2 * MergeBytesOfInput(inputs[0].bytes, kRows, columns);
  EXPECT_LT(MergeBytesOfOutput(columns, kMemory), kMemory);
  const int64_t before = arrow::default_memory_pool()->bytes_allocated();
  int64_t most = 0;
  options_.is_cancelled = [&] {
    most = std::max(most, arrow::default_memory_pool()->bytes_allocated() - before);
    return false;
  };
  auto merged = Run(inputs);
  ASSERT_TRUE(merged.ok()) << merged.error().message;
  EXPECT_GT(most, 0);
  EXPECT_LT(most, bound);
}

TEST_F(MergeTest, DoublesThatRepeatMayHaveADictionary) {
  std::mt19937_64 random(1);
  auto distinct = RandomRows(random, 20'000, 0, 1000);
  for (Row& row : distinct) row.value = static_cast<double>(random());
  const auto has_dictionary = [&](const std::vector<Row>& rows, bool option) {
    options_.parquet.double_dictionaries = option;
    const MergeInput input = Put("in" + std::to_string(outputs_), rows);
    auto merged = Run({input});
    EXPECT_TRUE(merged.ok());
    auto file =
        std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(store_.objects.at(merged->at(0).key)));
    return parquet::ReadMetaData(file)->RowGroup(0)->ColumnChunk(2)->has_dictionary_page();
  };
  EXPECT_TRUE(has_dictionary(RandomRows(random, 20'000, 0, 1000), true));
  EXPECT_FALSE(has_dictionary(RandomRows(random, 20'000, 0, 1000), false));
  EXPECT_FALSE(has_dictionary(distinct, true));
}

TEST_F(MergeTest, ItCanBeStopped) {
  std::mt19937_64 random(1);
  const std::vector<MergeInput> inputs{Put("a", RandomRows(random, 5000, 0, 1000))};
  options_.parquet.row_group_rows = 1000;
  int asked = 0;
  options_.is_cancelled = [&] { return ++asked > 3; };
  EXPECT_EQ(Run(inputs).error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(store_.objects.size(), 1u);
}

}  // namespace
}  // namespace arc
