#include "ingest/ingest.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "arc/base/clock.h"

namespace arc::bench {
namespace {

constexpr std::chrono::milliseconds kFirstPoll{1};
constexpr std::chrono::milliseconds kLongestPoll{250};

double SecondsSince(int64_t begin_ns) { return static_cast<double>(SystemClock().MonotonicNanos() - begin_ns) / 1e9; }

// Asks for the count until it is all that was acknowledged, or patience ends. Asks more and more seldom: the server's
// time for the answers is counted.
Result<int64_t> AwaitCount(const IngestOptions& options, const RowCount& count, int64_t wanted, HttpClient& client) {
  const int64_t begin = SystemClock().MonotonicNanos();
  auto pause = kFirstPoll;
  while (true) {
    ARC_ASSIGN_OR_RETURN(const int64_t found, count.Ask(client));
    if (found >= wanted || SecondsSince(begin) > options.count_patience_s) return found;
    SystemClock().SleepFor(pause);
    pause = std::min(pause * 2, kLongestPoll);
  }
}

Status Flush(const IngestOptions& options, HttpClient& client) {
  if (options.flush.empty()) return {};
  ARC_ASSIGN_OR_RETURN(const Endpoint endpoint, ParseEndpoint(options.flush));
  ARC_ASSIGN_OR_RETURN(const Answer answer, client.Send(endpoint, "", ""));
  if (answer.status >= 200 && answer.status < 300) return {};
  return Unavailable("the flush was answered " + std::to_string(answer.status) + " " + answer.body);
}

Status Measure(const IngestOptions& options, Target& target, const RowCount& count, PayloadPool& pool,
               IngestResult* result) {
  const pid_t pid = target.pid();
  double cpu_before = 0;
  if (pid != 0) {
    ARC_ASSIGN_OR_RETURN(cpu_before, CpuSeconds(pid));
  }
  ARC_ASSIGN_OR_RETURN(result->load, RunLoad(options.load, target.address(), pool));
  int64_t begin = SystemClock().MonotonicNanos();
  ARC_ASSIGN_OR_RETURN(result->queryable, AwaitCount(options, count, result->load.acknowledged, target.client()));
  result->queryable_after_s = SecondsSince(begin);
  if (pid != 0) {
    ARC_ASSIGN_OR_RETURN(const double now, CpuSeconds(pid));
    result->cpu_load_s = now - cpu_before;
  }
  begin = SystemClock().MonotonicNanos();
  ARC_RETURN_IF_ERROR(Flush(options, target.client()));
  result->flush_s = SecondsSince(begin);
  if (pid != 0) {
    ARC_ASSIGN_OR_RETURN(const double now, CpuSeconds(pid));
    result->cpu_total_s = now - cpu_before;
    ARC_ASSIGN_OR_RETURN(result->peak_rss_bytes, PeakRssBytes(pid));
  }
  // Again: the flush must have lost and doubled nothing.
  ARC_ASSIGN_OR_RETURN(result->queryable, count.Ask(target.client()));
  if (!target.data_dir().empty()) {
    SystemClock().SleepFor(std::chrono::milliseconds(std::llround(options.settle_s * 1000)));
    ARC_ASSIGN_OR_RETURN(result->disk_use, MeasureDiskUse(target.data_dir(), options.disk_suffix, options.disk_skip));
  }
  return {};
}

}  // namespace

Result<IngestResult> RunIngest(const IngestOptions& options) {
  IngestResult result;
  ARC_ASSIGN_OR_RETURN(const RowCount count, RowCount::Make(options.count, options.payload));
  ARC_ASSIGN_OR_RETURN(const Endpoint write, ParseEndpoint(options.write));
  ARC_ASSIGN_OR_RETURN(const std::unique_ptr<Target> target, Target::Open(options.target));
  const std::string folder = target->data_dir().empty() ? "." : target->data_dir();
  ARC_ASSIGN_OR_RETURN(result.disk, ProbeDisk(folder));
  PayloadPool pool(options.payload, {write, target->address(), target->headers()}, options.load.connections,
                   options.load.records, options.pool_mb << 20);
  result.pool_bytes = pool.bytes();
  result.pool_payloads = pool.size();
  ARC_ASSIGN_OR_RETURN(const int64_t before, count.Ask(target->client()));
  if (before != 0) {
    return InvalidArgument("the server holds " + std::to_string(before) + " records already; the count would be wrong");
  }
  ARC_RETURN_IF_ERROR(Measure(options, *target, count, pool, &result));
  return result;
}

}  // namespace arc::bench
