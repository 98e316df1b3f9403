#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/status.h>

#include <algorithm>
#include <mutex>
#include <shared_mutex>
#include <unordered_set>
#include <utility>

#include "arc/io/durable_file.h"
#include "arc/io/local_disk.h"
#include "arc/io/object_key.h"
#include "arc/io/object_store.h"
#include "arc/io/path.h"

namespace arc {
namespace {

constexpr size_t kWriteBufferBytes = 256 << 10;
constexpr size_t kDurableFoldersRemembered = 65'536;

std::span<const uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

class LocalObjectReader : public ObjectReader {
 public:
  LocalObjectReader(std::unique_ptr<DiskFile> file, int64_t bytes) : file_(std::move(file)), bytes_(bytes) {}
  Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override { return file_->ReadAt(offset, bytes); }
  int64_t bytes() const override { return bytes_; }

 private:
  const std::unique_ptr<DiskFile> file_;
  const int64_t bytes_;
};

// Gathers small writes; large ones pass by. The first failure is kept with its kind for Commit, since Arrow's status
// codes are fewer than ours.
class BufferedFileStream : public arrow::io::OutputStream {
 public:
  explicit BufferedFileStream(DiskFile& file) : file_(file) { buffer_.reserve(kWriteBufferBytes); }

  arrow::Status Write(const void* data, int64_t nbytes) override {
    if (closed_) return arrow::Status::Invalid("write to a closed object stream");
    std::span<const uint8_t> bytes(static_cast<const uint8_t*>(data), static_cast<size_t>(nbytes));
    if (buffer_.size() + bytes.size() > kWriteBufferBytes) {
      ARROW_RETURN_NOT_OK(Flush());
      if (bytes.size() >= kWriteBufferBytes) return WriteThrough(bytes);
    }
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
    return arrow::Status::OK();
  }
  using arrow::io::OutputStream::Write;

  arrow::Status Flush() override {
    arrow::Status status = WriteThrough(buffer_);
    buffer_.clear();
    return status;
  }

  arrow::Status Close() override {
    if (closed_) return arrow::Status::OK();
    closed_ = true;
    return Flush();
  }

  arrow::Result<int64_t> Tell() const override { return written_ + static_cast<int64_t>(buffer_.size()); }
  bool closed() const override { return closed_; }
  const Status& status() const { return status_; }

 private:
  arrow::Status WriteThrough(std::span<const uint8_t> bytes) {
    if (status_.ok() && !bytes.empty()) status_ = file_.WriteAt(written_, bytes);
    if (!status_.ok()) return arrow::Status::IOError(status_.error().message);
    written_ += static_cast<int64_t>(bytes.size());
    return arrow::Status::OK();
  }

  DiskFile& file_;
  std::vector<uint8_t> buffer_;
  int64_t written_ = 0;
  bool closed_ = false;
  Status status_;
};

class LocalObjectWriter : public ObjectWriter {
 public:
  LocalObjectWriter(std::unique_ptr<DurableFile> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)), stream_(file_->file()) {}

  arrow::io::OutputStream& stream() override { return stream_; }

  Status Commit() override { return CommitAs(DurableFile::Replace::kNo); }
  Status CommitOverwrite() override { return CommitAs(DurableFile::Replace::kYes); }

 private:
  Status CommitAs(DurableFile::Replace replace) {
    if (committed_) return Internal("an object is committed once");
    committed_ = true;
    arrow::Status closed = stream_.Close();
    if (!stream_.status().ok()) return stream_.status().error();
    if (!closed.ok()) return Unavailable(closed.message());
    return file_->Commit(path_, replace);
  }

  const std::unique_ptr<DurableFile> file_;
  const std::string path_;
  BufferedFileStream stream_;
  bool committed_ = false;
};

class LocalObjectStore : public ObjectStore {
 public:
  LocalObjectStore(LocalDisk& disk, std::string root) : disk_(disk), root_(std::move(root)), tag_(MakeTemporaryTag()) {}

  Status PutIfAbsent(const std::string& key, std::string_view bytes) override {
    return Put(key, bytes, DurableFile::Replace::kNo);
  }

  Status PutOverwrite(const std::string& key, std::string_view bytes) override {
    return Put(key, bytes, DurableFile::Replace::kYes);
  }

  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    ARC_ASSIGN_OR_RETURN(std::unique_ptr<DurableFile> file, CreateFile(key));
    return std::make_unique<LocalObjectWriter>(std::move(file), PathOf(key));
  }

  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    Result<std::unique_ptr<DiskFile>> file = disk_.Open(PathOf(key), OpenMode::kRead);
    if (!file.ok()) return AsMissing(std::move(file).error(), key);
    ARC_ASSIGN_OR_RETURN(int64_t bytes, (*file)->Size());
    return std::make_shared<LocalObjectReader>(std::move(*file), bytes);
  }

  Result<std::string> ReadAll(const std::string& key) override {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    Result<std::string> bytes = ReadWholeFile(disk_, PathOf(key));
    if (!bytes.ok()) return AsMissing(std::move(bytes).error(), key);
    return bytes;
  }

  Status Delete(const std::string& key) override {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    std::string path = PathOf(key);
    ARC_ASSIGN_OR_RETURN(bool is_folder, disk_.IsDirectory(path));
    if (is_folder) return {};
    Status removed = disk_.Remove(path);
    if (!removed.ok() && removed.error().kind != ErrorKind::kNotFound) return removed;
    RemoveEmptyFolders(ParentFolder(path));
    return {};
  }

  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override {
    std::vector<ObjectInfo> objects;
    size_t slash = prefix.rfind('/');
    std::string folder_key = slash == std::string::npos ? "" : prefix.substr(0, slash);
    if (slash != std::string::npos && !CheckObjectKey(folder_key).ok()) return objects;  // no key begins so
    ARC_RETURN_IF_ERROR(ListBelow(folder_key, prefix, &objects));
    std::sort(objects.begin(), objects.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
    return objects;
  }

  std::string UriOf(const std::string& key) const override { return PathOf(key); }

  Result<std::string> KeyOf(std::string_view uri) const override {
    std::string_view path = uri;
    if (path.starts_with("file:")) {
      path.remove_prefix(5);
      if (path.starts_with("//localhost/")) path.remove_prefix(11);
      if (path.starts_with("///")) path.remove_prefix(2);
    }
    std::string root = root_ == "/" ? "/" : root_ + "/";
    if (!path.starts_with(root)) return InvalidArgument(std::string(uri) + " is not below " + root_);
    std::string key(path.substr(root.size()));
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    return key;
  }

  Result<int> CleanTemporaries() override { return RemoveTemporaries(disk_, root_, tag_); }

 private:
  std::string PathOf(const std::string& key) const { return JoinPath(root_, key); }

  // A folder where an object is meant, and a file where a folder is, both mean that there is no such object.
  static Error AsMissing(Error error, const std::string& key) {
    if (error.kind == ErrorKind::kNotFound || error.kind == ErrorKind::kInvalidArgument) {
      return NotFound("no object " + key + " (" + error.message + ")");
    }
    return error;
  }

  Status Put(const std::string& key, std::string_view bytes, DurableFile::Replace replace) {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    ARC_ASSIGN_OR_RETURN(std::unique_ptr<DurableFile> file, CreateFile(key));
    ARC_RETURN_IF_ERROR(file->file().WriteAt(0, AsBytes(bytes)));
    return file->Commit(PathOf(key), replace);
  }

  // The temporary file keeps its folder from being removed, so the lock is needed no longer than until it is there.
  Result<std::unique_ptr<DurableFile>> CreateFile(const std::string& key) {
    std::string folder = ParentFolder(PathOf(key));
    std::shared_lock lock(folders_mutex_);
    ARC_RETURN_IF_ERROR(MakeFolderDurable(folder));
    Result<std::unique_ptr<DurableFile>> file = DurableFile::Create(disk_, folder, tag_);
    if (file.ok() || file.error().kind != ErrorKind::kNotFound) return file;
    ForgetFolder(folder);  // somebody else removed it
    ARC_RETURN_IF_ERROR(MakeFolderDurable(folder));
    return DurableFile::Create(disk_, folder, tag_);
  }

  // A folder that is merely there may have been made by somebody who has not synced its parent yet, so only those that
  // went through CreateDirectories in this store count.
  Status MakeFolderDurable(const std::string& folder) {
    {
      std::lock_guard lock(durable_folders_mutex_);
      if (durable_folders_.contains(folder)) return {};
    }
    ARC_RETURN_IF_ERROR(disk_.CreateDirectories(folder));
    std::lock_guard lock(durable_folders_mutex_);
    if (durable_folders_.size() >= kDurableFoldersRemembered) durable_folders_.clear();
    durable_folders_.insert(folder);
    return {};
  }

  void ForgetFolder(const std::string& folder) {
    std::lock_guard lock(durable_folders_mutex_);
    durable_folders_.erase(folder);
  }

  void RemoveEmptyFolders(std::string folder) {
    std::unique_lock lock(folders_mutex_);
    for (; folder.size() > root_.size(); folder = ParentFolder(folder)) {
      if (!disk_.Remove(folder).ok()) return;
      ForgetFolder(folder);
    }
  }

  Status ListBelow(const std::string& folder_key, const std::string& prefix, std::vector<ObjectInfo>* objects) {
    Result<std::vector<std::string>> names = disk_.List(folder_key.empty() ? root_ : PathOf(folder_key));
    if (!names.ok()) {
      if (names.error().kind == ErrorKind::kNotFound) return {};  // none, or gone meanwhile
      return std::move(names).error();
    }
    for (const std::string& name : *names) {
      if (name.starts_with(kTemporaryPrefix)) continue;
      std::string key = folder_key.empty() ? name : folder_key + "/" + name;
      // Above the prefix's own folder nothing is listed, below it everything: only that folder's names are compared.
      if (!key.starts_with(prefix)) continue;
      Result<DiskEntry> entry = disk_.Stat(PathOf(key));
      if (!entry.ok()) {
        if (entry.error().kind == ErrorKind::kNotFound) continue;
        return std::move(entry).error();
      }
      if (entry->is_directory) {
        ARC_RETURN_IF_ERROR(ListBelow(key, prefix, objects));
      } else {
        objects->push_back({std::move(key), entry->bytes, entry->modified_micros});
      }
    }
    return {};
  }

  LocalDisk& disk_;
  const std::string root_;
  const std::string tag_;  // of this store's temporary files
  // Shared while a folder is made and its first file put in, exclusive while empty ones are removed.
  std::shared_mutex folders_mutex_;
  std::mutex durable_folders_mutex_;
  std::unordered_set<std::string> durable_folders_;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenLocalObjectStore(LocalDisk& disk, const std::string& root) {
  std::string absolute = AbsolutePath(root);
  ARC_RETURN_IF_ERROR(disk.CreateDirectories(absolute));
  return std::make_unique<LocalObjectStore>(disk, std::move(absolute));
}

}  // namespace arc
