// The folders of a local store's objects: made when an object needs them, removed when the last one goes.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_set>

#include "arc/base/result.h"
#include "arc/io/durable_file.h"
#include "arc/io/local_disk.h"

namespace arc {

// Thread-safe. The disk must outlive it.
class LocalFolders {
 public:
  LocalFolders(LocalDisk& disk, std::string root);

  // A temporary file in the folder of `path`, which is made if need be. The names of the folders are durable; with
  // `made`, those of new ones are left to LocalDisk::SyncNames and put there.
  Result<std::unique_ptr<DurableFile>> CreateFile(const std::string& path,
                                                  std::unordered_set<std::string>* made = nullptr);
  // The folder of `path` and those above it have durable names: SyncNames was there.
  void NoteDurable(const std::string& path);
  // Removes the folder of `path` and those above it that are empty.
  void RemoveEmpty(const std::string& path);
  // Of this store's temporary files.
  const std::string& tag() const { return tag_; }

 private:
  Status Make(const std::string& folder, std::unordered_set<std::string>* made);
  void Forget(const std::string& folder);

  LocalDisk& disk_;
  const std::string root_;
  const std::string tag_;
  // Shared while a folder is made and its first file put in, exclusive while empty ones are removed.
  std::shared_mutex mutex_;
  std::mutex durable_mutex_;
  std::unordered_set<std::string> durable_;
};

}  // namespace arc
