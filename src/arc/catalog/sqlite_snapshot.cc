#include "arc/catalog/sqlite_snapshot.h"

#include <sqlite3.h>

#include <memory>

#include "arc/catalog/sqlite_disk_vfs.h"

namespace arc {
namespace {

constexpr int kBusyTimeoutMillis = 5000;

struct CloseDatabase {
  void operator()(sqlite3* connection) const { sqlite3_close(connection); }
};

Error ErrorOf(sqlite3* connection, const std::string& path) {
  const int code = sqlite3_errcode(connection) & 0xff;
  std::string message = path + ": " + sqlite3_errmsg(connection);
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? Corruption(std::move(message))
                                                         : Unavailable(std::move(message));
}

}  // namespace

Result<std::string> SqliteSnapshot(const std::string& path, LocalDisk& disk) {
  ARC_ASSIGN_OR_RETURN(const bool there, disk.Exists(path));
  if (!there) return NotFound("there is no " + path);
  std::shared_ptr<SqliteDiskVfs> vfs;
  if (!disk.is_system()) {
    ARC_ASSIGN_OR_RETURN(vfs, SqliteDiskVfs::For(disk));
  }
  sqlite3* opened = nullptr;
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;  // the journal of a crash may have to be undone
  const int code = sqlite3_open_v2(path.c_str(), &opened, kFlags, vfs != nullptr ? vfs->name() : nullptr);
  const std::unique_ptr<sqlite3, CloseDatabase> connection(opened);
  if (code != SQLITE_OK) return ErrorOf(opened, path);
  sqlite3_busy_timeout(opened, kBusyTimeoutMillis);
  // One transaction that has read: nobody changes the file until it ends.
  if (sqlite3_exec(opened, "BEGIN; SELECT count(*) FROM sqlite_master", nullptr, nullptr, nullptr) != SQLITE_OK) {
    return ErrorOf(opened, path);
  }
  sqlite3_int64 bytes = 0;
  const std::unique_ptr<unsigned char, decltype(&sqlite3_free)> image(sqlite3_serialize(opened, "main", &bytes, 0),
                                                                      &sqlite3_free);
  if (image == nullptr) return ErrorOf(opened, path);
  return std::string(reinterpret_cast<const char*>(image.get()), static_cast<size_t>(bytes));
}

}  // namespace arc
