// Counters of this room, printed by /metrics and the stats routes.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace arc {

// Cumulative time buckets. Thread-safe; reads are not a consistent cut, as is usual for metrics.
class LatencyHistogram {
 public:
  // Upper bounds in seconds; the last bucket has none.
  static constexpr std::array<double, 14> kBounds{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                  0.1,    0.25,  0.5,    1,     2.5,  5,     10};
  void Record(int64_t nanos);
  uint64_t count() const;
  double sum_seconds() const { return static_cast<double>(sum_nanos_.load(std::memory_order_relaxed)) / 1e9; }
  uint64_t bucket(size_t i) const { return buckets_[i].load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<uint64_t>, kBounds.size() + 1> buckets_{};
  std::atomic<uint64_t> sum_nanos_{0};
};

enum class IngestFormat : uint8_t { kMsgpack, kLineProtocol, kJson, kCsv, kArrow };
inline constexpr std::array<std::string_view, 5> kIngestFormatNames{"msgpack", "line_protocol", "json", "csv", "arrow"};

struct IngestCounters {
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> bytes{0};  // of bodies, decompressed
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> rows_refused{0};
  std::atomic<uint64_t> errors{0};  // requests not fully taken
  LatencyHistogram latency;
};

struct QueryCounters {
  std::atomic<uint64_t> requests{0};
  std::atomic<uint64_t> errors{0};
  std::atomic<uint64_t> cancelled{0};
  std::atomic<uint64_t> rows{0};
  std::atomic<uint64_t> bytes{0};
  LatencyHistogram latency;
};

// Thread-safe.
struct HttpMetrics {
  std::array<IngestCounters, kIngestFormatNames.size()> ingest;
  QueryCounters query;
  std::array<std::atomic<uint64_t>, 6> responses_by_class{};  // index 2: 2xx
  std::atomic<uint64_t> connections_total{0};
  std::atomic<uint64_t> connections_refused{0};
  std::atomic<int64_t> connections_open{0};
  std::atomic<int64_t> requests_in_flight{0};
  std::atomic<uint64_t> timeouts{0};  // connections cut for being slow

  IngestCounters& For(IngestFormat format) { return ingest[static_cast<size_t>(format)]; }
};

// Prometheus text exposition format 0.0.4: one metric family per Family call, then its samples.
class PrometheusText {
 public:
  void Family(std::string_view name, std::string_view type, std::string_view help);
  // Labels as `format="json"`, without braces; may be empty.
  void Sample(std::string_view suffix, std::string_view labels, double value);
  void Sample(std::string_view labels, double value) { Sample("", labels, value); }
  void Gauge(std::string_view name, std::string_view help, double value);
  void Counter(std::string_view name, std::string_view help, double value);
  void Histogram(std::string_view labels, const LatencyHistogram& histogram);
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
  std::string name_;
};

// Escapes backslash, quote and line break of a label value.
std::string PrometheusLabel(std::string_view value);

// What the kernel says of this process.
struct ProcessUsage {
  int64_t resident_bytes = 0;
  double cpu_seconds = 0;
  int64_t open_files = 0;
};
ProcessUsage ReadProcessUsage();

}  // namespace arc
