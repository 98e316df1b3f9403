// What a predicate on `time` leaves of a table: sorted, disjoint, inclusive intervals in µs. A value, free of DuckDB.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace arc {

struct TimeInterval {
  int64_t from;
  int64_t to;
  bool operator==(const TimeInterval&) const = default;
};

class TimeRanges {
 public:
  // More intervals than this are joined into their hull: pruning only has to keep a superset.
  static constexpr size_t kMaxIntervals = 256;

  static TimeRanges All() { return Between(INT64_MIN, INT64_MAX); }
  static TimeRanges None() { return TimeRanges(); }
  static TimeRanges At(int64_t time) { return Between(time, time); }
  static TimeRanges Between(int64_t from, int64_t to);  // none when from > to
  static TimeRanges Before(int64_t time);               // exclusive
  static TimeRanges After(int64_t time);                // exclusive

  bool all() const { return intervals_ == std::vector<TimeInterval>{{INT64_MIN, INT64_MAX}}; }
  bool none() const { return intervals_.empty(); }
  const std::vector<TimeInterval>& intervals() const { return intervals_; }
  // Whether a time in [from, to] may be in the set.
  bool Meets(int64_t from, int64_t to) const;
  bool Contains(int64_t from, int64_t to) const;  // all of [from, to]
  TimeRanges And(const TimeRanges& other) const;
  TimeRanges Or(const TimeRanges& other) const;
  bool operator==(const TimeRanges&) const = default;

 private:
  std::vector<TimeInterval> intervals_;
};

}  // namespace arc
