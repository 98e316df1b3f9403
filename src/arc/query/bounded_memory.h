// A bound on what DuckDB takes outside of its buffer pool: vectors, strings and lists while an expression is computed.
// Its own memory_limit does not see them, so that one repeat('x', 4000000000) would take all of the machine.
#pragma once

#include <cstdint>

namespace arc {

// From now on blocks of kBoundedBlockBytes and more fail with DuckDB's OutOfMemoryException while that memory is above
// `limit_bytes`. Smaller ones always succeed: what grows without end does so in large blocks, and a query that is at
// the bound must not fail the bookkeeping of others. Of the whole process, as DuckDB's default allocator is; the last
// call's limit holds. Thread-safe.
void BoundWorkMemory(int64_t limit_bytes);
inline constexpr int64_t kBoundedBlockBytes = 64 << 10;

// What is taken now.
int64_t WorkMemoryBytes();

}  // namespace arc
