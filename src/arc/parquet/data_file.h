// Parquet data files with the statistics that Iceberg wants.
#pragma once

#include <cstdint>
#include <string>

#include "arc/base/result.h"
#include "arc/io/object_store.h"
#include "arc/model/data_file.h"
#include "arc/model/schema.h"
#include "arc/parquet/sorted_rows.h"

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
  // Dictionaries for doubles that repeat: a fifth fewer bytes of metrics with few digits, for more CPU than a flush may
  // take (docs/decisions/0015).
  bool double_dictionaries = false;
};

// Writes `rows` (the batches in the order and types of `schema`, as ToRecordBatch gives) as one durable object: field
// ids on every column, UBIGINT as DECIMAL(20,0), time as TIMESTAMP(µs, no zone), statistics, page index and page
// checksums on. A column with NaN gets no Parquet statistics: they leave NaN out, and readers that order NaN above all
// numbers would prune it away. Columns that are NULL in every row are written too. Runs on the calling thread only and
// holds, beside the batches, one column of one row group: gathered right before it is encoded, while it is in the
// cache. kAlreadyExists if the key is taken; kDiskFull; kInvalidArgument for no rows at all or an unknown compression.
Result<WrittenFile> WriteDataFile(ObjectStore& store, const std::string& key, const Schema& schema,
                                  const SortedRows& rows, const ParquetOptions& options);

}  // namespace arc
