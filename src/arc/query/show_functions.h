// SHOW DATABASES and SHOW TABLES, answered from our catalog in the shape that Arc's clients know.
#pragma once

#include <string_view>

#include "arc/query/arc_catalog.h"
#include "duckdb/main/database.hpp"

namespace arc {

// () -> database: those that the principal may read.
inline constexpr std::string_view kShowDatabasesFunction = "arc_show_databases";
// (name) -> database, table_name, storage_path, file_count, total_size_mb of one database; NULL: the connection's own;
// (): of all.
inline constexpr std::string_view kShowTablesFunction = "arc_show_tables";

// `sources` outlives the instance.
void RegisterShowFunctions(duckdb::DatabaseInstance& instance, const QuerySources& sources);

}  // namespace arc
