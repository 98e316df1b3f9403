// Arrow record batches made of DuckDB's chunks, for types whose values look the same in both.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "arc/base/result.h"
#include "duckdb/common/types/data_chunk.hpp"

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace arc {

class ResultColumn;

// Copies whole vectors where DuckDB's own appender goes row by row, and makes room for a column once.
// Integers, floats, booleans, dates, timestamps and text; results with another type are DuckDB's to convert. Not
// thread-safe.
class ResultBuilder {
 public:
  // Null when a column is of another type. `schema` is what DuckDB says for `types`.
  static std::unique_ptr<ResultBuilder> Make(const duckdb::vector<duckdb::LogicalType>& types,
                                             std::shared_ptr<arrow::Schema> schema);
  ~ResultBuilder();

  // Room for `rows` is made at once with the first Append after this.
  void Expect(int64_t rows) { expected_rows_ = rows; }
  // All rows of `chunk`. kInvalidArgument when a column's text no longer fits one batch.
  Status Append(duckdb::DataChunk& chunk);
  int64_t rows() const { return rows_; }
  // Of the text held.
  int64_t text_bytes() const;
  // What was appended, and begins anew.
  Result<std::shared_ptr<arrow::RecordBatch>> Finish();

 private:
  explicit ResultBuilder(std::shared_ptr<arrow::Schema> schema);

  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<ResultColumn>> columns_;
  int64_t expected_rows_ = STANDARD_VECTOR_SIZE;
  int64_t rows_ = 0;
};

}  // namespace arc
