// DuckDB's errors as ours, and ours as DuckDB's.
#pragma once

#include "arc/base/result.h"
#include "duckdb/common/error_data.hpp"

namespace arc {

// `sql` is what the error's position counts in; the message then shows the line.
Error FromDuckError(duckdb::ErrorData error, const std::string& sql);

// Of the exception being handled. DuckDB's exceptions are not caught by their exact class across the library.
Error FromCurrentException(const std::string& sql);

// Inside DuckDB: throws what FromDuckError turns back, as far as DuckDB has an exception of the kind.
[[noreturn]] void ThrowDuckError(const Error& error);

}  // namespace arc
