// What the kernel says about a process, and starting and stopping one.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "arc/base/result.h"

namespace arc::bench {

// User and system time of all threads, ended ones included; steps of 10 ms.
Result<double> CpuSeconds(pid_t pid);
// The most memory it ever held at once.
Result<int64_t> PeakRssBytes(pid_t pid);

// A folder under TMPDIR (or /tmp) or under `parent` that is removed with everything in it when destroyed.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Make(const std::string& parent);
  TemporaryFolder(TemporaryFolder&& other) noexcept { std::swap(path_, other.path_); }
  TemporaryFolder& operator=(TemporaryFolder&& other) noexcept {
    std::swap(path_, other.path_);
    return *this;
  }
  ~TemporaryFolder();
  const std::string& path() const { return path_; }
  void Keep() { path_.clear(); }  // it stays when this is destroyed

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

// A started program; killed when destroyed while it still runs.
class Process {
 public:
  // `environment` is added to this process's. Its output goes to `log_file`.
  static Result<Process> Start(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                               const std::string& folder, const std::string& log_file);
  Process(Process&& other) noexcept { std::swap(pid_, other.pid_); }
  Process& operator=(Process&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  ~Process();
  pid_t pid() const { return pid_; }
  bool running();
  // SIGTERM, and SIGKILL when that did not help.
  void Stop(std::chrono::milliseconds patience);

 private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
};

// A port nobody listens on now.
Result<uint16_t> FreePort();

}  // namespace arc::bench
