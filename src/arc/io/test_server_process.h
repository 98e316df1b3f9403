// For tests: a server of somebody else as a child process on a free port, stopped and started at will.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "arc/base/check.h"
#include "arc/base/clock.h"

namespace arc {

class TestServerProcess {
 public:
  // `is_ready` is asked until it says so; a minute at most. `stop_signal` is one the server's objects survive.
  TestServerProcess(std::vector<std::string> arguments, std::vector<std::string> variables,
                    std::function<bool()> is_ready, int stop_signal = SIGKILL)
      : arguments_(std::move(arguments)),
        variables_(std::move(variables)),
        is_ready_(std::move(is_ready)),
        stop_signal_(stop_signal) {}
  TestServerProcess(const TestServerProcess&) = delete;
  ~TestServerProcess() { Stop(); }

  void Start() {
    std::vector<char*> argv;
    for (std::string& argument : arguments_) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::vector<char*> envp;
    for (std::string& variable : variables_) envp.push_back(variable.data());
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    ARC_CHECK(posix_spawn(&process_, argv[0], &actions, nullptr, argv.data(), envp.data()) == 0);
    posix_spawn_file_actions_destroy(&actions);
    for (int attempt = 0; attempt < 600; ++attempt) {
      if (is_ready_()) return;
      SystemClock().SleepFor(std::chrono::milliseconds(100));
    }
    ARC_CHECK(false);
  }

  void Stop() {
    if (process_ == 0) return;
    kill(process_, stop_signal_);
    waitpid(process_, nullptr, 0);
    process_ = 0;
  }

  static int FreePort() {
    int probe = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(address);
    ARC_CHECK(bind(probe, reinterpret_cast<sockaddr*>(&address), length) == 0);
    ARC_CHECK(getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length) == 0);
    close(probe);
    return ntohs(address.sin_port);
  }

 private:
  std::vector<std::string> arguments_;
  std::vector<std::string> variables_;
  const std::function<bool()> is_ready_;
  const int stop_signal_;
  pid_t process_ = 0;
};

}  // namespace arc
