// LIKE, ILIKE and GLOB by our own matcher.
#pragma once

#include <string>

#include "duckdb/function/scalar_function.hpp"

namespace arc {

// If `name` is one of the pattern operators, `function` matches as wildcard_match.h does from now on. A LIKE that
// DuckDB has taken apart when it bound the pattern stays DuckDB's: that way is linear.
void UseOwnPatternMatching(const std::string& name, duckdb::ScalarFunction* function);

}  // namespace arc
