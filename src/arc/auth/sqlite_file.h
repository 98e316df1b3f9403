// The little of SQLite that the token store needs, with errors as Status. Private to `auth`.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "arc/base/result.h"

namespace arc {

// A prepared statement being run once. Not thread-safe. Text and blobs bound must live until the last Step.
class SqliteStatement {
 public:
  SqliteStatement(SqliteStatement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  SqliteStatement& operator=(SqliteStatement&&) = delete;
  ~SqliteStatement() { sqlite3_finalize(statement_); }

  // Values for ?1, ?2, … in the order of the calls.
  SqliteStatement& Bind(int64_t value);
  SqliteStatement& Bind(std::string_view value);
  SqliteStatement& Bind(std::span<const uint8_t> value);
  SqliteStatement& Bind(const std::optional<int64_t>& value);
  // True while there is a row. kAlreadyExists when a UNIQUE constraint is violated, kDiskFull, else kUnavailable.
  Result<bool> Step();
  // For statements without rows.
  Status Run();

  int64_t Int(int column) const { return sqlite3_column_int64(statement_, column); }
  std::optional<int64_t> OptionalInt(int column) const;
  std::string Text(int column) const;

 private:
  friend class SqliteFile;
  explicit SqliteStatement(sqlite3_stmt* statement) : statement_(statement) {}
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

// One connection. Not thread-safe; another process may have the same file open.
class SqliteFile {
 public:
  // Makes the file if it is absent, readable by its owner only. A commit is on disk when it returns
  // (journal_mode=WAL, synchronous=FULL); a busy file is waited for. ":memory:" makes a store that ends with it.
  static Result<SqliteFile> Open(const std::string& path);
  SqliteFile(SqliteFile&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  SqliteFile& operator=(SqliteFile&&) = delete;
  ~SqliteFile() { sqlite3_close(connection_); }

  Result<SqliteStatement> Prepare(std::string_view sql);
  // Several statements without results.
  Status Execute(const std::string& sql);
  int64_t last_row_id() const { return sqlite3_last_insert_rowid(connection_); }
  int changed_rows() const { return sqlite3_changes(connection_); }

 private:
  explicit SqliteFile(sqlite3* connection) : connection_(connection) {}
  sqlite3* connection_;
};

// BEGIN IMMEDIATE … COMMIT; rolled back when destroyed before Commit.
class SqliteTransaction {
 public:
  static Result<SqliteTransaction> Begin(SqliteFile& file);
  SqliteTransaction(SqliteTransaction&& other) noexcept : file_(std::exchange(other.file_, nullptr)) {}
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  ~SqliteTransaction();
  Status Commit();

 private:
  explicit SqliteTransaction(SqliteFile* file) : file_(file) {}
  SqliteFile* file_;
};

}  // namespace arc
