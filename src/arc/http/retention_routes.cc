#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "arc/http/blocking_call.h"
#include "arc/http/json_body.h"
#include "arc/http/json_text.h"
#include "arc/http/routes.h"
#include "arc/http/time_text.h"

namespace arc {
namespace {

constexpr std::string_view kExample = R"({"name": "a year", "database": "default", "retention_days": 365})";
constexpr int kDefaultExecutions = 50;

struct PolicyView {
  RetentionPolicy policy;
  std::optional<RetentionExecution> last;
};

std::string_view NameOf(RetentionExecution::State state) {
  switch (state) {
    case RetentionExecution::State::kRunning: return "running";
    case RetentionExecution::State::kCompleted: return "completed";
    case RetentionExecution::State::kFailed: return "failed";
    case RetentionExecution::State::kInterrupted: break;
  }
  return "interrupted";
}

void AddTime(std::string_view key, int64_t micros, JsonText* json) {
  json->Field(key, micros == 0 ? std::nullopt : std::optional(IsoMicros(micros)));
}

// Into an object begun by the caller.
void AddPolicy(const PolicyView& view, JsonText* json) {
  const RetentionPolicy& policy = view.policy;
  json->Field("id", policy.id).Field("name", policy.name).Field("database", policy.database);
  json->Field("measurement", policy.measurement.empty() ? std::nullopt : std::optional(policy.measurement));
  json->Field("retention_days", policy.retention_days).Field("buffer_days", policy.buffer_days);
  json->Field("is_active", policy.active);
  AddTime("created_at", policy.created_micros, json);
  AddTime("updated_at", policy.updated_micros, json);
  AddTime("last_execution_time", view.last ? view.last->started_micros : 0, json);
  json->Field("last_execution_status", view.last ? std::optional(std::string(NameOf(view.last->state))) : std::nullopt);
  json->Field("last_deleted_count", view.last ? std::optional(view.last->rows) : std::nullopt);
}

void AddExecution(const RetentionExecution& execution, JsonText* json) {
  json->BeginObject().Field("id", execution.id).Field("policy_id", execution.policy_id);
  json->Field("status", NameOf(execution.state)).Field("scheduled", execution.scheduled);
  AddTime("cutoff_date", execution.cutoff_micros, json);
  AddTime("execution_time", execution.started_micros, json);
  AddTime("finished_at", execution.finished_micros, json);
  json->Field("deleted_count", execution.rows).Field("files_deleted", execution.files);
  json->Field("bytes_deleted", execution.bytes);
  json->Field("error", execution.error.empty() ? std::nullopt : std::optional(execution.error)).EndObject();
}

Result<PolicyView> ViewOf(Engine& engine, Result<RetentionPolicy> policy) {
  if (!policy.ok()) return std::move(policy).error();
  PolicyView view{std::move(*policy), {}};
  ARC_ASSIGN_OR_RETURN(auto executions, engine.retention().store().Executions(view.policy.id, 1));
  if (!executions.empty()) view.last = std::move(executions[0]);
  return view;
}

Response PolicyResponse(const PolicyView& view, int status) {
  JsonText json;
  json.BeginObject().Field("success", true);
  AddPolicy(view, &json);
  return Response::Json(json.EndObject().Take(), status);
}

Result<int64_t> IdOf(const Exchange& exchange) {
  const std::string& text = exchange.path_params[0];
  int64_t id = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (code == std::errc() && end == text.data() + text.size()) return id;
  return NotFound("there is no retention policy \"" + text + "\"");
}

// The policy that {id} names, as the principal may see it: others' databases have none.
Result<PolicyView> FindPolicy(Engine& engine, const Principal& principal, int64_t id) {
  ARC_ASSIGN_OR_RETURN(auto view, ViewOf(engine, engine.retention().store().Policy(id)));
  if (!principal.CanRead(view.policy.database)) return NotFound("there is no retention policy " + std::to_string(id));
  return view;
}

Status ReadKey(const std::string& key, JsonValue value, RetentionPolicy* policy) {
  if (key == "name") {
    ARC_ASSIGN_OR_RETURN(policy->name, JsonString(key, value));
  } else if (key == "database") {
    ARC_ASSIGN_OR_RETURN(policy->database, JsonString(key, value));
  } else if (key == "measurement") {
    ARC_ASSIGN_OR_RETURN(policy->measurement, JsonString(key, value));
  } else if (key == "retention_days") {
    ARC_ASSIGN_OR_RETURN(policy->retention_days, JsonInteger(key, value, 1, Retention::kMaxDays));
  } else if (key == "buffer_days") {
    ARC_ASSIGN_OR_RETURN(policy->buffer_days, JsonInteger(key, value, 0, Retention::kMaxDays));
  } else if (key == "is_active") {
    ARC_ASSIGN_OR_RETURN(policy->active, JsonFlag(key, value));
  } else {
    return InvalidArgument("unknown key \"" + key + "\"");  // a misspelt limit must not be overlooked
  }
  return {};
}

Status ReadPolicy(std::string_view body, RetentionPolicy* policy) {
  return ForEachKey(body, kExample,
                    [&](const std::string& key, JsonValue value) { return ReadKey(key, value, policy); });
}

struct ExecutionBody {
  bool dry_run = true;
  bool confirm = false;
};

// An empty body is a dry run.
Result<ExecutionBody> ReadExecution(std::string_view text) {
  ExecutionBody body;
  if (text.empty()) return body;
  ARC_RETURN_IF_ERROR(ForEachKey(text, R"({"dry_run": false, "confirm": true})",
                                 [&](const std::string& key, JsonValue value) -> Status {
                                   if (key != "dry_run" && key != "confirm") {
                                     return InvalidArgument("unknown key \"" + key + "\"");
                                   }
                                   ARC_ASSIGN_OR_RETURN(const bool flag, JsonFlag(key, value));
                                   (key == "dry_run" ? body.dry_run : body.confirm) = flag;
                                   return {};
                                 }));
  if (!body.dry_run && !body.confirm) {
    return InvalidArgument("deleting needs \"confirm\": true; look at the dry run first");
  }
  return body;
}

void AddShare(const RetentionShare& share, JsonText* json) {
  json->Field("files_deleted", share.files).Field("deleted_count", share.rows).Field("bytes_deleted", share.bytes);
  json->Field("straddling_files", share.straddling_files);
}

}  // namespace

Task<Response> ListRetention(Exchange& exchange) {
  Engine* engine = &exchange.server.engine;
  const auto call = [engine, principal = exchange.principal]() -> Result<std::vector<PolicyView>> {
    ARC_ASSIGN_OR_RETURN(auto policies, engine->retention().store().Policies());
    std::vector<PolicyView> seen;
    for (auto& policy : policies) {
      if (!principal.CanRead(policy.database)) continue;
      ARC_ASSIGN_OR_RETURN(auto view, ViewOf(*engine, std::move(policy)));
      seen.push_back(std::move(view));
    }
    return seen;
  };
  auto views = co_await CallBlocking<std::vector<PolicyView>>(exchange.server, call);
  if (!views.ok()) co_return exchange.Fail(views.error());
  JsonText json;
  json.BeginObject().Field("success", true).Key("policies").BeginArray();
  for (const auto& view : *views) {
    json.BeginObject();
    AddPolicy(view, &json);
    json.EndObject();
  }
  json.EndArray().Field("count", views->size()).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> AddRetention(Exchange& exchange) {
  RetentionPolicy policy;
  if (auto read = ReadPolicy(exchange.body, &policy); !read.ok()) co_return exchange.Fail(read.error());
  Engine* engine = &exchange.server.engine;
  const auto call = [engine, policy] { return ViewOf(*engine, engine->retention().Add(policy)); };
  auto view = co_await CallBlocking<PolicyView>(exchange.server, call);
  if (!view.ok()) co_return exchange.Fail(view.error());
  co_return PolicyResponse(*view, 201);
}

Task<Response> ShowRetention(Exchange& exchange) {
  auto id = IdOf(exchange);
  if (!id.ok()) co_return exchange.Fail(id.error());
  Engine* engine = &exchange.server.engine;
  const auto call = [engine, id = *id, principal = exchange.principal] { return FindPolicy(*engine, principal, id); };
  auto view = co_await CallBlocking<PolicyView>(exchange.server, call);
  if (!view.ok()) co_return exchange.Fail(view.error());
  co_return PolicyResponse(*view, 200);
}

// Keys that the body leaves out stay as they are.
Task<Response> ChangeRetention(Exchange& exchange) {
  auto id = IdOf(exchange);
  if (!id.ok()) co_return exchange.Fail(id.error());
  Engine* engine = &exchange.server.engine;
  const auto find = [engine, id = *id] { return engine->retention().store().Policy(id); };
  auto found = co_await CallBlocking<RetentionPolicy>(exchange.server, find);
  if (!found.ok()) co_return exchange.Fail(found.error());
  RetentionPolicy policy = *found;
  if (auto read = ReadPolicy(exchange.body, &policy); !read.ok()) co_return exchange.Fail(read.error());
  const auto change = [engine, policy] { return ViewOf(*engine, engine->retention().Change(policy)); };
  auto view = co_await CallBlocking<PolicyView>(exchange.server, change);
  if (!view.ok()) co_return exchange.Fail(view.error());
  co_return PolicyResponse(*view, 200);
}

Task<Response> RemoveRetention(Exchange& exchange) {
  auto id = IdOf(exchange);
  if (!id.ok()) co_return exchange.Fail(id.error());
  Engine* engine = &exchange.server.engine;
  const auto call = [engine, id = *id]() -> Result<bool> {
    ARC_RETURN_IF_ERROR(engine->retention().store().RemovePolicy(id));
    return true;
  };
  auto removed = co_await CallBlocking<bool>(exchange.server, call);
  if (!removed.ok()) co_return exchange.Fail(removed.error());
  JsonText json;
  json.BeginObject().Field("success", true).Field("message", "the policy is removed; it deleted nothing").EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ExecuteRetention(Exchange& exchange) {
  auto id = IdOf(exchange);
  if (!id.ok()) co_return exchange.Fail(id.error());
  auto body = ReadExecution(exchange.body);
  if (!body.ok()) co_return exchange.Fail(body.error());
  Engine* engine = &exchange.server.engine;
  const int64_t started = exchange.server.clock.MonotonicNanos();
  const auto call = [engine, id = *id, dry_run = body->dry_run] {
    return dry_run ? engine->retention().Plan(id) : engine->retention().Run(id);
  };
  auto outcome = co_await CallBlocking<RetentionOutcome>(exchange.server, call);
  if (!outcome.ok()) co_return exchange.Fail(outcome.error());
  JsonText json;
  json.BeginObject().Field("success", true).Field("policy_id", *id).Field("dry_run", body->dry_run);
  json.Field("execution_id", outcome->execution_id == 0 ? std::nullopt : std::optional(outcome->execution_id));
  AddTime("cutoff_date", outcome->cutoff_micros, &json);
  AddShare(outcome->total, &json);
  json.Key("affected_measurements").BeginArray();
  for (const auto& share : outcome->tables) {
    json.BeginObject().Field("database", share.database).Field("measurement", share.measurement);
    AddShare(share, &json);
    json.EndObject();
  }
  const double ms = static_cast<double>(exchange.server.clock.MonotonicNanos() - started) / 1e6;
  json.EndArray().Field("execution_time_ms", ms).EndObject();
  co_return Response::Json(json.Take());
}

Task<Response> ListRetentionExecutions(Exchange& exchange) {
  auto id = IdOf(exchange);
  if (!id.ok()) co_return exchange.Fail(id.error());
  int limit = kDefaultExecutions;
  if (auto text = exchange.query.Find("limit")) {
    auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), limit);
    if (code != std::errc() || end != text->data() + text->size() || limit < 1) {
      co_return exchange.Fail(InvalidArgument("\"limit\" must be a number from 1 on"));
    }
  }
  Engine* engine = &exchange.server.engine;
  const auto call = [engine, id = *id, limit,
                     principal = exchange.principal]() -> Result<std::vector<RetentionExecution>> {
    ARC_RETURN_IF_ERROR(FindPolicy(*engine, principal, id));
    return engine->retention().store().Executions(id, limit);
  };
  auto executions = co_await CallBlocking<std::vector<RetentionExecution>>(exchange.server, call);
  if (!executions.ok()) co_return exchange.Fail(executions.error());
  JsonText json;
  json.BeginObject().Field("success", true).Key("executions").BeginArray();
  for (const auto& execution : *executions) AddExecution(execution, &json);
  json.EndArray().Field("count", executions->size()).EndObject();
  co_return Response::Json(json.Take());
}

}  // namespace arc
