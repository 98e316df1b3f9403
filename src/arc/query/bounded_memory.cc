#include "arc/query/bounded_memory.h"

#include <atomic>
#include <cstdlib>
#include <limits>

#include "arc/base/check.h"
#include "duckdb/common/exception.hpp"
#include "duckdb/common/helper.hpp"
#include "duckdb/common/string_util.hpp"

namespace arc {
namespace {

std::atomic<int64_t> used_bytes{0};
std::atomic<int64_t> limit_bytes{std::numeric_limits<int64_t>::max()};

void Take(int64_t bytes) {
  const int64_t used = used_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  const int64_t limit = limit_bytes.load(std::memory_order_relaxed);
  if (bytes < kBoundedBlockBytes || used <= limit) return;
  used_bytes.fetch_sub(bytes, std::memory_order_relaxed);
  throw duckdb::OutOfMemoryException("queries and the values they compute take more than %s",
                                     duckdb::StringUtil::BytesToHumanReadableString(static_cast<duckdb::idx_t>(limit)));
}

void GiveBack(int64_t bytes) { used_bytes.fetch_sub(bytes, std::memory_order_relaxed); }

duckdb::data_ptr_t Allocate(duckdb::PrivateAllocatorData* /*data*/, duckdb::idx_t size) {
  const auto bytes = static_cast<int64_t>(size);
  Take(bytes);
  auto* block = static_cast<duckdb::data_ptr_t>(std::malloc(size));
  if (block == nullptr) GiveBack(bytes);
  return block;
}

void Free(duckdb::PrivateAllocatorData* /*data*/, duckdb::data_ptr_t block, duckdb::idx_t size) {
  std::free(block);
  GiveBack(static_cast<int64_t>(size));
}

duckdb::data_ptr_t Reallocate(duckdb::PrivateAllocatorData* /*data*/, duckdb::data_ptr_t block, duckdb::idx_t old_size,
                              duckdb::idx_t size) {
  const auto bytes = static_cast<int64_t>(size);
  Take(bytes);
  auto* moved = static_cast<duckdb::data_ptr_t>(std::realloc(block, size));
  GiveBack(moved == nullptr ? bytes : static_cast<int64_t>(old_size));
  return moved;
}

duckdb::unique_ptr<duckdb::Allocator> NewAllocator() {
  return duckdb::make_uniq<duckdb::Allocator>(Allocate, Free, Reallocate,
                                              duckdb::make_uniq<duckdb::PrivateAllocatorData>());
}

// Before main, so that no block of the library's own allocator is ever freed by these functions.
const bool installed = [] {
  duckdb::Allocator::DefaultAllocatorReference() = duckdb::shared_ptr<duckdb::Allocator>(NewAllocator().release());
  return true;
}();

}  // namespace

duckdb::unique_ptr<duckdb::Allocator> BoundMemory(int64_t limit) {
  ARC_CHECK(installed);
  limit_bytes.store(limit, std::memory_order_relaxed);
  return NewAllocator();
}

int64_t DuckMemoryBytes() { return used_bytes.load(std::memory_order_relaxed); }

}  // namespace arc
