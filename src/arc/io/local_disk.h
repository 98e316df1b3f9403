// The local file system as Arc uses it, with durability spelled out. The WAL, local data files and SQLite go through
// this interface so that tests can put a power cut under all three (power_cut_disk.h).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "arc/base/result.h"

namespace arc {

// An open file. Writes at disjoint ranges may come from several threads; nothing else is thread-safe. Closes when
// destroyed. What was written survives a power cut only after SyncData or Sync returned success.
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  // Reads up to bytes.size() from `offset`; fewer only at the end of the file.
  virtual Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) = 0;
  // All or an error; kDiskFull on ENOSPC/EDQUOT.
  virtual Status WriteAt(int64_t offset, std::span<const uint8_t> bytes) = 0;
  virtual Result<int64_t> Size() = 0;
  virtual Status Truncate(int64_t size) = 0;
  // Allocates and zero-extends to `size` bytes, so that later overwrites cannot fail for lack of space.
  virtual Status Preallocate(int64_t size) = 0;
  // fdatasync: data and the metadata needed to read it back. After an error the file's state is unknown.
  virtual Status SyncData() = 0;
  // fsync.
  virtual Status Sync() = 0;
};

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

// Paths are plain local paths. Names made, renamed or removed survive a power cut only after SyncDirectory of the
// folder that holds them. Thread-safe.
class LocalDisk {
 public:
  virtual ~LocalDisk() = default;
  virtual Result<std::unique_ptr<DiskFile>> Open(const std::string& path, OpenMode mode) = 0;
  virtual Status Rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual Status Remove(const std::string& path) = 0;                         // file or empty folder; kNotFound
  virtual Result<bool> Exists(const std::string& path) = 0;
  virtual Result<std::vector<std::string>> List(const std::string& folder) = 0;  // names, sorted; kNotFound
  virtual Result<bool> IsDirectory(const std::string& path) = 0;
  // Makes the folder and its parents; each new one is synced into its parent.
  virtual Status CreateDirectories(const std::string& path) = 0;
  virtual Status SyncDirectory(const std::string& path) = 0;
  // kConflict if another process holds it.
  virtual Result<std::unique_ptr<DiskLock>> Lock(const std::string& path) = 0;
  virtual Result<int64_t> FreeBytes(const std::string& path) = 0;
};

// The machine's disk. Lives as long as the process.
LocalDisk& SystemDisk();

// Writes `bytes` to `path` so that after any crash the file is wholly there or not at all: temporary name in the same
// folder, write, fsync, rename, fsync of the folder. Makes missing folders.
Status DurablePut(LocalDisk& disk, const std::string& path, std::span<const uint8_t> bytes);
Result<std::string> ReadWholeFile(LocalDisk& disk, const std::string& path);

}  // namespace arc
