// Reads the hot rows of a table version as if they were one file with the table's own columns.
#pragma once

#include <memory>

#include "arc/catalog/table.h"
#include "arc/query/file_list.h"
#include "arc/query/time_ranges.h"
#include "duckdb/common/multi_file/base_file_reader.hpp"

namespace arc {

// Only chunks that meet `ranges` are read, in an order that serves `order`.
duckdb::shared_ptr<duckdb::BaseFileReader> MakeHotReader(const duckdb::OpenFileInfo& file,
                                                         std::shared_ptr<const TableVersion> version,
                                                         const TimeRanges& ranges, ScanOrder order);

}  // namespace arc
