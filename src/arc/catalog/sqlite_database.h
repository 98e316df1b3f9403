// A SQLite connection as Arc uses it: durable, one statement at a time, errors as Results.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"
#include "arc/catalog/sqlite_disk_vfs.h"
#include "arc/io/local_disk.h"

namespace arc {

// Errors: kUnavailable when another connection kept it busy for 5 s, kDiskFull and kCorruption as named,
// kUnknownOutcome when writing hit an I/O error: the change may or may not be found after the next open. Not
// thread-safe.
class SqliteDatabase {
 public:
  // Opens or makes the file with journal_mode=TRUNCATE and synchronous=FULL: a commit is durable when it returns, and
  // programs beside us read the file as ever. On the system's disk with SQLite's own file access, else through
  // SqliteDiskVfs. The folder must exist.
  static Result<std::unique_ptr<SqliteDatabase>> Open(const std::string& path, LocalDisk& disk);
  SqliteDatabase(const SqliteDatabase&) = delete;
  ~SqliteDatabase();

  // One row of a result: text columns, nullopt for NULL.
  using Row = std::vector<std::optional<std::string>>;
  // Runs one statement with `?` bound to `values` in order (nullopt: NULL).
  Result<std::vector<Row>> Query(const char* sql, const std::vector<std::optional<std::string>>& values = {});
  // The same for a statement that changes data; returns the number of rows changed.
  Result<int64_t> Change(const char* sql, const std::vector<std::optional<std::string>>& values = {});
  // Runs `statements`, which call the functions above, as one transaction; an error of theirs undoes them all.
  Status Transaction(const std::function<Status()>& statements);

 private:
  SqliteDatabase(std::string path, std::shared_ptr<SqliteDiskVfs> vfs) : path_(std::move(path)), vfs_(std::move(vfs)) {}
  Status Run(const char* sql, const std::vector<std::optional<std::string>>& values, bool writes,
             std::vector<Row>* rows);
  Error ErrorOf(int code, bool writes) const;

  const std::string path_;
  const std::shared_ptr<SqliteDiskVfs> vfs_;  // null on the system's disk
  sqlite3* connection_ = nullptr;
};

}  // namespace arc
