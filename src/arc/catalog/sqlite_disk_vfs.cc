#include "arc/catalog/sqlite_disk_vfs.h"

#include <atomic>
#include <chrono>
#include <cstring>
#include <new>
#include <optional>
#include <utility>

#include "arc/base/clock.h"
#include "arc/base/uuid.h"
#include "arc/io/path.h"

namespace arc {
namespace {

constexpr int kMaxPathBytes = 4096;
constexpr int kUnixSectorBytes = 4096;  // what SQLite's unix VFS reports
// 1970-01-01 as a Julian day, in milliseconds.
constexpr sqlite3_int64 kUnixEpochJulianMillis = 210'866'760'000'000;

std::atomic<uint64_t> next_vfs_number{1};

int WriteErrorCode(const Error& error, int otherwise) {
  return error.kind == ErrorKind::kDiskFull ? SQLITE_FULL : otherwise;
}

}  // namespace

// What SQLite allocates for us: `base` comes first, by its rules.
struct SqliteDiskVfs::File {
  sqlite3_file base;
  SqliteDiskVfs* vfs;
  std::unique_ptr<DiskFile> disk_file;
  std::string path;
  int lock_level;
  bool name_unsynced;  // a journal that was made by this open
};

// The callbacks, in C's clothes.
struct SqliteDiskVfs::Methods {
  static File* Of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }
  static SqliteDiskVfs* Of(sqlite3_vfs* vfs) { return static_cast<SqliteDiskVfs*>(vfs->pAppData); }

  static int Close(sqlite3_file* base) {
    File* file = Of(base);
    file->vfs->Unlock(file, SQLITE_LOCK_NONE);
    file->~File();
    return SQLITE_OK;
  }

  static int Read(sqlite3_file* base, void* buffer, int length, sqlite3_int64 offset) {
    auto* bytes = static_cast<uint8_t*>(buffer);
    auto wanted = static_cast<size_t>(length);
    Result<size_t> got = Of(base)->disk_file->ReadAt(offset, {bytes, wanted});
    if (!got.ok()) return SQLITE_IOERR_READ;
    if (*got == wanted) return SQLITE_OK;
    std::memset(bytes + *got, 0, wanted - *got);
    return SQLITE_IOERR_SHORT_READ;
  }

  static int Write(sqlite3_file* base, const void* buffer, int length, sqlite3_int64 offset) {
    Status status =
        Of(base)->disk_file->WriteAt(offset, {static_cast<const uint8_t*>(buffer), static_cast<size_t>(length)});
    return status.ok() ? SQLITE_OK : WriteErrorCode(status.error(), SQLITE_IOERR_WRITE);
  }

  static int Truncate(sqlite3_file* base, sqlite3_int64 size) {
    Status status = Of(base)->disk_file->Truncate(size);
    return status.ok() ? SQLITE_OK : WriteErrorCode(status.error(), SQLITE_IOERR_TRUNCATE);
  }

  static int Sync(sqlite3_file* base, int flags) {
    File* file = Of(base);
    Status status = (flags & SQLITE_SYNC_DATAONLY) != 0 ? file->disk_file->SyncData() : file->disk_file->Sync();
    if (!status.ok()) return SQLITE_IOERR_FSYNC;
    if (!file->name_unsynced) return SQLITE_OK;
    if (!file->vfs->disk_.SyncDirectory(ParentFolder(file->path)).ok()) return SQLITE_IOERR_DIR_FSYNC;
    file->name_unsynced = false;
    return SQLITE_OK;
  }

  static int FileSize(sqlite3_file* base, sqlite3_int64* size) {
    Result<int64_t> bytes = Of(base)->disk_file->Size();
    if (!bytes.ok()) return SQLITE_IOERR_FSTAT;
    *size = *bytes;
    return SQLITE_OK;
  }

  static int Lock(sqlite3_file* base, int level) { return Of(base)->vfs->Lock(Of(base), level); }

  static int Unlock(sqlite3_file* base, int level) {
    Of(base)->vfs->Unlock(Of(base), level);
    return SQLITE_OK;
  }

  static int CheckReservedLock(sqlite3_file* base, int* reserved) {
    *reserved = Of(base)->vfs->IsReserved(Of(base)->path) ? 1 : 0;
    return SQLITE_OK;
  }

  static int FileControl(sqlite3_file*, int, void*) { return SQLITE_NOTFOUND; }
  static int SectorSize(sqlite3_file*) { return kUnixSectorBytes; }
  static int DeviceCharacteristics(sqlite3_file*) { return SQLITE_IOCAP_POWERSAFE_OVERWRITE; }

  static int Open(sqlite3_vfs* vfs, sqlite3_filename path, sqlite3_file* base, int flags, int* flags_out) {
    base->pMethods = nullptr;  // SQLite closes nothing then
    if (path == nullptr) return SQLITE_CANTOPEN;
    int code = Of(vfs)->OpenFile(path, Of(base), flags);
    if (code == SQLITE_OK && flags_out != nullptr) *flags_out = flags;
    return code;
  }

  static int Delete(sqlite3_vfs* vfs, const char* path, int sync_folder) {
    LocalDisk& disk = Of(vfs)->disk_;
    Status removed = disk.Remove(path);
    if (!removed.ok()) {
      return removed.error().kind == ErrorKind::kNotFound ? SQLITE_IOERR_DELETE_NOENT : SQLITE_IOERR_DELETE;
    }
    if (sync_folder != 0 && !disk.SyncDirectory(ParentFolder(path)).ok()) return SQLITE_IOERR_DIR_FSYNC;
    return SQLITE_OK;
  }

  // Like the unix VFS, an empty file does not count as existing: an empty journal is nothing to roll back.
  static int Access(sqlite3_vfs* vfs, const char* path, int flags, int* result) {
    Result<DiskEntry> entry = Of(vfs)->disk_.Stat(path);
    if (!entry.ok() && entry.error().kind != ErrorKind::kNotFound) return SQLITE_IOERR_ACCESS;
    *result = entry.ok() && (flags != SQLITE_ACCESS_EXISTS || entry->is_directory || entry->bytes > 0) ? 1 : 0;
    return SQLITE_OK;
  }

  static int FullPathname(sqlite3_vfs*, const char* path, int capacity, char* out) {
    std::string absolute = AbsolutePath(path);
    if (absolute.size() >= static_cast<size_t>(capacity)) return SQLITE_CANTOPEN_FULLPATH;
    std::memcpy(out, absolute.c_str(), absolute.size() + 1);
    return SQLITE_OK;
  }

  static int Randomness(sqlite3_vfs*, int length, char* out) {
    SystemRandom().Fill({reinterpret_cast<uint8_t*>(out), static_cast<size_t>(length)});
    return length;
  }

  static int Sleep(sqlite3_vfs*, int micros) {
    SystemClock().SleepFor(std::chrono::microseconds(micros));
    return micros;
  }

  static int CurrentTimeMillis(sqlite3_vfs*, sqlite3_int64* millis) {
    *millis = kUnixEpochJulianMillis + SystemClock().WallMicros() / 1000;
    return SQLITE_OK;
  }

  static int CurrentTime(sqlite3_vfs* vfs, double* days) {
    sqlite3_int64 millis = 0;
    int code = CurrentTimeMillis(vfs, &millis);
    *days = static_cast<double>(millis) / 86'400'000.0;
    return code;
  }

  static int LastError(sqlite3_vfs*, int, char*) { return 0; }

  static const sqlite3_io_methods* ForFiles() {
    static const sqlite3_io_methods kMethods = [] {
      sqlite3_io_methods methods{};
      methods.iVersion = 1;  // no shared memory, no memory mapping
      methods.xClose = Close;
      methods.xRead = Read;
      methods.xWrite = Write;
      methods.xTruncate = Truncate;
      methods.xSync = Sync;
      methods.xFileSize = FileSize;
      methods.xLock = Lock;
      methods.xUnlock = Unlock;
      methods.xCheckReservedLock = CheckReservedLock;
      methods.xFileControl = FileControl;
      methods.xSectorSize = SectorSize;
      methods.xDeviceCharacteristics = DeviceCharacteristics;
      return methods;
    }();
    return &kMethods;
  }
};

SqliteDiskVfs::SqliteDiskVfs(LocalDisk& disk)
    : disk_(disk), name_("arc-disk-" + std::to_string(next_vfs_number.fetch_add(1))) {
  vfs_.iVersion = 2;
  vfs_.szOsFile = sizeof(File);
  vfs_.mxPathname = kMaxPathBytes;
  vfs_.zName = name_.c_str();
  vfs_.pAppData = this;
  vfs_.xOpen = Methods::Open;
  vfs_.xDelete = Methods::Delete;
  vfs_.xAccess = Methods::Access;
  vfs_.xFullPathname = Methods::FullPathname;
  vfs_.xRandomness = Methods::Randomness;
  vfs_.xSleep = Methods::Sleep;
  vfs_.xCurrentTime = Methods::CurrentTime;
  vfs_.xCurrentTimeInt64 = Methods::CurrentTimeMillis;
  vfs_.xGetLastError = Methods::LastError;
}

SqliteDiskVfs::~SqliteDiskVfs() {
  if (registered_) sqlite3_vfs_unregister(&vfs_);
}

Result<std::shared_ptr<SqliteDiskVfs>> SqliteDiskVfs::For(LocalDisk& disk) {
  static std::mutex mutex;
  static std::map<LocalDisk*, std::weak_ptr<SqliteDiskVfs>> by_disk;
  std::lock_guard lock(mutex);
  std::erase_if(by_disk, [](const auto& entry) { return entry.second.expired(); });
  std::weak_ptr<SqliteDiskVfs>& known = by_disk[&disk];
  if (std::shared_ptr<SqliteDiskVfs> vfs = known.lock()) return vfs;
  std::shared_ptr<SqliteDiskVfs> vfs(new SqliteDiskVfs(disk));
  if (sqlite3_vfs_register(&vfs->vfs_, /*makeDflt=*/0) != SQLITE_OK) return Internal("cannot register a SQLite VFS");
  vfs->registered_ = true;
  known = vfs;
  return vfs;
}

int SqliteDiskVfs::OpenFile(const char* path, File* file, int flags) {
  OpenMode mode = (flags & SQLITE_OPEN_READWRITE) != 0 ? OpenMode::kReadWrite : OpenMode::kRead;
  bool created = false;
  std::optional<Result<std::unique_ptr<DiskFile>>> opened;
  if ((flags & SQLITE_OPEN_EXCLUSIVE) == 0) opened = disk_.Open(path, mode);
  bool missing = !opened.has_value() || (!opened->ok() && opened->error().kind == ErrorKind::kNotFound);
  if (missing && (flags & SQLITE_OPEN_CREATE) != 0) {
    opened = disk_.Open(path, OpenMode::kCreateExclusive);
    created = true;
  }
  if (!opened.has_value() || !opened->ok()) return SQLITE_CANTOPEN;
  bool is_journal = (flags & (SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL | SQLITE_OPEN_WAL)) != 0;
  new (file) File{{Methods::ForFiles()}, this, std::move(**opened), path, SQLITE_LOCK_NONE, created && is_journal};
  return SQLITE_OK;
}

int SqliteDiskVfs::Lock(File* file, int level) {
  std::lock_guard guard(locks_mutex_);
  if (file->lock_level >= level) return SQLITE_OK;
  PathLock& lock = locks_[file->path];
  if (level == SQLITE_LOCK_SHARED) {
    if (lock.pending != nullptr) return SQLITE_BUSY;
    ++lock.shared;
  } else if (level == SQLITE_LOCK_RESERVED) {
    if (lock.reserved != nullptr) return SQLITE_BUSY;
    lock.reserved = file;
  } else {
    if (lock.pending != nullptr && lock.pending != file) return SQLITE_BUSY;
    lock.pending = file;  // keeps new readers out while the present ones finish
    file->lock_level = SQLITE_LOCK_PENDING;
    if (lock.shared > 1) return SQLITE_BUSY;
  }
  file->lock_level = level;
  return SQLITE_OK;
}

void SqliteDiskVfs::Unlock(File* file, int level) {
  std::lock_guard guard(locks_mutex_);
  if (file->lock_level <= level) return;
  auto found = locks_.find(file->path);
  PathLock& lock = found->second;
  if (lock.reserved == file) lock.reserved = nullptr;
  if (lock.pending == file) lock.pending = nullptr;
  if (level == SQLITE_LOCK_NONE && --lock.shared == 0) locks_.erase(found);
  file->lock_level = level;
}

bool SqliteDiskVfs::IsReserved(const std::string& path) {
  std::lock_guard guard(locks_mutex_);
  auto found = locks_.find(path);
  return found != locks_.end() && found->second.reserved != nullptr;
}

}  // namespace arc
