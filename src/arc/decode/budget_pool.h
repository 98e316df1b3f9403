// Arrow's own allocations while a request is decoded, under the request's bound.
#pragma once

#include <arrow/memory_pool.h>

#include "arc/decode/growing_buffer.h"

namespace arc {

// A pool for readers of untrusted bytes. What is allocated on a thread inside a BudgetScope is charged to its budget
// and never given back to it: the bound is on all work of a request, so that few bytes cannot make Arrow allocate and
// copy much, many times over (compressed buffers, dictionaries that grow by deltas). Lives as long as the process,
// because the buffers made from it outlive the request. Thread-safe.
arrow::MemoryPool& BudgetPool();

// Charges this thread's allocations from BudgetPool() to `budget`. Not nested.
class BudgetScope {
 public:
  explicit BudgetScope(MemoryBudget* budget);
  ~BudgetScope();
  BudgetScope(const BudgetScope&) = delete;
  BudgetScope& operator=(const BudgetScope&) = delete;
};

}  // namespace arc
