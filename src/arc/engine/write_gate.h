// A gate that all writes pass: closed for moments, so that what is committed is what is acknowledged.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <utility>
#include <vector>

namespace arc {

// Thread-safe. Writes that come while it is closed wait outside, as callbacks and not as threads; what they hold is
// bounded by whoever takes requests.
class WriteGate {
 public:
  // True: go on, and call Leave when the write is over. False: `make_waiting()`, a function, is called again from Open.
  template <typename MakeWaiting>
  bool Enter(MakeWaiting&& make_waiting) {
    std::lock_guard lock(mutex_);
    if (!closed_) {
      ++inside_;
      return true;
    }
    waiting_.push_back(make_waiting());
    return false;
  }
  void Leave() {
    std::lock_guard lock(mutex_);
    if (--inside_ == 0) empty_.notify_all();
  }
  // Returns when nobody is inside: true, or false when that takes longer than `limit`. It is closed either way, and
  // stays so until Open. For one caller at a time.
  bool Close(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    closed_ = true;
    return empty_.wait_for(lock, limit, [this] { return inside_ == 0; });
  }
  // Lets in who waits, on the calling thread.
  void Open() {
    std::vector<std::function<void()>> waiting;
    {
      std::lock_guard lock(mutex_);
      closed_ = false;
      waiting.swap(waiting_);
    }
    for (auto& write : waiting) write();
  }

 private:
  std::mutex mutex_;
  std::condition_variable empty_;
  bool closed_ = false;
  size_t inside_ = 0;
  std::vector<std::function<void()>> waiting_;
};

}  // namespace arc
