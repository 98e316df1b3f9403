// Who may run a query now: a fixed number of places and a bounded queue in order of priority, then arrival.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "arc/base/result.h"
#include "arc/query/query_engine.h"

namespace arc {

// Thread-safe.
class PlaceQueue {
 public:
  PlaceQueue(int places, int queue_limit);

  // Takes a place, waiting until `deadline_nanos` (monotonic) at most: its number, kOverloaded when the queue is full,
  // or kTimeout.
  Result<int> Acquire(QueryPriority priority, int64_t deadline_nanos);
  // Gives the place back; the first of the highest waiting priority gets it.
  void Release(int place);

  int active() const;
  int queued() const;

 private:
  struct Waiter {
    int place = -1;
    std::condition_variable granted;
  };
  static constexpr int kPriorities = 4;

  const int places_;
  const int queue_limit_;
  mutable std::mutex mutex_;
  std::vector<int> free_;
  std::deque<Waiter*> waiting_[kPriorities];
  int queued_ = 0;
};

}  // namespace arc
