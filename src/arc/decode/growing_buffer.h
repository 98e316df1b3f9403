// Memory of a request under decoding: Arrow buffers that grow, all charged to one bound.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

namespace arrow {
class Buffer;
class ResizableBuffer;
}  // namespace arrow

namespace arc {

// What one decode may allocate, so that few bytes cannot expand into many (10,000 columns with one value each are
// 10,000 x 10,000 cells). Exceeding it throws std::bad_alloc, which the Decode functions turn into kTooLarge: growth is
// deep inside the row loop, and there is nothing to do there but give up. Not thread-safe; one per request.
class MemoryBudget {
 public:
  // 64 MB and sixteen times the body, but at most 512 MB. An ordinary row needs two to four times its text, one-byte
  // integers eight times.
  explicit MemoryBudget(size_t body_bytes)
      : left_(std::min(kMostBytes, kBaseBytes + kBytesPerBodyByte * static_cast<int64_t>(body_bytes))) {}
  explicit MemoryBudget(int64_t bytes) : left_(bytes) {}
  // Throws std::bad_alloc when less than `bytes` is left.
  void Take(int64_t bytes);
  // False, and nothing is taken, when less than `bytes` is left.
  bool TryTake(int64_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return true;
  }
  void GiveBack(int64_t bytes) { left_ += bytes; }

 private:
  static constexpr int64_t kBaseBytes = 64 << 20;
  static constexpr int64_t kBytesPerBodyByte = 16;
  static constexpr int64_t kMostBytes = 512 << 20;
  int64_t left_;
};

// Bytes that grow by reallocation and become an arrow::Buffer without a copy. Not thread-safe.
class GrowingBuffer {
 public:
  GrowingBuffer();
  GrowingBuffer(GrowingBuffer&&) noexcept;
  GrowingBuffer& operator=(GrowingBuffer&&) noexcept;
  ~GrowingBuffer();

  uint8_t* data() const { return data_; }
  int64_t capacity() const { return capacity_; }
  // Makes room for exactly `bytes` (or keeps more); throws std::bad_alloc when there is none.
  void Reserve(int64_t bytes, MemoryBudget* budget);
  // Makes room for `bytes`, at least doubling.
  void Grow(int64_t bytes, MemoryBudget* budget) {
    if (bytes > capacity_) Reserve(bytes < 2 * capacity_ ? 2 * capacity_ : bytes, budget);
  }
  // The first `bytes` bytes; this becomes empty. Memory that would be mostly slack is given back.
  std::shared_ptr<arrow::Buffer> Finish(int64_t bytes);

 private:
  uint8_t* data_ = nullptr;
  int64_t capacity_ = 0;
  std::shared_ptr<arrow::ResizableBuffer> buffer_;
};

}  // namespace arc
