// A real MinIO server for the tests of one program, on a free port, its objects in a folder that goes with it.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/io/object_store_s3.h"
#include "arc/io/test_folder.h"

namespace arc {

class TestMinio {
 public:
  static constexpr const char* kUser = "arc-tests";
  static constexpr const char* kPassword = "arc-tests-secret";

  // The program's server, started by the first call; null where there is no MinIO.
  static TestMinio* Get() {
    if (!std::filesystem::exists(ARC_TEST_MINIO)) return nullptr;
    static TestMinio server;
    return &server;
  }
  TestMinio(const TestMinio&) = delete;
  ~TestMinio() { Stop(); }

  S3StoreOptions Options(const std::string& bucket) const {
    S3StoreOptions options;
    options.endpoint = "http://127.0.0.1:" + std::to_string(port_);
    options.access_key = kUser;
    options.secret_key = kPassword;
    options.bucket = bucket;
    options.make_bucket = true;
    return options;
  }

  void Start() {
    std::string address = "127.0.0.1:" + std::to_string(port_);
    std::string arguments[] = {ARC_TEST_MINIO, "server", "--quiet", "--address", address, folder_.path()};
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    std::string variables[] = {std::string("MINIO_ROOT_USER=") + kUser, std::string("MINIO_ROOT_PASSWORD=") + kPassword,
                               "MINIO_BROWSER=off", "HOME=" + folder_.path(), "PATH=/usr/bin:/bin"};
    std::vector<char*> envp;
    for (std::string& variable : variables) envp.push_back(variable.data());
    envp.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
    ARC_CHECK(posix_spawn(&process_, ARC_TEST_MINIO, &actions, nullptr, argv.data(), envp.data()) == 0);
    posix_spawn_file_actions_destroy(&actions);
    for (int attempt = 0; attempt < 600; ++attempt) {
      if (OpenS3ObjectStore(Options("ready"), SystemRandom()).ok()) return;
      SystemClock().SleepFor(std::chrono::milliseconds(50));
    }
    ARC_CHECK(false);
  }

  void Stop() {
    if (process_ == 0) return;
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
    process_ = 0;
  }

 private:
  TestMinio() : port_(FreePort()) { Start(); }

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

  TestFolder folder_;
  const int port_;
  pid_t process_ = 0;
};

}  // namespace arc
