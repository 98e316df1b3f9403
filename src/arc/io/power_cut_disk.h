// A disk in memory that can lose its power: for tests that ask what survives.
//
// The model, at least as bad as ext4 and XFS without their undocumented kindness:
// - Data written is found after a cut only if SyncData or Sync of that file returned success. What was not synced is
//   found or not by sectors of 512 bytes, in any order, each whole; of a sector written several times any version.
// - A file's size is synced like its data. Unsynced, some prefix of its size changes is found; bytes that never
//   reached the disk read as zeros (holes of unwritten extents), never as garbage.
// - Names (made, renamed, removed; files and folders) are found only if SyncDirectory of their folder returned success.
//   Syncing a file does not sync its name; syncing a folder does not sync the folder's own name. Unsynced changes are
//   found or not, in any order between different names; changes of one name keep their order. A rename happens wholly
//   or not at all, also between folders (syncing either one settles it); what was moved always has one of both names.
// - A sync that fails has written any part of what it should, and the kernel forgets the rest: reading still shows it,
//   and the next sync succeeds without writing it.
// - A sync during which the power goes is one that was not done: any part of it may be found.
// Each restart draws how much comes through: nothing, everything, or a mixture.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "arc/base/uuid.h"
#include "arc/io/local_disk.h"
#include "arc/io/power_cut_names.h"

namespace arc {

// Thread-safe; operation counts repeat only when one thread works. Must outlive its files and locks. Only "/" exists at
// first. Relative paths count from the process's working directory, which has to be made like any other.
class PowerCutDisk : public LocalDisk {
 public:
  // Of everything on it: it has no clock, and what is old may be removed by age.
  static constexpr int64_t kModifiedMicros = 1;

  PowerCutDisk() = default;
  PowerCutDisk(const PowerCutDisk&) = delete;

  // The n-th mutating operation from now (n >= 1) is the last that happens: it and every later call, reads included,
  // fail with kUnavailable. Mutating is each write, truncation, preallocation, sync (also when there is nothing to
  // sync), each file or folder made, renamed or removed. Calls refused for another reason are not counted.
  void CutAfter(uint64_t operations);
  void CutNow();
  bool power_is_on() const;
  // Mutating operations since the disk was made.
  uint64_t operations() const;
  // Those of them that were syncs.
  uint64_t syncs() const;
  // The newest mutating operation, as "sync /a/b", for messages of failed checks.
  std::string last_operation() const;
  // Cuts the power if it is on, draws what is found, and turns it on again. Files opened and locks taken before are
  // dead: they fail with kUnavailable. A pending CutAfter and pending failures are forgotten; the rest stays set.
  void Restart(RandomSource& random);

  // From now on files may grow by so many bytes in all (removing and truncating gives back); what does not fit fails
  // with kDiskFull, a write after putting down what fits. Overwriting always fits. nullopt lifts the limit.
  void SetFreeBytes(std::optional<int64_t> bytes);
  // The next `count` syncs of files (or folders) with something to sync fail with kUnknownOutcome.
  void FailSyncs(int count);
  void FailDirectorySyncs(int count);
  // Planted bugs, to show that a check notices: syncs report success and do nothing. IgnoreSync: of files whose path
  // contains `part`.
  void IgnoreSync(bool ignore, const std::string& part = "");
  void IgnoreDirectorySync(bool ignore);

  Result<std::unique_ptr<DiskFile>> Open(const std::string& path, OpenMode mode) override;
  Status Rename(const std::string& from, const std::string& to) override;
  Status RenameNoReplace(const std::string& from, const std::string& to) override;
  Status Remove(const std::string& path) override;
  Result<bool> Exists(const std::string& path) override;
  Result<std::vector<std::string>> List(const std::string& folder) override;
  Result<bool> IsDirectory(const std::string& path) override;
  Result<DiskEntry> Stat(const std::string& path) override;
  Status CreateDirectories(const std::string& path) override;
  Status MakeDirectories(const std::string& path, std::unordered_set<std::string>* made) override;
  Status SyncDirectory(const std::string& path) override;
  // One operation each: a cut in it leaves any part of all it was to sync.
  Status SyncFiles(std::span<const std::string> paths) override;
  Status SyncNames(std::span<const std::string> files, const std::unordered_set<std::string>& folders) override;
  Result<std::unique_ptr<DiskLock>> Lock(const std::string& path) override;
  Result<int64_t> FreeBytes(const std::string& path) override;

 private:
  class File;
  class HeldLock;

  // All below under mutex_.
  Status CheckPower() const;
  bool NextIsLast() const { return cut_in_ == 1; }
  // Counts an operation that has just happened; the error if the power went with it.
  Status Count(std::string_view verb, const std::string& path);
  // CreateDirectories, or MakeDirectories with `made_here`.
  Status MakeEach(const std::string& path, std::unordered_set<std::string>* made_here);
  Status RenameLocked(const std::string& from, const std::string& to, bool replace);
  Status SyncFolders(const std::string& path, std::span<const PowerCutNodePtr> folders);
  Status SyncContents(const std::string& path, std::span<const PowerCutNodePtr> files);
  Status WriteFile(const std::string& path, PowerCutNode* node, int64_t offset, std::span<const uint8_t> bytes);
  Status ResizeFile(std::string_view verb, const std::string& path, PowerCutNode* node, int64_t size);
  int64_t UsedBytes() const;
  int64_t FreeBytesLocked() const;

  mutable std::mutex mutex_;
  PowerCutNames names_;
  bool power_is_on_ = true;
  uint64_t cut_in_ = 0;  // operations; 0: never
  uint64_t operations_ = 0;
  uint64_t syncs_ = 0;
  std::string last_operation_ = "nothing";
  uint64_t generation_ = 0;  // restarts; files and locks of an older one are dead
  std::optional<int64_t> capacity_;
  int64_t used_bytes_ = 0;
  int failing_syncs_ = 0;
  int failing_directory_syncs_ = 0;
  bool ignore_sync_ = false;
  std::string ignored_part_;  // of paths
  bool ignore_directory_sync_ = false;
  std::map<std::string, uint64_t> locks_;  // path -> generation
};

}  // namespace arc
