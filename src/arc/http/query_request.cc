#include "arc/http/query_request.h"

#include <charconv>
#include <limits>

#include "arc/http/json_body.h"
#include "arc/http/time_text.h"

namespace arc {
namespace {

constexpr int64_t kDefaultMeasurementLimit = 1000;
constexpr int64_t kMaxTimeoutMs = 24LL * 3600 * 1000;

Result<ResultFormat> Format(const std::string& name) {
  if (EqualIgnoringCase(name, "json")) return ResultFormat::kJson;
  if (EqualIgnoringCase(name, "csv")) return ResultFormat::kCsv;
  if (EqualIgnoringCase(name, "arrow")) return ResultFormat::kArrow;
  return WrongKey("format", "json, csv or arrow");
}

Result<QueryPriority> Priority(const std::string& name) {
  if (EqualIgnoringCase(name, "critical")) return QueryPriority::kCritical;
  if (EqualIgnoringCase(name, "high")) return QueryPriority::kHigh;
  if (EqualIgnoringCase(name, "normal")) return QueryPriority::kNormal;
  if (EqualIgnoringCase(name, "low")) return QueryPriority::kLow;
  return WrongKey("priority", "critical, high, normal or low");
}

Status ReadKey(const std::string& key, JsonValue value, QuerySpec* spec) {
  if (key == "sql" || key == "query") {
    ARC_ASSIGN_OR_RETURN(spec->request.sql, JsonString(key, value));
  } else if (key == "database" || key == "db") {
    ARC_ASSIGN_OR_RETURN(spec->request.database, JsonString(key, value));
  } else if (key == "limit") {
    ARC_ASSIGN_OR_RETURN(spec->limit, JsonInteger(key, value, 0, std::numeric_limits<int64_t>::max()));
  } else if (key == "timeout_ms") {
    ARC_ASSIGN_OR_RETURN(int64_t timeout, JsonInteger(key, value, 0, kMaxTimeoutMs));
    spec->request.timeout = std::chrono::milliseconds(timeout);
  } else if (key == "format") {
    ARC_ASSIGN_OR_RETURN(std::string name, JsonString(key, value));
    ARC_ASSIGN_OR_RETURN(spec->format, Format(name));
  } else if (key == "confirm") {
    ARC_ASSIGN_OR_RETURN(spec->request.confirmation, JsonString(key, value));
  } else if (key == "priority") {
    ARC_ASSIGN_OR_RETURN(std::string name, JsonString(key, value));
    ARC_ASSIGN_OR_RETURN(spec->request.priority, Priority(name));
  }
  return {};
}

}  // namespace

std::string QuotedName(const std::string& name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

Result<std::string> TimeLiteral(std::string_view name, std::string_view text) {
  auto micros = ParseTime(text);
  if (!micros) {
    return InvalidArgument("\"" + std::string(name) +
                           "\" must be a time like 2025-01-15T14:00:00Z or an integer of "
                           "s, ms, us or ns since 1970");
  }
  std::string iso = IsoMicros(*micros);
  iso.pop_back();  // the Z
  return "TIMESTAMP '" + iso + "'";
}

Result<QuerySpec> ParseQueryBody(const Exchange& exchange) {
  QuerySpec spec;
  spec.request.database = DatabaseOf(exchange);
  spec.request.principal = exchange.principal;
  auto read = [&spec](const std::string& key, JsonValue value) { return ReadKey(key, value, &spec); };
  ARC_RETURN_IF_ERROR(ForEachKey(exchange.body, "{\"sql\": \"SELECT 1\"}", read));
  if (spec.request.sql.empty()) return InvalidArgument("\"sql\" is missing");
  return spec;
}

Result<QuerySpec> MeasurementQuery(const Exchange& exchange, const std::string& database,
                                   const std::string& measurement) {
  QuerySpec spec;
  spec.request.database = database;
  spec.request.principal = exchange.principal;
  int64_t limit = kDefaultMeasurementLimit;
  if (auto text = exchange.query.Find("limit")) {
    auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), limit);
    if (code != std::errc() || end != text->data() + text->size() || limit < 0) {
      return InvalidArgument("\"limit\" must be a count");
    }
  }
  std::string where;
  if (auto from = exchange.query.Find("from")) {
    ARC_ASSIGN_OR_RETURN(std::string time, TimeLiteral("from", *from));
    where = " WHERE time >= " + time;
  }
  if (auto to = exchange.query.Find("to")) {
    ARC_ASSIGN_OR_RETURN(std::string time, TimeLiteral("to", *to));
    where += (where.empty() ? " WHERE time < " : " AND time < ") + time;
  }
  spec.request.sql = "SELECT * FROM " + QuotedName(database) + "." + QuotedName(measurement) + where +
                     " ORDER BY time DESC LIMIT " + std::to_string(limit);
  return spec;
}

}  // namespace arc
