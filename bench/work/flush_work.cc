#include <algorithm>
#include <memory>

#include "arc/base/byte_budget.h"
#include "arc/base/check.h"
#include "arc/buffer/table_buffer.h"
#include "arc/parquet/data_file.h"
#include "arc/parquet/memory_store.h"
#include "work/input.h"
#include "work/work.h"

namespace arc::bench {
namespace {

constexpr int kBatches = 64;
constexpr int64_t kHourMicros = 3'600'000'000;

// Hot rows of a table; out of order they come as from connections that overtake each other.
class HotTable {
 public:
  HotTable(Shape shape, bool in_order) {
    std::vector<Batch> batches = BatchesOf(shape, kBatches);
    if (!in_order) {
      for (size_t i = 0; i + 4 <= batches.size(); i += 4) std::reverse(batches.begin() + i, batches.begin() + i + 4);
    }
    schema_ = SchemaOf(batches[0]);
    uint64_t lsn = 0;
    for (const Batch& batch : batches) buffer_.Append(schema_, batch, Lsn{++lsn}, budget_.Force(batch.ByteSize()));
    buffer_.Seal();
  }
  // The steps of a flush without its commit.
  void Write() const {
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    for (const ChunkView& view : *buffer_.View().sealed) {
      auto batch = ToRecordBatch(view, schema_);
      ARC_CHECK(batch.ok());
      batches.push_back(std::move(batch).value());
    }
    const auto buckets = SplitByTime(batches, kHourMicros);
    ARC_CHECK(buckets.ok() && buckets->size() == 1);
    MemoryStore store;
    const auto written = WriteDataFile(store, "file", schema_, buckets->begin()->second, {});
    ARC_CHECK(written.ok() && !store.objects["file"].empty());
  }

 private:
  ByteBudget budget_{int64_t{1} << 30};
  Schema schema_;
  TableBuffer buffer_{&budget_};
};

}  // namespace

std::vector<Work> FlushWork() {
  std::vector<Work> all;
  for (const bool in_order : {true, false}) {
    for (const Shape shape : {Shape::kSmall, Shape::kTsbs}) {
      const auto prepare = [shape, in_order] {
        return [table = std::make_shared<HotTable>(shape, in_order)] { table->Write(); };
      };
      all.push_back({std::string("flush/") + ShapeName(shape) + (in_order ? "" : "_out_of_order"),
                     kBatches * kBatchRows, prepare});
    }
  }
  return all;
}

}  // namespace arc::bench
