#include "arc/http/body_buffer.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace arc {
namespace {

constexpr size_t kFirstCapacity = 32 << 10;
constexpr size_t kKeepCapacity = 1 << 20;  // larger blocks go back to the system
constexpr size_t kKeepBlocks = 16;

}  // namespace

void BodyPool::Free::operator()(char* bytes) const { std::free(bytes); }

BodyPool::Block BodyPool::Take() {
  std::lock_guard lock(mutex_);
  if (free_.empty()) return {};
  Block block = std::move(free_.back());
  free_.pop_back();
  return block;
}

void BodyPool::Give(Block block) {
  if (block.capacity > kKeepCapacity) return;
  std::lock_guard lock(mutex_);
  if (free_.size() < kKeepBlocks) free_.push_back(std::move(block));
}

Status BodyBuffer::Reserve(size_t bytes) {
  if (bytes <= block_.capacity) return {};
  if (block_.capacity == 0) block_ = pool_->Take();
  size_t capacity = std::max(bytes, std::max(block_.capacity, kFirstCapacity));
  ByteLease lease;
  auto missing = static_cast<int64_t>(capacity) - lease_.bytes();
  if (missing > 0 && !pool_->budget_.Acquire(missing, std::chrono::milliseconds(0), &lease)) {
    // Nothing may stay unaccounted: a block just taken from the pool goes back.
    if (lease_.bytes() == 0) pool_->Give(std::exchange(block_, {}));
    return MakeError(ErrorKind::kOverloaded, "too many request bodies are in flight; try again");
  }
  lease_.Absorb(std::move(lease));
  if (capacity > block_.capacity) {
    void* grown = std::realloc(block_.bytes.get(), capacity + kBodyPadding);
    if (grown == nullptr) return MakeError(ErrorKind::kOverloaded, "no memory for the request body; try again");
    (void)block_.bytes.release();
    block_.bytes.reset(static_cast<char*>(grown));
    block_.capacity = capacity;
  }
  std::memset(block_.bytes.get() + block_.capacity, 0, kBodyPadding);
  return {};
}

Status BodyBuffer::Grow(size_t at_most) {
  return Reserve(std::min(at_most, std::max(kFirstCapacity, block_.capacity * 2)));
}

Status BodyBuffer::Append(std::string_view bytes, size_t at_most) {
  while (room() < bytes.size()) {
    if (size_ + bytes.size() > at_most) return MakeError(ErrorKind::kTooLarge, "the request body is too large");
    ARC_RETURN_IF_ERROR(Grow(std::max(at_most, kFirstCapacity)));
  }
  std::memcpy(tail(), bytes.data(), bytes.size());
  size_ += bytes.size();
  return {};
}

void BodyBuffer::Release() {
  if (block_.capacity > 0) pool_->Give(std::exchange(block_, {}));
  size_ = 0;
  lease_.Release();
}

}  // namespace arc
