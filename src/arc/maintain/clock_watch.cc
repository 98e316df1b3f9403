#include "arc/maintain/clock_watch.h"

#include <algorithm>
#include <cstdlib>

#include "arc/base/log.h"

namespace arc {
namespace {

constexpr int64_t kMicrosPerMs = 1000;
constexpr int64_t kNanosPerMs = 1'000'000;

}  // namespace

ClockWatch::ClockWatch(Clock& clock)
    : clock_(clock), wall_micros_(clock.WallMicros()), monotonic_nanos_(clock.MonotonicNanos()) {}

void ClockWatch::Resume(int64_t seen_micros, int64_t hold_ms) {
  std::lock_guard lock(mutex_);
  trusted_from_nanos_ = std::max(trusted_from_nanos_, monotonic_nanos_ + hold_ms * kNanosPerMs);
  if (seen_micros == 0) return;
  const int64_t leap_ms = (wall_micros_ - seen_micros) / kMicrosPerMs;
  if (std::abs(leap_ms) > kLeapMs) Hold(leap_ms);
}

int64_t ClockWatch::HoldMs() {
  std::lock_guard lock(mutex_);
  const int64_t wall = clock_.WallMicros();
  const int64_t monotonic = clock_.MonotonicNanos();
  // Between two looks: a clock that is slewed, or a machine that sleeps at night, drifts without leaping.
  const int64_t leap_ms = (wall - wall_micros_) / kMicrosPerMs - (monotonic - monotonic_nanos_) / kNanosPerMs;
  wall_micros_ = wall;
  monotonic_nanos_ = monotonic;
  if (std::abs(leap_ms) > kLeapMs) Hold(leap_ms);
  if (monotonic >= trusted_from_nanos_) return 0;
  return (trusted_from_nanos_ - monotonic + kNanosPerMs - 1) / kNanosPerMs;
}

void ClockWatch::Hold(int64_t leap_ms) {
  trusted_from_nanos_ = monotonic_nanos_ + kHoldMs * kNanosPerMs;
  Log(LogLevel::kWarning, "maintain", "the wall clock has leapt; nothing is deleted by age for 24 hours",
      {{"leap_ms", leap_ms}});
}

}  // namespace arc
