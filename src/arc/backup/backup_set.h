// The backups that a target holds: a folder or a store's prefix with objects that several of them share.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arc/backup/copy.h"
#include "arc/backup/manifest.h"
#include "arc/base/result.h"
#include "arc/io/local_disk.h"
#include "arc/io/object_store.h"

namespace arc {

// A target, kept from others who would change it as long as `lock` is held (null: a remote store, which has none).
struct BackupTarget {
  std::unique_ptr<DiskLock> lock;
  std::unique_ptr<ObjectStore> store;
};

// A folder, made if absent. With `to_change` it is locked (kConflict while somebody else changes it) and rid of what
// interrupted writes left; without, it must be there (kNotFound).
Result<BackupTarget> OpenFolderTarget(LocalDisk& disk, const std::string& folder, bool to_change);

// Ids, oldest first.
Result<std::vector<std::string>> ListBackups(ObjectStore& target);
// Empty: the newest. kNotFound.
Result<BackupManifest> LoadBackup(ObjectStore& target, const std::string& id);

struct VerifyReport {
  uint64_t backups = 0;
  uint64_t objects = 0;
  int64_t bytes = 0;
  std::vector<std::string> damages;  // one line for each object that is missing or not what was written
};

// Reads every object that a backup (empty: any of them) needs, once.
Result<VerifyReport> VerifyBackups(ObjectStore& target, const std::string& id, BackupProgress& progress);

struct PruneReport {
  std::vector<std::string> backups;  // that were removed
  uint64_t objects = 0;
  int64_t bytes = 0;
};

// Removes all backups but the newest `keep` (at least 1), and then what none of those needs. An interruption leaves
// objects that the next call removes.
Result<PruneReport> PruneBackups(ObjectStore& target, size_t keep);

}  // namespace arc
