#include "machine/process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "arc/base/clock.h"

namespace arc::bench {
namespace {

Result<std::string> ReadProc(pid_t pid, const char* name) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/" + name);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file || text.str().empty()) return NotFound("there is no process " + std::to_string(pid));
  return text.str();
}

}  // namespace

Result<double> CpuSeconds(pid_t pid) {
  ARC_ASSIGN_OR_RETURN(const std::string text, ReadProc(pid, "stat"));
  // The name may hold blanks; user and system time are the 12th and 13th words behind its parenthesis.
  std::istringstream words(text.substr(text.rfind(')') + 1));
  std::string word;
  for (int i = 0; i < 11; ++i) words >> word;
  int64_t user = 0;
  int64_t system = 0;
  words >> user >> system;
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

Result<int64_t> PeakRssBytes(pid_t pid) {
  ARC_ASSIGN_OR_RETURN(const std::string text, ReadProc(pid, "status"));
  const size_t found = text.find("VmHWM:");
  if (found == std::string::npos) return NotFound("the kernel does not name the peak memory");
  return std::strtoll(text.c_str() + found + 6, nullptr, 10) * 1024;
}

Result<TemporaryFolder> TemporaryFolder::Make(const std::string& parent) {
  const char* set = std::getenv("TMPDIR");
  std::string path = (!parent.empty() ? parent : set != nullptr ? set : "/tmp") + "/arc-bench-XXXXXX";
  if (mkdtemp(path.data()) == nullptr) return Unavailable("cannot make " + path + ": " + std::strerror(errno));
  return TemporaryFolder(std::filesystem::absolute(path).string());
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

Result<Process> Process::Start(const std::vector<std::string>& command, const std::vector<std::string>& environment,
                               const std::string& folder, const std::string& log_file) {
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  std::vector<char*> variables;
  for (char** variable = environ; *variable != nullptr; ++variable) variables.push_back(*variable);
  for (const std::string& variable : environment) variables.push_back(const_cast<char*>(variable.c_str()));
  variables.push_back(nullptr);
  const int log = open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) return Unavailable("cannot write " + log_file + ": " + std::strerror(errno));
  const pid_t pid = fork();
  if (pid == 0) {
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    if (chdir(folder.c_str()) == 0) execvpe(arguments[0], arguments.data(), variables.data());
    _exit(127);
  }
  close(log);
  if (pid < 0) return Unavailable(std::string("cannot start a process: ") + std::strerror(errno));
  return Process(pid);
}

Process::~Process() {
  if (pid_ < 0) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
}

bool Process::running() {
  if (pid_ >= 0 && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = -1;
  return pid_ >= 0;
}

void Process::Stop(std::chrono::milliseconds patience) {
  if (!running()) return;
  kill(pid_, SIGTERM);
  const int64_t until = SystemClock().MonotonicNanos() + std::chrono::nanoseconds(patience).count();
  while (running() && SystemClock().MonotonicNanos() < until) SystemClock().SleepFor(std::chrono::milliseconds(10));
  if (!running()) return;
  kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

Result<uint16_t> FreePort() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool found = bind(socket, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 &&
                     getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(socket);
  if (!found) return Unavailable("there is no free port");
  return ntohs(address.sin_port);
}

}  // namespace arc::bench
