#include <optional>
#include <utility>

#include "arc/http/json_text.h"
#include "arc/http/query_request.h"
#include "arc/http/routes.h"

namespace arc {
namespace {

std::optional<Response> RefuseReading(const Exchange& exchange) {
  if (exchange.principal.read || exchange.principal.admin) return std::nullopt;
  return exchange.Fail(
      MakeError(ErrorKind::kPermissionDenied, "this token lacks the permission \"read\" that it needs here"));
}

Task<Response> RunBody(Exchange& exchange, std::optional<ResultFormat> format) {
  std::optional<Response> refused = RefuseReading(exchange);
  if (refused.has_value()) co_return std::move(*refused);
  Result<QuerySpec> spec = ParseQueryBody(exchange);
  if (!spec.ok()) co_return exchange.Fail(spec.error());
  if (format) spec->format = *format;
  co_return co_await AnswerQuery(exchange, std::move(spec).value());
}

Task<Response> RunMeasurement(Exchange& exchange, ResultFormat format) {
  std::string database = DatabaseOf(exchange);
  std::string measurement = exchange.path_params[0];
  // An unreadable database and an absent table look alike from outside.
  bool known =
      exchange.principal.CanRead(database) && exchange.server.engine.catalog().Find(database, measurement) != nullptr;
  if (!known) {
    co_return exchange.Fail(
        NotFound("there is no measurement \"" + measurement + "\" in database \"" + database + "\""));
  }
  Result<QuerySpec> spec = MeasurementQuery(exchange, database, measurement);
  if (!spec.ok()) co_return exchange.Fail(spec.error());
  spec->format = format;
  co_return co_await AnswerQuery(exchange, std::move(spec).value());
}

}  // namespace

Task<Response> QueryJson(Exchange& exchange) {
  // curl -d calls everything a form: what begins like JSON is none.
  size_t first = exchange.body.find_first_not_of(" \t\r\n");
  bool json = first != std::string_view::npos && exchange.body[first] == '{';
  bool form = !json && EqualIgnoringCase(exchange.content_type(), "application/x-www-form-urlencoded");
  if (exchange.query.Find("q") || form) co_return co_await InfluxQuery(exchange);
  co_return co_await RunBody(exchange, std::nullopt);
}

Task<Response> QueryArrow(Exchange& exchange) { co_return co_await RunBody(exchange, ResultFormat::kArrow); }

Task<Response> QueryCsv(Exchange& exchange) { co_return co_await RunBody(exchange, ResultFormat::kCsv); }

Task<Response> QueryMeasurement(Exchange& exchange) {
  co_return co_await RunMeasurement(exchange, ResultFormat::kJson);
}

Task<Response> QueryMeasurementCsv(Exchange& exchange) {
  co_return co_await RunMeasurement(exchange, ResultFormat::kCsv);
}

Task<Response> ListMeasurements(Exchange& exchange) {
  const CatalogView& catalog = exchange.server.engine.catalog();
  std::string wanted;
  if (exchange.head.Has("x-arc-database") || exchange.query.Find("db") || exchange.query.Find("bucket")) {
    wanted = DatabaseOf(exchange);
  } else if (auto database = exchange.query.Find("database")) {
    wanted = *database;
  }
  JsonText json;
  json.BeginObject().Field("success", true).Key("measurements").BeginArray();
  int64_t count = 0;
  for (const std::string& database : catalog.Databases()) {
    if ((!wanted.empty() && wanted != database) || !exchange.principal.CanRead(database)) continue;
    for (const auto& table : catalog.Tables(database)) {
      json.BeginObject().Field("database", database).Field("measurement", table->ref().name).EndObject();
      ++count;
    }
  }
  json.EndArray().Field("count", count).EndObject();
  co_return Response::Json(json.Take());
}

}  // namespace arc
