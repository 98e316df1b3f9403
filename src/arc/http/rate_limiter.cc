#include "arc/http/rate_limiter.h"

namespace arc {
namespace {

constexpr int64_t kMinuteNanos = 60'000'000'000;
constexpr size_t kMaxAddresses = 10'000;

}  // namespace

int RateLimiter::Check(std::string_view address) {
  if (per_minute_ <= 0) return 0;
  int64_t now = clock_.MonotonicNanos();
  std::lock_guard lock(mutex_);
  std::string key(address);
  if (windows_.size() >= kMaxAddresses && !windows_.contains(key)) {
    Forget(now);
    if (windows_.size() >= kMaxAddresses) key.clear();
  }
  auto [entry, added] = windows_.try_emplace(std::move(key), Window{now, 0});
  Window& window = entry->second;
  if (now - window.start_nanos >= kMinuteNanos) window = {now, 0};
  if (window.count < per_minute_) {
    ++window.count;
    return 0;
  }
  return static_cast<int>((window.start_nanos + kMinuteNanos - now + 999'999'999) / 1'000'000'000);
}

void RateLimiter::Forget(int64_t now) {
  std::erase_if(windows_, [now](const auto& entry) { return now - entry.second.start_nanos >= kMinuteNanos; });
}

}  // namespace arc
