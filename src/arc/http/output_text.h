// A growing byte buffer for encoders: no zeroing, raw pointers in the inner loops.
#pragma once

#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace arc {

// Movable (what was moved from is empty), not copyable; not thread-safe.
class OutputText {
 public:
  OutputText() = default;
  OutputText(OutputText&& other) noexcept { *this = std::move(other); }
  OutputText& operator=(OutputText&& other) noexcept {
    bytes_ = std::move(other.bytes_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
  }
  // At least `bytes` writable bytes at the returned end; then Advance to where writing stopped.
  char* Room(size_t bytes) {
    if (capacity_ - size_ < bytes) Grow(bytes);
    return bytes_.get() + size_;
  }
  void Advance(const char* end) { size_ = static_cast<size_t>(end - bytes_.get()); }
  void Append(std::string_view text) {
    std::memcpy(Room(text.size() + 1), text.data(), text.size());
    size_ += text.size();
  }
  void Put(char c) {
    *Room(1) = c;
    ++size_;
  }
  size_t size() const { return size_; }
  std::string_view view() const { return {bytes_.get(), size_}; }
  void Clear() { size_ = 0; }

 private:
  struct Free {
    void operator()(char* bytes) const { std::free(bytes); }
  };
  void Grow(size_t bytes) {
    size_t capacity = capacity_ * 2 > size_ + bytes ? capacity_ * 2 : size_ + bytes + 4096;
    void* grown = std::realloc(bytes_.get(), capacity);
    if (grown == nullptr) throw std::bad_alloc();
    (void)bytes_.release();
    bytes_.reset(static_cast<char*>(grown));
    capacity_ = capacity;
  }

  std::unique_ptr<char, Free> bytes_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace arc
