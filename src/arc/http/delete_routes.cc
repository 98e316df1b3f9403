// Deleting rows, tables and databases over HTTP.
#include <fmt/format.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arc/http/await_callback.h"
#include "arc/http/influx_predicate.h"
#include "arc/http/json_body.h"
#include "arc/http/json_text.h"
#include "arc/http/query_request.h"
#include "arc/http/routes.h"
#include "arc/http/time_text.h"

namespace arc {
namespace {

constexpr std::string_view kExample = R"({"database": "default", "measurement": "cpu", "where": "host = 'a'"})";
constexpr std::string_view kInfluxExample =
    R"({"start": "2025-01-01T00:00:00Z", "stop": "2025-02-01T00:00:00Z", "predicate": "_measurement=\"cpu\""})";

struct DeleteBody {
  std::string database;
  std::string measurement;
  std::string where;
  bool dry_run = false;
  bool confirm = false;
};

struct InfluxBody {
  std::string start;
  std::string stop;
  std::string predicate;
};

// A deletion takes a place among the queries, and ends when the client goes away. As CallBlocking, `call` is copied and
// no temporary.
template <typename T, typename Call>
Task<Result<T>> CallWhileClientIsThere(Exchange& exchange, Call& call) {
  auto cancel = std::make_shared<CancelSwitch>();
  exchange.stream.Watch([cancel] { cancel->Cancel(); });
  auto start = [server = &exchange.server, cancel, call = call](auto deliver) {
    Status admitted = server->AdmitQuery([deliver, cancel, call] { deliver(call(*cancel)); });
    if (!admitted.ok()) deliver(Result<T>(admitted.error()));
  };
  Result<T> result = co_await AwaitCallback<Result<T>>(std::move(start));
  co_await exchange.stream.Unwatch();
  co_return result;
}

Result<DeleteBody> ReadBody(const Exchange& exchange) {
  DeleteBody body;
  body.database = DatabaseOf(exchange);
  ARC_RETURN_IF_ERROR(ForEachKey(exchange.body, kExample, [&](const std::string& key, JsonValue value) -> Status {
    if (key == "database" || key == "db") {
      ARC_ASSIGN_OR_RETURN(body.database, JsonString(key, value));
    } else if (key == "measurement") {
      ARC_ASSIGN_OR_RETURN(body.measurement, JsonString(key, value));
    } else if (key == "where") {
      ARC_ASSIGN_OR_RETURN(body.where, JsonString(key, value));
    } else if (key == "dry_run") {
      ARC_ASSIGN_OR_RETURN(body.dry_run, JsonFlag(key, value));
    } else if (key == "confirm") {
      ARC_ASSIGN_OR_RETURN(body.confirm, JsonFlag(key, value));
    } else {
      return InvalidArgument("unknown key \"" + key + "\"");  // a misspelt condition must not be overlooked
    }
    return {};
  }));
  if (body.measurement.empty()) return InvalidArgument("\"measurement\" is missing");
  if (body.where.empty() && !body.dry_run && !body.confirm) {
    return InvalidArgument(
        "deleting all rows of a measurement, without \"where\", needs \"confirm\": true; look at the dry run first");
  }
  return body;
}

// The condition is the user's SQL: whatever it holds, the text is one DELETE from this very table or none.
std::string DeleteSql(const std::string& database, const std::string& measurement, const std::string& where) {
  std::string sql = "DELETE FROM " + QuotedName(database) + "." + QuotedName(measurement);
  if (!where.empty()) sql += " WHERE (\n" + where + "\n)";  // it may end with a comment
  return sql;
}

QueryRequest RequestOf(const Exchange& exchange, const std::string& database, std::string sql) {
  QueryRequest request;
  request.sql = std::move(sql);
  request.database = database;
  request.principal = exchange.principal;
  return request;
}

Response OutcomeResponse(const DeletionOutcome& outcome, bool dry_run, double ms) {
  JsonText json;
  json.BeginObject().Field("success", true).Field("dry_run", dry_run);
  json.Field("deleted_count", outcome.rows).Field("affected_files", outcome.files_dropped + outcome.files_rewritten);
  json.Field("files_dropped", outcome.files_dropped).Field("files_rewritten", outcome.files_rewritten);
  json.Field("bytes", outcome.bytes).Field("bytes_written", outcome.bytes_written);
  json.Field("snapshot_id", outcome.snapshot_id).Field("through_lsn", outcome.through.value);
  json.Field("execution_time_ms", ms);
  if (dry_run) {
    json.Field("message", fmt::format("would delete {} rows, rewrite {} files, drop {} files, {} bytes", outcome.rows,
                                      outcome.files_rewritten, outcome.files_dropped, outcome.bytes));
  }
  return Response::Json(json.EndObject().Take());
}

// 409 while it only tells what would go.
Response DropResponse(const DropOutcome& outcome) {
  const bool is_done = outcome.confirmation.empty();
  JsonText json;
  json.BeginObject().Field("success", is_done);
  if (!is_done) {
    json.Field("error", "nothing is dropped yet: this cannot be undone; send it again with ?confirm=" +
                            outcome.confirmation + " if it is wanted");
    json.Field("code", "conflict").Field("confirm", outcome.confirmation);
    json.Field("confirm_within_seconds", TableDrops::kConfirmationMs / 1000);
  }
  json.Field("database", outcome.database);
  json.Field("measurement", outcome.measurement.empty() ? std::nullopt : std::optional(outcome.measurement));
  json.Field("tables", outcome.tables).Field("rows", outcome.rows).Field("files", outcome.files);
  json.Field("bytes", outcome.bytes).EndObject();
  return Response::Json(json.Take(), is_done ? 200 : 409);
}

Task<Response> Drop(Exchange& exchange, const std::string& measurement) {
  DropRequest request;
  request.database = exchange.path_params[0];
  request.measurement = measurement;
  request.confirmation = std::string(exchange.query.Get("confirm"));
  request.principal = exchange.principal;
  Engine* engine = &exchange.server.engine;
  auto call = [engine, request](CancelSwitch&) { return engine->deletions().Drop(request); };
  Result<DropOutcome> outcome = co_await CallWhileClientIsThere<DropOutcome>(exchange, call);
  if (!outcome.ok()) co_return exchange.Fail(outcome.error());
  co_return DropResponse(*outcome);
}

std::string QuotedText(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) {
    if (c == '\'') quoted.push_back('\'');
    quoted.push_back(c);
  }
  return quoted + "'";
}

Result<InfluxBody> ReadInfluxBody(const Exchange& exchange) {
  InfluxBody body;
  ARC_RETURN_IF_ERROR(ForEachKey(exchange.body, kInfluxExample, [&](const std::string& key, JsonValue value) -> Status {
    std::string* const text = key == "start"       ? &body.start
                              : key == "stop"      ? &body.stop
                              : key == "predicate" ? &body.predicate
                                                   : nullptr;
    if (text == nullptr) return InvalidArgument("unknown key \"" + key + "\"");
    ARC_ASSIGN_OR_RETURN(*text, JsonString(key, value));
    return {};
  }));
  return body;
}

// Measurements without one of the tags have no such points.
std::vector<std::string> MeasurementsOf(const CatalogView& catalog, const std::string& database,
                                        const InfluxPredicate& predicate) {
  std::vector<std::shared_ptr<Table>> tables;
  if (predicate.measurement.empty()) {
    tables = catalog.Tables(database);
  } else if (auto table = catalog.Find(database, predicate.measurement)) {
    tables.push_back(std::move(table));
  }
  std::vector<std::string> names;
  for (const auto& table : tables) {
    const auto schema = table->Current()->schema;
    bool has_all = true;
    for (const auto& [tag, value] : predicate.tags) has_all &= schema->Find(tag) >= 0;
    if (has_all) names.push_back(table->ref().name);
  }
  return names;
}

Result<std::string> InfluxCondition(const InfluxBody& body, const InfluxPredicate& predicate) {
  ARC_ASSIGN_OR_RETURN(const std::string start, TimeLiteral("start", body.start));
  ARC_ASSIGN_OR_RETURN(const std::string stop, TimeLiteral("stop", body.stop));
  std::string where = "time >= " + start + " AND time < " + stop;
  for (const auto& [tag, value] : predicate.tags) where += " AND " + QuotedName(tag) + " = " + QuotedText(value);
  return where;
}

}  // namespace

Task<Response> DeleteRows(Exchange& exchange) {
  auto body = ReadBody(exchange);
  if (!body.ok()) co_return exchange.Fail(body.error());
  const std::string sql = DeleteSql(body->database, body->measurement, body->where);
  Engine* engine = &exchange.server.engine;
  const int64_t started = exchange.server.clock.MonotonicNanos();
  auto call = [engine, request = RequestOf(exchange, body->database, sql),
               dry_run = body->dry_run](CancelSwitch& cancel) {
    return engine->deletions().Delete(request, dry_run, /*all_rows=*/true, cancel);
  };
  Result<DeletionOutcome> outcome = co_await CallWhileClientIsThere<DeletionOutcome>(exchange, call);
  if (!outcome.ok()) co_return exchange.Fail(outcome.error());
  const double ms = static_cast<double>(exchange.server.clock.MonotonicNanos() - started) / 1e6;
  co_return OutcomeResponse(*outcome, body->dry_run, ms);
}

Task<Response> DeleteInfluxPoints(Exchange& exchange) {
  auto body = ReadInfluxBody(exchange);
  if (!body.ok()) co_return exchange.Fail(body.error());
  auto predicate = ParseInfluxPredicate(body->predicate);
  if (!predicate.ok()) co_return exchange.Fail(predicate.error());
  auto where = InfluxCondition(*body, *predicate);
  if (!where.ok()) co_return exchange.Fail(where.error());
  const std::string database = DatabaseOf(exchange);
  // Here rather than for each measurement: whether there is one is not told to everybody.
  if (!exchange.principal.CanWrite(database) || !exchange.principal.CanRead(database)) {
    co_return exchange.Fail(
        MakeError(ErrorKind::kPermissionDenied, "this token may not delete from bucket \"" + database + "\""));
  }
  Engine* engine = &exchange.server.engine;
  auto call = [engine, database, predicate = *predicate,
               base = RequestOf(exchange, database, *where)](CancelSwitch& cancel) -> Result<int64_t> {
    int64_t rows = 0;
    for (const auto& measurement : MeasurementsOf(engine->catalog(), database, predicate)) {
      QueryRequest request = base;
      request.sql = DeleteSql(database, measurement, base.sql);
      ARC_ASSIGN_OR_RETURN(const auto outcome, engine->deletions().Delete(request, false, false, cancel));
      rows += outcome.rows;
    }
    return rows;
  };
  Result<int64_t> rows = co_await CallWhileClientIsThere<int64_t>(exchange, call);
  if (!rows.ok()) co_return exchange.Fail(rows.error());
  co_return Response::Empty(204);
}

Task<Response> DropMeasurement(Exchange& exchange) {
  const std::string& measurement = exchange.path_params[1];
  co_return co_await Drop(exchange, measurement);
}

Task<Response> DropDatabase(Exchange& exchange) {
  const std::string all_measurements;
  co_return co_await Drop(exchange, all_measurements);
}

}  // namespace arc
