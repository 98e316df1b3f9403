// One appender, readers without locks: run under the thread sanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "arc/base/thread.h"
#include "arc/buffer/plain_rows.h"
#include "arc/buffer/table_buffer.h"

namespace arc {
namespace {

constexpr int64_t kBatches = 400;
constexpr int64_t kBatchRows = 37;  // no divisor of 64: batches end inside validity words
constexpr int kReaders = 3;

Schema ThreadsSchema() {
  Schema schema;
  schema.columns = {MakeColumn("time", ColumnType::kTimestamp, ColumnRole::kTime, 1),
                    MakeColumn("host", ColumnType::kString, ColumnRole::kTag, 2),
                    MakeColumn("value", ColumnType::kInt64, ColumnRole::kField, 3),
                    MakeColumn("note", ColumnType::kString, ColumnRole::kField, 4),
                    MakeColumn("up", ColumnType::kBool, ColumnRole::kField, 5)};
  return schema;
}

// Row `i` of the table: everything follows from its number, so that a reader can tell a wrong value.
PlainRow RowNumber(int64_t i) {
  return {i, i % 5 == 0 ? PlainValue() : PlainValue("a host with a long name " + std::to_string(i / 3)),
          i % 3 == 0 ? PlainValue() : PlainValue(i * 7), "note " + std::to_string(i) + " of many words", i % 2 == 0};
}

// The owner's pointer swap. A lock instead of std::atomic<std::shared_ptr>: libstdc++ 12 unlocks that one relaxed after
// a load, which the thread sanitizer reports.
class Published {
 public:
  void store(HotRows hot) {
    auto made = std::make_shared<const HotRows>(std::move(hot));
    std::lock_guard lock(mutex_);
    current_.swap(made);
  }
  std::shared_ptr<const HotRows> load() const {
    std::lock_guard lock(mutex_);
    return current_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const HotRows> current_ = std::make_shared<const HotRows>();
};

TEST(TableBufferThreadsTest, ReadersSeeWholeRowsWhileTheAppenderGoesOn) {
  const Schema schema = ThreadsSchema();
  ByteBudget budget(int64_t{1} << 30);
  TableBuffer buffer(&budget);
  Published current;
  std::atomic<bool> done = false;
  std::atomic<int64_t> wrong = 0;
  std::atomic<int64_t> views = 0;

  auto read = [&] {
    while (true) {
      const bool last = done.load();
      const auto hot = current.load();
      int64_t number = -1;
      auto check = [&](const ChunkView& view) {
        for (uint32_t row = 0; row < view.rows; ++row) {
          const PlainRow values = ReadChunkRow(view, row, schema);
          if (number < 0) number = std::get<int64_t>(values[0]);
          if (values != RowNumber(number++)) ++wrong;
        }
      };
      if (hot->sealed != nullptr) {
        for (const auto& view : *hot->sealed) check(view);
      }
      if (hot->open.chunk != nullptr) check(hot->open);
      ++views;
      if (last) return;
    }
  };
  {
    std::vector<Thread> readers;
    for (int i = 0; i < kReaders; ++i) readers.emplace_back("reader", read);
    int64_t next = 0;
    for (int64_t i = 1; i <= kBatches; ++i) {
      std::vector<PlainRow> rows;
      for (int64_t row = 0; row < kBatchRows; ++row) rows.push_back(RowNumber(next++));
      const Batch batch = PlainBatch(schema, rows, {0, 1, 2, 3, 4});
      buffer.Append(schema, batch, Lsn{static_cast<uint64_t>(i)}, budget.Force(batch.ByteSize()));
      // Seals and releases now and then, so that readers also hold what the buffer has let go.
      if (i % 90 == 0) buffer.Seal();
      if (i % 130 == 0) buffer.Release(Lsn{static_cast<uint64_t>(i - 60)});
      current.store(buffer.View());
      // Lets readers in while the chunk is filling, however few cores there are.
      const int64_t seen = views.load();
      for (int spin = 0; i % 20 == 0 && spin < 1000 && views.load() == seen; ++spin) std::this_thread::yield();
    }
    done = true;
  }
  EXPECT_EQ(wrong.load(), 0);
  EXPECT_GE(views.load(), kReaders);
  current.store({});
  EXPECT_EQ(budget.used_bytes(), buffer.bytes());
}

TEST(TableBufferThreadsTest, RecordBatchesOfAnOpenChunkWhileItGrows) {
  const Schema schema = ThreadsSchema();
  TableBuffer buffer(nullptr);
  Published current;
  std::atomic<bool> done = false;
  std::atomic<int64_t> wrong = 0;
  {
    Thread reader("reader", [&] {
      while (!done.load()) {
        const auto hot = current.load();
        if (hot->open.chunk == nullptr) continue;
        auto batch = ToRecordBatch(hot->open, schema);
        if (!batch.ok() || (*batch)->num_rows() != hot->open.rows) {
          ++wrong;
          continue;
        }
        const int64_t first = std::get<int64_t>(ReadBatchRow(**batch, 0)[0]);
        for (int64_t row = 0; row < (*batch)->num_rows(); ++row) {
          if (ReadBatchRow(**batch, row) != RowNumber(first + row)) ++wrong;
        }
      }
    });
    int64_t next = 0;
    for (int64_t i = 1; i <= kBatches / 4; ++i) {
      std::vector<PlainRow> rows;
      for (int64_t row = 0; row < kBatchRows; ++row) rows.push_back(RowNumber(next++));
      buffer.Append(schema, PlainBatch(schema, rows, {0, 1, 2, 3, 4}), Lsn{static_cast<uint64_t>(i)}, {});
      current.store(buffer.View());
    }
    done = true;
  }
  EXPECT_EQ(wrong.load(), 0);
}

}  // namespace
}  // namespace arc
