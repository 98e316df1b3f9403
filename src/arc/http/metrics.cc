#include "arc/http/metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <charconv>
#include <cmath>
#include <cstdio>
#include <memory>

namespace arc {

void LatencyHistogram::Record(int64_t nanos) {
  double seconds = static_cast<double>(nanos) / 1e9;
  size_t i = 0;
  while (i < kBounds.size() && seconds > kBounds[i]) ++i;
  buckets_[i].fetch_add(1, std::memory_order_relaxed);
  sum_nanos_.fetch_add(static_cast<uint64_t>(nanos), std::memory_order_relaxed);
}

uint64_t LatencyHistogram::count() const {
  uint64_t sum = 0;
  for (const auto& bucket : buckets_) sum += bucket.load(std::memory_order_relaxed);
  return sum;
}

void PrometheusText::Family(std::string_view name, std::string_view type, std::string_view help) {
  name_ = name;
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
  text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

void PrometheusText::Sample(std::string_view suffix, std::string_view labels, double value) {
  text_.append(name_).append(suffix);
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_.push_back(' ');
  if (std::isfinite(value)) {
    char digits[32];
    text_.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
  } else {
    text_.append(std::isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
  }
  text_.push_back('\n');
}

void PrometheusText::Gauge(std::string_view name, std::string_view help, double value) {
  Family(name, "gauge", help);
  Sample("", value);
}

void PrometheusText::Counter(std::string_view name, std::string_view help, double value) {
  Family(name, "counter", help);
  Sample("", value);
}

void PrometheusText::Histogram(std::string_view labels, const LatencyHistogram& histogram) {
  std::string prefix(labels);
  if (!prefix.empty()) prefix.push_back(',');
  uint64_t sum = 0;
  for (size_t i = 0; i < LatencyHistogram::kBounds.size(); ++i) {
    sum += histogram.bucket(i);
    char digits[32];
    char* end = std::to_chars(digits, digits + sizeof digits, LatencyHistogram::kBounds[i]).ptr;
    Sample("_bucket", prefix + "le=\"" + std::string(digits, end) + "\"", static_cast<double>(sum));
  }
  sum += histogram.bucket(LatencyHistogram::kBounds.size());
  Sample("_bucket", prefix + "le=\"+Inf\"", static_cast<double>(sum));
  Sample("_sum", labels, histogram.sum_seconds());
  Sample("_count", labels, static_cast<double>(sum));
}

std::string PrometheusLabel(std::string_view value) {
  std::string out;
  for (char c : value) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out += "\\n";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

ProcessUsage ReadProcessUsage() {
  ProcessUsage usage;
  if (std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen("/proc/self/statm", "r"), std::fclose}) {
    long total = 0;  // NOLINT: fscanf's type
    long pages = 0;  // NOLINT
    if (std::fscanf(file.get(), "%ld %ld", &total, &pages) == 2) usage.resident_bytes = pages * sysconf(_SC_PAGESIZE);
  }
  rusage times{};
  if (getrusage(RUSAGE_SELF, &times) == 0) {
    auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    usage.cpu_seconds = seconds(times.ru_utime) + seconds(times.ru_stime);
  }
  if (std::unique_ptr<DIR, int (*)(DIR*)> folder{opendir("/proc/self/fd"), closedir}) {
    while (readdir(folder.get()) != nullptr) ++usage.open_files;
    usage.open_files -= 3;  // ".", ".." and the folder itself
  }
  return usage;
}

}  // namespace arc
