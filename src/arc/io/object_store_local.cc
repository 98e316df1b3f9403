#include <algorithm>
#include <utility>

#include "arc/io/buffered_file_stream.h"
#include "arc/io/durable_file.h"
#include "arc/io/local_disk.h"
#include "arc/io/local_folders.h"
#include "arc/io/local_object_group.h"
#include "arc/io/object_key.h"
#include "arc/io/object_store.h"
#include "arc/io/path.h"

namespace arc {
namespace {

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
    ARC_RETURN_IF_ERROR(stream_.Finish());
    return file_->Commit(path_, replace);
  }

  const std::unique_ptr<DurableFile> file_;
  const std::string path_;
  BufferedFileStream stream_;
  bool committed_ = false;
};

class LocalObjectStore : public ObjectStore {
 public:
  LocalObjectStore(LocalDisk& disk, std::string root) : disk_(disk), root_(std::move(root)), folders_(disk, root_) {}

  Status PutIfAbsent(const std::string& key, std::string_view bytes) override {
    return Put(key, bytes, DurableFile::Replace::kNo);
  }

  Status PutOverwrite(const std::string& key, std::string_view bytes) override {
    return Put(key, bytes, DurableFile::Replace::kYes);
  }

  Status PutOverwriteUnsynced(const std::string& key, std::string_view bytes) override {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    ARC_ASSIGN_OR_RETURN(std::unique_ptr<DurableFile> file, folders_.CreateFile(PathOf(key)));
    ARC_RETURN_IF_ERROR(file->file().WriteAt(0, AsBytes(bytes)));
    file->Close();
    return file->Rename(PathOf(key), DurableFile::Replace::kYes);
  }

  std::unique_ptr<ObjectGroup> NewGroup() override { return NewLocalObjectGroup(*this, disk_, folders_); }

  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    ARC_ASSIGN_OR_RETURN(std::unique_ptr<DurableFile> file, folders_.CreateFile(PathOf(key)));
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
    folders_.RemoveEmpty(path);
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

  Result<int> CleanTemporaries() override { return RemoveTemporaries(disk_, root_, folders_.tag()); }

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
    ARC_ASSIGN_OR_RETURN(std::unique_ptr<DurableFile> file, folders_.CreateFile(PathOf(key)));
    ARC_RETURN_IF_ERROR(file->file().WriteAt(0, AsBytes(bytes)));
    return file->Commit(PathOf(key), replace);
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
  LocalFolders folders_;
};

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenLocalObjectStore(LocalDisk& disk, const std::string& root) {
  std::string absolute = AbsolutePath(root);
  ARC_RETURN_IF_ERROR(disk.CreateDirectories(absolute));
  return std::make_unique<LocalObjectStore>(disk, std::move(absolute));
}

}  // namespace arc
