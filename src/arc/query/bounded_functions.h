// Bounds on what one call of a scalar function may cost. DuckDB looks whether a query was interrupted between vectors
// of rows only, and what a function keeps in C++ containers while it computes is in no allocator's books: one lpad('x',
// 2000000000, 'y') takes gigabytes and cannot be stopped meanwhile, one levenshtein() of two long texts runs for hours.
#pragma once

#include <memory>
#include <vector>

#include "duckdb/main/connection.hpp"

namespace arc {

class BoundedFunction;
using BoundedFunctions = std::vector<std::unique_ptr<const BoundedFunction>>;

// Sets every scalar function of the instance's own catalog to look for an interrupt before each vector of rows, those
// of call_limits.h to be checked and stopped between rows as well, and the pattern operators (LIKE, ILIKE, GLOB) to
// ours. Done there and not in plans, because the binder calls functions too. The result outlives the instance. Throws
// DuckDB's exceptions.
std::shared_ptr<const BoundedFunctions> BoundFunctions(duckdb::Connection& connection);

}  // namespace arc
