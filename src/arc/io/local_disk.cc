#include "arc/io/local_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <mutex>
#include <set>
#include <unordered_set>
#include <utility>

#include "arc/io/path.h"
#include "arc/io/posix_call.h"
#include "arc/io/posix_file.h"
#include "arc/io/posix_sync.h"

namespace arc {
namespace {

constexpr size_t kDurableFoldersRemembered = 65'536;
constexpr size_t kSyncTogetherFrom = 16;  // fewer files or folders are synced one by one

class PosixLock : public DiskLock {
 public:
  explicit PosixLock(Descriptor descriptor) : descriptor_(std::move(descriptor)) {}

 private:
  Descriptor descriptor_;
};

int FlagsOf(OpenMode mode) {
  switch (mode) {
    case OpenMode::kRead: return O_RDONLY;
    case OpenMode::kReadWrite: return O_RDWR;
    case OpenMode::kCreate: return O_RDWR | O_CREAT;
    case OpenMode::kCreateExclusive: return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

// Who wrote its process id into the lock file last, for the message.
std::string HolderOf(int fd) {
  char text[32];
  ssize_t got = pread(fd, text, sizeof text, 0);
  if (got <= 0) return "another process";
  std::string holder(text, static_cast<size_t>(got));
  holder.erase(holder.find_last_not_of('\n') + 1);
  return "process " + holder;
}

// The folders that hold so many names.
std::set<std::string> FoldersOf(std::span<const std::string> files, const std::unordered_set<std::string>& folders) {
  std::set<std::string> holders;
  for (const auto& path : files) holders.insert(ParentFolder(path));
  for (const auto& path : folders) holders.insert(ParentFolder(path));
  return holders;
}

class PosixDisk : public LocalDisk {
 public:
  Result<std::unique_ptr<DiskFile>> Open(const std::string& path, OpenMode mode) override {
    int fd = RetryInterrupted([&] { return open(path.c_str(), FlagsOf(mode) | O_CLOEXEC, 0644); });
    if (fd < 0) return ErrorFromErrno(errno, "open", path);
    Descriptor descriptor(fd);
    if (mode == OpenMode::kRead) {  // the only mode in which the kernel opens folders
      struct stat info;
      if (fstat(fd, &info) != 0) return ErrorFromErrno(errno, "stat", path);
      if (S_ISDIR(info.st_mode)) return ErrorFromErrno(EISDIR, "open", path);
    }
    return std::make_unique<PosixFile>(std::move(descriptor), path);
  }

  Status Rename(const std::string& from, const std::string& to) override {
    ForgetDurable(AbsolutePath(from));
    if (rename(from.c_str(), to.c_str()) != 0) return ErrorFromErrno(errno, "rename to " + to, from);
    return {};
  }

  Status RenameNoReplace(const std::string& from, const std::string& to) override {
    if (renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return {};
    if (errno != EINVAL && errno != ENOSYS) return ErrorFromErrno(errno, "rename to " + to, from);
    // File systems without the flag. A crash between the two calls leaves both names, the old one a temporary.
    if (link(from.c_str(), to.c_str()) != 0) return ErrorFromErrno(errno, "link to " + to, from);
    if (unlink(from.c_str()) != 0 && errno != ENOENT) return ErrorFromErrno(errno, "remove", from);
    return {};
  }

  Status Remove(const std::string& path) override {
    if (unlink(path.c_str()) == 0) return {};
    int code = errno;
    if (code != EISDIR && code != EPERM) return ErrorFromErrno(code, "remove", path);
    ForgetDurable(AbsolutePath(path));
    if (rmdir(path.c_str()) == 0) return {};
    return ErrorFromErrno(errno == ENOTDIR ? code : errno == EEXIST ? ENOTEMPTY : errno, "remove", path);
  }

  Result<bool> Exists(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) == 0) return true;
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return ErrorFromErrno(errno, "look up", path);
  }

  Result<std::vector<std::string>> List(const std::string& folder) override {
    DIR* stream = opendir(folder.c_str());
    if (stream == nullptr) return ErrorFromErrno(errno, "list", folder);
    std::vector<std::string> names;
    errno = 0;
    while (dirent* entry = readdir(stream)) {
      std::string_view name = entry->d_name;
      if (name != "." && name != "..") names.emplace_back(name);
    }
    int code = errno;
    closedir(stream);
    if (code != 0) return ErrorFromErrno(code, "list", folder);
    std::sort(names.begin(), names.end());
    return names;
  }

  Result<bool> IsDirectory(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) == 0) return S_ISDIR(info.st_mode);
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return ErrorFromErrno(errno, "look up", path);
  }

  Result<DiskEntry> Stat(const std::string& path) override {
    struct stat info;
    if (stat(path.c_str(), &info) != 0) return ErrorFromErrno(errno, "look up", path);
    DiskEntry entry;
    entry.is_directory = S_ISDIR(info.st_mode);
    entry.bytes = entry.is_directory ? 0 : static_cast<int64_t>(info.st_size);
    entry.modified_micros = int64_t{info.st_mtim.tv_sec} * 1'000'000 + info.st_mtim.tv_nsec / 1000;
    return entry;
  }

  Status CreateDirectories(const std::string& path) override { return MakeEach(path, nullptr); }

  Status MakeDirectories(const std::string& path, std::unordered_set<std::string>* made) override {
    return MakeEach(path, made);
  }

  Status SyncDirectory(const std::string& path) override {
    if (int code = SyncFolder(path); code != 0) {
      Error error = ErrorFromErrno(code, "sync folder", path);
      if (error.kind != ErrorKind::kNotFound) error.kind = ErrorKind::kUnknownOutcome;
      return error;
    }
    return {};
  }

  Status SyncFiles(std::span<const std::string> paths) override {
    if (paths.size() < kSyncTogetherFrom) return LocalDisk::SyncFiles(paths);
    return SyncFilesTogether(paths);
  }

  Status SyncNames(std::span<const std::string> files, const std::unordered_set<std::string>& folders) override {
    const auto holders = FoldersOf(files, folders);
    if (holders.size() < kSyncTogetherFrom) {
      ARC_RETURN_IF_ERROR(LocalDisk::SyncNames(files, folders));
    } else {
      ARC_RETURN_IF_ERROR(SyncFoldersTogether(holders));
    }
    for (const auto& folder : folders) SetKnownDurable(folder);
    return {};
  }

  Result<std::unique_ptr<DiskLock>> Lock(const std::string& path) override {
    int fd = RetryInterrupted([&] { return open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644); });
    if (fd < 0) return ErrorFromErrno(errno, "open lock", path);
    Descriptor descriptor(fd);
    if (RetryInterrupted([&] { return flock(fd, LOCK_EX | LOCK_NB); }) != 0) {
      if (errno != EWOULDBLOCK) return ErrorFromErrno(errno, "lock", path);
      return MakeError(ErrorKind::kConflict, path + " is locked by " + HolderOf(fd));
    }
    // Only told to people: a failure to write it takes nothing from the lock.
    std::string holder = std::to_string(getpid()) + "\n";
    if (ftruncate(fd, 0) == 0) [[maybe_unused]]
      ssize_t written = pwrite(fd, holder.data(), holder.size(), 0);
    return std::make_unique<PosixLock>(std::move(descriptor));
  }

  Result<int64_t> FreeBytes(const std::string& path) override {
    struct statvfs info;
    if (RetryInterrupted([&] { return statvfs(path.c_str(), &info); }) != 0) {
      return ErrorFromErrno(errno, "ask for free space at", path);
    }
    return static_cast<int64_t>(info.f_bavail) * static_cast<int64_t>(info.f_frsize);
  }

  bool is_system() const override { return true; }

 private:
  // CreateDirectories, or MakeDirectories with `made_here`.
  Status MakeEach(const std::string& path, std::unordered_set<std::string>* made_here) {
    std::string absolute = AbsolutePath(path);
    for (size_t end = absolute.find('/', 1); absolute != "/"; end = absolute.find('/', end + 1)) {
      std::string folder = absolute.substr(0, end);
      bool made = mkdir(folder.c_str(), 0755) == 0;
      if (!made) {
        int code = errno;
        ARC_ASSIGN_OR_RETURN(bool is_folder, IsDirectory(folder));
        if (!is_folder) return ErrorFromErrno(code, "make folder", folder);
      }
      if (made && made_here != nullptr) made_here->insert(folder);
      bool left_to_caller = made_here != nullptr && made_here->contains(folder);
      if (!left_to_caller) ARC_RETURN_IF_ERROR(MakeNameDurable(folder, made));
      if (end == std::string::npos) break;
    }
    return {};
  }

  // A folder that is there already may have been made by a process that died before it synced the parent, so every
  // parent is synced once. Those above our own folders may be closed to us: not ours to care for.
  Status MakeNameDurable(const std::string& folder, bool made) {
    if (!made && IsKnownDurable(folder)) return {};
    int code = SyncFolder(ParentFolder(folder));
    bool closed_to_us = code == EACCES || code == EPERM || code == EROFS;
    if (code != 0 && (made || !closed_to_us)) return ErrorFromErrno(code, "sync the folder of", folder);
    SetKnownDurable(folder);
    return {};
  }

  // 0 or errno.
  static int SyncFolder(const std::string& path) {
    int fd = RetryInterrupted([&] { return open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
    if (fd < 0) return errno;
    Descriptor descriptor(fd);
    if (RetryInterrupted([&] { return fsync(fd); }) == 0) return 0;
    return errno == EINVAL ? 0 : errno;  // file systems that cannot sync folders need not
  }

  bool IsKnownDurable(const std::string& folder) {
    std::lock_guard lock(durable_mutex_);
    return durable_folders_.contains(folder);
  }

  void SetKnownDurable(const std::string& folder) {
    std::lock_guard lock(durable_mutex_);
    if (durable_folders_.size() >= kDurableFoldersRemembered) durable_folders_.clear();
    durable_folders_.insert(folder);
  }

  // Whoever makes the folder anew has to sync it anew. Only folders are in the set, so files cost one look-up.
  void ForgetDurable(const std::string& folder) {
    std::lock_guard lock(durable_mutex_);
    durable_folders_.erase(folder);
  }

  std::mutex durable_mutex_;
  std::unordered_set<std::string> durable_folders_;  // whose names are durable in their parents
};

}  // namespace

Status LocalDisk::MakeDirectories(const std::string& path, std::unordered_set<std::string>* /*made*/) {
  return CreateDirectories(path);
}

Status LocalDisk::SyncFiles(std::span<const std::string> paths) {
  for (const auto& path : paths) {
    ARC_ASSIGN_OR_RETURN(std::unique_ptr<DiskFile> file, Open(path, OpenMode::kRead));
    ARC_RETURN_IF_ERROR(file->Sync());
  }
  return {};
}

Status LocalDisk::SyncNames(std::span<const std::string> files, const std::unordered_set<std::string>& folders) {
  for (const auto& folder : FoldersOf(files, folders)) ARC_RETURN_IF_ERROR(SyncDirectory(folder));
  return {};
}

LocalDisk& SystemDisk() {
  static PosixDisk disk;
  return disk;
}

}  // namespace arc
