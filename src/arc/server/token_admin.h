// Managing tokens wherever they are: in the data folder of a stopped server, or through a running one, whose cache must
// forget a revoked token at once.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/server/command_line.h"

namespace arc {

// One token for people; times as ISO 8601 text, empty when there is none.
struct TokenLine {
  int64_t id = 0;
  std::string name;
  std::string description;
  std::vector<std::string> permissions;
  std::vector<std::string> databases;
  std::string created_at;
  std::string expires_at;
  std::string last_used_at;
  bool enabled = true;
};

// Not thread-safe.
class TokenAdmin {
 public:
  virtual ~TokenAdmin() = default;
  virtual Result<std::string> Create(const TokenCommand& token) = 0;  // the secret
  virtual Result<std::vector<TokenLine>> List() = 0;
  virtual Status Revoke(int64_t id) = 0;

  // A server named in the arguments or ARC_URL, else the data folder: through the server that has it locked, or
  // directly while none has (the lock is then held, so that none can start meanwhile).
  static Result<std::unique_ptr<TokenAdmin>> Find(const ServerArguments& arguments, const std::string& data_folder);
};

}  // namespace arc
