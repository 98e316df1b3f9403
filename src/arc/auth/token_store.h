// API tokens: hashed at rest, checked on every request, revoked at once.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"

namespace arc {

// Who asks. A value; copied into requests.
struct Principal {
  int64_t token_id = 0;
  std::string name = {};
  bool read = false;
  bool write = false;
  bool admin = false;                       // implies read and write everywhere
  std::vector<std::string> databases = {};  // empty: all

  bool CanRead(std::string_view database) const;
  bool CanWrite(std::string_view database) const;
  static Principal Admin(std::string name);  // for the process itself and for tests
};

struct TokenInfo {
  int64_t id = 0;
  std::string name;
  std::string description;
  bool read = false;
  bool write = false;
  bool admin = false;
  std::vector<std::string> databases;
  int64_t created_at_micros = 0;
  std::optional<int64_t> expires_at_micros;
  std::optional<int64_t> last_used_at_micros;
  bool enabled = true;
};

struct NewToken {
  std::string name = {};  // unique
  std::string description = {};
  bool read = true;
  bool write = false;
  bool admin = false;
  std::vector<std::string> databases = {};
  std::optional<int64_t> expires_at_micros = {};
};

struct TokenChange {
  std::optional<std::string> name = {};
  std::optional<std::string> description = {};
  std::optional<bool> read = {};
  std::optional<bool> write = {};
  std::optional<bool> admin = {};
  std::optional<std::vector<std::string>> databases = {};
  std::optional<bool> enabled = {};
};

// SQLite file of its own (synchronous=FULL). Tokens are 32 random bytes, stored as SHA-256; look-ups are cached for
// `cache_ms` and a change or revocation clears the cache at once; another process's takes at most `cache_ms`. The time
// of last use is written about once a minute. The path ":memory:" keeps nothing. Thread-safe.
class TokenStore {
 public:
  static Result<std::unique_ptr<TokenStore>> Open(const std::string& path, Clock& clock, RandomSource& random,
                                                  int64_t cache_ms = 30'000);
  virtual ~TokenStore() = default;
  virtual bool empty() const = 0;
  // The secret is returned here and never again. `secret` sets it (ARC_ADMIN_TOKEN); else it is generated.
  virtual Result<std::string> Create(const NewToken& token, std::optional<std::string> secret = {}) = 0;
  // kUnauthenticated when unknown, expired or disabled.
  virtual Result<Principal> Authenticate(std::string_view secret) = 0;
  virtual Result<std::vector<TokenInfo>> List() = 0;
  virtual Result<TokenInfo> Get(int64_t id) = 0;
  virtual Status Update(int64_t id, const TokenChange& change) = 0;
  virtual Status Revoke(int64_t id) = 0;
  virtual Result<std::string> Rotate(int64_t id) = 0;  // the new secret
};

}  // namespace arc
