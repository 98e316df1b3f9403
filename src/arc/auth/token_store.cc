#include "arc/auth/token_store.h"

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "arc/auth/secret.h"
#include "arc/auth/sqlite_file.h"
#include "arc/base/log.h"
#include "arc/base/thread.h"

namespace arc {

namespace {

constexpr size_t kNameLimit = 255;
constexpr std::chrono::seconds kUsePeriod{60};
constexpr int64_t kFormat = 1;

constexpr char kTables[] = R"(
  CREATE TABLE IF NOT EXISTS tokens (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    hash BLOB NOT NULL UNIQUE,
    can_read INTEGER NOT NULL,
    can_write INTEGER NOT NULL,
    is_admin INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    last_used_at INTEGER,
    enabled INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS token_databases (
    token_id INTEGER NOT NULL REFERENCES tokens(id) ON DELETE CASCADE,
    database TEXT NOT NULL,
    PRIMARY KEY (token_id, database)) WITHOUT ROWID;
  PRAGMA user_version = 1;)";

constexpr char kSelect[] =
    "SELECT id, name, description, can_read, can_write, is_admin, created_at, expires_at, last_used_at, enabled "
    "FROM tokens ";

struct HashOfHash {
  size_t operator()(const SecretHash& hash) const {
    size_t value;  // the bytes are uniform already
    static_assert(sizeof(value) <= sizeof(hash));
    __builtin_memcpy(&value, hash.data(), sizeof(value));
    return value;
  }
};

// A token that was authenticated lately.
struct CachedToken {
  Principal principal;
  std::optional<int64_t> expires_at_micros;
  int64_t reload_at_nanos = 0;
  std::atomic<int64_t> used_at_micros{0};
};

Status CheckName(std::string_view name) {
  if (name.empty() || name.size() > kNameLimit) return InvalidArgument("a token's name must have 1 to 255 bytes");
  for (char c : name) {
    if (static_cast<unsigned char>(c) < ' ') return InvalidArgument("a token's name may not hold control characters");
  }
  return {};
}

Status CheckDatabases(const std::vector<std::string>& databases) {
  for (const std::string& database : databases) {
    if (database.empty()) return InvalidArgument("a token's list of databases holds an empty name");
  }
  return {};
}

Error NoSuchToken(int64_t id) { return NotFound("there is no token with id " + std::to_string(id)); }

Error NameTaken(Error error, std::string_view name) {
  if (error.kind != ErrorKind::kAlreadyExists) return error;
  return MakeError(ErrorKind::kAlreadyExists, "a token named '" + std::string(name) + "' or with that secret exists");
}

class SqliteTokenStore : public TokenStore {
 public:
  SqliteTokenStore(SqliteFile file, Clock& clock, RandomSource& random, int64_t cache_ms)
      : clock_(clock),
        random_(random),
        cache_nanos_(cache_ms * 1'000'000),
        file_(std::move(file)),
        use_writer_("auth-last-used", kUsePeriod, [this] {
          std::lock_guard lock(file_mutex_);
          WriteUses();
        }) {}

  ~SqliteTokenStore() override {
    use_writer_.Stop();
    std::lock_guard lock(file_mutex_);
    WriteUses();
  }

  bool empty() const override {
    std::lock_guard lock(file_mutex_);
    auto statement = file_.Prepare("SELECT 1 FROM tokens LIMIT 1");
    if (!statement.ok()) return false;
    Result<bool> row = statement->Step();
    return row.ok() && !*row;
  }

  Result<std::string> Create(const NewToken& token, std::optional<std::string> secret) override;
  Result<Principal> Authenticate(std::string_view secret) override;
  Result<std::vector<TokenInfo>> List() override;
  Result<TokenInfo> Get(int64_t id) override;
  Status Update(int64_t id, const TokenChange& change) override;
  Status Revoke(int64_t id) override;
  Result<std::string> Rotate(int64_t id) override;

 private:
  Principal Use(CachedToken& token, int64_t now);
  // All below: with file_mutex_ held.
  Result<std::vector<TokenInfo>> Read(std::string_view where, const std::function<void(SqliteStatement&)>& bind);
  Result<TokenInfo> ReadOne(int64_t id);
  Status SetDatabases(int64_t id, const std::vector<std::string>& databases);
  void WriteUses();
  void ForgetAll();

  Clock& clock_;
  RandomSource& random_;
  const int64_t cache_nanos_;

  // Held while the file is read into the cache and while a change is written and the cache dropped, so that a reader
  // can never put back what a revocation has removed.
  mutable std::mutex file_mutex_;
  mutable SqliteFile file_;

  std::shared_mutex cache_mutex_;  // after file_mutex_
  std::unordered_map<SecretHash, std::unique_ptr<CachedToken>, HashOfHash> cache_;
  Ticker use_writer_;  // last: it uses the members above
};

Principal SqliteTokenStore::Use(CachedToken& token, int64_t now) {
  token.used_at_micros.store(now, std::memory_order_relaxed);
  return token.principal;
}

Result<Principal> SqliteTokenStore::Authenticate(std::string_view secret) {
  const SecretHash hash = HashSecret(secret);
  const int64_t now = clock_.WallMicros();
  const Error refused = MakeError(ErrorKind::kUnauthenticated, "the token is unknown, expired or disabled");
  {
    std::shared_lock lock(cache_mutex_);
    auto found = cache_.find(hash);
    if (found != cache_.end() && clock_.MonotonicNanos() < found->second->reload_at_nanos) {
      if (found->second->expires_at_micros.value_or(now + 1) <= now) return refused;
      return Use(*found->second, now);
    }
  }
  std::lock_guard lock(file_mutex_);
  ARC_ASSIGN_OR_RETURN(std::vector<TokenInfo> tokens, Read("WHERE hash = ?1", [&](SqliteStatement& statement) {
                         statement.Bind(std::span<const uint8_t>(hash));
                       }));
  std::unique_lock cache_lock(cache_mutex_);
  cache_.erase(hash);
  if (tokens.empty() || !tokens[0].enabled || tokens[0].expires_at_micros.value_or(now + 1) <= now) return refused;
  TokenInfo& token = tokens[0];
  auto cached = std::make_unique<CachedToken>();
  cached->principal = {token.id, token.name, token.read, token.write, token.admin, std::move(token.databases)};
  cached->expires_at_micros = token.expires_at_micros;
  cached->reload_at_nanos = clock_.MonotonicNanos() + cache_nanos_;
  CachedToken& entry = *(cache_[hash] = std::move(cached));
  return Use(entry, now);  // a use of the entry replaced is older and needs no noting
}

Result<std::string> SqliteTokenStore::Create(const NewToken& token, std::optional<std::string> secret) {
  ARC_RETURN_IF_ERROR(CheckName(token.name));
  ARC_RETURN_IF_ERROR(CheckDatabases(token.databases));
  if (secret.has_value()) ARC_RETURN_IF_ERROR(CheckChosenSecret(*secret));
  std::string text = secret.has_value() ? std::move(*secret) : NewSecret(random_);
  const SecretHash hash = HashSecret(text);
  std::lock_guard lock(file_mutex_);
  ARC_ASSIGN_OR_RETURN(SqliteTransaction transaction, SqliteTransaction::Begin(file_));
  ARC_ASSIGN_OR_RETURN(SqliteStatement insert,
                       file_.Prepare("INSERT INTO tokens (name, description, hash, can_read, can_write, is_admin, "
                                     "created_at, expires_at, enabled) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 1)"));
  insert.Bind(token.name).Bind(token.description).Bind(std::span<const uint8_t>(hash));
  insert.Bind(int64_t{token.read}).Bind(int64_t{token.write}).Bind(int64_t{token.admin});
  Status inserted = insert.Bind(clock_.WallMicros()).Bind(token.expires_at_micros).Run();
  if (!inserted.ok()) return NameTaken(std::move(inserted).error(), token.name);
  ARC_RETURN_IF_ERROR(SetDatabases(file_.last_row_id(), token.databases));
  ARC_RETURN_IF_ERROR(transaction.Commit());
  return text;
}

Result<std::vector<TokenInfo>> SqliteTokenStore::List() {
  std::lock_guard lock(file_mutex_);
  WriteUses();
  return Read("", [](SqliteStatement&) {});
}

Result<TokenInfo> SqliteTokenStore::Get(int64_t id) {
  std::lock_guard lock(file_mutex_);
  WriteUses();
  return ReadOne(id);
}

Status SqliteTokenStore::Update(int64_t id, const TokenChange& change) {
  if (change.name.has_value()) ARC_RETURN_IF_ERROR(CheckName(*change.name));
  if (change.databases.has_value()) ARC_RETURN_IF_ERROR(CheckDatabases(*change.databases));
  std::lock_guard lock(file_mutex_);
  ARC_ASSIGN_OR_RETURN(SqliteTransaction transaction, SqliteTransaction::Begin(file_));
  ARC_ASSIGN_OR_RETURN(TokenInfo token, ReadOne(id));
  if (change.name.has_value()) token.name = *change.name;
  if (change.description.has_value()) token.description = *change.description;
  token.read = change.read.value_or(token.read);
  token.write = change.write.value_or(token.write);
  token.admin = change.admin.value_or(token.admin);
  token.enabled = change.enabled.value_or(token.enabled);
  ARC_ASSIGN_OR_RETURN(SqliteStatement update,
                       file_.Prepare("UPDATE tokens SET name = ?1, description = ?2, can_read = ?3, can_write = ?4, "
                                     "is_admin = ?5, enabled = ?6 WHERE id = ?7"));
  update.Bind(token.name).Bind(token.description).Bind(int64_t{token.read}).Bind(int64_t{token.write});
  Status updated = update.Bind(int64_t{token.admin}).Bind(int64_t{token.enabled}).Bind(id).Run();
  if (!updated.ok()) return NameTaken(std::move(updated).error(), token.name);
  if (change.databases.has_value()) ARC_RETURN_IF_ERROR(SetDatabases(id, *change.databases));
  ARC_RETURN_IF_ERROR(transaction.Commit());
  ForgetAll();
  return {};
}

Status SqliteTokenStore::Revoke(int64_t id) {
  std::lock_guard lock(file_mutex_);
  ARC_ASSIGN_OR_RETURN(SqliteStatement remove, file_.Prepare("DELETE FROM tokens WHERE id = ?1"));
  ARC_RETURN_IF_ERROR(remove.Bind(id).Run());
  if (file_.changed_rows() == 0) return NoSuchToken(id);
  ForgetAll();
  return {};
}

Result<std::string> SqliteTokenStore::Rotate(int64_t id) {
  std::string secret = NewSecret(random_);
  const SecretHash hash = HashSecret(secret);
  std::lock_guard lock(file_mutex_);
  ARC_ASSIGN_OR_RETURN(SqliteStatement update, file_.Prepare("UPDATE tokens SET hash = ?1 WHERE id = ?2"));
  ARC_RETURN_IF_ERROR(update.Bind(std::span<const uint8_t>(hash)).Bind(id).Run());
  if (file_.changed_rows() == 0) return NoSuchToken(id);
  ForgetAll();
  return secret;
}

Result<std::vector<TokenInfo>> SqliteTokenStore::Read(std::string_view where,
                                                      const std::function<void(SqliteStatement&)>& bind) {
  ARC_ASSIGN_OR_RETURN(SqliteStatement select, file_.Prepare(kSelect + std::string(where) + " ORDER BY id"));
  bind(select);
  std::vector<TokenInfo> tokens;
  while (true) {
    ARC_ASSIGN_OR_RETURN(bool row, select.Step());
    if (!row) break;
    TokenInfo token;
    token.id = select.Int(0);
    token.name = select.Text(1);
    token.description = select.Text(2);
    token.read = select.Int(3) != 0;
    token.write = select.Int(4) != 0;
    token.admin = select.Int(5) != 0;
    token.created_at_micros = select.Int(6);
    token.expires_at_micros = select.OptionalInt(7);
    token.last_used_at_micros = select.OptionalInt(8);
    token.enabled = select.Int(9) != 0;
    tokens.push_back(std::move(token));
  }
  for (TokenInfo& token : tokens) {
    ARC_ASSIGN_OR_RETURN(SqliteStatement databases,
                         file_.Prepare("SELECT database FROM token_databases WHERE token_id = ?1 ORDER BY database"));
    databases.Bind(token.id);
    while (true) {
      ARC_ASSIGN_OR_RETURN(bool row, databases.Step());
      if (!row) break;
      token.databases.push_back(databases.Text(0));
    }
  }
  return tokens;
}

Result<TokenInfo> SqliteTokenStore::ReadOne(int64_t id) {
  ARC_ASSIGN_OR_RETURN(std::vector<TokenInfo> tokens,
                       Read("WHERE id = ?1", [&](SqliteStatement& statement) { statement.Bind(id); }));
  if (tokens.empty()) return NoSuchToken(id);
  return std::move(tokens[0]);
}

Status SqliteTokenStore::SetDatabases(int64_t id, const std::vector<std::string>& databases) {
  ARC_ASSIGN_OR_RETURN(SqliteStatement clear, file_.Prepare("DELETE FROM token_databases WHERE token_id = ?1"));
  ARC_RETURN_IF_ERROR(clear.Bind(id).Run());
  for (const std::string& database : databases) {
    ARC_ASSIGN_OR_RETURN(SqliteStatement insert,
                         file_.Prepare("INSERT OR IGNORE INTO token_databases (token_id, database) VALUES (?1, ?2)"));
    ARC_RETURN_IF_ERROR(insert.Bind(id).Bind(database).Run());
  }
  return {};
}

void SqliteTokenStore::WriteUses() {
  std::vector<std::pair<int64_t, int64_t>> uses;  // token id, when
  {
    std::shared_lock lock(cache_mutex_);
    for (auto& [hash, token] : cache_) {
      int64_t used = token->used_at_micros.exchange(0, std::memory_order_relaxed);
      if (used != 0) uses.emplace_back(token->principal.token_id, used);
    }
  }
  if (uses.empty()) return;
  auto write = [&]() -> Status {
    ARC_ASSIGN_OR_RETURN(SqliteTransaction transaction, SqliteTransaction::Begin(file_));
    for (auto [id, used] : uses) {
      ARC_ASSIGN_OR_RETURN(SqliteStatement update, file_.Prepare("UPDATE tokens SET last_used_at = ?1 WHERE id = ?2"));
      ARC_RETURN_IF_ERROR(update.Bind(used).Bind(id).Run());
    }
    return transaction.Commit();
  };
  // Losing the time of a last use must not refuse a request.
  Status written = write();
  if (!written.ok()) Log(LogLevel::kWarning, "auth", "cannot note token use", {{"error", written.error().message}});
}

void SqliteTokenStore::ForgetAll() {
  WriteUses();
  std::unique_lock lock(cache_mutex_);
  cache_.clear();
}

}  // namespace

Result<std::unique_ptr<TokenStore>> TokenStore::Open(const std::string& path, Clock& clock, RandomSource& random,
                                                     int64_t cache_ms) {
  ARC_ASSIGN_OR_RETURN(SqliteFile file, SqliteFile::Open(path));
  {
    ARC_ASSIGN_OR_RETURN(SqliteStatement version, file.Prepare("PRAGMA user_version"));
    ARC_ASSIGN_OR_RETURN(bool row, version.Step());
    if (row && version.Int(0) > kFormat) {
      return MakeError(ErrorKind::kUnsupported, path + " was written by a newer version of Arc");
    }
  }
  Status made = file.Execute(kTables);
  if (!made.ok()) return WithContext(std::move(made).error(), path);
  return std::unique_ptr<TokenStore>(std::make_unique<SqliteTokenStore>(std::move(file), clock, random, cache_ms));
}

}  // namespace arc
