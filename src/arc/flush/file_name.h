// Where data files are in the object store, and what they are called.
#pragma once

#include <cstdint>
#include <string>

#include "arc/base/uuid.h"
#include "arc/catalog/table.h"
#include "arc/model/lsn.h"

namespace arc {

// "<table folder>/2025/10/16/14", without the hour for days.
std::string PartitionFolder(const TableRef& table, FlushedFile::Partition partition, int64_t value);

// A flush's file: "<folder>/cpu_20251016_140001_50000_<lineage>-<first LSN>-<number>.parquet".
std::string FlushedFileKey(const TableRef& table, FlushedFile::Partition partition, int64_t value, int64_t first_time,
                           int64_t rows, const std::string& lineage8, Lsn first, int number);

// A compaction's: "<folder>/cpu_20251016_140001_<job>-<number>.compacted.parquet". Its rows are not counted before they
// are written.
std::string CompactedFileKey(const TableRef& table, FlushedFile::Partition partition, int64_t value, int64_t first_time,
                             const Uuid& job, int number);

// A file without the rows that were deleted from it: "<folder>/cpu_20251016_140001_<job>-<number>.rewritten.parquet".
std::string RewrittenFileKey(const TableRef& table, FlushedFile::Partition partition, int64_t value, int64_t first_time,
                             const Uuid& job, int number);

}  // namespace arc
