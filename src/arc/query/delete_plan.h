// What the optimized plan of a DELETE's query tells without reading a file.
#pragma once

#include "duckdb/main/config.hpp"

namespace arc {

// Where the condition is nothing but a range of time, files that lie in it wholly are told to the DeleteTarget and not
// read.
void RegisterDeletePlan(duckdb::DBConfig& config);

}  // namespace arc
