#include <fmt/chrono.h>
#include <fmt/format.h>

#include <optional>
#include <string>

#include "arc/http/blocking_call.h"
#include "arc/http/json_text.h"
#include "arc/http/routes.h"

namespace arc {
namespace {

constexpr double kMega = 1 << 20;
constexpr int64_t kMicrosPerSecond = 1'000'000;

std::string UtcText(int64_t micros) {
  const std::time_t seconds = micros / kMicrosPerSecond;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z", utc);
}

void AddTime(std::string_view name, int64_t micros, JsonText* json) {
  json->Field(name, micros == 0 ? std::nullopt : std::optional(UtcText(micros)));
}

double Megabytes(uint64_t bytes) { return static_cast<double>(bytes) / kMega; }

// The share of the bytes that is gone.
double Saved(int64_t before, int64_t after) {
  return before == 0 ? 0 : 1 - static_cast<double>(after) / static_cast<double>(before);
}

void AddWork(const CompactionWork& work, JsonText* json) {
  json->Field("database", work.database).Field("measurement", work.measurement);
  json->Field("partition_path", work.partition).Field("tier", work.tier).Field("file_count", work.files);
  json->Field("total_bytes", work.bytes).Field("rows", work.rows);
}

std::string_view StateName(CompactionJob::State state) {
  switch (state) {
    case CompactionJob::State::kQueued: return "queued";
    case CompactionJob::State::kRunning: return "running";
    case CompactionJob::State::kCompleted: return "completed";
    case CompactionJob::State::kFailed: return "failed";
  }
  return "unknown";
}

void AddJob(const CompactionJob& job, JsonText* json) {
  json->BeginObject().Field("job_id", job.id).Field("status", StateName(job.state));
  AddWork(job.work, json);
  AddTime("started_at", job.started_micros, json);
  AddTime("completed_at", job.finished_micros, json);
  json->Field("duration_seconds", job.seconds);
  if (job.state == CompactionJob::State::kCompleted) {
    const CompactionResult& result = job.result;
    json->Field("files_compacted", result.files_before).Field("files_written", result.files_after);
    json->Field("bytes_before", result.bytes_before).Field("bytes_after", result.bytes_after);
    json->Field("compression_ratio", Saved(result.bytes_before, result.bytes_after));
  }
  json->Field("error", job.error.empty() ? std::nullopt : std::optional(job.error));
  json->Key("files_left").BeginArray();
  for (const auto& file : job.left) {
    json->BeginObject().Field("file", file.key).Field("error", file.error.message);
    json->Field("damaged", file.error.kind != ErrorKind::kUnsupported).EndObject();
  }
  json->EndArray().EndObject();
}

Response JobList(std::string_view name, const std::vector<CompactionJob>& jobs) {
  JsonText json;
  json.BeginObject().Key(name).BeginArray();
  for (const auto& job : jobs) AddJob(job, &json);
  json.EndArray().Field("count", jobs.size()).EndObject();
  return Response::Json(json.Take());
}

}  // namespace

Task<Response> ShowCompactionStatus(Exchange& exchange) {
  Compaction& compaction = exchange.server.engine.compaction();
  const CompactionOptions& options = compaction.options();
  const CompactionStats stats = compaction.stats();
  JsonText json;
  json.BeginObject().Field("enabled", options.enabled).Field("schedule", options.schedule);
  AddTime("next_run", compaction.next_run_micros().value_or(0), &json);
  json.Field("active_jobs", stats.running).Field("queued_jobs", stats.queued);
  json.Field("max_concurrent_jobs", options.max_jobs).Field("min_files", options.policy.min_files);
  json.Field("min_age_hours", options.policy.min_age_ms / 3'600'000);
  json.Field("target_file_size_mb", options.policy.target_bytes >> 20);
  json.Field("compression", options.compression).Field("compression_level", options.compression_level).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ShowCompactionStats(Exchange& exchange) {
  Compaction& compaction = exchange.server.engine.compaction();
  const CompactionStats stats = compaction.stats();
  const auto saved = static_cast<int64_t>(stats.bytes_before) - static_cast<int64_t>(stats.bytes_after);
  JsonText json;
  json.BeginObject().Field("total_jobs_completed", stats.completed).Field("total_jobs_failed", stats.failed);
  json.Field("total_files_compacted", stats.files_before).Field("total_files_written", stats.files_after);
  json.Field("total_rows", stats.rows).Field("total_bytes_before", stats.bytes_before);
  json.Field("total_bytes_after", stats.bytes_after).Field("total_bytes_saved", saved);
  json.Field("total_bytes_saved_mb", Megabytes(stats.bytes_before) - Megabytes(stats.bytes_after));
  json.Field("total_files_left", stats.files_left).Field("total_seconds", stats.seconds);
  json.Field("cycles", stats.cycles).Field("active_jobs", stats.running).Field("queued_jobs", stats.queued);
  json.Key("recent_jobs").BeginArray();
  size_t recent = 0;
  for (const auto& job : compaction.History()) {
    if (++recent <= 10) AddJob(job, &json);
  }
  json.EndArray().EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ListCompactionCandidates(Exchange& exchange) {
  Engine* engine = &exchange.server.engine;
  const auto call = [engine] { return Result<std::vector<CompactionWork>>(engine->compaction().Candidates()); };
  auto works = co_await CallBlocking<std::vector<CompactionWork>>(exchange.server, call);
  if (!works.ok()) co_return exchange.Fail(works.error());
  JsonText json;
  json.BeginObject().Key("candidates").BeginArray();
  for (const auto& work : *works) {
    json.BeginObject();
    AddWork(work, &json);
    json.EndObject();
  }
  json.EndArray().Field("count", works->size()).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> TriggerCompaction(Exchange& exchange) {
  Engine* engine = &exchange.server.engine;
  std::string database(exchange.query.Find("database").value_or(""));
  std::string measurement(exchange.query.Find("measurement").value_or(""));
  const auto call = [engine, database, measurement] {
    return Result<int>(engine->compaction().Trigger(database, measurement));
  };
  auto jobs = co_await CallBlocking<int>(exchange.server, call);
  if (!jobs.ok()) co_return exchange.Fail(jobs.error());
  JsonText json;
  json.BeginObject().Field("success", true).Field("jobs_started", *jobs);
  json.Field("message", *jobs == 0 ? "nothing to merge" : "jobs are queued; see /api/compaction/jobs").EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ListCompactionJobs(Exchange& exchange) {
  co_return JobList("jobs", exchange.server.engine.compaction().Jobs());
}

Task<Response> ListCompactionHistory(Exchange& exchange) {
  co_return JobList("history", exchange.server.engine.compaction().History());
}

}  // namespace arc
