#include <arrow/array.h>
#include <arrow/array/builder_primitive.h>
#include <arrow/array/concatenate.h>
#include <arrow/json/from_string.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "arc/base/uuid.h"
#include "arc/model/schema.h"
#include "arc/parquet/gather.h"
#include "arc/parquet/sorted_rows.h"

namespace arc {
namespace {

constexpr int64_t kHour = 3'600'000'000;

using Batches = std::vector<std::shared_ptr<arrow::RecordBatch>>;

std::shared_ptr<arrow::Array> Json(const std::shared_ptr<arrow::DataType>& type, const std::string& json) {
  return *arrow::json::ArrayFromJSONString(type, json);
}

std::shared_ptr<arrow::DataType> TimeType() { return BatchArrowType(ColumnType::kTimestamp, ColumnRole::kTime); }
std::shared_ptr<arrow::DataType> TagType() { return BatchArrowType(ColumnType::kString, ColumnRole::kTag); }

std::shared_ptr<arrow::RecordBatch> TimesOnly(const std::vector<int64_t>& times) {
  arrow::TimestampBuilder builder(TimeType(), arrow::default_memory_pool());
  EXPECT_TRUE(builder.AppendValues(times).ok());
  return arrow::RecordBatch::Make(arrow::schema({arrow::field("time", TimeType(), false)}),
                                  static_cast<int64_t>(times.size()), arrow::ArrayVector{*builder.Finish()});
}

// Gathered as for row groups of `piece_rows` rows at most.
Batches Gathered(const SortedRows& rows, uint32_t piece_rows) {
  Batches batches;
  std::vector<RowRange> piece;
  uint32_t count = 0;
  auto gather = [&] {
    if (count == 0) return;
    arrow::FieldVector fields;
    arrow::ArrayVector columns;
    for (size_t i = 0; i < rows.batches().columns(); ++i) {
      const auto arrays = *rows.batches().Column(i, piece);
      EXPECT_TRUE(i == 0 || rows.batches().type(i).id() != arrow::Type::DICTIONARY || arrays.size() == 1);
      fields.push_back(arrow::field(std::to_string(i), arrays[0]->type()));
      columns.push_back(*arrow::Concatenate(arrays));
    }
    batches.push_back(arrow::RecordBatch::Make(arrow::schema(fields), count, columns));
    EXPECT_TRUE(batches.back()->ValidateFull().ok());
    piece.clear();
    count = 0;
  };
  for (RowRange range : rows.ranges()) {
    while (range.rows > 0) {
      const uint32_t taken = std::min(range.rows, piece_rows - count);
      piece.push_back({range.batch, range.first, taken});
      count += taken;
      range.first += taken;
      range.rows -= taken;
      if (count == piece_rows) gather();
    }
  }
  gather();
  return batches;
}

std::vector<int64_t> TimesOf(const Batches& batches) {
  std::vector<int64_t> times;
  for (const auto& batch : batches) {
    const auto& column = static_cast<const arrow::TimestampArray&>(*batch->column(0));
    for (int64_t row = 0; row < column.length(); ++row) times.push_back(column.Value(row));
  }
  return times;
}

std::vector<int64_t> TimesOf(const SortedRows& rows) { return TimesOf(Gathered(rows, 1000)); }

TEST(SplitByTimeTest, NothingGivesNothing) {
  EXPECT_TRUE(SplitByTime({}, kHour).value().empty());
  EXPECT_TRUE(SplitByTime({TimesOnly({})}, kHour).value().empty());
}

TEST(SplitByTimeTest, RefusesBatchesWithoutTime) {
  auto array = Json(arrow::int64(), "[1]");
  auto batch = arrow::RecordBatch::Make(arrow::schema({arrow::field("a", arrow::int64())}), 1, {array});
  EXPECT_EQ(SplitByTime({batch}, kHour).error().kind, ErrorKind::kInternal);
  EXPECT_EQ(SplitByTime({TimesOnly({1})}, 0).error().kind, ErrorKind::kInvalidArgument);
}

TEST(SplitByTimeTest, InOrder) {
  const auto first = TimesOnly({-1, 0, 1, 1});
  const auto second = TimesOnly({1, kHour - 1, kHour, 3 * kHour});
  const auto whole = TimesOnly({3 * kHour, 3 * kHour + 1});
  const auto split = SplitByTime({first, second, whole}, kHour).value();
  ASSERT_EQ(split.size(), 4u);
  EXPECT_EQ(TimesOf(split.at(-1)), (std::vector<int64_t>{-1}));
  EXPECT_EQ(TimesOf(split.at(0)), (std::vector<int64_t>{0, 1, 1, 1, kHour - 1}));
  EXPECT_EQ(TimesOf(split.at(1)), (std::vector<int64_t>{kHour}));
  EXPECT_EQ(TimesOf(split.at(3)), (std::vector<int64_t>{3 * kHour, 3 * kHour, 3 * kHour + 1}));
  EXPECT_EQ(split.at(0).rows(), 5);
  EXPECT_EQ(split.at(0).first_time(), 0);
  EXPECT_EQ(split.at(3).first_time(), 3 * kHour);
}

TEST(SplitByTimeTest, LongRangesAreNotCopied) {
  std::vector<int64_t> times(20'000);
  std::iota(times.begin(), times.end(), 0);
  const auto late = TimesOnly(times);
  std::iota(times.begin(), times.end(), -20'000);
  const auto early = TimesOnly(times);
  const auto split = SplitByTime({late, early}, kHour).value();
  const auto arrays = *split.at(0).batches().Column(0, split.at(0).ranges());
  ASSERT_EQ(arrays.size(), 1u);
  EXPECT_EQ(arrays[0]->data()->buffers[1], late->column(0)->data()->buffers[1]);
}

TEST(SplitByTimeTest, OutOfOrderAcrossBatchesOnly) {
  const auto split = SplitByTime({TimesOnly({5, 6}), TimesOnly({1, 7})}, kHour).value();
  EXPECT_EQ(TimesOf(split.at(0)), (std::vector<int64_t>{1, 5, 6, 7}));
}

TEST(SplitByTimeTest, DictionariesOfBatchesAreBroughtTogether) {
  auto batch = [](const char* times, const char* codes, const char* dictionary) {
    auto tags = *arrow::json::DictArrayFromJSONString(TagType(), codes, dictionary);
    auto schema = arrow::schema({arrow::field("time", TimeType(), false), arrow::field("host", TagType())});
    return arrow::RecordBatch::Make(schema, tags->length(), {Json(TimeType(), times), tags});
  };
  const auto split = SplitByTime({batch("[4, 2]", "[0, 1]", R"(["a", "b"])"),
                                  batch("[3, 1]", "[0, 1]", R"(["b", "c"])"), batch("[0]", "[null]", "[]")},
                                 kHour)
                         .value();
  const auto pieces = Gathered(split.at(0), 1000);
  ASSERT_EQ(pieces.size(), 1u);
  const auto& sorted = *pieces[0];
  std::string hosts;
  for (int64_t row = 0; row < sorted.num_rows(); ++row) {
    hosts += (*sorted.column(1)->GetScalar(row))->is_valid
                 ? static_cast<const arrow::DictionaryScalar&>(**sorted.column(1)->GetScalar(row))
                       .GetEncodedValue()
                       .ValueOrDie()
                       ->ToString()
                 : "-";
  }
  EXPECT_EQ(hosts, "-cbba");
}

// Every column says which row it came from, so that a row torn apart is seen.
class RandomBatches {
 public:
  explicit RandomBatches(uint64_t seed) : random_(seed) {}

  uint64_t Below(uint64_t bound) { return random_.NextU64() % bound; }

  // Times all over `span`, or ascending but for one row in `run_rows`.
  std::shared_ptr<arrow::RecordBatch> Make(int64_t rows, int64_t span, bool slice, uint64_t run_rows = 1) {
    int64_t last = -span / 2;
    std::string time = "[";
    std::string tag = "[";
    std::string real = "[";
    std::string text = "[";
    std::string flag = "[";
    std::string number = "[";
    for (int64_t row = 0; row < rows; ++row) {
      const char* comma = row == 0 ? "" : ",";
      const std::string serial = std::to_string(serial_++);
      last = Below(run_rows) == 0 ? static_cast<int64_t>(Below(static_cast<uint64_t>(span))) - span / 2
                                  : last + static_cast<int64_t>(Below(3));
      time += comma + std::to_string(last);
      tag += comma + (Below(5) == 0 ? "null" : "\"h" + std::to_string((serial_ - 1) % 23) + "\"");
      real += comma + (Below(7) == 0 ? "null" : serial + ".5");
      text += comma + (Below(7) == 0 ? "null" : "\"" + std::string(Below(20), 'x') + serial + "\"");
      flag += comma + std::string(Below(9) == 0 ? "null" : (serial_ - 1) % 2 == 0 ? "true" : "false");
      number += comma + serial;
    }
    auto schema = arrow::schema({arrow::field("time", TimeType(), false), arrow::field("host", TagType()),
                                 arrow::field("real", arrow::float64()), arrow::field("text", arrow::utf8()),
                                 arrow::field("flag", arrow::boolean()), arrow::field("number", arrow::uint64())});
    auto batch = arrow::RecordBatch::Make(
        schema, rows,
        {Json(TimeType(), time + "]"), Json(TagType(), tag + "]"), Json(arrow::float64(), real + "]"),
         Json(arrow::utf8(), text + "]"), Json(arrow::boolean(), flag + "]"), Json(arrow::uint64(), number + "]")});
    return slice ? batch->Slice(rows / 3) : batch;
  }

 private:
  SeededRandom random_;
  uint64_t serial_ = 0;
};

using TestRow = std::pair<int64_t, std::string>;  // time, the row as text

std::vector<TestRow> RowsOf(const Batches& batches) {
  std::vector<TestRow> rows;
  for (const auto& batch : batches) {
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      std::string text;
      for (const auto& column : batch->columns()) {
        auto scalar = *column->GetScalar(row);
        if (scalar->type->id() == arrow::Type::DICTIONARY && scalar->is_valid) {
          scalar = *static_cast<const arrow::DictionaryScalar&>(*scalar).GetEncodedValue();
        }
        text += scalar->is_valid ? scalar->ToString() + "|" : "-|";
      }
      rows.emplace_back(static_cast<const arrow::TimestampArray&>(*batch->column(0)).Value(row), text);
    }
  }
  return rows;
}

TEST(SplitByTimeTest, RandomBatchesAgainstAPlainSort) {
  for (uint64_t seed = 1; seed <= 24; ++seed) {
    RandomBatches random(seed);
    const uint64_t run_rows = seed % 2 == 0 ? 1 : 1 + random.Below(200);
    const int64_t span = seed % 3 == 0 ? 50 : static_cast<int64_t>(1 + random.Below(20)) * kHour / 2;
    Batches batches;
    for (uint64_t i = 0; i < 1 + random.Below(6); ++i) {
      batches.push_back(random.Make(static_cast<int64_t>(random.Below(600)), span, random.Below(2) == 0, run_rows));
    }
    const auto all = RowsOf(batches);
    std::map<int64_t, std::map<std::pair<int64_t, size_t>, TestRow>> sorted;  // bucket, then time, then arrival
    for (size_t i = 0; i < all.size(); ++i) {
      const int64_t time = all[i].first;
      sorted[time >= 0 ? time / kHour : -((-time + kHour - 1) / kHour)].emplace(std::pair(time, i), all[i]);
    }
    std::map<int64_t, std::vector<TestRow>> expected;
    for (const auto& [bucket, rows] : sorted) {
      for (const auto& [place, row] : rows) expected[bucket].push_back(row);
    }
    const auto split = SplitByTime(batches, kHour);
    ASSERT_TRUE(split.ok()) << split.error().message;
    ASSERT_EQ(split->size(), expected.size()) << seed;
    for (const auto& [bucket, pieces] : *split) {
      const auto gathered = Gathered(pieces, static_cast<uint32_t>(1 + random.Below(500)));
      ASSERT_EQ(RowsOf(gathered), expected[bucket]) << "seed " << seed << " bucket " << bucket;
    }
  }
}

}  // namespace
}  // namespace arc
