#include <charconv>
#include <optional>
#include <string>

#include "arc/http/blocking_call.h"
#include "arc/http/json_text.h"
#include "arc/http/routes.h"

namespace arc {
namespace {

constexpr int64_t kHourMs = 3'600'000;
constexpr int64_t kMaxHours = 24 * 36'500;

// The tables that a request names: empty names mean all.
struct Scope {
  std::string database;
  std::string measurement;
};

Result<Scope> ScopeOf(const Exchange& exchange) {
  Scope scope{std::string(exchange.query.Get("database")), std::string(exchange.query.Get("measurement"))};
  if (scope.database.empty() && !scope.measurement.empty()) {
    return InvalidArgument("\"measurement\" needs its \"database\"");
  }
  const CatalogView& catalog = exchange.server.engine.catalog();
  if (!scope.measurement.empty() && catalog.Find(scope.database, scope.measurement) == nullptr) {
    return NotFound("there is no measurement " + scope.database + "." + scope.measurement);
  }
  if (!scope.database.empty() && !catalog.FindDatabase(scope.database)) {
    return NotFound("there is no database " + scope.database);
  }
  return scope;
}

// Nothing was said: `fallback`.
Result<bool> FlagOf(const Exchange& exchange, std::string_view name, bool fallback) {
  const auto text = exchange.query.Find(name);
  if (!text) return fallback;
  if (*text == "true" || *text == "false") return *text == "true";
  return InvalidArgument("\"" + std::string(name) + "\" must be true or false");
}

}  // namespace

Task<Response> ShowMaintenance(Exchange& exchange) {
  const UpkeepOptions& options = exchange.server.engine.upkeep().options();
  const MaintenanceStats stats = exchange.server.engine.maintenance_stats();
  JsonText json;
  json.BeginObject().Field("enabled", options.enabled).Field("interval_minutes", options.interval_ms / 60'000);
  json.Field("orphan_interval_hours", options.orphan_interval_ms / kHourMs);
  json.Field("orphan_age_hours", options.orphan_age_ms / kHourMs).Field("remove_orphans", options.remove_orphans);
  json.Field("rounds", stats.upkeep.rounds).Field("errors", stats.upkeep.errors);
  json.Field("last_error", stats.upkeep.last_error.empty() ? std::nullopt : std::optional(stats.upkeep.last_error));
  json.Field("snapshots_expired", stats.upkeep.snapshots_expired)
      .Field("objects_expired", stats.upkeep.objects_expired);
  json.Field("orphans", stats.upkeep.orphans_found).Field("orphans_removed", stats.upkeep.orphans_removed);
  json.Field("clock_hold_seconds", stats.upkeep.clock_hold_ms / 1000);
  json.Key("retention").BeginObject().Field("runs", stats.retention.runs).Field("failed", stats.retention.failed);
  json.Field("files_deleted", stats.retention.files).Field("deleted_count", stats.retention.rows);
  json.Field("bytes_deleted", stats.retention.bytes).EndObject().EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ExpireNow(Exchange& exchange) {
  auto scope = ScopeOf(exchange);
  if (!scope.ok()) co_return exchange.Fail(scope.error());
  Engine* engine = &exchange.server.engine;
  const auto call = [engine, scope = *scope] {
    return engine->upkeep().ExpireSnapshots(scope.database, scope.measurement);
  };
  auto outcome = co_await CallBlocking<ExpiryOutcome>(exchange.server, call);
  if (!outcome.ok()) co_return exchange.Fail(outcome.error());
  JsonText json;
  json.BeginObject().Field("success", true).Field("snapshots_expired", outcome->snapshots);
  json.Field("objects_removed", outcome->objects).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> RemoveOrphansNow(Exchange& exchange) {
  auto scope = ScopeOf(exchange);
  if (!scope.ok()) co_return exchange.Fail(scope.error());
  auto dry_run = FlagOf(exchange, "dry_run", true);
  if (!dry_run.ok()) co_return exchange.Fail(dry_run.error());
  int64_t hours = exchange.server.engine.upkeep().options().orphan_age_ms / kHourMs;
  if (auto text = exchange.query.Find("older_than_hours")) {
    auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), hours);
    if (code != std::errc() || end != text->data() + text->size() || hours < 0 || hours > kMaxHours) {
      co_return exchange.Fail(InvalidArgument("\"older_than_hours\" must be a number of hours"));
    }
  }
  Engine* engine = &exchange.server.engine;
  const auto call = [engine, scope = *scope, hours, dry_run = *dry_run] {
    return engine->upkeep().RemoveOrphans(scope.database, scope.measurement, hours * kHourMs, dry_run);
  };
  auto outcome = co_await CallBlocking<OrphanOutcome>(exchange.server, call);
  if (!outcome.ok()) co_return exchange.Fail(outcome.error());
  JsonText json;
  json.BeginObject().Field("success", outcome->errors.empty()).Field("dry_run", *dry_run);
  json.Field("orphans", outcome->count).Field("bytes", outcome->bytes).Field("removed", outcome->removed);
  json.Key("objects").BeginArray();
  for (const auto& object : outcome->objects) {
    json.BeginObject().Field("key", object.key).Field("bytes", object.bytes).EndObject();
  }
  json.EndArray().Field("errors", outcome->errors).EndObject();
  co_return Response::Json(json.Take());
}

}  // namespace arc
