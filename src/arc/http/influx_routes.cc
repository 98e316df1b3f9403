// What InfluxDB's clients ask besides writing: ping, and CREATE DATABASE before the first write.
#include <cctype>
#include <optional>
#include <string>
#include <string_view>

#include "arc/http/blocking_call.h"
#include "arc/http/json_text.h"
#include "arc/http/routes.h"

namespace arc {
namespace {

// Clients look at the major version only; 1.8 is the last that speaks everything served here.
constexpr const char* kInfluxVersion = "1.8.10-arc";

void SkipBlanks(std::string_view* text) {
  while (!text->empty() && std::isspace(static_cast<unsigned char>(text->front())) != 0) text->remove_prefix(1);
}

bool TakeWord(std::string_view* text, std::string_view word) {
  SkipBlanks(text);
  if (text->size() < word.size() || !EqualIgnoringCase(text->substr(0, word.size()), word)) return false;
  if (text->size() > word.size()) {
    auto next = static_cast<unsigned char>((*text)[word.size()]);
    if (std::isalnum(next) != 0 || next == '_') return false;
  }
  text->remove_prefix(word.size());
  return true;
}

// An InfluxQL identifier: letters, digits and underscores, or anything in double quotes with \" and \\ escaped.
std::optional<std::string> TakeIdentifier(std::string_view* text) {
  SkipBlanks(text);
  std::string name;
  if (!text->empty() && text->front() == '"') {
    text->remove_prefix(1);
    while (!text->empty() && text->front() != '"') {
      if (text->front() == '\\' && text->size() > 1) text->remove_prefix(1);
      name.push_back(text->front());
      text->remove_prefix(1);
    }
    if (text->empty()) return std::nullopt;
    text->remove_prefix(1);
  } else {
    auto part_of_name = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; };
    while (!text->empty() && part_of_name(text->front())) {
      name.push_back(text->front());
      text->remove_prefix(1);
    }
  }
  return name.empty() ? std::nullopt : std::optional(name);
}

// The database of `CREATE DATABASE name [WITH …]`; a retention policy named there is not kept.
std::optional<std::string> CreatedDatabase(std::string_view text) {
  if (!TakeWord(&text, "CREATE") || !TakeWord(&text, "DATABASE")) return std::nullopt;
  auto name = TakeIdentifier(&text);
  SkipBlanks(&text);
  bool ends = text.empty() || text == ";" || TakeWord(&text, "WITH");
  return ends ? name : std::nullopt;
}

Response InfluxError(const std::string& message, int status) {
  JsonText json;
  return Response::Json(json.BeginObject().Field("error", message).EndObject().Take(), status)
      .With("X-Influxdb-Version", kInfluxVersion);
}

}  // namespace

Task<Response> Ping(Exchange&) {
  Response response = Response::Empty(204);
  response.With("X-Influxdb-Version", kInfluxVersion).With("X-Influxdb-Build", "OSS");
  co_return response;
}

Task<Response> InfluxQuery(Exchange& exchange) {
  QueryString form;
  if (EqualIgnoringCase(exchange.content_type(), "application/x-www-form-urlencoded")) form.Parse(exchange.body);
  std::string_view statement = form.Find("q").value_or(exchange.query.Get("q"));
  if (statement.empty()) co_return InfluxError("missing required parameter \"q\"", 400);
  auto database = CreatedDatabase(statement);
  if (!database) {
    co_return InfluxError(
        "error parsing query: InfluxQL other than CREATE DATABASE is not served yet; send SQL as JSON {\"sql\": …}",
        400);
  }
  if (!exchange.principal.CanWrite(*database)) {
    co_return InfluxError("this token may not create database \"" + *database + "\"", 403);
  }
  Engine* engine = &exchange.server.engine;
  auto create = [engine, name = *database]() -> Result<bool> {
    ARC_RETURN_IF_ERROR(engine->CreateDatabase(name));
    return true;
  };
  Result<bool> created = co_await CallBlocking<bool>(exchange.server, create);
  if (!created.ok()) co_return InfluxError(created.error().message, StatusOf(created.error().kind));
  Response response = Response::Json("{\"results\":[{\"statement_id\":0}]}");
  co_return response.With("X-Influxdb-Version", kInfluxVersion);
}

}  // namespace arc
