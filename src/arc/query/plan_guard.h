// What every bound plan passes before DuckDB optimizes it: the second lock of the sandbox (the first is the parsed
// statement), the alias `timestamp`, and comparisons that would otherwise hide `time` behind a cast.
#pragma once

#include "duckdb/main/config.hpp"

namespace arc {

void RegisterPlanGuard(duckdb::DBConfig& config);

}  // namespace arc
