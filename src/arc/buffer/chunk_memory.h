// What keeps a chunk's bytes alive and pays for them.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/buffer/block_pool.h"
#include "arc/buffer/string_arena.h"

namespace arrow {
class Array;
}

namespace arc {

// One block that all columns of a chunk are carved from, the arena of its long strings, and the Arrow arrays it
// was adopted from. Everything is taken from the budget until the last reader drops the chunk.
class ChunkMemory {
 public:
  static constexpr int64_t kAlignment = 64;

  // `adopted_bytes`: what the Arrow arrays pin.
  ChunkMemory(ByteBudget* budget, int64_t block_bytes, int64_t adopted_bytes, std::shared_ptr<StringArena> arena);
  ~ChunkMemory();
  ChunkMemory(const ChunkMemory&) = delete;
  ChunkMemory& operator=(const ChunkMemory&) = delete;

  // The next `bytes` of the block, aligned to kAlignment; what stands there is unspecified.
  void* Take(int64_t bytes);
  void* TakeZeroed(int64_t bytes);
  static int64_t Rounded(int64_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

  StringArena& arena() { return *arena_; }
  const StringArena& arena() const { return *arena_; }
  const std::shared_ptr<StringArena>& shared_arena() const { return arena_; }
  // Block and adopted arrays; the arena grows and is counted by itself.
  int64_t fixed_bytes() const { return block_.bytes + adopted_bytes_; }

  // Parallel to the chunk's columns when it was adopted, else empty: the whole Arrow array of the column.
  std::vector<std::shared_ptr<arrow::Array>> adopted;

 private:
  BlockPool::Block block_;
  const int64_t adopted_bytes_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  std::shared_ptr<StringArena> arena_;  // shared with the chunk that this one is a trimmed copy of
  ByteLease lease_;
};

}  // namespace arc
