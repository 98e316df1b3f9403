#include "machine/target.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "arc/base/clock.h"

namespace arc::bench {
namespace {

constexpr const char* kToken = "arc-bench-admin-token-of-this-run";
constexpr std::chrono::seconds kStartPatience{30};
constexpr std::chrono::seconds kStopPatience{30};

std::string Tail(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  const std::string all = text.str();
  return all.substr(all.size() - std::min<size_t>(all.size(), 1000));
}

}  // namespace

Result<std::unique_ptr<Target>> Target::Open(const TargetOptions& options) {
  std::unique_ptr<Target> target(new Target);
  target->pid_ = options.pid;
  target->data_dir_ = options.data_dir;
  target->keep_ = options.keep;
  const std::string token = options.arc.empty() ? options.token : kToken;
  if (!token.empty()) target->headers_ = "Authorization: Bearer " + token + "\r\n";
  for (const std::string& header : options.headers) target->headers_ += header + "\r\n";
  if (!options.arc.empty()) {
    ARC_RETURN_IF_ERROR(target->StartArc(options));
    return target;
  }
  ARC_ASSIGN_OR_RETURN(target->address_, ParseUrl(options.url));
  target->client_ = std::make_unique<HttpClient>(target->address_, target->headers_);
  return target;
}

Status Target::StartArc(const TargetOptions& options) {
  ARC_ASSIGN_OR_RETURN(folder_, TemporaryFolder::Make(options.folder));
  ARC_ASSIGN_OR_RETURN(const uint16_t port, FreePort());
  address_ = {"127.0.0.1", port};
  client_ = std::make_unique<HttpClient>(address_, headers_);
  const std::string data = folder_->path() + "/data";
  const std::string log = folder_->path() + "/server.log";
  if (data_dir_.empty()) data_dir_ = data + "/arc";
  std::vector<std::string> command = {std::filesystem::absolute(options.arc).string(),
                                      "serve",
                                      "--data-dir",
                                      data,
                                      "--host",
                                      "127.0.0.1",
                                      "--port",
                                      std::to_string(port)};
  command.insert(command.end(), options.server_args.begin(), options.server_args.end());
  ARC_ASSIGN_OR_RETURN(process_,
                       Process::Start(command, {std::string("ARC_ADMIN_TOKEN=") + kToken}, folder_->path(), log));
  Clock& clock = SystemClock();
  const int64_t until = clock.MonotonicNanos() + std::chrono::nanoseconds(kStartPatience).count();
  while (clock.MonotonicNanos() < until) {
    if (!process_->running()) return Unavailable("the server ended at once:\n" + Tail(log));
    const Result<Answer> answer = client_->Send({"GET", "/ready"}, "", "");
    if (answer.ok() && answer->status == 200) return {};
    clock.SleepFor(std::chrono::milliseconds(20));
  }
  return Unavailable("the server did not become ready:\n" + Tail(log));
}

Target::~Target() {
  if (process_.has_value()) process_->Stop(kStopPatience);
  if (!folder_.has_value() || !keep_) return;
  std::printf("kept %s\n", folder_->path().c_str());
  folder_->Keep();
}

}  // namespace arc::bench
