// Random batches against a plain model: whatever was appended reads back, row by row, in every view ever taken.
#include <gtest/gtest.h>

#include <map>

#include "arc/base/uuid.h"
#include "arc/buffer/plain_rows.h"
#include "arc/buffer/table_buffer.h"

namespace arc {
namespace {

class RandomTable {
 public:
  explicit RandomTable(uint64_t seed) : random_(seed), budget_(int64_t{1} << 32), buffer_(&budget_) {
    schema_.columns.push_back(MakeColumn("time", ColumnType::kTimestamp, ColumnRole::kTime, 1));
  }

  void Step() {
    const uint64_t what = Below(40);
    if (what == 0) AddColumn();
    if (what == 1) WidenColumn();
    if (what == 2) {
      buffer_.Seal();
    } else if (what == 3 && !rows_.empty()) {
      ReleaseSome();
    } else if (what == 4 && kept_.size() < 6) {
      kept_.emplace_back(buffer_.View(), rows_, schema_);
    } else {
      AppendBatch();
    }
    EXPECT_EQ(buffer_.rows(), rows_.size());
    EXPECT_EQ(buffer_.first_lsn(), rows_.empty() ? Lsn{} : rows_.front().lsn);
  }

  void Check() {
    CheckView(buffer_.View(), rows_, schema_);
    for (const auto& [view, rows, schema] : kept_) CheckView(view, rows, schema);
    // Newer schemas read old views too.
    for (const auto& [view, rows, schema] : kept_) CheckView(view, rows, schema_);
    kept_.clear();
    EXPECT_EQ(budget_.used_bytes(), buffer_.bytes());
  }

  void Finish() {
    Check();
    buffer_.Seal();
    buffer_.Release(lsn_);
    EXPECT_EQ(budget_.used_bytes(), 0);
    EXPECT_EQ(buffer_.bytes(), 0);
  }

 private:
  struct ModelRow {
    Lsn lsn;
    std::shared_ptr<const PlainRow> values;
  };

  uint64_t Below(uint64_t bound) { return random_.NextU64() % bound; }

  void AddColumn() {
    const auto type = static_cast<ColumnType>(1 + Below(5));
    const bool tag = type == ColumnType::kString && Below(3) != 0;
    const auto id = static_cast<int32_t>(schema_.columns.size() + 1);
    schema_.columns.push_back(
        MakeColumn("c" + std::to_string(id), type, tag ? ColumnRole::kTag : ColumnRole::kField, id));
    ++schema_.version;
  }

  void WidenColumn() {
    for (auto& column : schema_.columns) {
      if (column.type == ColumnType::kInt64 && Below(3) == 0) column.type = ColumnType::kDouble;
    }
  }

  PlainValue RandomValue(const Column& column, bool integers, uint64_t cardinality) {
    switch (column.type) {
      case ColumnType::kTimestamp: return static_cast<int64_t>(Below(1'000'000)) - 500'000;
      case ColumnType::kInt64: return static_cast<int64_t>(random_.NextU64() >> Below(64));
      case ColumnType::kUInt64: return random_.NextU64();
      case ColumnType::kBool: return Below(2) == 0;
      case ColumnType::kDouble:
        if (integers) return static_cast<int64_t>(Below(1000));
        return static_cast<double>(Below(1000)) / 8;
      case ColumnType::kString: {
        const uint64_t value = Below(cardinality);
        if (value % 17 == 0) return std::string();
        return std::to_string(value) + std::string(value % 29, static_cast<char>('a' + value % 26));
      }
    }
    return {};
  }

  uint64_t RandomRows() {
    switch (Below(25)) {
      case 0: return 1;
      case 1: return kAdoptRows + Below(500);
      case 2: return kAdoptRows - 1;
      case 3: return 64 * (1 + Below(4));
      default: return 1 + Below(300);
    }
  }

  void AppendBatch() {
    std::vector<size_t> which{0};
    std::map<size_t, bool> integers;
    std::map<size_t, uint64_t> null_percent;
    for (size_t i = 1; i < schema_.columns.size(); ++i) {
      if (Below(6) == 0) continue;
      which.push_back(i);
      integers[i] = Below(5) == 0;
      null_percent[i] = Below(3) == 0 ? 0 : Below(110);
    }
    if (which.size() > 2 && Below(3) == 0) std::swap(which[1], which.back());
    // Now and then so many values that a tag outgrows its dictionary within a generation.
    const uint64_t cardinality = Below(4) == 0 ? 1'000'000 : 1 + Below(200);
    std::vector<PlainRow> rows(RandomRows());
    for (auto& row : rows) {
      row.resize(schema_.columns.size());
      for (const size_t i : which) {
        if (i > 0 && Below(100) < null_percent[i]) continue;
        row[i] = RandomValue(schema_.columns[i], integers[i], cardinality);
      }
    }
    lsn_.value += 1 + Below(2);
    const Batch batch = PlainBatch(schema_, rows, which);
    buffer_.Append(schema_, batch, lsn_, budget_.Force(batch.ByteSize()));
    for (auto& row : rows) rows_.push_back({lsn_, std::make_shared<const PlainRow>(std::move(row))});
  }

  void ReleaseSome() {
    // Only whole sealed chunks go: seal, so that the boundary may be anywhere between chunks.
    buffer_.Seal();
    const Lsn through = rows_[Below(rows_.size())].lsn;
    Lsn gone;
    const HotRows hot = buffer_.View();
    for (const auto& view : *hot.sealed) {
      if (view.last_lsn > through) break;
      gone = view.last_lsn;
      rows_.erase(rows_.begin(), rows_.begin() + view.rows);
    }
    buffer_.Release(through);
  }

  static void CheckView(const HotRows& hot, const std::vector<ModelRow>& rows, const Schema& schema) {
    ASSERT_EQ(hot.rows, rows.size());
    size_t at = 0;
    std::vector<ChunkView> views;
    if (hot.sealed != nullptr) views = *hot.sealed;
    if (hot.open.chunk != nullptr) views.push_back(hot.open);
    for (const auto& view : views) {
      ASSERT_GT(view.rows, 0u);
      ASSERT_LE(view.rows, view.chunk->capacity());
      ASSERT_EQ(view.first_lsn, rows[at].lsn);
      ASSERT_EQ(view.last_lsn, rows[at + view.rows - 1].lsn);
      auto batch = ToRecordBatch(view, schema);
      ASSERT_TRUE(batch.ok()) << batch.error().message;
      ASSERT_TRUE((*batch)->ValidateFull().ok()) << (*batch)->ValidateFull().message();
      int64_t min = INT64_MAX;
      int64_t max = INT64_MIN;
      for (uint32_t row = 0; row < view.rows; ++row, ++at) {
        const PlainRow expected = Expected(*rows[at].values, schema);
        ASSERT_EQ(ReadChunkRow(view, row, schema), expected) << at;
        ASSERT_EQ(ReadBatchRow(**batch, row), expected) << at;
        min = std::min(min, std::get<int64_t>(expected[0]));
        max = std::max(max, std::get<int64_t>(expected[0]));
      }
      ASSERT_EQ(view.min_time, min);
      ASSERT_EQ(view.max_time, max);
    }
    ASSERT_EQ(at, rows.size());
  }

  SeededRandom random_;
  ByteBudget budget_;
  TableBuffer buffer_;
  Schema schema_;
  Lsn lsn_;
  std::vector<ModelRow> rows_;
  std::vector<std::tuple<HotRows, std::vector<ModelRow>, Schema>> kept_;
};

class TableBufferModelTest : public testing::TestWithParam<uint64_t> {};

TEST_P(TableBufferModelTest, ReadsBackWhatWasAppended) {
  RandomTable table(GetParam());
  for (int step = 0; step < 60; ++step) {
    table.Step();
    if (step % 30 == 29) table.Check();
    if (testing::Test::HasFailure()) return;
  }
  table.Finish();
}

INSTANTIATE_TEST_SUITE_P(Seeds, TableBufferModelTest, testing::Range<uint64_t>(1, 6));

}  // namespace
}  // namespace arc
