#include "arc/query/time_ranges.h"

#include <algorithm>

namespace arc {

TimeRanges TimeRanges::Between(int64_t from, int64_t to) {
  TimeRanges result;
  if (from <= to) result.intervals_.push_back({from, to});
  return result;
}

TimeRanges TimeRanges::Before(int64_t time) { return time == INT64_MIN ? None() : Between(INT64_MIN, time - 1); }

TimeRanges TimeRanges::After(int64_t time) { return time == INT64_MAX ? None() : Between(time + 1, INT64_MAX); }

bool TimeRanges::Meets(int64_t from, int64_t to) const {
  auto first = std::lower_bound(intervals_.begin(), intervals_.end(), from,
                                [](const TimeInterval& interval, int64_t value) { return interval.to < value; });
  return first != intervals_.end() && first->from <= to;
}

bool TimeRanges::Contains(int64_t from, int64_t to) const {
  auto first = std::lower_bound(intervals_.begin(), intervals_.end(), from,
                                [](const TimeInterval& interval, int64_t value) { return interval.to < value; });
  return first != intervals_.end() && first->from <= from && to <= first->to;
}

TimeRanges TimeRanges::And(const TimeRanges& other) const {
  TimeRanges result;
  auto a = intervals_.begin();
  auto b = other.intervals_.begin();
  while (a != intervals_.end() && b != other.intervals_.end()) {
    int64_t from = std::max(a->from, b->from);
    int64_t to = std::min(a->to, b->to);
    if (from <= to) result.intervals_.push_back({from, to});
    if (a->to < b->to) {
      ++a;
    } else {
      ++b;
    }
  }
  return result;
}

TimeRanges TimeRanges::Or(const TimeRanges& other) const {
  std::vector<TimeInterval> merged;
  merged.reserve(intervals_.size() + other.intervals_.size());
  std::merge(intervals_.begin(), intervals_.end(), other.intervals_.begin(), other.intervals_.end(),
             std::back_inserter(merged), [](const TimeInterval& x, const TimeInterval& y) { return x.from < y.from; });
  TimeRanges result;
  for (const TimeInterval& interval : merged) {
    auto& joined = result.intervals_;
    // Adjacent intervals touch: [1, 2] and [3, 4] are [1, 4].
    bool touches = !joined.empty() && (joined.back().to == INT64_MAX || interval.from <= joined.back().to + 1);
    if (touches) {
      joined.back().to = std::max(joined.back().to, interval.to);
    } else {
      joined.push_back(interval);
    }
  }
  if (result.intervals_.size() > kMaxIntervals) {
    result = Between(result.intervals_.front().from, result.intervals_.back().to);
  }
  return result;
}

}  // namespace arc
