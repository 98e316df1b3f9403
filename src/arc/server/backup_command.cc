#include <unistd.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <utility>

#include "arc/backup/backup_set.h"
#include "arc/base/clock.h"
#include "arc/base/log.h"
#include "arc/io/path.h"
#include "arc/server/api_client.h"
#include "arc/server/commands.h"
#include "arc/server/object_progress.h"
#include "arc/server/remote_store.h"
#include "arc/server/server_access.h"
#include "arc/server/text_columns.h"
#include "arc/server/utc_text.h"

namespace arc {

namespace {

using Json = nlohmann::json;

constexpr std::chrono::milliseconds kPollPeriod{250};

// Another process opens it, in another folder.
std::string AbsoluteTarget(const std::string& target) {
  return target.find("://") == std::string::npos ? AbsolutePath(target) : target;
}

// One backup through the server.
class BackupRun {
 public:
  BackupRun(const BackupCommand& command, std::string data_folder)
      : command_(command), data_folder_(std::move(data_folder)) {
    Connect();
  }

  // The status of the backup when it has ended.
  Result<Json> Make(const Console& console) {
    const Json body = {{"target", AbsoluteTarget(command_.target)}};
    ARC_ASSIGN_OR_RETURN(Json status, Ask("POST", body.dump(-1, ' ', false, Json::error_handler_t::replace)));
    {
      const ObjectProgress progress(console.problems, ::isatty(STDERR_FILENO) != 0, [this] { return Progress(); });
      while (status.value("status", "") == "running") {
        SystemClock().SleepFor(kPollPeriod);
        ARC_ASSIGN_OR_RETURN(status, Ask("GET", ""));
        Note(status);
      }
    }
    return status;
  }

 private:
  void Connect() {
    access_ = FindServer(command_.server, data_folder_, LocalRight::kAdmin);
    client_ = std::make_unique<ApiClient>(access_.url, access_.token);
  }

  Result<Json> Ask(const std::string& method, const std::string& body) {
    ApiRequest request{method, "/api/v1/backup", body};
    auto answer = client_->Send(request);
    if (!answer.ok() && answer.error().kind == ErrorKind::kUnauthenticated && access_.local != nullptr) {
      Connect();  // a local token lives for minutes, a backup may take hours
      answer = client_->Send(request);
    }
    if (!answer.ok()) return std::move(answer).error();
    Json status = Json::parse(*answer, nullptr, /*allow_exceptions=*/false);
    if (!status.is_object()) return Unavailable("the server's answer is no JSON object");
    return status;
  }

  void Note(const Json& status) {
    std::lock_guard lock(mutex_);
    progress_ =
        ObjectProgressText(status.value("objects_done", uint64_t{0}), status.value("objects_total", uint64_t{0}),
                           status.value("bytes_copied", int64_t{0})) +
        " copied";
  }
  std::string Progress() {
    std::lock_guard lock(mutex_);
    return progress_;
  }

  const BackupCommand& command_;
  const std::string data_folder_;
  ServerAccess access_;
  std::unique_ptr<ApiClient> client_;
  std::mutex mutex_;
  std::string progress_ = "flushing";
};

int PrintProblems(const std::vector<std::string>& problems, const Console& console) {
  for (const auto& problem : problems) console.problems << "arc: " << problem << "\n";
  return problems.empty() ? kExitSuccess : kExitDamage;
}

int Make(const BackupCommand& command, const Config& config, const Console& console) {
  BackupRun run(command, config.Text("storage.data_dir"));
  auto ended = run.Make(console);
  if (!ended.ok()) return Fail(console, ended.error());
  const Json& status = *ended;
  if (status.value("status", "") != "completed" || !status["backup"].is_object()) {
    const auto error = status.find("error");
    const bool told = error != status.end() && error->is_string();
    return Fail(console, Unavailable(told ? error->get<std::string>() : "the backup did not end well"));
  }
  const Json& made = status["backup"];
  console.out << "backup " << made.value("id", "") << ": " << made.value("tables", 0) << " tables at LSN "
              << made.value("lsn", uint64_t{0}) << (made.value("exact", false) ? "" : " or later") << ", "
              << made.value("objects", uint64_t{0}) << " objects, " << BytesText(made.value("bytes", int64_t{0}))
              << "; " << status.value("objects_copied", uint64_t{0}) << " objects, "
              << BytesText(status.value("bytes_copied", int64_t{0})) << " copied\n";
  return PrintProblems(made.value("problems", std::vector<std::string>()), console);
}

Result<int> List(ObjectStore& target, const Console& console) {
  ARC_ASSIGN_OR_RETURN(const auto ids, ListBackups(target));
  std::vector<std::vector<std::string>> rows = {{"BACKUP", "MADE", "LSN", "TABLES", "OBJECTS", "SIZE", "REMARK"}};
  for (const auto& id : ids) {
    const auto manifest = LoadBackup(target, id);
    if (!manifest.ok()) {
      rows.push_back({id, "", "", "", "", "", manifest.error().message});
      continue;
    }
    rows.push_back({id, UtcSeconds(manifest->created_ms * 1000), std::to_string(manifest->lsn),
                    std::to_string(manifest->catalog.tables.size()),
                    std::to_string(manifest->objects.size() + manifest->files.size()), BytesText(manifest->bytes()),
                    manifest->problems.empty() ? "" : std::to_string(manifest->problems.size()) + " tables not whole"});
  }
  PrintColumns(rows, console.out);
  return kExitSuccess;
}

Result<int> Verify(const BackupCommand& command, ObjectStore& target, const Console& console) {
  BackupProgress seen;
  Result<VerifyReport> report = [&] {
    const ObjectProgress progress(console.problems, ::isatty(STDERR_FILENO) != 0, [&seen] {
      return ObjectProgressText(seen.objects_done, seen.objects_total, seen.bytes_done) + " read";
    });
    return VerifyBackups(target, command.id, seen);
  }();
  if (!report.ok()) return std::move(report).error();
  for (const auto& damage : report->damages) console.problems << "arc: " << damage << "\n";
  console.out << report->backups << (report->backups == 1 ? " backup, " : " backups, ") << report->objects
              << " objects, " << BytesText(report->bytes) << " read, " << report->damages.size() << " damaged\n";
  return report->damages.empty() ? kExitSuccess : kExitDamage;
}

Result<int> Prune(const BackupCommand& command, ObjectStore& target, const Console& console) {
  ARC_ASSIGN_OR_RETURN(const auto report, PruneBackups(target, command.keep));
  for (const auto& id : report.backups) console.out << "removed " << id << "\n";
  console.out << report.objects << " objects removed, " << BytesText(report.bytes) << "\n";
  return kExitSuccess;
}

}  // namespace

int RunBackup(const BackupCommand& command, const Console& console) {
  Result<Config> config = LoadConfig(command.config, nullptr);
  if (!config.ok()) {
    Fail(console, config.error());
    return kExitUsage;
  }
  if (command.action == BackupCommand::Action::kMake) return Make(command, *config, console);
  SetLogLevel(LogLevel::kWarning);
  const bool changes = command.action == BackupCommand::Action::kPrune;
  auto target = OpenTarget(*config, AbsoluteTarget(command.target), changes);
  if (!target.ok()) return Fail(console, target.error());
  ObjectStore& store = *target->store;
  Result<int> code = command.action == BackupCommand::Action::kList     ? List(store, console)
                     : command.action == BackupCommand::Action::kVerify ? Verify(command, store, console)
                                                                        : Prune(command, store, console);
  return code.ok() ? *code : Fail(console, code.error());
}

}  // namespace arc
