#include "arc/io/posix_sync.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <utility>

#include "arc/io/posix_call.h"
#include "arc/io/posix_file.h"

namespace arc {
namespace {

#ifndef XFS_SUPER_MAGIC
constexpr auto XFS_SUPER_MAGIC = 0x58465342;
#endif

// Whether syncfs makes files and names durable there. Over a network or through FUSE the server need not hear of it.
bool SyncsAsAWhole(int fd) {
  struct statfs info;
  if (fstatfs(fd, &info) != 0) return false;
  return info.f_type == EXT4_SUPER_MAGIC || info.f_type == XFS_SUPER_MAGIC || info.f_type == BTRFS_SUPER_MAGIC;
}

Error SyncError(const std::string& path) {
  Error error = ErrorFromErrno(errno, "sync", path);
  error.kind = ErrorKind::kUnknownOutcome;
  return error;
}

Descriptor OpenForSync(const std::string& path, int flags = 0) {
  return Descriptor(RetryInterrupted([&] { return open(path.c_str(), O_RDONLY | O_CLOEXEC | flags); }));
}

// The file systems of what was added.
class FileSystems {
 public:
  // Files have their data written out already. Synced at once where the file system cannot be synced as a whole.
  Status Add(Descriptor opened, const std::string& path) {
    struct stat info;
    if (fstat(opened.fd(), &info) != 0) return ErrorFromErrno(errno, "look up", path);
    auto [known, fresh] = systems_.try_emplace(info.st_dev);
    const int fd = opened.fd();
    if (fresh && SyncsAsAWhole(fd)) known->second.emplace(std::move(opened), path);
    if (known->second.has_value() || RetryInterrupted([&] { return fsync(fd); }) == 0) return {};
    if (errno == EINVAL) return {};  // file systems that cannot sync folders need not
    return SyncError(path);
  }

  Status Sync() {
    for (const auto& [device, one] : systems_) {
      if (!one.has_value()) continue;
      // The fsync costs next to nothing after that, and fails where a journal has given up, which kernels before 5.17
      // do not report from syncfs.
      const int fd = one->first.fd();
      if (RetryInterrupted([&] { return syncfs(fd); }) != 0 || RetryInterrupted([&] { return fsync(fd); }) != 0) {
        return SyncError(one->second);
      }
    }
    return {};
  }

 private:
  std::map<dev_t, std::optional<std::pair<Descriptor, std::string>>>
      systems_;  // one file of each to be synced as a whole
};

}  // namespace

Status SyncFilesTogether(std::span<const std::string> paths) {
  // All are on their way before the first is waited for. What fails here fails again below.
  for (const auto& path : paths) {
    const Descriptor file = OpenForSync(path);
    if (file.fd() >= 0) (void)sync_file_range(file.fd(), 0, 0, SYNC_FILE_RANGE_WRITE);
  }
  FileSystems systems;
  for (const auto& path : paths) {
    Descriptor file = OpenForSync(path);
    if (file.fd() < 0) return ErrorFromErrno(errno, "open", path);
    // Says what went wrong in writing this very file, which syncfs does only on newer kernels and not of every error.
    constexpr unsigned kWriteAndWait = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
    if (RetryInterrupted([&] { return sync_file_range(file.fd(), 0, 0, kWriteAndWait); }) != 0) return SyncError(path);
    ARC_RETURN_IF_ERROR(systems.Add(std::move(file), path));
  }
  return systems.Sync();
}

Status SyncFoldersTogether(const std::set<std::string>& folders) {
  FileSystems systems;
  for (const auto& folder : folders) {
    Descriptor opened = OpenForSync(folder, O_DIRECTORY);
    if (opened.fd() < 0) return ErrorFromErrno(errno, "open", folder);
    ARC_RETURN_IF_ERROR(systems.Add(std::move(opened), folder));
  }
  return systems.Sync();
}

}  // namespace arc
