#include "arc/base/byte_budget.h"
#include "arc/base/check.h"
#include "arc/buffer/table_buffer.h"
#include "work/input.h"
#include "work/work.h"

namespace arc::bench {
namespace {

constexpr int kBatches = 64;

}  // namespace

std::vector<Work> BufferWork() {
  std::vector<Work> all;
  for (const Shape shape : {Shape::kSmall, Shape::kTsbs}) {
    const auto prepare = [shape] {
      std::vector<Batch> batches = BatchesOf(shape, kBatches);
      Schema schema = SchemaOf(batches[0]);
      return [batches, schema] {
        ByteBudget budget(int64_t{1} << 30);
        TableBuffer buffer(&budget);
        uint64_t lsn = 0;
        for (const Batch& batch : batches) buffer.Append(schema, batch, Lsn{++lsn}, budget.Force(batch.ByteSize()));
        ARC_CHECK(buffer.rows() == uint64_t{kBatches} * kBatchRows);
      };
    };
    all.push_back({std::string("buffer/append_") + ShapeName(shape), kBatches * kBatchRows, prepare});
  }
  return all;
}

}  // namespace arc::bench
