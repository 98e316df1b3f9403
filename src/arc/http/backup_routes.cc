#include <optional>
#include <string>

#include "arc/http/json_body.h"
#include "arc/http/json_text.h"
#include "arc/http/routes.h"
#include "arc/http/time_text.h"

namespace arc {
namespace {

constexpr std::string_view kExample = R"({"target": "/mnt/backups/arc"})";
constexpr int kAccepted = 202;

std::string_view NameOf(BackupStatus::State state) {
  switch (state) {
    case BackupStatus::State::kNever: return "never";
    case BackupStatus::State::kRunning: return "running";
    case BackupStatus::State::kCompleted: return "completed";
    case BackupStatus::State::kFailed: break;
  }
  return "failed";
}

Result<std::string> ReadTarget(std::string_view body) {
  std::string target;
  ARC_RETURN_IF_ERROR(ForEachKey(body, kExample, [&](const std::string& key, JsonValue value) -> Status {
    if (key != "target") return InvalidArgument("unknown key \"" + key + "\"");
    ARC_ASSIGN_OR_RETURN(target, JsonString(key, value));
    return {};
  }));
  if (target.empty()) return InvalidArgument("the body names no \"target\", such as " + std::string(kExample));
  return target;
}

void AddTime(std::string_view key, int64_t micros, JsonText* json) {
  json->Field(key, micros == 0 ? std::nullopt : std::optional(IsoMicros(micros)));
}

Response StatusResponse(const BackupStatus& status, int code) {
  JsonText json;
  json.BeginObject().Field("success", true).Field("status", NameOf(status.state)).Field("target", status.target);
  AddTime("started_at", status.started_micros, &json);
  AddTime("finished_at", status.finished_micros, &json);
  json.Field("objects_total", status.objects_total).Field("objects_done", status.objects_done);
  json.Field("objects_copied", status.objects_copied).Field("bytes_copied", status.bytes_copied);
  json.Field("error", status.error.empty() ? std::nullopt : std::optional(status.error));
  json.Key("backup");
  if (status.summary) {
    const BackupSummary& made = *status.summary;
    json.BeginObject().Field("id", made.id).Field("lsn", made.lsn).Field("exact", made.exact);
    json.Field("tables", made.tables).Field("objects", made.objects).Field("bytes", made.bytes);
    json.Field("problems", made.problems).EndObject();
  } else {
    json.Null();
  }
  return Response::Json(json.EndObject().Take(), code);
}

}  // namespace

Task<Response> StartBackup(Exchange& exchange) {
  const auto target = ReadTarget(exchange.body);
  if (!target.ok()) co_return exchange.Fail(target.error());
  const Status started = exchange.server.engine.StartBackup(*target);
  if (!started.ok()) co_return exchange.Fail(started.error());
  co_return StatusResponse(exchange.server.engine.backup_status(), kAccepted);
}

Task<Response> ShowBackup(Exchange& exchange) { co_return StatusResponse(exchange.server.engine.backup_status(), 200); }

}  // namespace arc
