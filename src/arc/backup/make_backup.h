// One backup of a lake, into a target that may hold earlier ones.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "arc/backup/copy.h"
#include "arc/backup/manifest.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/io/object_store.h"

namespace arc {

// What to copy. No object that the tables need may go while MakeBackup runs.
struct BackupSource {
  ObjectStore& store;
  PointerStoreContent catalog;
  uint64_t lsn = 0;
  bool exact = false;
  std::string lineage;
  std::vector<std::pair<std::string, std::string>> files;  // of the data folder: name, bytes
  int64_t now_ms = 0;                                      // wall clock
};

struct BackupSummary {
  std::string id;
  uint64_t lsn = 0;
  bool exact = false;
  uint64_t tables = 0;
  uint64_t objects = 0;
  int64_t bytes = 0;
  uint64_t objects_copied = 0;  // the others were there from earlier backups
  int64_t bytes_copied = 0;
  std::vector<std::string> problems;  // tables that are not in it, or not wholly, and why
};

// Copies the current metadata of every table and all that it needs, but for what earlier backups of the same lake have
// brought; the manifest comes last, so an interrupted backup is none, and what it copied serves the next. A table that
// cannot be read is left out and named. Errors: those of both stores; kConflict when an object differs from what an
// earlier backup holds of it.
Result<BackupSummary> MakeBackup(const BackupSource& source, ObjectStore& target, RandomSource& random,
                                 BackupProgress& progress);

// The address that a store's keys begin with: "/data/arc/", "s3://bucket/prefix/".
std::string RootOf(const ObjectStore& store);
// The address of cold objects (io/cold_key.h).
std::string ColdRootOf(const ObjectStore& store);

}  // namespace arc
