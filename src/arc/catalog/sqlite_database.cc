#include "arc/catalog/sqlite_database.h"

#include <utility>

namespace arc {
namespace {

constexpr int kBusyTimeoutMillis = 5000;

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

}  // namespace

Error SqliteDatabase::ErrorOf(int code, bool writes) const {
  std::string message = "catalog file " + path_ + ": " + sqlite3_errmsg(connection_);
  switch (code & 0xff) {
    case SQLITE_FULL: return MakeError(ErrorKind::kDiskFull, std::move(message));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Corruption(std::move(message));
    case SQLITE_IOERR:
      return MakeError(writes ? ErrorKind::kUnknownOutcome : ErrorKind::kUnavailable, std::move(message));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_NOMEM: return Unavailable(std::move(message));
    default: return Internal(std::move(message));
  }
}

Result<std::unique_ptr<SqliteDatabase>> SqliteDatabase::Open(const std::string& path, LocalDisk& disk) {
  std::shared_ptr<SqliteDiskVfs> vfs;
  if (!disk.is_system()) {
    ARC_ASSIGN_OR_RETURN(vfs, SqliteDiskVfs::For(disk));
  }
  const char* vfs_name = vfs != nullptr ? vfs->name() : nullptr;
  std::unique_ptr<SqliteDatabase> database(new SqliteDatabase(path, std::move(vfs)));
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  int code = sqlite3_open_v2(path.c_str(), &database->connection_, kFlags, vfs_name);
  if (code != SQLITE_OK) return database->ErrorOf(code, /*writes=*/false);
  sqlite3_extended_result_codes(database->connection_, 1);
  sqlite3_busy_timeout(database->connection_, kBusyTimeoutMillis);
  ARC_RETURN_IF_ERROR(database->Query("PRAGMA temp_store = MEMORY"));
  // Rollback journal rather than WAL: foreign readers need no shared memory beside the file and a copy of the one file
  // is whole. TRUNCATE rather than DELETE: with synchronous=FULL SQLite does not sync the folder after unlinking the
  // journal, so a power cut would bring the journal back and undo the commit; truncating is synced.
  ARC_ASSIGN_OR_RETURN(std::vector<Row> mode, database->Query("PRAGMA journal_mode = TRUNCATE"));
  if (mode.size() != 1 || mode[0][0] != "truncate") {
    return Unavailable("catalog file " + path + " is held in another journal mode by another program");
  }
  ARC_RETURN_IF_ERROR(database->Query("PRAGMA synchronous = FULL"));
  return database;
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close(connection_); }

Result<std::vector<SqliteDatabase::Row>> SqliteDatabase::Query(const char* sql,
                                                               const std::vector<std::optional<std::string>>& values) {
  std::vector<Row> rows;
  ARC_RETURN_IF_ERROR(Run(sql, values, /*writes=*/false, &rows));
  return rows;
}

Result<int64_t> SqliteDatabase::Change(const char* sql, const std::vector<std::optional<std::string>>& values) {
  std::vector<Row> none;
  ARC_RETURN_IF_ERROR(Run(sql, values, /*writes=*/true, &none));
  return static_cast<int64_t>(sqlite3_changes(connection_));
}

Status SqliteDatabase::Transaction(const std::function<Status()>& statements) {
  // The write lock from the first: a transaction that reads before it takes the lock can be refused half-way.
  ARC_RETURN_IF_ERROR(Query("BEGIN IMMEDIATE"));
  Status status = statements();
  if (status.ok()) {
    std::vector<Row> none;
    status = Run("COMMIT", {}, /*writes=*/true, &none);
  }
  if (!status.ok() && sqlite3_get_autocommit(connection_) == 0) (void)Query("ROLLBACK");
  return status;
}

Status SqliteDatabase::Run(const char* sql, const std::vector<std::optional<std::string>>& values, bool writes,
                           std::vector<Row>* rows) {
  sqlite3_stmt* raw = nullptr;
  if (int code = sqlite3_prepare_v2(connection_, sql, -1, &raw, nullptr); code != SQLITE_OK) {
    return ErrorOf(code, /*writes=*/false);  // nothing has been changed yet
  }
  Statement statement(raw);
  for (size_t i = 0; i < values.size(); ++i) {
    int place = static_cast<int>(i) + 1;
    int code = values[i].has_value()
                   ? sqlite3_bind_text64(raw, place, values[i]->data(), values[i]->size(), SQLITE_STATIC, SQLITE_UTF8)
                   : sqlite3_bind_null(raw, place);
    if (code != SQLITE_OK) return ErrorOf(code, /*writes=*/false);
  }
  int code = sqlite3_step(raw);
  for (; code == SQLITE_ROW; code = sqlite3_step(raw)) {
    Row& row = rows->emplace_back(static_cast<size_t>(sqlite3_column_count(raw)));
    for (size_t i = 0; i < row.size(); ++i) {
      int column = static_cast<int>(i);
      if (sqlite3_column_type(raw, column) == SQLITE_NULL) continue;
      const void* text = sqlite3_column_text(raw, column);
      row[i].emplace(static_cast<const char*>(text), static_cast<size_t>(sqlite3_column_bytes(raw, column)));
    }
  }
  if (code != SQLITE_DONE) return ErrorOf(code, writes);
  return {};
}

}  // namespace arc
