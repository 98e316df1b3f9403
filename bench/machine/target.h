// The server a bench talks to: one it starts itself, or one that runs already.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "client/http_client.h"
#include "machine/process.h"

namespace arc::bench {

struct TargetOptions {
  std::string arc;                       // program to start; empty: `url` runs already
  std::vector<std::string> server_args;  // further arguments of `arc serve`
  std::string folder;                    // where a started server's temporary folder is made
  bool keep = false;                     // leave that folder there
  std::string url;
  std::string token;
  std::vector<std::string> headers;  // "Name: value", sent with every request
  int pid = 0;                       // of a server that runs already; 0: its CPU and memory are not measured
  std::string data_dir;              // whose size on disk is measured; with `arc`: the tables' folder
};

class Target {
 public:
  // Starts Arc on a fresh data folder and waits until it is ready, or takes the server that runs.
  static Result<std::unique_ptr<Target>> Open(const TargetOptions& options);
  ~Target();

  const Address& address() const { return address_; }
  const std::string& headers() const { return headers_; }  // whole lines, the token's included
  HttpClient& client() { return *client_; }
  pid_t pid() const { return process_.has_value() ? process_->pid() : pid_; }  // 0: unknown
  const std::string& data_dir() const { return data_dir_; }                    // empty: unknown

 private:
  Target() = default;
  Status StartArc(const TargetOptions& options);

  bool keep_ = false;
  pid_t pid_ = 0;
  Address address_;
  std::string headers_;
  std::string data_dir_;
  std::optional<TemporaryFolder> folder_;
  std::optional<Process> process_;
  std::unique_ptr<HttpClient> client_;
};

}  // namespace arc::bench
