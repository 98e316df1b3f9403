#include <string>

#include "arc/http/json_text.h"
#include "arc/http/router.h"
#include "arc/http/routes.h"
#include "arc/http/time_text.h"

namespace arc {
namespace {

double UptimeSeconds(const ServerContext& server) {
  return static_cast<double>(server.clock.MonotonicNanos() - server.started_nanos) / 1e9;
}

// Why this server should not get traffic; draining comes first.
Readiness NotReady(const ServerContext& server) {
  Readiness reasons = server.engine.readiness();
  if (server.draining.load(std::memory_order_relaxed)) reasons["server"] = "stopping";
  return reasons;
}

void AddReasons(const Readiness& reasons, JsonText* json) {
  json->Key("reasons").BeginObject();
  for (const auto& [part, reason] : reasons) json->Field(part, reason);
  json->EndObject();
}

void AddIngest(const IngestCounters& counters, JsonText* json) {
  uint64_t count = counters.latency.count();
  double mean_ms = count == 0 ? 0 : counters.latency.sum_seconds() * 1000 / static_cast<double>(count);
  json->Field("requests", counters.requests.load()).Field("records", counters.rows.load());
  json->Field("records_refused", counters.rows_refused.load()).Field("errors", counters.errors.load());
  json->Field("bytes", counters.bytes.load()).Field("avg_latency_ms", mean_ms);
}

}  // namespace

Task<Response> ShowInfo(Exchange& exchange) {
  JsonText json;
  json.BeginObject().Field("name", "Arc").Field("version", ARC_VERSION).Field("status", "running");
  json.Field("uptime_seconds", UptimeSeconds(exchange.server)).Key("endpoints").BeginArray();
  for (const Route& route : AllRoutes()) {
    json.BeginObject().Field("method", MethodName(route.method)).Field("path", route.pattern);
    json.Field("summary", route.summary).EndObject();
  }
  json.EndArray().EndObject();
  co_return Response::Json(json.Take());
}

// Alive: says nothing of the parts behind it, so that an orchestrator does not restart a server whose store is down.
Task<Response> ShowHealth(Exchange& exchange) {
  Readiness reasons = NotReady(exchange.server);
  reasons.merge(exchange.server.engine.impairments());
  JsonText json;
  json.BeginObject().Field("status", reasons.empty() ? "healthy" : "degraded").Field("service", "arc");
  json.Field("version", ARC_VERSION).Field("uptime_seconds", UptimeSeconds(exchange.server));
  AddReasons(reasons, &json);
  json.Field("timestamp", IsoMicros(exchange.server.clock.WallMicros())).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ShowReady(Exchange& exchange) {
  Readiness reasons = NotReady(exchange.server);
  JsonText json;
  json.BeginObject().Field("status", reasons.empty() ? "ready" : "not_ready").Field("ready", reasons.empty());
  AddReasons(reasons, &json);
  json.Field("timestamp", IsoMicros(exchange.server.clock.WallMicros())).EndObject();
  Response response = Response::Json(json.Take(), reasons.empty() ? 200 : 503);
  if (!reasons.empty()) response.With("Retry-After", "5");
  co_return response;
}

Task<Response> ShowBuffer(Exchange& exchange) {
  BufferStats stats = exchange.server.engine.buffer_stats();
  JsonText json;
  json.BeginObject().Field("total_records_buffered", stats.rows_buffered);
  json.Field("total_records_written", stats.rows_written).Field("total_flushes", stats.flushes);
  json.Field("total_errors", stats.flush_errors).Key("current_buffer_sizes").BeginObject();
  for (const auto& [table, rows] : stats.rows_by_table) json.Field(table, rows);
  json.EndObject().Field("oldest_buffer_age_seconds", stats.oldest_age_seconds);
  json.Field("used_bytes", stats.used_bytes).Field("limit_bytes", stats.limit_bytes).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ShowQueryPool(Exchange& exchange) {
  QueryPoolStats stats = exchange.server.engine.queries().pool_stats();
  auto runs = static_cast<double>(stats.executed + stats.failed);
  JsonText json;
  json.BeginObject().Field("pool_size", stats.pool_size).Field("active_connections", stats.active);
  json.Field("idle_connections", stats.pool_size - stats.active).Field("queue_depth", stats.queued);
  json.Field("avg_wait_time_ms", runs > 0 ? stats.wait_ms_total / runs : 0.0);
  json.Field("avg_execution_time_ms", runs > 0 ? stats.execution_ms_total / runs : 0.0);
  json.Field("total_queries", stats.executed).Field("failed_queries", stats.failed);
  json.Field("refused_queries", stats.refused).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ShowWriteStats(Exchange& exchange) {
  JsonText json;
  json.BeginObject().Field("status", "success").Key("stats").BeginObject();
  for (size_t i = 0; i < kIngestFormatNames.size(); ++i) {
    json.Key(kIngestFormatNames[i]).BeginObject();
    AddIngest(exchange.server.metrics.ingest[i], &json);
    json.EndObject();
  }
  BufferStats buffer = exchange.server.engine.buffer_stats();
  json.Key("buffer").BeginObject().Field("records", buffer.rows_buffered).Field("bytes", buffer.used_bytes);
  json.EndObject().EndObject().EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ShowWriteHealth(Exchange& exchange) {
  Readiness reasons = NotReady(exchange.server);
  JsonText json;
  json.BeginObject().Field("status", reasons.empty() ? "healthy" : "unhealthy").Field("service", "write");
  AddReasons(reasons, &json);
  co_return Response::Json(json.EndObject().Take(), reasons.empty() ? 200 : 503);
}

Task<Response> ShowMsgpackStats(Exchange& exchange) {
  JsonText json;
  json.BeginObject().Field("status", "success").Key("stats").BeginObject();
  AddIngest(exchange.server.metrics.For(IngestFormat::kMsgpack), &json);
  json.EndObject().EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ShowMsgpackSpec(Exchange&) {
  static constexpr std::string_view kSpec = R"({
  "version": "2",
  "endpoints": ["/api/v1/write/msgpack", "/write/v2/msgpack", "/api/v2/msgpack"],
  "content_type": "application/msgpack",
  "content_encoding": ["identity", "gzip", "zstd"],
  "database": "header x-arc-database, else ?db=, ?bucket=, else default",
  "time": "milliseconds since 1970 UTC, another unit by ?precision=ns|us|ms|s|m|h|auto, RFC 3339 text or a timestamp extension",
  "row": {
    "m": "measurement, required",
    "t": "time; absent: the server's",
    "h": "host, becomes the tag host",
    "tags": {"name": "value"},
    "fields": {"name": "number, boolean or string"}
  },
  "columns": {
    "m": "measurement, required",
    "columns": {"time": ["time", "..."], "name": ["value or nil", "..."]},
    "tag_keys": ["names of the columns that are tags; absent: every column of strings"]
  },
  "body": "one row, one map of columns, an array of these, or {\"batch\": [...]}",
  "answers": {
    "204": "everything is durable and visible; x-arc-lsn is its place in the log",
    "400": "nothing or not everything was taken; the answer names each row",
    "413": "the body is too large",
    "503": "try again after Retry-After seconds"
  }
}
)";
  co_return Response::Json(std::string(kSpec));
}

}  // namespace arc
