#include "arc/io/durable_file.h"

#include <atomic>
#include <utility>

#include "arc/base/uuid.h"
#include "arc/io/path.h"

namespace arc {
namespace {

std::atomic<uint64_t> next_number{1};

Error OutcomeUnknown(Error error) {
  error.kind = ErrorKind::kUnknownOutcome;
  return error;
}

Status RemoveTemporariesBelow(LocalDisk& disk, const std::string& folder, const std::string& spared, int* removed) {
  Result<std::vector<std::string>> names = disk.List(folder);
  if (!names.ok()) {
    if (names.error().kind == ErrorKind::kNotFound) return {};
    return std::move(names).error();
  }
  for (const std::string& name : *names) {
    std::string path = JoinPath(folder, name);
    ARC_ASSIGN_OR_RETURN(bool is_folder, disk.IsDirectory(path));
    if (is_folder) {
      ARC_RETURN_IF_ERROR(RemoveTemporariesBelow(disk, path, spared, removed));
      continue;
    }
    if (!name.starts_with(kTemporaryPrefix) || (!spared.empty() && name.starts_with(spared))) continue;
    Status status = disk.Remove(path);
    if (status.ok()) ++*removed;
    if (!status.ok() && status.error().kind != ErrorKind::kNotFound) return status;
  }
  return {};
}

}  // namespace

DurableFile::DurableFile(LocalDisk& disk, std::string folder, std::string temporary, std::unique_ptr<DiskFile> file)
    : disk_(disk), folder_(std::move(folder)), temporary_(std::move(temporary)), file_(std::move(file)) {}

DurableFile::~DurableFile() {
  file_.reset();
  // Best effort: what stays behind is found by its name at the next start.
  if (!renamed_) [[maybe_unused]]
    Status ignored = disk_.Remove(temporary_);
}

Result<std::unique_ptr<DurableFile>> DurableFile::Create(LocalDisk& disk, const std::string& folder,
                                                         std::string_view tag) {
  std::string name(kTemporaryPrefix);
  name.append(tag).append("-").append(std::to_string(next_number.fetch_add(1, std::memory_order_relaxed)));
  std::string temporary = JoinPath(folder, name);
  ARC_ASSIGN_OR_RETURN(std::unique_ptr<DiskFile> file, disk.Open(temporary, OpenMode::kCreateExclusive));
  return std::unique_ptr<DurableFile>(new DurableFile(disk, folder, std::move(temporary), std::move(file)));
}

Status DurableFile::Commit(const std::string& path, Replace replace) {
  ARC_CHECK(file_ != nullptr);
  ARC_RETURN_IF_ERROR(file_->Sync());
  Close();
  Status renamed = Rename(path, replace);
  if (!renamed.ok()) {
    if (renamed.error().kind != ErrorKind::kAlreadyExists) return renamed;
    // Its writer may not have come to its own sync yet, and our caller will build on what it met.
    Status synced = disk_.SyncDirectory(folder_);
    if (!synced.ok()) return OutcomeUnknown(std::move(synced).error());
    return renamed;
  }
  Status synced = disk_.SyncDirectory(folder_);
  if (!synced.ok()) return OutcomeUnknown(std::move(synced).error());
  return {};
}

Status DurableFile::Rename(const std::string& path, Replace replace) {
  ARC_CHECK(!renamed_);
  Status renamed = replace == Replace::kYes ? disk_.Rename(temporary_, path) : disk_.RenameNoReplace(temporary_, path);
  renamed_ = renamed.ok();
  return renamed;
}

std::string MakeTemporaryTag() {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string tag;
  for (uint64_t bits = SystemRandom().NextU64(); tag.size() < 16; bits >>= 4) tag += kDigits[bits & 15];
  return tag;
}

Status DurablePut(LocalDisk& disk, const std::string& path, std::span<const uint8_t> bytes) {
  std::string folder = ParentFolder(path);
  std::string tag = MakeTemporaryTag();
  Result<std::unique_ptr<DurableFile>> file = DurableFile::Create(disk, folder, tag);
  if (!file.ok() && file.error().kind == ErrorKind::kNotFound) {
    ARC_RETURN_IF_ERROR(disk.CreateDirectories(folder));
    file = DurableFile::Create(disk, folder, tag);
  }
  if (!file.ok()) return std::move(file).error();
  ARC_RETURN_IF_ERROR((*file)->file().WriteAt(0, bytes));
  return (*file)->Commit(path, DurableFile::Replace::kYes);
}

Result<std::string> ReadWholeFile(LocalDisk& disk, const std::string& path) {
  ARC_ASSIGN_OR_RETURN(std::unique_ptr<DiskFile> file, disk.Open(path, OpenMode::kRead));
  ARC_ASSIGN_OR_RETURN(int64_t size, file->Size());
  std::string bytes(static_cast<size_t>(size), '\0');
  ARC_ASSIGN_OR_RETURN(size_t got, file->ReadAt(0, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}));
  bytes.resize(got);
  return bytes;
}

Result<int> RemoveTemporaries(LocalDisk& disk, const std::string& folder, std::string_view spare_tag) {
  std::string spared;
  if (!spare_tag.empty()) spared.append(kTemporaryPrefix).append(spare_tag).append("-");
  int removed = 0;
  ARC_RETURN_IF_ERROR(RemoveTemporariesBelow(disk, folder, spared, &removed));
  return removed;
}

}  // namespace arc
