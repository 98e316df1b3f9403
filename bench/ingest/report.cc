#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "ingest/ingest.h"

namespace arc::bench {
namespace {

using Json = nlohmann::ordered_json;

double PerMillion(double total, int64_t records) {
  return records == 0 ? 0 : total * 1e6 / static_cast<double>(records);
}

double RecordsPerSecond(const LoadResult& load) {
  return load.seconds > 0 ? static_cast<double>(load.acknowledged) / load.seconds : 0;
}

double Millis(const LoadResult& load, double share) { return Percentile(load.latency_ns, share) / 1e6; }

}  // namespace

void PrintIngest(const IngestOptions& options, const IngestResult& result) {
  const LoadResult& load = result.load;
  std::printf("%s %s, %d records a request, %d connections, %d measurements, %d series, ",
              FormatName(options.payload.format), ShapeName(options.payload.shape), options.payload.batch,
              options.load.connections, options.payload.measurements, options.payload.series);
  if (options.load.records_per_s > 0) {
    std::printf("%.0f records/s asked for (latency from the moment a request was due)\n", options.load.records_per_s);
  } else {
    std::printf("closed loop\n");
  }
  std::printf("  records/s           %12.0f   (%lld acknowledged in %.2f s, %.1f MB/s sent)\n", RecordsPerSecond(load),
              static_cast<long long>(load.acknowledged), load.seconds,
              load.seconds > 0 ? static_cast<double>(load.sent_bytes) / 1e6 / load.seconds : 0);
  std::printf("  latency             p50 %.3f   p95 %.3f   p99 %.3f   max %.3f ms\n", Millis(load, 0.5),
              Millis(load, 0.95), Millis(load, 0.99), Millis(load, 1));
  std::printf("  answers            ");
  for (const auto& [status, count] : load.status) std::printf(" %d: %lld", status, static_cast<long long>(count));
  std::printf("   retries %lld   broken connections %lld   refused %lld   unknown %lld records\n",
              static_cast<long long>(load.retries), static_cast<long long>(load.broken_connections),
              static_cast<long long>(load.refused), static_cast<long long>(load.unknown));
  if (!load.first_error.empty()) std::printf("  first error         %s\n", load.first_error.c_str());
  if (result.cpu_total_s.has_value()) {
    std::printf("  server CPU          %12.3f   s per million records, final flush included (%.3f without)\n",
                PerMillion(*result.cpu_total_s, load.acknowledged), PerMillion(*result.cpu_load_s, load.acknowledged));
  }
  std::printf("  client CPU          %12.3f   s per million records\n",
              PerMillion(load.client_cpu_s, load.acknowledged));
  if (result.peak_rss_bytes.has_value()) {
    std::printf("  peak RSS            %12.1f   MB\n", static_cast<double>(*result.peak_rss_bytes) / 1e6);
  }
  if (result.disk_use.has_value()) {
    std::printf("  on disk             %12.2f   bytes a record (%lld files)\n",
                PerMillion(static_cast<double>(result.disk_use->bytes), load.acknowledged) / 1e6,
                static_cast<long long>(result.disk_use->files));
  }
  std::printf("  flush               %12.3f   s\n", result.flush_s);
  std::printf("  all in count(*)     %12.3f   s after the last answer: %lld acknowledged, %lld queryable: %s\n",
              result.queryable_after_s, static_cast<long long>(load.acknowledged),
              static_cast<long long>(result.queryable), result.exact() ? "exact" : "WRONG");
  std::printf("  the disk itself     %12.0f   MB/s in order, %.0f fdatasync/s of 4 KB (p99 %.2f ms)\n",
              result.disk.write_mb_per_s, result.disk.fdatasync_per_s, result.disk.fdatasync_p99_ms);
  std::printf("  bodies              %zu of %.1f MB encoded beforehand%s\n", result.pool_payloads,
              static_cast<double>(result.pool_bytes) / 1e6,
              load.requests > static_cast<int64_t>(result.pool_payloads) ? ", sent again with other timestamps" : "");
}

Status WriteIngestJson(const IngestOptions& options, const IngestResult& result) {
  const LoadResult& load = result.load;
  const auto number = [](const auto& value) { return value.has_value() ? Json(*value) : Json(nullptr); };
  Json out;
  out["bench"] = "ingest";
  out["format"] = FormatName(options.payload.format);
  out["shape"] = ShapeName(options.payload.shape);
  out["batch"] = options.payload.batch;
  out["connections"] = options.load.connections;
  out["rate"] = options.load.records_per_s;
  out["measurements"] = options.payload.measurements;
  out["series"] = options.payload.series;
  out["decimals"] = options.payload.decimals;
  out["step_us"] = options.payload.step_micros;
  out["seconds"] = load.seconds;
  out["acknowledged"] = load.acknowledged;
  out["queryable"] = result.queryable;
  out["exact"] = result.exact();
  out["records_per_s"] = RecordsPerSecond(load);
  out["latency_ms"] = {
      {"p50", Millis(load, 0.5)}, {"p95", Millis(load, 0.95)}, {"p99", Millis(load, 0.99)}, {"max", Millis(load, 1)}};
  for (const auto& [status, count] : load.status) out["answers"][std::to_string(status)] = count;
  out["retries"] = load.retries;
  out["broken_connections"] = load.broken_connections;
  out["refused_records"] = load.refused;
  out["unknown_records"] = load.unknown;
  out["first_error"] = load.first_error;
  out["server_cpu_s"] = number(result.cpu_total_s);
  out["server_cpu_s_before_flush"] = number(result.cpu_load_s);
  out["server_cpu_s_per_million"] =
      result.cpu_total_s.has_value() ? Json(PerMillion(*result.cpu_total_s, load.acknowledged)) : Json(nullptr);
  out["client_cpu_s_per_million"] = PerMillion(load.client_cpu_s, load.acknowledged);
  out["peak_rss_bytes"] = number(result.peak_rss_bytes);
  out["disk_bytes_per_record"] =
      result.disk_use.has_value()
          ? Json(PerMillion(static_cast<double>(result.disk_use->bytes), load.acknowledged) / 1e6)
          : Json(nullptr);
  out["disk_files"] = result.disk_use.has_value() ? Json(result.disk_use->files) : Json(nullptr);
  out["queryable_after_s"] = result.queryable_after_s;
  out["flush_s"] = result.flush_s;
  out["disk"] = {{"write_mb_per_s", result.disk.write_mb_per_s},
                 {"fdatasync_per_s", result.disk.fdatasync_per_s},
                 {"fdatasync_p99_ms", result.disk.fdatasync_p99_ms}};
  out["cores"] = sysconf(_SC_NPROCESSORS_ONLN);
  std::ofstream file(options.json_file);
  file << out.dump(2) << "\n";
  file.close();
  if (!file) return Unavailable("cannot write " + options.json_file);
  return {};
}

}  // namespace arc::bench
