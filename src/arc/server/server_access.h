// How the command line reaches a server, or its data folder while no server runs.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "arc/auth/token_store.h"
#include "arc/base/result.h"
#include "arc/io/local_disk.h"
#include "arc/server/command_line.h"

namespace arc {

// <data folder>/server.url: where the server that has the folder listens. Written while it runs.
Status WriteServerAddress(LocalDisk& disk, const std::string& data_folder, const std::string& url);
void RemoveServerAddress(LocalDisk& disk, const std::string& data_folder);
std::optional<std::string> ReadServerAddress(LocalDisk& disk, const std::string& data_folder);

// The URL a program on this machine uses for a server listening on host and port.
std::string LocalUrl(const std::string& host, uint16_t port);
bool IsLoopback(const std::string& url);

// The folder's lock, which a running server holds: kConflict while one does.
Result<std::unique_ptr<DiskLock>> LockDataFolder(LocalDisk& disk, const std::string& data_folder);

// What a command needs to be allowed.
enum class LocalRight { kRead, kWrite, kAdmin };

// A token for one run of the command line, made in the data folder's token store and revoked when destroyed. Whoever
// may write that file is an administrator already; nothing secret is left on disk.
class LocalToken {
 public:
  static Result<std::unique_ptr<LocalToken>> Make(const std::string& data_folder, LocalRight right, Clock& clock,
                                                  RandomSource& random);
  ~LocalToken();
  LocalToken(const LocalToken&) = delete;
  const std::string& secret() const { return secret_; }
  const std::string& name() const { return name_; }

 private:
  LocalToken(std::unique_ptr<TokenStore> store, std::string name, std::string secret)
      : store_(std::move(store)), name_(std::move(name)), secret_(std::move(secret)) {}
  std::unique_ptr<TokenStore> store_;
  std::string name_;
  std::string secret_;
};

// Address and token for a request: what the user gave, then the environment, then what the data folder offers.
struct ServerAccess {
  std::string url;
  std::string token;  // empty: none to be had
  std::unique_ptr<LocalToken> local;
};
ServerAccess FindServer(const ServerArguments& arguments, const std::string& data_folder, LocalRight right);

}  // namespace arc
