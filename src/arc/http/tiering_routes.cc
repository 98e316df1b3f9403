#include <optional>
#include <string>
#include <vector>

#include "arc/http/blocking_call.h"
#include "arc/http/json_text.h"
#include "arc/http/routes.h"
#include "arc/http/time_text.h"

namespace arc {
namespace {

void AddTime(std::string_view name, int64_t micros, JsonText* json) {
  json->Field(name, micros == 0 ? std::nullopt : std::optional(IsoMicros(micros)));
}

std::optional<std::string> TextUnlessEmpty(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional(text);
}

void AddTotal(std::string_view name, const FileTotal& total, JsonText* json) {
  json->Key(name).BeginObject().Field("files", total.files).Field("bytes", total.bytes).Field("rows", total.rows);
  json->EndObject();
}

void AddWork(const TieringWork& work, JsonText* json) {
  json->Field("database", work.database).Field("measurement", work.measurement);
  json->Field("hot_age_days", work.hot_age_days);
  AddTime("cutoff_date", work.cutoff_micros, json);
}

std::string_view StateName(TieringJob::State state) {
  switch (state) {
    case TieringJob::State::kQueued: return "queued";
    case TieringJob::State::kRunning: return "running";
    case TieringJob::State::kCompleted: return "completed";
    case TieringJob::State::kFailed: return "failed";
  }
  return "unknown";
}

void AddJob(const TieringJob& job, JsonText* json) {
  json->BeginObject().Field("job_id", job.id).Field("status", StateName(job.state));
  AddWork(job.work, json);
  AddTime("started_at", job.started_micros, json);
  AddTime("completed_at", job.finished_micros, json);
  json->Field("duration_seconds", job.seconds);
  AddTotal("to_move", job.work.moving, json);
  AddTotal("moved", job.moved, json);
  json->Field("commits", job.commits).Field("error", TextUnlessEmpty(job.error)).Key("files_left").BeginArray();
  for (const auto& file : job.left) {
    json->BeginObject().Field("file", file.key).Field("error", file.error.message).EndObject();
  }
  json->EndArray().EndObject();
}

Response JobList(std::string_view name, const std::vector<TieringJob>& jobs) {
  JsonText json;
  json.BeginObject().Key(name).BeginArray();
  for (const auto& job : jobs) AddJob(job, &json);
  json.EndArray().Field("count", jobs.size()).EndObject();
  return Response::Json(json.Take());
}

struct Scope {
  std::string database;
  std::string measurement;
};

Scope ScopeOf(const Exchange& exchange) {
  return {std::string(exchange.query.Get("database")), std::string(exchange.query.Get("measurement"))};
}

}  // namespace

Task<Response> ShowTieringStatus(Exchange& exchange) {
  Engine& engine = exchange.server.engine;
  const TieringOptions& options = engine.tiering().options();
  const TieringStats stats = engine.tiering().stats();
  const RemoteStats stores = engine.remote_stats();
  JsonText json;
  json.BeginObject().Field("cold_store", options.has_cold_store).Field("enabled", options.enabled);
  json.Field("cold_store_error", stores.cold ? TextUnlessEmpty(stores.cold->down) : std::nullopt);
  json.Field("schedule", options.schedule);
  AddTime("next_run", engine.tiering().next_run_micros().value_or(0), &json);
  json.Field("hot_age_days", options.hot_age_days).Key("hot_age_exceptions").BeginArray();
  for (const auto& age : options.exceptions) {
    json.BeginObject().Field("database", age.database).Field("measurement", TextUnlessEmpty(age.measurement));
    json.Field("hot_age_days", age.days).EndObject();
  }
  json.EndArray().Field("max_concurrent_jobs", options.max_jobs);
  json.Field("active_jobs", stats.running).Field("queued_jobs", stats.queued).Field("cycles", stats.cycles);
  json.Field("total_jobs_completed", stats.completed).Field("total_jobs_failed", stats.failed);
  json.Field("total_files_moved", stats.files).Field("total_bytes_moved", stats.bytes);
  json.Field("total_rows_moved", stats.rows).Field("total_files_left", stats.files_left);
  json.Field("total_seconds", stats.seconds).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ListTieringCandidates(Exchange& exchange) {
  Engine* engine = &exchange.server.engine;
  const auto call = [engine, scope = ScopeOf(exchange)] {
    return Result<std::vector<TieringWork>>(engine->tiering().Survey(scope.database, scope.measurement));
  };
  auto works = co_await CallBlocking<std::vector<TieringWork>>(exchange.server, call);
  if (!works.ok()) co_return exchange.Fail(works.error());
  JsonText json;
  FileTotal moving;
  json.BeginObject().Key("tables").BeginArray();
  for (const auto& work : *works) {
    json.BeginObject();
    AddWork(work, &json);
    AddTotal("to_move", work.moving, &json);
    AddTotal("waiting_for_compaction", work.waiting, &json);
    AddTotal("straddling", work.straddling, &json);
    AddTotal("hot", work.hot, &json);
    AddTotal("cold", work.cold, &json);
    json.EndObject();
    moving.Add(work.moving);
  }
  json.EndArray().Field("count", works->size());
  AddTotal("to_move", moving, &json);
  json.EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> TriggerTiering(Exchange& exchange) {
  Engine* engine = &exchange.server.engine;
  const auto call = [engine, scope = ScopeOf(exchange)] {
    return engine->tiering().Trigger(scope.database, scope.measurement);
  };
  auto jobs = co_await CallBlocking<int>(exchange.server, call);
  if (!jobs.ok()) co_return exchange.Fail(jobs.error());
  JsonText json;
  json.BeginObject().Field("success", true).Field("jobs_started", *jobs);
  json.Field("message", *jobs == 0 ? "nothing to move" : "jobs are queued; see /api/tiering/jobs").EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ListTieringJobs(Exchange& exchange) {
  co_return JobList("jobs", exchange.server.engine.tiering().Jobs());
}

Task<Response> ListTieringHistory(Exchange& exchange) {
  co_return JobList("history", exchange.server.engine.tiering().History());
}

}  // namespace arc
