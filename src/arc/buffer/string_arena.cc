#include "arc/buffer/string_arena.h"

#include <algorithm>

namespace arc {
namespace {

constexpr size_t kMaxBlockBytes = 256 * 1024;

}  // namespace

void StringArena::NewBlock(size_t needed) {
  const size_t size = std::max(needed, block_bytes_);
  blocks_.push_back(std::make_unique_for_overwrite<char[]>(size));
  next_ = blocks_.back().get();
  left_ = size;
  block_bytes_ = std::min(block_bytes_ * 2, kMaxBlockBytes);
  bytes_ += static_cast<int64_t>(size);
  if (budget_ != nullptr) lease_.Absorb(budget_->Force(static_cast<int64_t>(size)));
}

}  // namespace arc
