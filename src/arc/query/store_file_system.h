// Lets DuckDB's Parquet reader read objects of our store, and nobody else: `arc://<key>` opens only with the capability
// that the scan puts into the OpenFileInfo. Listing, existence and writing do not exist here.
#pragma once

#include "arc/query/arc_catalog.h"
#include "duckdb/common/file_system.hpp"

namespace arc {

inline const duckdb::string kStoreScheme = "arc://";
inline constexpr const char* kCapabilityOption = "arc_capability";

// `sources` outlives the file system.
duckdb::unique_ptr<duckdb::FileSystem> MakeStoreFileSystem(const QuerySources& sources);

}  // namespace arc
