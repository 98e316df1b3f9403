#include "arc/query/deadlines.h"

#include <algorithm>
#include <chrono>

#include "arc/base/clock.h"

namespace arc {
namespace {

// An interrupt that falls between two phases of a query is forgotten by DuckDB, hence the repetition.
constexpr int64_t kRepeatNanos = 10'000'000;

}  // namespace

Deadlines::Deadlines() : thread_("query-deadline", [this] { Run(); }) {}

Deadlines::~Deadlines() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_one();
  thread_.Join();
}

void Deadlines::Add(Interruptible* query, int64_t deadline_nanos) {
  std::lock_guard lock(mutex_);
  queries_[query] = {deadline_nanos, ++newest_};
  // Queries that end in time, the usual case, never wake the thread.
  if (deadline_nanos < wakes_at_) changed_.notify_one();
}

void Deadlines::Remove(Interruptible* query) {
  std::lock_guard lock(mutex_);
  queries_.erase(query);
}

uint64_t Deadlines::newest() const {
  std::lock_guard lock(mutex_);
  return newest_;
}

bool Deadlines::MemoryRunsShort(uint64_t number) {
  std::lock_guard lock(mutex_);
  bool any = false;
  for (const auto& [query, entry] : queries_) {
    if (entry.number > number) continue;
    query->OnMemoryShort();
    any = true;
  }
  return any;
}

void Deadlines::Run() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    int64_t now = SystemClock().MonotonicNanos();
    int64_t next = INT64_MAX;
    for (const auto& [query, entry] : queries_) {
      const bool due = entry.deadline_nanos <= now;
      if (due) query->OnDeadline();
      next = std::min(next, due ? now + kRepeatNanos : entry.deadline_nanos);
    }
    wakes_at_ = next;
    if (next == INT64_MAX) {
      changed_.wait(lock);
    } else {
      changed_.wait_for(lock, std::chrono::nanoseconds(next - now));
    }
  }
}

}  // namespace arc
