// Memory of dropped chunks, kept for the chunks to come.
#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

namespace arc {

// Hot memory is written once, flushed and dropped; at full speed hundreds of megabytes a second. Taken from the kernel
// each time, its page faults cost more than all that is done with the rows (docs/decisions/0012). Thread-safe.
class BlockPool {
 public:
  struct Block {
    void* data = nullptr;
    int64_t bytes = 0;
  };

  // Blocks beyond `max_bytes` are freed at once.
  explicit BlockPool(int64_t max_bytes) : max_bytes_(max_bytes) {}
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  // At least `bytes` (> 0), hardly more, aligned to a cache line. What stands in them is unspecified.
  Block Take(int64_t bytes);
  void Give(Block block);
  // Frees what no Take has needed since the call before.
  void FreeIdle();
  int64_t held_bytes() const;

 private:
  void FreeOldest(int64_t bytes);  // about as many, and at least; with mutex_ held

  const int64_t max_bytes_;
  mutable std::mutex mutex_;
  std::vector<Block> blocks_;  // oldest first
  int64_t held_bytes_ = 0;
  int64_t least_held_bytes_ = 0;  // since the last FreeIdle
};

// The process's pool: chunks of all tables come and go by the same sizes.
BlockPool& ChunkBlocks();

}  // namespace arc
