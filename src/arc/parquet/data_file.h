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
  // Parquet's own statistics and column index of tags. Off: with rows sorted by time nearly every page holds nearly
  // every tag value, so that they prune nothing, and measuring them costs a sixth of the whole write. Iceberg metrics
  // (WrittenFile::metrics) have counts and bounds of every column either way.
  bool tag_statistics = false;
};

// Writes `batches` (all in the order and types of `schema`, as ToRecordBatch gives; rows already in file order) as one
// durable object: field ids on every column, UBIGINT as DECIMAL(20,0), time as TIMESTAMP(µs, no zone), statistics, page
// index and page checksums on. A column with NaN gets no Parquet statistics: they leave NaN out, and readers that order
// NaN above all numbers would prune it away. Columns that are NULL in every row are written too. Runs on the calling
// thread only and holds, beside the batches, one encoded column chunk at a time. kAlreadyExists if the key is taken;
// kDiskFull; kInvalidArgument for no rows at all or an unknown compression.
Result<WrittenFile> WriteDataFile(ObjectStore& store, const std::string& key, const Schema& schema,
                                  const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches,
                                  const ParquetOptions& options);

// Sorts rows by time across `batches` (stable; a no-op copy-free pass when in order already) and splits them at hour
// boundaries (`bucket_micros` = 3600e6, or 86400e6 for days): bucket number (floor division of time) -> batches. When
// rows are out of order the result is a copy of all of them (8 bytes a row more while sorting), in batches of at most
// 122,880 rows whose tags share one dictionary. Column 0 is the time.
Result<std::map<int64_t, std::vector<std::shared_ptr<arrow::RecordBatch>>>> SplitByTime(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches, int64_t bucket_micros);

}  // namespace arc
