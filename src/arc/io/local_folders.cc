#include "arc/io/local_folders.h"

#include <utility>

#include "arc/io/path.h"

namespace arc {
namespace {

constexpr size_t kDurableFoldersRemembered = 65'536;

}  // namespace

LocalFolders::LocalFolders(LocalDisk& disk, std::string root)
    : disk_(disk), root_(std::move(root)), tag_(MakeTemporaryTag()) {}

// The temporary file keeps its folder from being removed, so the lock is needed no longer than until it is there.
Result<std::unique_ptr<DurableFile>> LocalFolders::CreateFile(const std::string& path,
                                                              std::unordered_set<std::string>* made) {
  std::string folder = ParentFolder(path);
  std::shared_lock lock(mutex_);
  ARC_RETURN_IF_ERROR(Make(folder, made));
  Result<std::unique_ptr<DurableFile>> file = DurableFile::Create(disk_, folder, tag_);
  if (file.ok() || file.error().kind != ErrorKind::kNotFound) return file;
  Forget(folder);  // somebody else removed it
  ARC_RETURN_IF_ERROR(Make(folder, made));
  return DurableFile::Create(disk_, folder, tag_);
}

// A folder that is merely there may have been made by somebody who has not synced its parent yet, so only those that
// went through this class count.
Status LocalFolders::Make(const std::string& folder, std::unordered_set<std::string>* made) {
  {
    std::lock_guard lock(durable_mutex_);
    if (durable_.contains(folder)) return {};
  }
  if (made != nullptr) return disk_.MakeDirectories(folder, made);
  ARC_RETURN_IF_ERROR(disk_.CreateDirectories(folder));
  std::lock_guard lock(durable_mutex_);
  if (durable_.size() >= kDurableFoldersRemembered) durable_.clear();
  durable_.insert(folder);
  return {};
}

void LocalFolders::NoteDurable(const std::string& path) {
  std::lock_guard lock(durable_mutex_);
  if (durable_.size() >= kDurableFoldersRemembered) durable_.clear();
  durable_.insert(ParentFolder(path));
}

void LocalFolders::Forget(const std::string& folder) {
  std::lock_guard lock(durable_mutex_);
  durable_.erase(folder);
}

void LocalFolders::RemoveEmpty(const std::string& path) {
  std::unique_lock lock(mutex_);
  for (std::string folder = ParentFolder(path); folder.size() > root_.size(); folder = ParentFolder(folder)) {
    if (!disk_.Remove(folder).ok()) return;
    Forget(folder);
  }
}

}  // namespace arc
