// The columns of an Arrow stream on their way into batches.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "arc/base/result.h"
#include "arc/decode/arrow_cells.h"
#include "arc/decode/batch_builder.h"
#include "arc/decode/table_body.h"

namespace arrow {
class Array;
class RecordBatch;
class Schema;
}  // namespace arrow

namespace arc {

// The columns of one stream, bound to one record batch after the other. Not thread-safe.
class ArrowColumns {
 public:
  // What they mean; kInvalidArgument as DecodeArrow says. `options` outlives this.
  static Result<std::unique_ptr<ArrowColumns>> Of(const arrow::Schema& schema, const TableBodyOptions& options);

  // Validates the record batch in full and makes it the one at hand. What Arrow holds to be unsound is
  // kInvalidArgument. Throws std::bad_alloc where looking at it would be more work than `budget` allows.
  Status Bind(const arrow::RecordBatch& rows, MemoryBudget* budget);

  // The record batch at hand as a batch of its own, arrays that fit taken as they are and the others converted; nothing
  // when a row has to be refused.
  std::optional<Batch> Adopt(MemoryBudget* budget);

  // One row of the record batch at hand, in ascending order; anything but kOk and kConflict comes with `error`.
  Added AppendRow(int64_t row, uint32_t position, BatchBuilder* batch, std::string* error);

  // Timestamps pass through the builders as integers: gives those columns of a finished batch their type.
  void Retype(Batch* batch) const;

 private:
  struct Column {
    std::string name;
    ColumnRole role = ColumnRole::kField;
    std::optional<TimePrecision> unit;  // of timestamps and dates
    std::shared_ptr<arrow::Array> array;
    std::unique_ptr<ArrowCells> cells;
    std::shared_ptr<arrow::Array> words;  // the dictionary last seen
    bool distinct_words = false;
  };

  explicit ArrowColumns(const TableBodyOptions& options) : options_(options) {}
  Status Validate(Column* column, MemoryBudget* budget) const;
  Status ValidateCodes(Column* column, MemoryBudget* budget) const;
  std::optional<int64_t> Time(const Scalar& value, const Column& column, std::string* why) const;
  std::shared_ptr<arrow::Array> InPlace(const Column& column, MemoryBudget* budget) const;
  Added AppendCell(Column& column, const Scalar& value, uint32_t row, ColumnBuilder* to, std::string* error) const;
  bool AdoptTimes(Batch* batch, MemoryBudget* budget);
  bool AdoptColumn(Column& column, Batch* batch, MemoryBudget* budget);
  void RetypeColumn(BatchColumn* column) const;

  const TableBodyOptions& options_;
  std::vector<Column> columns_;
  std::unordered_set<std::string> timestamps_;  // names of fields with a unit
  size_t time_ = 0;
  int64_t rows_ = 0;
  // Builders of the variant of the last row.
  BatchBuilder* batch_ = nullptr;
  std::vector<ColumnBuilder*> builders_;
};

}  // namespace arc
