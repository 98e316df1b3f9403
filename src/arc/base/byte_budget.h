// A bound in bytes shared by everything that holds hot rows: who cannot get its share waits briefly, then is refused.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

namespace arc {

class ByteBudget;

// Bytes taken from a budget; given back when destroyed. Movable, not copyable.
class ByteLease {
 public:
  ByteLease() = default;
  ByteLease(ByteLease&& other) noexcept { *this = std::move(other); }
  ByteLease& operator=(ByteLease&& other) noexcept {
    Release();
    budget_ = std::exchange(other.budget_, nullptr);
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
  }
  ~ByteLease() { Release(); }
  int64_t bytes() const { return bytes_; }
  // Takes the other's bytes into this lease; both must be of the same budget (or empty).
  void Absorb(ByteLease other);
  void Release();

 private:
  friend class ByteBudget;
  ByteLease(ByteBudget* budget, int64_t bytes) : budget_(budget), bytes_(bytes) {}
  ByteBudget* budget_ = nullptr;
  int64_t bytes_ = 0;
};

// Thread-safe. Must outlive its leases.
class ByteBudget {
 public:
  explicit ByteBudget(int64_t limit_bytes) : limit_bytes_(limit_bytes) {}
  // Takes `bytes`, waiting up to `wait` (real time) for room. An empty lease of 0 bytes with ok=false means refused.
  // A request larger than the whole limit is let through when nothing else is held, so that it cannot starve.
  bool Acquire(int64_t bytes, std::chrono::milliseconds wait, ByteLease* lease);
  // Takes `bytes` whether there is room or not: for replay and bookkeeping that must not fail.
  ByteLease Force(int64_t bytes);
  int64_t used_bytes() const;
  int64_t limit_bytes() const { return limit_bytes_; }

 private:
  friend class ByteLease;
  void Return(int64_t bytes);

  const int64_t limit_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable freed_;
  int64_t used_bytes_ = 0;
};

}  // namespace arc
