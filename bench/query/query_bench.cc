#include "query/query_bench.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "arc/base/clock.h"
#include "ingest/load.h"
#include "ingest/payload_pool.h"
#include "machine/disk.h"

namespace arc::bench {
namespace {

constexpr int kWarmUps = 2;
constexpr int kBatchRows = 10'000;
constexpr int64_t kHourMicros = 3'600'000'000;
constexpr int64_t kHours = 10;
constexpr int64_t kStartMicros = 472'222 * kHourMicros;  // 2023-11-14 22:00, a full hour
constexpr size_t kKeptBodyBytes = 4096;

struct Query {
  const char* name;
  const char* format;
  const char* path;
  std::string sql;
  int64_t rows;  // that the answer must have
};

std::string Timestamp(int64_t micros) { return "make_timestamp(" + std::to_string(micros) + ")"; }

// "Now" is the end of the rows.
std::vector<Query> QueriesOver(int64_t rows, int64_t span_micros) {
  const int64_t end = kStartMicros + span_micros;
  const std::string last_hour = "time >= " + Timestamp(end - kHourMicros);
  const std::string one_hour = "time >= " + Timestamp(kStartMicros + 4 * kHourMicros) + " AND time < " +
                               Timestamp(kStartMicros + 5 * kHourMicros);
  const std::string some = "SELECT * FROM cpu LIMIT 100000";
  const int64_t some_rows = std::min<int64_t>(rows, 100'000);
  return {
      {"count(*)", "json", "/api/v1/query", "SELECT count(*) FROM cpu", 1},
      {"avg by host", "json", "/api/v1/query", "SELECT host, avg(usage_idle) FROM cpu GROUP BY host", 100},
      {"1-minute buckets, last hour", "json", "/api/v1/query",
       "SELECT time_bucket(INTERVAL '1 minute', time) AS minute, avg(usage_idle), max(usage_user) FROM cpu WHERE " +
           last_hour + " GROUP BY minute ORDER BY minute",
       60},
      {"one hour, avg by host", "json", "/api/v1/query",
       "SELECT host, avg(usage_idle), max(usage_user) FROM cpu WHERE " + one_hour + " GROUP BY host", 100},
      {"SELECT * LIMIT 100000", "json", "/api/v1/query", some, some_rows},
      {"SELECT * LIMIT 100000", "csv", "/api/v1/query/stream", some, some_rows},
      {"SELECT * LIMIT 100000", "arrow", "/api/v1/query/arrow", some, some_rows},
  };
}

class PlaceRun {
 public:
  PlaceRun(const QueryOptions& options, Place place) : options_(options) {
    result_.place = place;
    payload_.batch = kBatchRows;
    payload_.start_micros = kStartMicros;
    payload_.step_micros = std::max<int64_t>(1, kHours * kHourMicros / options.rows);
  }
  Result<PlaceResult> Run();

 private:
  Status Load(int64_t first, int64_t rows);
  Status Flush();
  // Puts the rows where they belong, and makes sure of it.
  Status Prepare();
  Status CheckAnswer(const Query& query, const std::string& body);
  Status Measure(const Query& query, HttpClient& client);

  const QueryOptions& options_;
  PayloadOptions payload_;
  std::unique_ptr<Target> target_;
  PlaceResult result_;
};

Status PlaceRun::Load(int64_t first, int64_t rows) {
  PayloadOptions payload = payload_;
  payload.start_micros += first * payload.step_micros;
  const PayloadPool::Request request{
      {"POST", "/api/v1/write/msgpack?precision=us"}, target_->address(), target_->headers()};
  LoadOptions load;
  load.connections = 4;
  load.batch = kBatchRows;
  load.records = rows;
  PayloadPool pool(payload, request, load.connections, rows, int64_t{256} << 20);
  ARC_ASSIGN_OR_RETURN(const LoadResult loaded, RunLoad(load, target_->address(), pool));
  if (loaded.acknowledged != rows) return Unavailable("the rows were not all taken: " + loaded.first_error);
  result_.load_s += loaded.seconds;
  return {};
}

Status PlaceRun::Flush() {
  const int64_t begin = SystemClock().MonotonicNanos();
  ARC_ASSIGN_OR_RETURN(const Answer answer, target_->client().Send({"POST", "/write/flush"}, "", ""));
  if (answer.status / 100 != 2) return Unavailable("the flush failed: " + answer.body);
  result_.flush_s += static_cast<double>(SystemClock().MonotonicNanos() - begin) / 1e9;
  return {};
}

Status PlaceRun::Prepare() {
  TargetOptions target = options_.target;
  if (!target.arc.empty() && result_.place == Place::kHot) {
    // Or the rows would leave while they are loaded.
    for (const char* setting : {"ingestion.memory_mb", "ingestion.flush_size_mb", "wal.keep_below_mb"}) {
      target.server_args.insert(target.server_args.end(), {"--set", std::string(setting) + "=16384"});
    }
    target.server_args.insert(target.server_args.end(), {"--set", "ingestion.buffer_age_seconds=86400"});
  }
  ARC_ASSIGN_OR_RETURN(target_, Target::Open(target));
  // A tenth stays hot beside the files: the last hour.
  const int64_t hot = result_.place == Place::kMixed ? options_.rows / 10 / kBatchRows * kBatchRows : 0;
  ARC_RETURN_IF_ERROR(Load(0, options_.rows - hot));
  if (result_.place != Place::kHot) ARC_RETURN_IF_ERROR(Flush());
  if (hot > 0) ARC_RETURN_IF_ERROR(Load(options_.rows - hot, hot));
  if (target_->data_dir().empty()) return {};
  ARC_ASSIGN_OR_RETURN(const DiskUse use, MeasureDiskUse(target_->data_dir(), ".parquet", ""));
  result_.files = use.files;
  if (result_.place == Place::kHot && use.files > 0) return Internal("hot rows were flushed while they were loaded");
  return {};
}

Status PlaceRun::CheckAnswer(const Query& query, const std::string& body) {
  int64_t rows = query.rows;
  const std::string format = query.format;
  if (format == "csv") rows = std::count(body.begin(), body.end(), '\n') - 1;
  const std::string row_count = "\"row_count\":" + std::to_string(query.rows) + ",";
  bool right = rows == query.rows && (format != "json" || body.find(row_count) != std::string::npos);
  const std::string all_rows = "\"data\":[[" + std::to_string(options_.rows) + "]]";
  if (query.name == std::string("count(*)")) right = right && body.find(all_rows) != std::string::npos;
  if (right) return {};
  return Internal(std::string(query.name) + " (" + format + ") was answered wrongly: " + body.substr(0, 300));
}

Status PlaceRun::Measure(const Query& query, HttpClient& client) {
  const std::string body = R"({"sql":")" + query.sql + "\"}";
  const Endpoint endpoint{"POST", query.path};
  ARC_ASSIGN_OR_RETURN(const Answer whole, target_->client().Send(endpoint, "application/json", body));
  if (whole.status != 200) return Internal(query.sql + ": " + whole.body.substr(0, 300));
  ARC_RETURN_IF_ERROR(CheckAnswer(query, whole.body));
  QueryTimes times{query.name, query.format, {}, whole.body_bytes, 0};
  double cpu_before = 0;
  for (int run = 0; run < kWarmUps + options_.runs; ++run) {
    if (run == kWarmUps && target_->pid() != 0) {
      ARC_ASSIGN_OR_RETURN(cpu_before, CpuSeconds(target_->pid()));
    }
    const int64_t begin = SystemClock().MonotonicNanos();
    ARC_ASSIGN_OR_RETURN(const Answer answer, client.Send(endpoint, "application/json", body));
    if (answer.status != 200) return Internal(query.sql + ": " + answer.body);
    if (run >= kWarmUps) times.ns.push_back(SystemClock().MonotonicNanos() - begin);
  }
  if (target_->pid() != 0) {
    ARC_ASSIGN_OR_RETURN(const double cpu, CpuSeconds(target_->pid()));
    times.server_cpu_ms = (cpu - cpu_before) * 1000 / options_.runs;
  }
  std::sort(times.ns.begin(), times.ns.end());
  result_.queries.push_back(std::move(times));
  return {};
}

Result<PlaceResult> PlaceRun::Run() {
  ARC_RETURN_IF_ERROR(Prepare());
  // Large bodies are read but not kept, as a client would that works on them in a stream.
  HttpClient client(target_->address(), target_->headers(), kKeptBodyBytes);
  for (const Query& query : QueriesOver(options_.rows, options_.rows * payload_.step_micros)) {
    ARC_RETURN_IF_ERROR(Measure(query, client));
  }
  return std::move(result_);
}

}  // namespace

const char* PlaceName(Place place) {
  switch (place) {
    case Place::kHot: return "hot";
    case Place::kFiles: return "files";
    case Place::kMixed: return "mixed";
  }
  return "";
}

Result<std::vector<PlaceResult>> RunQueries(const QueryOptions& options) {
  std::vector<PlaceResult> results;
  for (const Place place : options.places) {
    ARC_ASSIGN_OR_RETURN(PlaceResult result, PlaceRun(options, place).Run());
    results.push_back(std::move(result));
  }
  return results;
}

}  // namespace arc::bench
