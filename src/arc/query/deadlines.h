// One thread that interrupts queries whose time is up, again and again until they are gone.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>

#include "arc/base/thread.h"

namespace arc {

class Interruptible {
 public:
  virtual ~Interruptible() = default;
  // Both must not block nor call back into Deadlines. On the watching thread:
  virtual void OnDeadline() = 0;
  // On the thread that calls MemoryRunsShort.
  virtual void OnMemoryShort() = 0;
};

// Thread-safe.
class Deadlines {
 public:
  Deadlines();
  ~Deadlines();
  // From `deadline_nanos` (monotonic) on, until removed.
  void Add(Interruptible* query, int64_t deadline_nanos);
  // When this returns no call is under way and none follows.
  void Remove(Interruptible* query);
  // Tells all queries.
  void MemoryRunsShort();

 private:
  void Run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Interruptible*, int64_t> deadlines_;
  int64_t wakes_at_ = INT64_MAX;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace arc
