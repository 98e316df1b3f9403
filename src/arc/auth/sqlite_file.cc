#include "arc/auth/sqlite_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace arc {

namespace {

constexpr int kBusyWaitMillis = 5000;

Error FromSqlite(sqlite3* connection, int code) {
  std::string message = connection != nullptr ? sqlite3_errmsg(connection) : sqlite3_errstr(code);
  switch (code & 0xff) {
    case SQLITE_CONSTRAINT: return MakeError(ErrorKind::kAlreadyExists, std::move(message));
    case SQLITE_FULL: return MakeError(ErrorKind::kDiskFull, std::move(message));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Corruption(std::move(message));
    default: return Unavailable(std::move(message));
  }
}

}  // namespace

SqliteStatement& SqliteStatement::Bind(int64_t value) {
  ARC_CHECK(sqlite3_bind_int64(statement_, ++bound_, value) == SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(std::string_view value) {
  const char* data = value.data() == nullptr ? "" : value.data();
  ARC_CHECK(sqlite3_bind_text(statement_, ++bound_, data, static_cast<int>(value.size()), SQLITE_STATIC) == SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(std::span<const uint8_t> value) {
  ARC_CHECK(sqlite3_bind_blob(statement_, ++bound_, value.data(), static_cast<int>(value.size()), SQLITE_STATIC) ==
            SQLITE_OK);
  return *this;
}

SqliteStatement& SqliteStatement::Bind(const std::optional<int64_t>& value) {
  if (value.has_value()) return Bind(*value);
  ARC_CHECK(sqlite3_bind_null(statement_, ++bound_) == SQLITE_OK);
  return *this;
}

Result<bool> SqliteStatement::Step() {
  int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return FromSqlite(sqlite3_db_handle(statement_), code);
}

Status SqliteStatement::Run() {
  ARC_ASSIGN_OR_RETURN(bool row, Step());
  ARC_CHECK(!row);
  return {};
}

std::optional<int64_t> SqliteStatement::OptionalInt(int column) const {
  if (sqlite3_column_type(statement_, column) == SQLITE_NULL) return std::nullopt;
  return Int(column);
}

std::string SqliteStatement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  if (text == nullptr) return {};
  return std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

Result<SqliteFile> SqliteFile::Open(const std::string& path) {
  if (path != ":memory:") {
    // SQLite would make the file readable by everybody the umask allows.
    int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor < 0) return Unavailable("cannot open " + path + ": " + std::strerror(errno));
    ::close(descriptor);
  }
  sqlite3* connection = nullptr;
  int code = sqlite3_open_v2(path.c_str(), &connection, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  SqliteFile file(connection);
  if (code != SQLITE_OK) return WithContext(FromSqlite(connection, code), path);
  sqlite3_extended_result_codes(connection, 1);
  sqlite3_busy_timeout(connection, kBusyWaitMillis);
  Status set = file.Execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON");
  if (!set.ok()) return WithContext(std::move(set).error(), path);
  return file;
}

Result<SqliteStatement> SqliteFile::Prepare(std::string_view sql) {
  sqlite3_stmt* statement = nullptr;
  int code = sqlite3_prepare_v2(connection_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (code != SQLITE_OK) return FromSqlite(connection_, code);
  return SqliteStatement(statement);
}

Status SqliteFile::Execute(const std::string& sql) {
  int code = sqlite3_exec(connection_, sql.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return FromSqlite(connection_, code);
  return {};
}

Result<SqliteTransaction> SqliteTransaction::Begin(SqliteFile& file) {
  ARC_RETURN_IF_ERROR(file.Execute("BEGIN IMMEDIATE"));
  return SqliteTransaction(&file);
}

SqliteTransaction::~SqliteTransaction() {
  // Fails only when SQLite has rolled back by itself.
  if (file_ != nullptr) (void)file_->Execute("ROLLBACK");
}

Status SqliteTransaction::Commit() {
  ARC_RETURN_IF_ERROR(file_->Execute("COMMIT"));
  file_ = nullptr;
  return {};
}

}  // namespace arc
