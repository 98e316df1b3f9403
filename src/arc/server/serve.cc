#include <unistd.h>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "arc/base/log.h"
#include "arc/engine/engine.h"
#include "arc/http/server.h"
#include "arc/server/commands.h"
#include "arc/server/options.h"
#include "arc/server/server_access.h"

namespace arc {

namespace {

using std::chrono::milliseconds;

constexpr char kAdminName[] = "admin";
// Beyond its limit a stop is given this long; then the process is ended as by a crash, which the log is made for.
constexpr unsigned kStuckSeconds = 10;

sigset_t StopSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

// Before any thread is made, so that all inherit it: only the main thread takes stop signals, by waiting for them.
void PrepareSignals() {
  sigset_t signals = StopSignals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
}

int WaitForStopSignal() {
  sigset_t signals = StopSignals();
  int signal = 0;
  while (sigwait(&signals, &signal) != 0) {
  }
  return signal;
}

// From now on a second signal ends the process at once, and so does a stop that hangs.
void LetSignalsKill(milliseconds limit) {
  alarm(static_cast<unsigned>(limit.count() / 1000) + kStuckSeconds);
  sigset_t signals = StopSignals();
  pthread_sigmask(SIG_UNBLOCK, &signals, nullptr);
}

struct AdminToken {
  std::string secret;
  bool generated = false;
};

// The first token of a new data folder; nothing when there are tokens already.
Result<std::optional<AdminToken>> SeedAdmin(const Config& config, TokenStore& tokens) {
  if (!tokens.empty()) return std::optional<AdminToken>();
  NewToken admin;
  admin.name = kAdminName;
  admin.description = "made at the first start";
  admin.write = true;
  admin.admin = true;
  const std::string& chosen = config.Text("auth.default_token");
  std::optional<std::string> secret;
  if (!chosen.empty()) secret = chosen;
  auto made = tokens.Create(admin, secret);
  if (!made.ok()) return WithContext(std::move(made).error(), "the admin token cannot be made");
  return std::optional<AdminToken>(AdminToken{std::move(*made), chosen.empty()});
}

void PrintBanner(const Config& config, const std::string& url, const std::optional<AdminToken>& admin,
                 std::ostream& out) {
  std::error_code ignored;
  const std::filesystem::path folder(config.Text("storage.data_dir"));
  const std::filesystem::path absolute = std::filesystem::absolute(folder, ignored).lexically_normal();
  out << "Arc " ARC_VERSION " is ready at " << url << "\n"
      << "  data in " << (absolute.empty() ? folder : absolute).string() << "\n";
  std::string token = "$ARC_TOKEN";
  if (!config.Bool("auth.enabled")) {
    out << "  authentication is off: everybody may do everything\n";
  } else if (admin.has_value() && admin->generated) {
    token = admin->secret;
    out << "\nAdmin token, shown only this once:\n\n  " << token << "\n";
  } else if (admin.has_value()) {
    token = "$ARC_ADMIN_TOKEN";
  }
  const std::string header = config.Bool("auth.enabled") ? " -H \"Authorization: Bearer " + token + "\"" : "";
  out << "\nWrite a row, and read it back:\n\n"
      << "  curl -i \"" << url << "/api/v1/write?db=default\"" << header
      << " --data-binary 'cpu,host=web-1 usage=0.64'\n"
      << "  curl \"" << url << "/api/v1/query\"" << header
      << " -H \"Content-Type: application/json\" -d '{\"sql\": \"SELECT * FROM cpu\"}'\n"
      << std::endl;
}

int FailToStart(const Console& console, const Error& error) {
  int code = Fail(console, error);
  if (error.kind == ErrorKind::kConflict) return kExitInUse;
  if (error.kind == ErrorKind::kCorruption) {
    console.problems << "arc: `arc wal inspect` shows the log, `arc wal repair` makes it readable again" << std::endl;
  }
  return code;
}

// Requests end first, then hot rows are flushed, both within `limit`.
int Stop(HttpServer& http, Engine& engine, milliseconds limit) {
  Clock& clock = SystemClock();
  const int64_t start = clock.MonotonicNanos();
  auto left = [&] {
    auto used = milliseconds((clock.MonotonicNanos() - start) / 1'000'000);
    return std::max(limit - used, milliseconds(0));
  };
  http.Stop(limit / 2);
  Status closed = engine.Close(left());
  int64_t took = (clock.MonotonicNanos() - start) / 1'000'000;
  if (!closed.ok()) {
    Log(LogLevel::kError, "server", "stopped, but not cleanly", {{"error", closed.error().message}, {"ms", took}});
    return kExitFailure;
  }
  Log(LogLevel::kInfo, "server", "stopped", {{"ms", took}});
  return kExitSuccess;
}

}  // namespace

int RunServe(const ServeCommand& command, const Console& console) {
  std::vector<std::string> warnings;
  Result<Config> config = LoadConfig(command.config, &warnings);
  if (!config.ok()) {
    Fail(console, config.error());
    return kExitUsage;
  }
  SetLogLevel(LogLevelOf(*config));
  for (const std::string& warning : warnings) Log(LogLevel::kWarning, "server", warning);
  PrepareSignals();

  const std::string& folder = config->Text("storage.data_dir");
  auto engine = Engine::Open(EngineOptionsOf(*config));
  if (!engine.ok()) return FailToStart(console, engine.error());
  const ReplayReport& replay = (*engine)->replay_report();
  auto admin = SeedAdmin(*config, (*engine)->tokens());
  if (!admin.ok()) return FailToStart(console, admin.error());
  auto http = HttpServer::Start(HttpOptionsOf(*config), **engine);
  if (!http.ok()) return FailToStart(console, http.error());
  const std::string url = LocalUrl(config->Text("server.host"), (*http)->port());
  Status noted = WriteServerAddress(SystemDisk(), folder, url);
  if (!noted.ok()) Log(LogLevel::kWarning, "server", "the address is not noted", {{"error", noted.error().message}});
  Log(LogLevel::kInfo, "server", "ready",
      {{"version", ARC_VERSION},
       {"url", url},
       {"data", folder},
       {"replayed_rows", replay.rows},
       {"cut_bytes", replay.cut_bytes}});
  PrintBanner(*config, url, *admin, console.out);

  int signal = WaitForStopSignal();
  const milliseconds limit = StopLimitOf(*config);
  LetSignalsKill(limit);
  Log(LogLevel::kInfo, "server", "stopping", {{"signal", strsignal(signal)}});
  RemoveServerAddress(SystemDisk(), folder);
  return Stop(**http, **engine, limit);
}

}  // namespace arc
