#include "arc/http/query_request.h"

#include <simdjson.h>

#include <charconv>
#include <limits>

#include "arc/http/time_text.h"

namespace arc {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr int64_t kDefaultMeasurementLimit = 1000;
constexpr int64_t kMaxTimeoutMs = 24LL * 3600 * 1000;

Error WrongKey(std::string_view key, std::string_view expected) {
  return InvalidArgument("\"" + std::string(key) + "\" must be " + std::string(expected));
}

Result<std::string> Text(std::string_view key, ondemand::value value) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return WrongKey(key, "a string");
  return std::string(text);
}

Result<int64_t> Count(std::string_view key, ondemand::value value, int64_t most) {
  int64_t number = 0;
  if (value.get_int64().get(number) != simdjson::SUCCESS || number < 0 || number > most) {
    return WrongKey(key, "an integer from 0 to " + std::to_string(most));
  }
  return number;
}

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

Status ReadKey(std::string_view key, ondemand::value value, QuerySpec* spec) {
  bool null = false;
  if (value.is_null().get(null) == simdjson::SUCCESS && null) return {};
  if (key == "sql" || key == "query") {
    ARC_ASSIGN_OR_RETURN(spec->request.sql, Text(key, value));
  } else if (key == "database" || key == "db") {
    ARC_ASSIGN_OR_RETURN(spec->request.database, Text(key, value));
  } else if (key == "limit") {
    ARC_ASSIGN_OR_RETURN(int64_t limit, Count(key, value, std::numeric_limits<int64_t>::max()));
    spec->limit = limit;
  } else if (key == "timeout_ms") {
    ARC_ASSIGN_OR_RETURN(int64_t timeout, Count(key, value, kMaxTimeoutMs));
    spec->request.timeout = std::chrono::milliseconds(timeout);
  } else if (key == "format") {
    ARC_ASSIGN_OR_RETURN(std::string name, Text(key, value));
    ARC_ASSIGN_OR_RETURN(spec->format, Format(name));
  } else if (key == "priority") {
    ARC_ASSIGN_OR_RETURN(std::string name, Text(key, value));
    ARC_ASSIGN_OR_RETURN(spec->request.priority, Priority(name));
  }
  return {};
}

std::string Quoted(const std::string& name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  return out + "\"";
}

// `TIMESTAMP '…'` of a time given by the client, so that nothing of it but a parsed number reaches the SQL.
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

}  // namespace

Result<QuerySpec> ParseQueryBody(const Exchange& exchange) {
  QuerySpec spec;
  spec.request.database = DatabaseOf(exchange);
  spec.request.principal = exchange.principal;
  static thread_local ondemand::parser parser;
  ondemand::document document;
  ondemand::object object;
  simdjson::padded_string_view body(exchange.body.data(), exchange.body.size(), exchange.body.size() + kBodyPadding);
  if (parser.iterate(body).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    return InvalidArgument("the body must be a JSON object like {\"sql\": \"SELECT 1\"}");
  }
  for (auto field : object) {
    std::string_view key;
    ondemand::value value;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS) {
      return InvalidArgument("the body is not valid JSON");
    }
    ARC_RETURN_IF_ERROR(ReadKey(key, value, &spec));
  }
  if (!document.at_end()) return InvalidArgument("the body is not valid JSON: something follows the object");
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
  spec.request.sql = "SELECT * FROM " + Quoted(database) + "." + Quoted(measurement) + where +
                     " ORDER BY time DESC LIMIT " + std::to_string(limit);
  return spec;
}

}  // namespace arc
