// The scan of one table: DuckDB's Parquet multi-file scan over our file list, hot rows as one more "file" in it.
#pragma once

#include "arc/query/arc_catalog.h"
#include "duckdb/function/table_function.hpp"

namespace arc {

// The scan function bound to the version that `table` pins. `table` outlives the plan.
duckdb::TableFunction BindArcScan(duckdb::ClientContext& context, ArcTableEntry& table,
                                  duckdb::unique_ptr<duckdb::FunctionData>& bind_data);

}  // namespace arc
