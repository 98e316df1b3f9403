// Requests per minute and address, for the routes that hand out or check tokens.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "arc/base/clock.h"

namespace arc {

// Fixed windows of one minute per address. Remembers at most 10,000 addresses; beyond that new ones share one window,
// so that memory is bounded and a flood of addresses limits itself. Thread-safe.
class RateLimiter {
 public:
  // 0 per minute: no limit. The clock must outlive the limiter.
  RateLimiter(int per_minute, Clock& clock) : per_minute_(per_minute), clock_(clock) {}
  // 0 when the request may go on, else the seconds until it may be tried again.
  int Check(std::string_view address);

 private:
  struct Window {
    int64_t start_nanos = 0;
    int count = 0;
  };
  void Forget(int64_t now);

  const int per_minute_;
  Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::string, Window> windows_;
};

}  // namespace arc
