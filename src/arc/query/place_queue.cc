#include "arc/query/place_queue.h"

#include <algorithm>
#include <chrono>

#include "arc/base/clock.h"

namespace arc {

PlaceQueue::PlaceQueue(int places, int queue_limit) : places_(places), queue_limit_(queue_limit) {
  for (int place = places; place-- > 0;) free_.push_back(place);
}

Result<int> PlaceQueue::Acquire(QueryPriority priority, int64_t deadline_nanos) {
  std::unique_lock lock(mutex_);
  // A released place goes straight to a waiter, so free places mean that nobody waits.
  if (!free_.empty()) {
    int place = free_.back();
    free_.pop_back();
    return place;
  }
  if (queued_ >= queue_limit_) {
    return MakeError(ErrorKind::kOverloaded, "all " + std::to_string(places_) +
                                                 " query places are taken and the queue of " +
                                                 std::to_string(queue_limit_) + " is full; retry later");
  }
  auto& line = waiting_[static_cast<int>(priority)];
  Waiter self;
  line.push_back(&self);
  ++queued_;
  while (self.place < 0) {
    int64_t left = deadline_nanos - SystemClock().MonotonicNanos();
    if (left <= 0) {
      line.erase(std::find(line.begin(), line.end(), &self));
      --queued_;
      return MakeError(ErrorKind::kTimeout, "the query's time ran out while it waited for a place to run");
    }
    self.granted.wait_for(lock, std::chrono::nanoseconds(left));
  }
  return self.place;
}

void PlaceQueue::Release(int place) {
  std::lock_guard lock(mutex_);
  for (auto& line : waiting_) {
    if (line.empty()) continue;
    Waiter* next = line.front();
    line.pop_front();
    --queued_;
    next->place = place;
    // Under the lock: the waiter owns the condition variable and may be gone right after it sees its place.
    next->granted.notify_one();
    return;
  }
  free_.push_back(place);
}

int PlaceQueue::active() const {
  std::lock_guard lock(mutex_);
  return places_ - static_cast<int>(free_.size());
}

int PlaceQueue::queued() const {
  std::lock_guard lock(mutex_);
  return queued_;
}

}  // namespace arc
