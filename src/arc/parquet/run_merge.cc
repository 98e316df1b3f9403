#include "arc/parquet/run_merge.h"

#include <algorithm>
#include <queue>

namespace arc {
namespace {

// With fewer rows than these in a range, a pass over digits beats the comparisons; a few such ranges are let pass.
constexpr size_t kLeastRangeRows = 8;
constexpr size_t kFewRanges = 1024;

bool TooMany(size_t ranges, size_t rows_so_far) { return ranges > kFewRanges + rows_so_far / kLeastRangeRows; }

// Orders rows: by time, those of one time as they came.
struct Place {
  int64_t time = 0;
  uint64_t came = 0;

  auto operator<=>(const Place&) const = default;
};

// Rows of one batch and bucket whose times do not descend.
struct Run {
  const int64_t* times = nullptr;  // of its rows
  RowRange rows;

  uint64_t Came() const { return uint64_t{rows.batch} << 32 | rows.first; }
  Place Head() const { return {times[0], Came()}; }
  Place Last() const { return {times[rows.rows - 1], Came()}; }
  bool operator>(const Run& other) const { return Head() > other.Head(); }

  // Takes the first `count` rows off.
  RowRange Take(uint32_t count) {
    const RowRange taken{rows.batch, rows.first, count};
    times += count;
    rows.first += count;
    rows.rows -= count;
    return taken;
  }
  // How many of its rows come before `limit`, which the first does.
  uint32_t RowsBefore(const Place& limit) const {
    if (Last() < limit) return rows.rows;
    const uint64_t came = Came();
    const auto before = [&](int64_t time) { return Place{time, came} < limit; };
    size_t reach = 1;
    while (reach < rows.rows && before(times[reach])) reach *= 2;
    const auto* end = std::partition_point(times + reach / 2, times + std::min<size_t>(reach, rows.rows), before);
    return static_cast<uint32_t>(end - times);
  }
};

std::optional<std::map<int64_t, std::vector<Run>>> FindRuns(const TimeColumns& times, int64_t bucket_micros) {
  std::map<int64_t, std::vector<Run>> runs;
  size_t count = 0;
  size_t before = 0;  // rows of the batches before
  for (size_t batch = 0; batch < times.size(); ++batch) {
    const std::span<const int64_t> column = times[batch];
    for (size_t row = 0; row < column.size();) {
      if (TooMany(++count, before + row)) return std::nullopt;
      const size_t first = row;
      const int64_t bucket = BucketOf(column[row], bucket_micros);
      const int64_t last = TimesOf(bucket, bucket_micros).last;
      for (++row; row < column.size() && column[row] >= column[row - 1] && column[row] <= last;) ++row;
      runs[bucket].push_back(
          {column.data() + first,
           {static_cast<uint32_t>(batch), static_cast<uint32_t>(first), static_cast<uint32_t>(row - first)}});
    }
    before += column.size();
  }
  return runs;
}

// False: too many ranges.
bool Merge(std::vector<Run> runs, std::vector<RowRange>* ranges) {
  std::sort(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.Head() < b.Head(); });
  ranges->reserve(runs.size());
  // Runs that another one interrupted. The others wait in `runs`, so that those without overlap never enter the queue.
  std::priority_queue<Run, std::vector<Run>, std::greater<Run>> begun;
  size_t next = 0;
  size_t rows = 0;
  while (next < runs.size() || !begun.empty()) {
    if (TooMany(ranges->size(), rows)) return false;
    Run run;
    if (begun.empty() || (next < runs.size() && runs[next].Head() < begun.top().Head())) {
      run = runs[next++];
    } else {
      run = begun.top();
      begun.pop();
    }
    uint32_t count = run.rows.rows;
    if (next < runs.size()) count = std::min(count, run.RowsBefore(runs[next].Head()));
    if (!begun.empty()) count = std::min(count, run.RowsBefore(begun.top().Head()));
    ranges->push_back(run.Take(count));
    rows += count;
    if (run.rows.rows > 0) begun.push(run);
  }
  return true;
}

}  // namespace

BucketTimes TimesOf(int64_t bucket, int64_t bucket_micros) {
  const __int128 start = static_cast<__int128>(bucket) * bucket_micros;
  return {static_cast<int64_t>(std::max<__int128>(start, INT64_MIN)),
          static_cast<int64_t>(std::min<__int128>(start + bucket_micros - 1, INT64_MAX)), static_cast<uint64_t>(start)};
}

std::optional<std::map<int64_t, std::vector<RowRange>>> MergeRuns(const TimeColumns& times, int64_t bucket_micros) {
  auto runs = FindRuns(times, bucket_micros);
  if (!runs.has_value()) return std::nullopt;
  std::map<int64_t, std::vector<RowRange>> order;
  for (auto& [bucket, of_bucket] : *runs) {
    if (!Merge(std::move(of_bucket), &order[bucket])) return std::nullopt;
  }
  return order;
}

}  // namespace arc
