// Time, injected everywhere: nothing outside `base` reads a clock or sleeps, so tests can drive both.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace arc {

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Microseconds since 1970-01-01 UTC; may jump.
  virtual int64_t WallMicros() = 0;
  // Nanoseconds since an arbitrary start; never goes back. For ages and timeouts.
  virtual int64_t MonotonicNanos() = 0;
  virtual void SleepFor(std::chrono::nanoseconds duration) = 0;
};

// The machine's clocks. Lives as long as the process.
Clock& SystemClock();

// A clock that moves only when told; SleepFor returns at once after moving it. Thread-safe.
class ManualClock : public Clock {
 public:
  explicit ManualClock(int64_t wall_micros) : wall_micros_(wall_micros) {}
  int64_t WallMicros() override;
  int64_t MonotonicNanos() override;
  void SleepFor(std::chrono::nanoseconds duration) override;
  void Advance(std::chrono::nanoseconds duration);
  void SetWall(int64_t wall_micros);

 private:
  std::mutex mutex_;
  int64_t wall_micros_;
  int64_t monotonic_nanos_ = 0;
};

}  // namespace arc
