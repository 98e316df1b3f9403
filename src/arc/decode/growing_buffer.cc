#include "arc/decode/growing_buffer.h"

#include <arrow/buffer.h>
#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <new>
#include <utility>

namespace arc {

void MemoryBudget::Take(int64_t bytes) {
  if (!TryTake(bytes)) throw std::bad_alloc();
}

GrowingBuffer::GrowingBuffer() = default;
GrowingBuffer::~GrowingBuffer() = default;

GrowingBuffer::GrowingBuffer(GrowingBuffer&& other) noexcept { *this = std::move(other); }

GrowingBuffer& GrowingBuffer::operator=(GrowingBuffer&& other) noexcept {
  data_ = std::exchange(other.data_, nullptr);
  capacity_ = std::exchange(other.capacity_, 0);
  buffer_ = std::move(other.buffer_);
  return *this;
}

void GrowingBuffer::Reserve(int64_t bytes, MemoryBudget* budget) {
  if (bytes <= capacity_) return;
  budget->Take(bytes - capacity_);
  if (buffer_ == nullptr) {
    auto made = arrow::AllocateResizableBuffer(bytes, arrow::default_memory_pool());
    if (!made.ok()) throw std::bad_alloc();
    buffer_ = *std::move(made);
  } else {
    // Resize, not Reserve: a reallocation keeps only what the buffer's size covers.
    if (!buffer_->Resize(bytes, /*shrink_to_fit=*/false).ok()) throw std::bad_alloc();
  }
  data_ = buffer_->mutable_data();
  capacity_ = bytes;
}

std::shared_ptr<arrow::Buffer> GrowingBuffer::Finish(int64_t bytes) {
  static constexpr int64_t kSlackWorthCopying = 16 << 10;
  static constexpr uint8_t kNothing[64] = {};  // readers want an address even for no bytes
  if (buffer_ == nullptr) return std::make_shared<arrow::Buffer>(kNothing, 0);
  const bool shrink = capacity_ > 2 * bytes && capacity_ - bytes > kSlackWorthCopying;
  if (!buffer_->Resize(bytes, shrink).ok()) throw std::bad_alloc();
  data_ = nullptr;
  capacity_ = 0;
  return std::exchange(buffer_, nullptr);
}

}  // namespace arc
