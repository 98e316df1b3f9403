#include "arc/buffer/block_pool.h"

#include <algorithm>
#include <cstdlib>
#include <new>

namespace arc {
namespace {

constexpr int64_t kAlignment = 64;
constexpr int64_t kSmallestKept = 64 << 10;  // malloc keeps smaller ones itself
#ifdef __SANITIZE_ADDRESS__
constexpr int64_t kMostKept = 0;  // freed memory must be seen to be freed
#else
constexpr int64_t kMostKept = 256 << 20;  // what the flushes of two large tables drop
#endif

}  // namespace

BlockPool& ChunkBlocks() {
  static auto* const pool = new BlockPool(kMostKept);  // never destroyed: the last chunk may outlive main
  return *pool;
}

BlockPool::~BlockPool() {
  for (const Block& block : blocks_) std::free(block.data);
}

BlockPool::Block BlockPool::Take(int64_t bytes) {
  if (bytes >= kSmallestKept) {
    std::lock_guard lock(mutex_);
    auto best = blocks_.end();
    for (auto it = blocks_.begin(); it != blocks_.end(); ++it) {
      if (it->bytes < bytes || it->bytes > bytes + bytes / 8) continue;
      if (best == blocks_.end() || it->bytes < best->bytes) best = it;
    }
    if (best != blocks_.end()) {
      const Block block = *best;
      blocks_.erase(best);
      held_bytes_ -= block.bytes;
      least_held_bytes_ = std::min(least_held_bytes_, held_bytes_);
      return block;
    }
  }
  const int64_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  void* data = std::aligned_alloc(kAlignment, static_cast<size_t>(rounded));
  if (data == nullptr) throw std::bad_alloc();
  return {data, rounded};
}

void BlockPool::Give(Block block) {
  if (block.bytes < kSmallestKept || block.bytes > max_bytes_) return std::free(block.data);
  std::lock_guard lock(mutex_);
  FreeOldest(held_bytes_ + block.bytes - max_bytes_);
  blocks_.push_back(block);
  held_bytes_ += block.bytes;
}

void BlockPool::FreeIdle() {
  std::lock_guard lock(mutex_);
  FreeOldest(least_held_bytes_);
  least_held_bytes_ = held_bytes_;
}

int64_t BlockPool::held_bytes() const {
  std::lock_guard lock(mutex_);
  return held_bytes_;
}

void BlockPool::FreeOldest(int64_t bytes) {
  auto end = blocks_.begin();
  for (; bytes > 0 && end != blocks_.end(); ++end) {
    bytes -= end->bytes;
    held_bytes_ -= end->bytes;
    std::free(end->data);
  }
  blocks_.erase(blocks_.begin(), end);
  least_held_bytes_ = std::min(least_held_bytes_, held_bytes_);
}

}  // namespace arc
