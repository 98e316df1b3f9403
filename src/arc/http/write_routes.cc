#include <functional>
#include <optional>
#include <string>

#include "arc/decode/arrow_ipc.h"
#include "arc/decode/csv.h"
#include "arc/decode/csv_reader.h"
#include "arc/decode/json.h"
#include "arc/decode/line_protocol.h"
#include "arc/decode/msgpack.h"
#include "arc/decode/timestamp.h"
#include "arc/http/await_callback.h"
#include "arc/http/blocking_call.h"
#include "arc/http/json_text.h"
#include "arc/http/routes.h"

namespace arc {
namespace {

struct Ingest {
  IngestFormat format = IngestFormat::kLineProtocol;
  bool influx3 = false;  // its clients read `data` in a partial write's answer
};

Task<Result<WriteOutcome>> WriteToEngine(ServerContext& server, WriteRequest request, WriteOptions options) {
  // The callback owns the server's memory: it may be called after the server was stopped.
  auto start = [&server, request = std::move(request), options = std::move(options)](auto deliver) mutable {
    auto done = [owner = server.owner.lock(), deliver](Result<WriteOutcome> result) { deliver(std::move(result)); };
    server.engine.Write(std::move(request), options, std::move(done));
  };
  co_return co_await AwaitCallback<Result<WriteOutcome>>(std::move(start));
}

// {"error":"partial write: …",…} with every refused row that the engine names.
Response PartialWrite(const Exchange& exchange, const Ingest& ingest, const std::string& position,
                      const WriteOutcome& outcome) {
  std::string first = outcome.errors.empty() ? "rows were refused"
                                             : position + " " + std::to_string(outcome.errors[0].position) + ": " +
                                                   outcome.errors[0].message;
  std::string message = "partial write: " + first;
  if (outcome.errors_total > 1) message += " (and " + std::to_string(outcome.errors_total - 1) + " more)";
  JsonText json;
  json.BeginObject().Field("success", false).Field("error", message).Field("code", "invalid");
  json.Field("message", message).Field("rows_written", outcome.rows).Field("rows_refused", outcome.errors_total);
  json.Key("errors").BeginArray();
  for (const RowError& error : outcome.errors) {
    json.BeginObject().Field(position, error.position).Field("message", error.message).EndObject();
  }
  json.EndArray();
  if (ingest.influx3) {
    json.Key("data").BeginArray();
    for (const RowError& error : outcome.errors) {
      json.BeginObject().Field("line_number", error.position).Field("error_message", error.message).EndObject();
    }
    json.EndArray();
  }
  json.Field("request_id", exchange.request_id).EndObject();
  return Response::Json(json.Take(), 400);
}

void AddOutcomeHeaders(const WriteOutcome& outcome, Response* response) {
  response->With("x-arc-rows", std::to_string(outcome.rows));
  if (outcome.rows > 0) response->With("x-arc-lsn", std::to_string(outcome.lsn.value));
  if (outcome.notices.empty()) return;
  std::string notices;
  for (const auto& notice : outcome.notices) notices += (notices.empty() ? "" : "; ") + notice;
  response->With("x-arc-notice", HeaderSafe(notices));
}

// Hands the decoded rows to the engine and answers when they are durable.
Task<Response> Take(Exchange& exchange, Ingest ingest, Result<WriteRequest> decoded) {
  IngestCounters& counters = exchange.server.metrics.For(ingest.format);
  const int64_t started = exchange.server.clock.MonotonicNanos();
  counters.requests.fetch_add(1, std::memory_order_relaxed);
  counters.bytes.fetch_add(exchange.body.size(), std::memory_order_relaxed);
  if (!decoded.ok()) {
    counters.errors.fetch_add(1, std::memory_order_relaxed);
    co_return exchange.Fail(decoded.error());
  }
  if (decoded->batches.empty() && decoded->errors.empty()) co_return Response::Empty(204);
  std::string position = decoded->position_name;
  WriteOptions options;
  options.database = DatabaseOf(exchange);
  options.principal = exchange.principal;
  options.accept_partial = exchange.query.Get("accept_partial") != "false";
  Result<WriteOutcome> outcome =
      co_await WriteToEngine(exchange.server, std::move(decoded).value(), std::move(options));
  counters.latency.Record(exchange.server.clock.MonotonicNanos() - started);
  if (!outcome.ok()) {
    counters.errors.fetch_add(1, std::memory_order_relaxed);
    co_return exchange.Fail(outcome.error());
  }
  counters.rows.fetch_add(outcome->rows, std::memory_order_relaxed);
  Response response = Response::Empty(204);
  if (outcome->errors_total > 0) {
    counters.errors.fetch_add(1, std::memory_order_relaxed);
    counters.rows_refused.fetch_add(outcome->errors_total, std::memory_order_relaxed);
    response = PartialWrite(exchange, ingest, position, *outcome);
  }
  AddOutcomeHeaders(*outcome, &response);
  co_return response;
}

// Before decoding: an answer when the token may not write there at all.
std::optional<Response> RefuseDatabase(const Exchange& exchange) {
  std::string database = DatabaseOf(exchange);
  if (exchange.principal.CanWrite(database)) return std::nullopt;
  return exchange.Fail(
      MakeError(ErrorKind::kPermissionDenied, "this token may not write to database \"" + database + "\""));
}

Result<TimePrecision> PrecisionOf(const Exchange& exchange, TimePrecision otherwise) {
  auto name = exchange.query.Find("precision");
  if (!name || name->empty()) return otherwise;
  // InfluxDB 1 also takes the bare sign, as micro sign or Greek letter.
  if (*name == "\u00b5" || *name == "\u03bc") return TimePrecision::kMicros;
  if (auto precision = ParseTimePrecision(*name)) return *precision;
  return InvalidArgument("unknown precision \"" + std::string(*name) +
                         "\": it is one of ns, us, ms, s, m, h, auto, nanosecond, microsecond, millisecond, second");
}

// Parameters of bodies that are one table: measurement, tags, time_column, precision.
Result<TableBodyOptions> TableOptionsOf(const Exchange& exchange) {
  TableBodyOptions options;
  options.measurement = exchange.query.Get("measurement");
  options.time_column = exchange.query.Get("time_column");
  if (auto tags = exchange.query.Find("tags")) {
    auto names = ParseNameList(*tags);
    if (!names.ok()) return WithContext(std::move(names).error(), "tags");
    options.tags = std::move(names).value();
  }
  ARC_ASSIGN_OR_RETURN(options.precision, PrecisionOf(exchange, TimePrecision::kAuto));
  return options;
}

Result<CsvOptions> CsvOptionsOf(const Exchange& exchange) {
  CsvOptions options;
  ARC_ASSIGN_OR_RETURN(options.table, TableOptionsOf(exchange));
  auto columns = ParseNameList(exchange.query.Get("columns"));
  if (!columns.ok()) return WithContext(std::move(columns).error(), "columns");
  options.columns = std::move(columns).value();
  const std::string_view delimiter = exchange.query.Get("delimiter");
  if (delimiter == "tab") {
    options.delimiter = '\t';
  } else if (delimiter.size() == 1 && delimiter.find_first_of("\"\r\n") == std::string_view::npos) {
    options.delimiter = delimiter[0];
  } else if (!delimiter.empty()) {
    return InvalidArgument("delimiter is one byte that is neither a quote nor a line end, or the word tab");
  }
  return options;
}

Task<Response> WriteLines(Exchange& exchange, TimePrecision otherwise, bool influx3) {
  Ingest ingest{IngestFormat::kLineProtocol, influx3};
  std::optional<Response> refused = RefuseDatabase(exchange);
  if (refused.has_value()) co_return std::move(*refused);
  Result<TimePrecision> precision = PrecisionOf(exchange, otherwise);
  if (!precision.ok()) co_return exchange.Fail(precision.error());
  LineProtocolOptions options;
  options.precision = *precision;
  options.server_time_micros = exchange.server.clock.WallMicros();
  Result<WriteRequest> decoded = DecodeLineProtocol(exchange.body, options);
  co_return co_await Take(exchange, ingest, std::move(decoded));
}

}  // namespace

Task<Response> WriteLineProtocol(Exchange& exchange) {
  co_return co_await WriteLines(exchange, TimePrecision::kNanos, false);
}

Task<Response> WriteLineProtocolV3(Exchange& exchange) {
  co_return co_await WriteLines(exchange, TimePrecision::kAuto, true);
}

Task<Response> WriteMsgpack(Exchange& exchange) {
  std::optional<Response> refused = RefuseDatabase(exchange);
  if (refused.has_value()) co_return std::move(*refused);
  Result<TimePrecision> precision = PrecisionOf(exchange, TimePrecision::kMillis);
  if (!precision.ok()) co_return exchange.Fail(precision.error());
  MsgpackOptions options;
  options.precision = *precision;
  options.server_time_micros = exchange.server.clock.WallMicros();
  Ingest ingest{IngestFormat::kMsgpack, false};
  Result<WriteRequest> decoded = DecodeMsgpack(exchange.body, options);
  co_return co_await Take(exchange, ingest, std::move(decoded));
}

Task<Response> WriteJson(Exchange& exchange) {
  std::optional<Response> refused = RefuseDatabase(exchange);
  if (refused.has_value()) co_return std::move(*refused);
  Result<TimePrecision> precision = PrecisionOf(exchange, TimePrecision::kMillis);
  if (!precision.ok()) co_return exchange.Fail(precision.error());
  JsonOptions options;
  options.precision = *precision;
  options.server_time_micros = exchange.server.clock.WallMicros();
  Ingest ingest{IngestFormat::kJson, false};
  Result<WriteRequest> decoded = DecodeJson(exchange.body, options);
  co_return co_await Take(exchange, ingest, std::move(decoded));
}

Task<Response> WriteCsv(Exchange& exchange) {
  std::optional<Response> refused = RefuseDatabase(exchange);
  if (refused.has_value()) co_return std::move(*refused);
  Result<CsvOptions> options = CsvOptionsOf(exchange);
  if (!options.ok()) co_return exchange.Fail(options.error());
  Ingest ingest{IngestFormat::kCsv, false};
  Result<WriteRequest> decoded = DecodeCsv(exchange.body, *options);
  co_return co_await Take(exchange, ingest, std::move(decoded));
}

Task<Response> WriteArrow(Exchange& exchange) {
  std::optional<Response> refused = RefuseDatabase(exchange);
  if (refused.has_value()) co_return std::move(*refused);
  Result<TableBodyOptions> options = TableOptionsOf(exchange);
  if (!options.ok()) co_return exchange.Fail(options.error());
  Ingest ingest{IngestFormat::kArrow, false};
  Result<WriteRequest> decoded = DecodeArrow(exchange.body, *options);
  co_return co_await Take(exchange, ingest, std::move(decoded));
}

Task<Response> FlushNow(Exchange& exchange) {
  const int64_t started = exchange.server.clock.MonotonicNanos();
  Engine* engine = &exchange.server.engine;
  auto flush = [engine]() -> Result<bool> {
    ARC_RETURN_IF_ERROR(engine->Flush());
    return true;
  };
  Result<bool> flushed = co_await CallBlocking<bool>(exchange.server, flush);
  if (!flushed.ok()) co_return exchange.Fail(flushed.error());
  double ms = static_cast<double>(exchange.server.clock.MonotonicNanos() - started) / 1e6;
  JsonText json;
  json.BeginObject().Field("success", true).Field("status", "success").Field("message", "everything is committed");
  co_return Response::Json(json.Field("elapsed_ms", ms).EndObject().Take());
}

}  // namespace arc
