#include <charconv>
#include <string>
#include <vector>

#include "arc/http/blocking_call.h"
#include "arc/http/json_text.h"
#include "arc/http/routes.h"

namespace arc {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kDefaultAgeHours = 24;
constexpr int64_t kMaxAgeHours = 24LL * 366 * 100;

std::vector<std::string> Issues(WriteAheadLog& log) {
  std::vector<std::string> issues;
  if (std::string poison = log.poisoned(); !poison.empty()) issues.push_back("the log refuses writes: " + poison);
  if (log.full()) issues.emplace_back("the disk is full");
  return issues;
}

// Under the reference's names, too.
void AddPositions(const LogPositions& at, JsonText* json) {
  json->Field("next_lsn", at.next.value).Field("wal_durable_lsn", at.durable.value);
  json->Field("duckdb_lsn", at.applied.value).Field("iceberg_lsn", at.flushed.value);
}

}  // namespace

Task<Response> ShowWalStatus(Exchange& exchange) {
  WriteAheadLog& log = exchange.server.engine.log();
  const ReplayReport& replay = exchange.server.engine.replay_report();
  std::vector<std::string> issues = Issues(log);
  JsonText json;
  json.BeginObject().Field("enabled", true).Field("status", issues.empty() ? "healthy" : "unhealthy");
  json.Field("lineage", log.lineage().ToString());
  AddPositions(log.positions(), &json);
  json.Field("poisoned", log.poisoned()).Field("disk_full", log.full()).Field("queued_bytes", log.stats().queued_bytes);
  json.Key("last_recovery").BeginObject().Field("segments", replay.segments).Field("groups", replay.groups);
  json.Field("records", replay.records).Field("rows", replay.rows).Field("cut_bytes", replay.cut_bytes);
  json.Field("cut_at", replay.cut_at).Field("last_lsn", replay.last.value).EndObject().EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ShowWalStats(Exchange& exchange) {
  WriteAheadLog& log = exchange.server.engine.log();
  LogStats stats = log.stats();
  auto each = [](uint64_t sum, uint64_t count) {
    return count == 0 ? 0.0 : static_cast<double>(sum) / static_cast<double>(count);
  };
  JsonText json;
  json.BeginObject().Field("groups", stats.groups).Field("records", stats.records).Field("rows", stats.rows);
  json.Field("bytes", stats.bytes).Field("syncs", stats.syncs).Field("rotations", stats.rotations);
  json.Field("sync_avg_ms", each(stats.sync_micros_total, stats.syncs) / 1000);
  json.Field("sync_max_ms", static_cast<double>(stats.sync_micros_max) / 1000);
  json.Field("records_per_group", each(stats.records, stats.groups)).Field("queued_bytes", stats.queued_bytes);
  AddPositions(log.positions(), &json);
  co_return Response::Json(json.EndObject().Take());
}

Task<Response> ListWalFiles(Exchange& exchange) {
  std::vector<SegmentInfo> segments = exchange.server.engine.log().segments();
  int64_t bytes = 0;
  JsonText json;
  json.BeginObject().Key("files").BeginArray();
  for (const SegmentInfo& segment : segments) {
    bytes += segment.bytes;
    json.BeginObject().Field("name", segment.name).Field("state", segment.state).Field("bytes", segment.bytes);
    json.Field("first_lsn", segment.first.value).Field("last_lsn", segment.last.value).EndObject();
  }
  json.EndArray().Field("count", segments.size()).Field("total_bytes", bytes).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ShowWalHealth(Exchange& exchange) {
  std::vector<std::string> issues = Issues(exchange.server.engine.log());
  JsonText json;
  json.BeginObject().Field("status", issues.empty() ? "healthy" : "unhealthy").Field("healthy", issues.empty());
  json.Field("issues", issues).EndObject();
  co_return Response::Json(json.Take(), issues.empty() ? 200 : 503);
}

Task<Response> CleanUpWal(Exchange& exchange) {
  int64_t hours = kDefaultAgeHours;
  if (auto text = exchange.query.Find("max_age_hours")) {
    auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), hours);
    if (code != std::errc() || end != text->data() + text->size() || hours < 0 || hours > kMaxAgeHours) {
      co_return exchange.Fail(InvalidArgument("\"max_age_hours\" must be a number of hours"));
    }
  }
  Engine* engine = &exchange.server.engine;
  const auto call = [engine, hours] { return engine->log().CleanUp(hours * kHourMs); };
  auto removed = co_await CallBlocking<int>(exchange.server, call);
  if (!removed.ok()) co_return exchange.Fail(removed.error());
  JsonText json;
  json.BeginObject().Field("success", true).Field("deleted", *removed).Field("max_age_hours", hours).EndObject();
  co_return Response::Json(json.Take());
}

}  // namespace arc
