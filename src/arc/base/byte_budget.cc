#include "arc/base/byte_budget.h"

#include "arc/base/check.h"

namespace arc {

void ByteLease::Absorb(ByteLease other) {
  ARC_CHECK(budget_ == nullptr || other.budget_ == nullptr || budget_ == other.budget_);
  if (budget_ == nullptr) budget_ = other.budget_;
  bytes_ += std::exchange(other.bytes_, 0);
  other.budget_ = nullptr;
}

void ByteLease::Release() {
  if (budget_ != nullptr && bytes_ > 0) budget_->Return(bytes_);
  budget_ = nullptr;
  bytes_ = 0;
}

bool ByteBudget::Acquire(int64_t bytes, std::chrono::milliseconds wait, ByteLease* lease) {
  std::unique_lock lock(mutex_);
  auto fits = [&] { return used_bytes_ + bytes <= limit_bytes_ || used_bytes_ == 0; };
  if (!freed_.wait_for(lock, wait, fits)) return false;
  used_bytes_ += bytes;
  *lease = ByteLease(this, bytes);
  return true;
}

ByteLease ByteBudget::Force(int64_t bytes) {
  std::lock_guard lock(mutex_);
  used_bytes_ += bytes;
  return ByteLease(this, bytes);
}

int64_t ByteBudget::used_bytes() const {
  std::lock_guard lock(mutex_);
  return used_bytes_;
}

void ByteBudget::Return(int64_t bytes) {
  {
    std::lock_guard lock(mutex_);
    used_bytes_ -= bytes;
    ARC_CHECK(used_bytes_ >= 0);
  }
  freed_.notify_all();
}

}  // namespace arc
