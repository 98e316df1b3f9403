// SQLite over a LocalDisk, so that tests can put a power cut under it. Interface: https://sqlite.org/vfs.html
#pragma once

#include <sqlite3.h>

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "arc/base/result.h"
#include "arc/io/local_disk.h"

namespace arc {

// A SQLite VFS, registered under a name of its own while the object lives; databases opened with it must be closed
// before. It syncs what SQLite's unix VFS syncs: xSync is DiskFile::Sync (SyncData for data only), the first sync of a
// new journal also syncs its folder, xDelete does where SQLite asks. Rollback journals only: there is no shared memory
// for WAL mode. Temporary files are refused, so connections need temp_store=MEMORY. File locks hold among connections
// of this VFS, not against other processes. Thread-safe.
class SqliteDiskVfs {
 public:
  // One VFS per disk, shared by all who ask while somebody holds it. `disk` must outlive it.
  static Result<std::shared_ptr<SqliteDiskVfs>> For(LocalDisk& disk);
  SqliteDiskVfs(const SqliteDiskVfs&) = delete;
  ~SqliteDiskVfs();

  const char* name() const { return name_.c_str(); }  // for sqlite3_open_v2

 private:
  struct File;
  struct Methods;
  // SQLite's lock levels of one path: https://sqlite.org/lockingv3.html
  struct PathLock {
    int shared = 0;
    const File* reserved = nullptr;
    const File* pending = nullptr;  // also while exclusive
  };

  explicit SqliteDiskVfs(LocalDisk& disk);
  int OpenFile(const char* path, File* file, int flags);
  int Lock(File* file, int level);
  void Unlock(File* file, int level);
  bool IsReserved(const std::string& path);

  LocalDisk& disk_;
  const std::string name_;
  sqlite3_vfs vfs_{};
  bool registered_ = false;
  std::mutex locks_mutex_;
  std::map<std::string, PathLock> locks_;
};

}  // namespace arc
