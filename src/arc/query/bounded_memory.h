// A bound on all memory that DuckDB takes. Its own memory_limit is that of the buffer pool only and does not see
// vectors, strings and lists while an expression is computed: one repeat('x', 4000000000) would take 8 GB beside it.
// The blocks come from the program's malloc: the library brings an allocator of its own, and two of them in a process
// each keep what the other one could use again.
#pragma once

#include <cstdint>

#include "duckdb/common/allocator.hpp"

namespace arc {

// From now on blocks of kBoundedBlockBytes and more fail with DuckDB's OutOfMemoryException while DuckDB holds more
// than `limit_bytes`. Smaller ones always succeed: what grows without end does so in large blocks, and a query that is
// at the bound must not fail the bookkeeping of others. Of the whole process, as DuckDB's default allocator is; the
// last call's limit holds. The result is for DBConfig::allocator, through which the rest goes. Thread-safe.
duckdb::unique_ptr<duckdb::Allocator> BoundMemory(int64_t limit_bytes);
inline constexpr int64_t kBoundedBlockBytes = 64 << 10;

// What DuckDB holds now, its pool included.
int64_t DuckMemoryBytes();

}  // namespace arc
