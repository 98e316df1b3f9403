// Data files that are no part of their table any more, but may still be read by queries that began before.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "arc/catalog/file_index.h"

namespace arc {

// Thread-safe. Relies on all versions of a table sharing one entry for a file: it is read while the entry is held.
// After a restart nothing is read; what was still waiting then is left to the removal of orphans.
class RetiredFiles {
 public:
  // The file has left its table.
  void Add(const std::shared_ptr<const FileEntry>& file);
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
    std::weak_ptr<const FileEntry> entry;
    bool dead = false;
  };
  mutable std::mutex mutex_;
  std::unordered_map<std::string, Retired> files_;  // by key; only what is read, or was at the last call
  int keepers_ = 0;
  std::vector<std::string> kept_;  // dead and unread, but for them
};

}  // namespace arc
