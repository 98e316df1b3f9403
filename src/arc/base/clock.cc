#include "arc/base/clock.h"

#include <thread>

namespace arc {
namespace {

class RealClock : public Clock {
 public:
  int64_t WallMicros() override {
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::system_clock::now().time_since_epoch())
        .count();
  }
  int64_t MonotonicNanos() override {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
  }
  void SleepFor(std::chrono::nanoseconds duration) override { std::this_thread::sleep_for(duration); }
};

}  // namespace

Clock& SystemClock() {
  static RealClock clock;
  return clock;
}

int64_t ManualClock::WallMicros() {
  std::lock_guard lock(mutex_);
  return wall_micros_;
}

int64_t ManualClock::MonotonicNanos() {
  std::lock_guard lock(mutex_);
  return monotonic_nanos_;
}

void ManualClock::SleepFor(std::chrono::nanoseconds duration) { Advance(duration); }

void ManualClock::Advance(std::chrono::nanoseconds duration) {
  std::lock_guard lock(mutex_);
  monotonic_nanos_ += duration.count();
  wall_micros_ += duration.count() / 1000;
}

void ManualClock::SetWall(int64_t wall_micros) {
  std::lock_guard lock(mutex_);
  wall_micros_ = wall_micros;
}

}  // namespace arc
