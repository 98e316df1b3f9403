#include "arc/io/power_cut_disk.h"

#include <algorithm>
#include <set>
#include <utility>

#include "arc/io/path.h"

namespace arc {
namespace {

constexpr int64_t kUnlimitedBytes = int64_t{1} << 40;

Error PowerIsOff() { return Unavailable("power is off"); }
Error NothingAt(const std::string& path) { return NotFound("nothing is at " + path); }
Error IsFolder(const std::string& path) { return InvalidArgument(path + " is a folder"); }

}  // namespace

class PowerCutDisk::File : public DiskFile {
 public:
  File(PowerCutDisk& disk, PowerCutNodePtr node, std::string path, bool writable)
      : disk_(disk),
        node_(std::move(node)),
        path_(std::move(path)),
        writable_(writable),
        generation_(disk.generation_) {}

  Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override {
    std::lock_guard lock(disk_.mutex_);
    ARC_RETURN_IF_ERROR(CheckAlive());
    if (offset < 0) return InvalidArgument("negative offset in " + path_);
    return node_->file.ReadAt(offset, bytes);
  }

  Status WriteAt(int64_t offset, std::span<const uint8_t> bytes) override {
    std::lock_guard lock(disk_.mutex_);
    ARC_RETURN_IF_ERROR(CheckWritable(offset));
    return disk_.WriteFile(path_, node_.get(), offset, bytes);
  }

  Result<int64_t> Size() override {
    std::lock_guard lock(disk_.mutex_);
    ARC_RETURN_IF_ERROR(CheckAlive());
    return node_->file.size();
  }

  Status Truncate(int64_t size) override {
    std::lock_guard lock(disk_.mutex_);
    ARC_RETURN_IF_ERROR(CheckWritable(size));
    return disk_.ResizeFile("truncate", path_, node_.get(), size);
  }

  Status Preallocate(int64_t size) override {
    std::lock_guard lock(disk_.mutex_);
    ARC_RETURN_IF_ERROR(CheckWritable(0));
    if (size <= node_->file.size()) return {};
    return disk_.ResizeFile("preallocate", path_, node_.get(), size);
  }

  Status SyncData() override { return Sync(); }

  Status Sync() override {
    std::lock_guard lock(disk_.mutex_);
    ARC_RETURN_IF_ERROR(CheckAlive());
    return disk_.SyncContents(path_, {&node_, 1});
  }

  // The block's rest becomes zeros, as the machine's disk is allowed to do.
  Status AppendDurably(int64_t offset, std::span<const uint8_t> bytes) override {
    ARC_ASSIGN_OR_RETURN(const int64_t size, Size());
    const int64_t end = offset + static_cast<int64_t>(bytes.size());
    std::vector<uint8_t> padded(bytes.begin(), bytes.end());
    const int64_t block_end = (end + kAppendBlockBytes - 1) / kAppendBlockBytes * kAppendBlockBytes;
    if (end < size) padded.resize(static_cast<size_t>(std::min(block_end, size) - offset));
    ARC_RETURN_IF_ERROR(WriteAt(offset, padded));
    return SyncData();
  }

 private:
  Status CheckAlive() const {
    ARC_RETURN_IF_ERROR(disk_.CheckPower());
    if (generation_ != disk_.generation_) return Unavailable("the power was cut since " + path_ + " was opened");
    return {};
  }

  Status CheckWritable(int64_t offset) const {
    ARC_RETURN_IF_ERROR(CheckAlive());
    if (!writable_) return Unavailable(path_ + " was opened for reading");
    if (offset < 0) return InvalidArgument("negative offset in " + path_);
    return {};
  }

  PowerCutDisk& disk_;
  const PowerCutNodePtr node_;
  const std::string path_;
  const bool writable_;
  const uint64_t generation_;
};

class PowerCutDisk::HeldLock : public DiskLock {
 public:
  HeldLock(PowerCutDisk& disk, std::string path) : disk_(disk), path_(std::move(path)), generation_(disk.generation_) {}
  ~HeldLock() override {
    std::lock_guard lock(disk_.mutex_);
    auto held = disk_.locks_.find(path_);
    if (held != disk_.locks_.end() && held->second == generation_) disk_.locks_.erase(held);
  }

 private:
  PowerCutDisk& disk_;
  const std::string path_;
  const uint64_t generation_;
};

void PowerCutDisk::CutAfter(uint64_t operations) {
  std::lock_guard lock(mutex_);
  ARC_CHECK(operations >= 1);
  cut_in_ = operations;
}

void PowerCutDisk::CutNow() {
  std::lock_guard lock(mutex_);
  power_is_on_ = false;
}

bool PowerCutDisk::power_is_on() const {
  std::lock_guard lock(mutex_);
  return power_is_on_;
}

uint64_t PowerCutDisk::operations() const {
  std::lock_guard lock(mutex_);
  return operations_;
}

uint64_t PowerCutDisk::syncs() const {
  std::lock_guard lock(mutex_);
  return syncs_;
}

std::string PowerCutDisk::last_operation() const {
  std::lock_guard lock(mutex_);
  return last_operation_;
}

void PowerCutDisk::Restart(RandomSource& random) {
  std::lock_guard lock(mutex_);
  uint64_t draw = random.NextU64() % 4;
  names_.Cut(draw == 0 ? CutMode::kNothing : draw == 1 ? CutMode::kEverything : CutMode::kMixture, random);
  ++generation_;
  locks_.clear();
  cut_in_ = 0;
  failing_syncs_ = 0;
  failing_directory_syncs_ = 0;
  used_bytes_ = UsedBytes();
  power_is_on_ = true;
}

void PowerCutDisk::SetFreeBytes(std::optional<int64_t> bytes) {
  std::lock_guard lock(mutex_);
  capacity_.reset();
  if (bytes.has_value()) capacity_ = used_bytes_ + *bytes;
}

void PowerCutDisk::FailSyncs(int count) {
  std::lock_guard lock(mutex_);
  failing_syncs_ = count;
}

void PowerCutDisk::FailDirectorySyncs(int count) {
  std::lock_guard lock(mutex_);
  failing_directory_syncs_ = count;
}

void PowerCutDisk::IgnoreSync(bool ignore, const std::string& part) {
  std::lock_guard lock(mutex_);
  ignore_sync_ = ignore;
  ignored_part_ = part;
}

void PowerCutDisk::IgnoreDirectorySync(bool ignore) {
  std::lock_guard lock(mutex_);
  ignore_directory_sync_ = ignore;
}

Status PowerCutDisk::CheckPower() const {
  if (!power_is_on_) return PowerIsOff();
  return {};
}

Status PowerCutDisk::Count(std::string_view verb, const std::string& path) {
  ++operations_;
  last_operation_.assign(verb).append(" ").append(path);
  if (cut_in_ == 0 || --cut_in_ > 0) return {};
  power_is_on_ = false;
  return PowerIsOff();
}

Result<std::unique_ptr<DiskFile>> PowerCutDisk::Open(const std::string& path, OpenMode mode) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckPower());
  PowerCutNodePtr node = names_.Find(path);
  if (node != nullptr && mode == OpenMode::kCreateExclusive) {
    return MakeError(ErrorKind::kAlreadyExists, path + " is there already");
  }
  if (node != nullptr && node->is_directory) return IsFolder(path);
  if (node == nullptr) {
    if (mode == OpenMode::kRead || mode == OpenMode::kReadWrite) return NothingAt(path);
    PowerCutPlace place = names_.PlaceOf(path);
    if (place.folder == nullptr) return NothingAt(ParentFolder(path));
    node = names_.Make(place, /*is_directory=*/false);
    ARC_RETURN_IF_ERROR(Count("create", path));
  }
  return std::make_unique<File>(*this, std::move(node), path, mode != OpenMode::kRead);
}

Status PowerCutDisk::Rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  return RenameLocked(from, to, /*replace=*/true);
}

Status PowerCutDisk::RenameNoReplace(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  return RenameLocked(from, to, /*replace=*/false);
}

Status PowerCutDisk::RenameLocked(const std::string& from, const std::string& to, bool replace) {
  ARC_RETURN_IF_ERROR(CheckPower());
  PowerCutNodePtr node = names_.Find(from);
  PowerCutPlace from_place = names_.PlaceOf(from);
  PowerCutPlace to_place = names_.PlaceOf(to);
  if (node == nullptr || from_place.folder == nullptr) return NothingAt(from);
  if (to_place.folder == nullptr) return NothingAt(ParentFolder(to));
  PowerCutNodePtr target = names_.Find(to);
  if (target != nullptr && !replace) return MakeError(ErrorKind::kAlreadyExists, to + " is there already");
  if (target == node) return {};
  if (node->is_directory && (AbsolutePath(to) + "/").starts_with(AbsolutePath(from) + "/")) {
    return InvalidArgument("cannot move " + from + " into itself");
  }
  if (target != nullptr && target->is_directory != node->is_directory) {
    return target->is_directory ? IsFolder(to) : NotFound(to + " is no folder");
  }
  if (target != nullptr && !target->names.empty()) return MakeError(ErrorKind::kConflict, to + " is not empty");
  if (target != nullptr) used_bytes_ -= target->file.size();
  names_.Rename(from_place, to_place);
  return Count("rename to " + to + " from", from);
}

Status PowerCutDisk::Remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckPower());
  PowerCutNodePtr node = names_.Find(path);
  PowerCutPlace place = names_.PlaceOf(path);
  if (node == nullptr) return NothingAt(path);
  if (!node->names.empty() || place.folder == nullptr) {
    return MakeError(ErrorKind::kConflict, path + " is not empty");
  }
  used_bytes_ -= node->file.size();
  names_.Remove(place);
  return Count("remove", path);
}

Result<bool> PowerCutDisk::Exists(const std::string& path) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckPower());
  return names_.Find(path) != nullptr;
}

Result<std::vector<std::string>> PowerCutDisk::List(const std::string& folder) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckPower());
  PowerCutNodePtr node = names_.Find(folder);
  if (node == nullptr || !node->is_directory) return NotFound("no folder " + folder);
  std::vector<std::string> names;
  names.reserve(node->names.size());
  for (const auto& [name, child] : node->names) names.push_back(name);
  return names;
}

Result<bool> PowerCutDisk::IsDirectory(const std::string& path) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckPower());
  PowerCutNodePtr node = names_.Find(path);
  return node != nullptr && node->is_directory;
}

Result<DiskEntry> PowerCutDisk::Stat(const std::string& path) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckPower());
  PowerCutNodePtr node = names_.Find(path);
  if (node == nullptr) return NothingAt(path);
  return DiskEntry{node->is_directory, node->file.size(), kModifiedMicros};
}

Status PowerCutDisk::CreateDirectories(const std::string& path) {
  std::lock_guard lock(mutex_);
  return MakeEach(path, nullptr);
}

Status PowerCutDisk::MakeDirectories(const std::string& path, std::unordered_set<std::string>* made) {
  std::lock_guard lock(mutex_);
  return MakeEach(path, made);
}

Status PowerCutDisk::MakeEach(const std::string& path, std::unordered_set<std::string>* made_here) {
  ARC_RETURN_IF_ERROR(CheckPower());
  std::string absolute = AbsolutePath(path);
  for (size_t end = absolute.find('/', 1); absolute != "/"; end = absolute.find('/', end + 1)) {
    std::string folder = absolute.substr(0, end);
    PowerCutPlace place = names_.PlaceOf(folder);
    PowerCutNodePtr node = names_.Find(folder);
    if (node != nullptr && !node->is_directory) {
      return MakeError(ErrorKind::kAlreadyExists, folder + " is a file");
    }
    if (node == nullptr) {
      names_.Make(place, /*is_directory=*/true);
      ARC_RETURN_IF_ERROR(Count("make folder", folder));
      if (made_here != nullptr) made_here->insert(folder);
    }
    bool left_to_caller = made_here != nullptr && made_here->contains(folder);
    if (!left_to_caller && names_.IsPending(place.folder)) {
      ARC_RETURN_IF_ERROR(SyncFolders(ParentFolder(folder), {&place.folder, 1}));
    }
    if (end == std::string::npos) break;
  }
  return {};
}

Status PowerCutDisk::SyncDirectory(const std::string& path) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckPower());
  PowerCutNodePtr node = names_.Find(path);
  if (node == nullptr || !node->is_directory) return NotFound("no folder " + path);
  return SyncFolders(path, {&node, 1});
}

Status PowerCutDisk::SyncFiles(std::span<const std::string> paths) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckPower());
  std::vector<PowerCutNodePtr> files;
  for (const auto& path : paths) {
    files.push_back(names_.Find(path));
    if (files.back() == nullptr) return NothingAt(path);
    if (files.back()->is_directory) return IsFolder(path);
  }
  return files.empty() ? Status() : SyncContents(paths.front(), files);
}

Status PowerCutDisk::SyncNames(std::span<const std::string> files, const std::unordered_set<std::string>& folders) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckPower());
  std::set<PowerCutNodePtr> holders;
  auto add = [&](const std::string& path) { holders.insert(names_.PlaceOf(path).folder); };
  for (const auto& path : files) add(path);
  for (const auto& path : folders) add(path);
  if (holders.contains(nullptr)) return NotFound("a folder is gone");
  const std::vector<PowerCutNodePtr> all(holders.begin(), holders.end());
  return all.empty() ? Status() : SyncFolders(files.empty() ? *folders.begin() : files.front(), all);
}

Status PowerCutDisk::SyncFolders(const std::string& path, std::span<const PowerCutNodePtr> folders) {
  const bool pending =
      std::any_of(folders.begin(), folders.end(), [&](auto& folder) { return names_.IsPending(folder); });
  bool fails = failing_directory_syncs_ > 0 && pending;
  if (fails) --failing_directory_syncs_;
  if (!fails && !NextIsLast() && !ignore_directory_sync_) {
    for (const auto& folder : folders) names_.Sync(folder);
  }
  ++syncs_;
  ARC_RETURN_IF_ERROR(Count("sync folder", path));
  if (fails) return MakeError(ErrorKind::kUnknownOutcome, "cannot sync folder " + path + ": planted failure");
  return {};
}

Status PowerCutDisk::SyncContents(const std::string& path, std::span<const PowerCutNodePtr> files) {
  const bool pending = std::any_of(files.begin(), files.end(), [](auto& file) { return file->file.is_pending(); });
  bool fails = failing_syncs_ > 0 && pending;
  if (fails) --failing_syncs_;
  const bool ignored = ignore_sync_ && path.find(ignored_part_) != std::string::npos;
  for (const auto& file : files) {
    if (fails) {
      file->file.FailSync();
    } else if (!NextIsLast() && !ignored) {
      file->file.Sync();
    }
  }
  ++syncs_;
  ARC_RETURN_IF_ERROR(Count("sync", path));
  if (fails) return MakeError(ErrorKind::kUnknownOutcome, "cannot sync " + path + ": planted failure");
  return {};
}

Status PowerCutDisk::WriteFile(const std::string& path, PowerCutNode* node, int64_t offset,
                               std::span<const uint8_t> bytes) {
  if (bytes.empty()) return {};
  int64_t room = node->file.size() + FreeBytesLocked() - offset;
  bool fits = room >= static_cast<int64_t>(bytes.size());
  if (!fits) bytes = bytes.first(static_cast<size_t>(std::max<int64_t>(room, 0)));
  int64_t old_size = node->file.size();
  node->file.WriteAt(offset, bytes);
  used_bytes_ += node->file.size() - old_size;
  ARC_RETURN_IF_ERROR(Count("write", path));
  if (!fits) return MakeError(ErrorKind::kDiskFull, "cannot write " + path + ": no space left");
  return {};
}

Status PowerCutDisk::ResizeFile(std::string_view verb, const std::string& path, PowerCutNode* node, int64_t size) {
  int64_t growth = size - node->file.size();
  bool fits = growth <= FreeBytesLocked();
  if (fits) {
    node->file.Resize(size);
    used_bytes_ += growth;
  }
  ARC_RETURN_IF_ERROR(Count(verb, path));
  if (!fits) return MakeError(ErrorKind::kDiskFull, "cannot grow " + path + ": no space left");
  return {};
}

int64_t PowerCutDisk::UsedBytes() const {
  int64_t bytes = 0;
  names_.ForEachFile([&](const PowerCutNode& node) { bytes += node.file.size(); });
  return bytes;
}

int64_t PowerCutDisk::FreeBytesLocked() const {
  return capacity_.has_value() ? std::max<int64_t>(0, *capacity_ - used_bytes_) : kUnlimitedBytes;
}

Result<std::unique_ptr<DiskLock>> PowerCutDisk::Lock(const std::string& path) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckPower());
  std::string absolute = AbsolutePath(path);
  PowerCutNodePtr node = names_.Find(absolute);
  if (node != nullptr && node->is_directory) return IsFolder(path);
  if (node == nullptr) {
    PowerCutPlace place = names_.PlaceOf(absolute);
    if (place.folder == nullptr) return NothingAt(ParentFolder(path));
    names_.Make(place, /*is_directory=*/false);
    ARC_RETURN_IF_ERROR(Count("create", path));
  }
  if (!locks_.try_emplace(absolute, generation_).second) {
    return MakeError(ErrorKind::kConflict, path + " is locked");
  }
  return std::make_unique<HeldLock>(*this, std::move(absolute));
}

Result<int64_t> PowerCutDisk::FreeBytes(const std::string& path) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckPower());
  if (names_.Find(path) == nullptr) return NothingAt(path);
  return FreeBytesLocked();
}

}  // namespace arc
