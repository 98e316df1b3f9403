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
  // Queries are numbered as they are added. The last number given out:
  uint64_t newest() const;
  // Tells those up to `number`, and says whether there are any.
  bool MemoryRunsShort(uint64_t number);

 private:
  void Run();

  struct Entry {
    int64_t deadline_nanos;
    uint64_t number;
  };

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::map<Interruptible*, Entry> queries_;
  uint64_t newest_ = 0;
  int64_t wakes_at_ = INT64_MAX;
  bool stopping_ = false;
  Thread thread_;
};

}  // namespace arc
