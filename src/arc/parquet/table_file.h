// Any Parquet file, Arc's or another's, read as Arrow record batches.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "arc/base/result.h"

namespace arrow {
class RecordBatchReader;
}

namespace arc {

// Not thread-safe.
class TableFile {
 public:
  virtual ~TableFile() = default;
  virtual int64_t rows() const = 0;
  // Rows from `first_row` on, in record batches of at most `batch_rows`; holds about one at a time. The reader must not
  // outlive this file, and only one may be in use. kInvalidArgument: the file is damaged; kUnavailable: it cannot be
  // read.
  virtual Result<std::shared_ptr<arrow::RecordBatchReader>> Read(int64_t first_row, int64_t batch_rows) = 0;
};

// kInvalidArgument when it is no Parquet file.
Result<std::unique_ptr<TableFile>> OpenTableFile(const std::string& path);

}  // namespace arc
