#include "arc/decode/budget_pool.h"

#include <arrow/status.h>

#include <string>

#include "arc/base/check.h"

namespace arc {
namespace {

thread_local MemoryBudget* budget_at_work = nullptr;

arrow::Status Charge(int64_t bytes) {
  if (budget_at_work == nullptr || bytes <= 0 || budget_at_work->TryTake(bytes)) return arrow::Status::OK();
  return arrow::Status::OutOfMemory("the request may not take so much memory");
}

class ChargingPool : public arrow::MemoryPool {
 public:
  using MemoryPool::Allocate;
  using MemoryPool::Free;
  using MemoryPool::Reallocate;

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    ARROW_RETURN_NOT_OK(Charge(size));
    return pool_->Allocate(size, alignment, out);
  }
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment, uint8_t** ptr) override {
    ARROW_RETURN_NOT_OK(Charge(new_size - old_size));
    return pool_->Reallocate(old_size, new_size, alignment, ptr);
  }
  void Free(uint8_t* buffer, int64_t size, int64_t alignment) override { pool_->Free(buffer, size, alignment); }
  int64_t bytes_allocated() const override { return pool_->bytes_allocated(); }
  int64_t max_memory() const override { return pool_->max_memory(); }
  int64_t total_bytes_allocated() const override { return pool_->total_bytes_allocated(); }
  int64_t num_allocations() const override { return pool_->num_allocations(); }
  std::string backend_name() const override { return pool_->backend_name(); }

 private:
  arrow::MemoryPool* const pool_ = arrow::default_memory_pool();
};

}  // namespace

arrow::MemoryPool& BudgetPool() {
  // Never destroyed: buffers may be freed later than static objects.
  static arrow::MemoryPool* const pool = new ChargingPool;
  return *pool;
}

BudgetScope::BudgetScope(MemoryBudget* budget) {
  ARC_CHECK(budget_at_work == nullptr);
  budget_at_work = budget;
}

BudgetScope::~BudgetScope() { budget_at_work = nullptr; }

}  // namespace arc
