// Objects from one store to another, with their checksums taken on the way.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "arc/backup/manifest.h"
#include "arc/base/result.h"
#include "arc/io/object_group.h"
#include "arc/io/object_store.h"

namespace arc {

// How far a long operation is, for whoever watches. Thread-safe.
struct BackupProgress {
  std::atomic<uint64_t> objects_total{0};
  std::atomic<uint64_t> objects_done{0};
  std::atomic<uint64_t> objects_copied{0};
  std::atomic<int64_t> bytes_total{0};
  std::atomic<int64_t> bytes_done{0};
  std::atomic<int64_t> bytes_copied{0};
  std::atomic<bool> cancelled{false};  // set from outside: the operation ends with kCancelled
};

// Size and checksum of an object, read in pieces.
Result<BackupObject> HashObject(ObjectStore& store, const std::string& key, BackupProgress& progress);

// Copies many objects into one store, synced together where that is cheaper. For one thread; what was copied since the
// last sync is not there before Finish.
class Copier {
 public:
  // All outlive it.
  Copier(ObjectStore& from, ObjectStore& target, BackupProgress& progress);
  ~Copier();

  // Size and checksum of what was copied. Replaces what is there only when `overwrite` says so, else kAlreadyExists.
  Result<BackupObject> Copy(const std::string& key, const std::string& to, bool overwrite);
  Status Put(const std::string& to, std::string_view bytes);
  Status Finish();

 private:
  Status NoteCopy(int64_t bytes);

  ObjectStore& from_;
  ObjectStore& target_;
  BackupProgress& progress_;
  std::unique_ptr<ObjectGroup> group_;
  int64_t objects_unsynced_ = 0;
  int64_t bytes_unsynced_ = 0;
};

}  // namespace arc
