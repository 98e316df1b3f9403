// Data files that queries may be reading although they are no part of their table, or will not be: those of versions
// that queries began with, and those of old snapshots.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "arc/catalog/file_index.h"

namespace arc {

// Thread-safe. A file is read while one of its entries that were added is held: all versions of a table share one, each
// reader of an old snapshot brings its own. After a restart nothing is read; what was still waiting then is left to the
// removal of orphans.
class RetiredFiles {
 public:
  // The file has left its table.
  void Add(const std::shared_ptr<const FileEntry>& file);
  // All of `files`, which may be in their table or not, are read from now on: they are not removed by what Unread says
  // afterwards.
  void Hold(const FileIndex& files);
  // All files of `before` that are not in `now`.
  void AddGone(const FileIndex& before, const FileIndex& now);
  // Of the objects `dead` (data files or not), and of those of earlier calls, the ones that nobody reads. The others
  // come back from a later call.
  std::vector<std::string> Unread(const std::vector<std::string>& dead);
  // Of the files that left their tables: those that are still read, and what is kept for KeepAll.
  std::unordered_set<std::string> Keys() const;
  // While any of these is held Unread gives nothing out: dead objects wait for a call after the last. This must outlive
  // it.
  std::shared_ptr<const void> KeepAll();

 private:
  struct Retired {
    std::vector<std::weak_ptr<const FileEntry>> entries;  // mostly one
    bool dead = false;

    bool is_read() const;
  };
  void AddLocked(const std::shared_ptr<const FileEntry>& file);

  mutable std::mutex mutex_;
  std::unordered_map<std::string, Retired> files_;  // by key; only what is read, or was at the last call
  int keepers_ = 0;
  std::vector<std::string> kept_;  // dead and unread, but for them
};

}  // namespace arc
