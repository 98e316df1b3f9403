// Memory for request bodies: grows without zeroing, counts in one budget, and is reused between requests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string_view>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/base/result.h"

namespace arc {

// Readable bytes behind every body, as simdjson and vector code want them.
inline constexpr size_t kBodyPadding = 64;

// Keeps a few freed blocks for the next bodies and owns the bound of all bodies in flight. Thread-safe.
class BodyPool {
 public:
  explicit BodyPool(int64_t limit_bytes) : budget_(limit_bytes) {}
  ByteBudget& budget() { return budget_; }

 private:
  friend class BodyBuffer;
  struct Free {
    void operator()(char* bytes) const;
  };
  struct Block {
    std::unique_ptr<char, Free> bytes;
    size_t capacity = 0;  // without the padding
  };
  Block Take();
  void Give(Block block);

  ByteBudget budget_;
  std::mutex mutex_;
  std::vector<Block> free_;
};

// One body, being received or being decompressed into. Not thread-safe; the pool must outlive it.
class BodyBuffer {
 public:
  explicit BodyBuffer(BodyPool* pool) : pool_(pool) {}
  ~BodyBuffer() { Release(); }
  BodyBuffer(const BodyBuffer&) = delete;
  BodyBuffer& operator=(const BodyBuffer&) = delete;

  // Makes the capacity at least `bytes`; kOverloaded when the pool's budget has no room.
  Status Reserve(size_t bytes);
  // Doubles the capacity, but not beyond `at_most`, which is larger than the size.
  Status Grow(size_t at_most);
  Status Append(std::string_view bytes, size_t at_most);
  char* tail() { return block_.bytes.get() + size_; }
  size_t room() const { return block_.capacity - size_; }
  void Commit(size_t bytes) { size_ += bytes; }
  size_t size() const { return size_; }
  // kBodyPadding readable bytes stand behind it.
  std::string_view view() const { return {block_.bytes.get(), size_}; }
  // Gives the memory back to the pool and its bytes to the budget.
  void Release();

 private:
  BodyPool* pool_;
  BodyPool::Block block_;
  size_t size_ = 0;
  ByteLease lease_;
};

}  // namespace arc
