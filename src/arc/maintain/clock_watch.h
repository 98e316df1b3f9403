// Whether the wall clock may be used to delete by age.
#pragma once

#include <cstdint>
#include <mutex>

#include "arc/base/clock.h"

namespace arc {

// A clock that leaps, by hand or by a broken time server, would make everything old at once. When the wall clock has
// moved by more than 24 hours against the monotonic one, or since this server (or the lake's last commit) last saw it
// before the start, nothing is deleted by age for 24 hours of uptime: time for somebody to notice the warning. A server
// that was off for longer than a day pays with the same wait. Thread-safe.
class ClockWatch {
 public:
  static constexpr int64_t kLeapMs = 24LL * 3'600'000;
  static constexpr int64_t kHoldMs = kLeapMs;

  explicit ClockWatch(Clock& clock);  // outlives this

  // At start: the wall time last known (0: none), and how long it was not to be trusted then.
  void Resume(int64_t seen_micros, int64_t hold_ms);
  bool IsTrusted() { return HoldMs() == 0; }
  // Milliseconds until the clock is trusted again; 0: it is.
  int64_t HoldMs();

 private:
  void Hold(int64_t leap_ms);  // with mutex_ held

  Clock& clock_;
  std::mutex mutex_;
  int64_t wall_micros_;  // as of the last look
  int64_t monotonic_nanos_;
  int64_t trusted_from_nanos_ = 0;  // monotonic
};

}  // namespace arc
