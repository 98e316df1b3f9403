// The local file system as Arc uses it, with durability spelled out. The WAL, local data files and SQLite go through
// this interface so that tests can put a power cut under all three (power_cut_disk.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "arc/base/result.h"

namespace arc {

// An open file. Writes at disjoint ranges may come from several threads; nothing else is thread-safe. Closes when
// destroyed. What was written survives a power cut only after SyncData or Sync returned success.
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  // Reads up to bytes.size() from `offset`; fewer only at the end of the file, none beyond it.
  virtual Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) = 0;
  // All or an error; kDiskFull on ENOSPC/EDQUOT. After an error any part may have been written. Grows the file.
  virtual Status WriteAt(int64_t offset, std::span<const uint8_t> bytes) = 0;
  virtual Result<int64_t> Size() = 0;
  virtual Status Truncate(int64_t size) = 0;
  // Allocates and zero-extends to `size` bytes, so that later overwrites cannot fail for lack of space. Never shrinks,
  // keeps what is there; kDiskFull leaves the file as it was.
  virtual Status Preallocate(int64_t size) = 0;
  // fdatasync: data and the metadata needed to read it back, the size included. After any failure (mostly
  // kUnknownOutcome) what was written may be lost for good although reading still shows it, and a second call may
  // succeed without writing it.
  virtual Status SyncData() = 0;
  // fsync.
  virtual Status Sync() = 0;
  // WriteAt and SyncData as one step, for logs that grow within a preallocated file: what the file holds behind the
  // range, up to the next multiple of kAppendBlockBytes, may become zeros. Errors are WriteAt's, or kUnknownOutcome
  // when the bytes were taken and are in doubt. On the machine's disk it passes the page cache by where the file system
  // lets it, which saves a copy and most of the sync's own work (docs/decisions/0010).
  virtual Status AppendDurably(int64_t offset, std::span<const uint8_t> bytes) = 0;
};

inline constexpr int64_t kAppendBlockBytes = 4096;

// An exclusive lock on a file, held by this process until destroyed.
class DiskLock {
 public:
  virtual ~DiskLock() = default;
};

enum class OpenMode {
  kRead,             // must exist
  kReadWrite,        // must exist
  kCreate,           // read and write, made if absent
  kCreateExclusive,  // read and write, kAlreadyExists if present
};

// What a path names.
struct DiskEntry {
  bool is_directory = false;
  int64_t bytes = 0;            // of a file
  int64_t modified_micros = 0;  // when its content last changed, µs since 1970
};

// Paths are plain local paths. Names made, renamed or removed survive a power cut only after SyncDirectory of the
// folder that holds them. Failures the caller can act on: kNotFound, kAlreadyExists, kDiskFull, kConflict (a folder
// that is not empty), kInvalidArgument (a name too long, a folder where a file is meant); all others are kUnavailable.
// Thread-safe.
class LocalDisk {
 public:
  virtual ~LocalDisk() = default;
  virtual Result<std::unique_ptr<DiskFile>> Open(const std::string& path, OpenMode mode) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  // Atomically, kAlreadyExists if `to` is there: of several callers exactly one succeeds.
  virtual Status RenameNoReplace(const std::string& from, const std::string& to) = 0;
  virtual Status Remove(const std::string& path) = 0;  // file or empty folder; kNotFound
  virtual Result<bool> Exists(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> List(const std::string& folder) = 0;  // names, sorted; kNotFound
  virtual Result<bool> IsDirectory(const std::string& path) = 0;                 // false when nothing is there
  virtual Result<DiskEntry> Stat(const std::string& path) = 0;                   // kNotFound
  // Makes the folder and its parents. On success all their names are durable, whoever made them.
  virtual Status CreateDirectories(const std::string& path) = 0;
  // The same, but the names of folders that it makes are left to SyncNames: they are put into `made`, and taken for
  // made where they stand there already.
  virtual Status MakeDirectories(const std::string& path, std::unordered_set<std::string>* made);
  virtual Status SyncDirectory(const std::string& path) = 0;
  // Sync of each file's content, and of the names of files and folders (paths that do not end in a slash), for the
  // price of a few syncs where the disk can. After an error any part may be durable.
  virtual Status SyncFiles(std::span<const std::string> paths);
  virtual Status SyncNames(std::span<const std::string> files, const std::unordered_set<std::string>& folders);
  // Makes the file if absent. kConflict if anybody holds it, in this process or another. The file stays when released.
  virtual Result<std::unique_ptr<DiskLock>> Lock(const std::string& path) = 0;
  virtual Result<int64_t> FreeBytes(const std::string& path) = 0;
  // Whether paths mean the same to libraries that open files themselves (SQLite).
  virtual bool is_system() const { return false; }
};

// The machine's disk. Lives as long as the process.
LocalDisk& SystemDisk();

// Writes `bytes` to `path` so that after any crash the file is wholly there or not at all: temporary name in the same
// folder, write, fsync, rename, fsync of the folder. Makes missing folders. Replaces what is there. kUnknownOutcome
// when only the last step failed: old or new content, never a mixture.
Status DurablePut(LocalDisk& disk, const std::string& path, std::span<const uint8_t> bytes);
Result<std::string> ReadWholeFile(LocalDisk& disk, const std::string& path);

// Files being written carry names that begin so, in the folder of their final name.
inline constexpr std::string_view kTemporaryPrefix = ".arc-tmp-";
// Removes such files at and below `folder`, left behind by a crash; returns how many. Names that go on with
// `spare_tag` stay (empty: none). Only while nobody else writes there. A missing folder holds none.
Result<int> RemoveTemporaries(LocalDisk& disk, const std::string& folder, std::string_view spare_tag = {});

}  // namespace arc
