// Parquet data files with the statistics that Iceberg wants.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/object_store.h"
#include "arc/model/data_file.h"
#include "arc/model/schema.h"

namespace arrow {
class RecordBatch;
}

namespace arc {

// Settings of a data file. Defaults: the hot setting measured best (docs/decisions).
struct ParquetOptions {
  std::string compression = "lz4_raw";  // lz4_raw, snappy, zstd, none
  int compression_level = 1;            // zstd only
  int64_t row_group_rows = 122'880;
};

// Writes `batches` (all in the order and types of `schema`, as ToRecordBatch gives; rows already in file order) as one
// durable object: field ids on every column, UBIGINT as DECIMAL(20,0), time as TIMESTAMP(µs, no zone), statistics and
// page index on. Columns that are NULL in every row are written too. kAlreadyExists if the key is taken.
Result<WrittenFile> WriteDataFile(ObjectStore& store, const std::string& key, const Schema& schema,
                                  const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                                  const ParquetOptions& options);

// Sorts rows by time across `batches` (stable; a no-op copy-free pass when in order already) and splits them at hour
// boundaries (`bucket_micros` = 3600e6, or 86400e6 for days): bucket number (floor division of time) -> batches.
Result<std::map<int64_t, std::vector<std::shared_ptr<arrow::RecordBatch>>>> SplitByTime(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches, int64_t bucket_micros);

}  // namespace arc
