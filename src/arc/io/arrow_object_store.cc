#include "arc/io/arrow_object_store.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "arc/io/arrow_object_writer.h"
#include "arc/io/arrow_store_error.h"
#include "arc/io/object_key.h"

namespace arc {
namespace {

using arrow::fs::FileType;

constexpr const char* kProbeKey = "arc-probe";  // a name that no table's folder has below it

class ArrowObjectReader : public ObjectReader {
 public:
  ArrowObjectReader(std::shared_ptr<arrow::io::RandomAccessFile> file, int64_t bytes, std::string key)
      : file_(std::move(file)), bytes_(bytes), key_(std::move(key)) {}

  Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override {
    if (offset >= bytes_ || bytes.empty()) return size_t{0};
    int64_t wanted = std::min<int64_t>(bytes_ - offset, static_cast<int64_t>(bytes.size()));
    auto read = Caught([&] { return file_->ReadAt(offset, wanted, bytes.data()); });
    if (!read.ok()) return StoreError(read.status(), "reading " + key_);
    if (*read != wanted) return MakeError(ErrorKind::kUnavailable, "reading " + key_ + ": the answer was cut short");
    return static_cast<size_t>(*read);
  }
  int64_t bytes() const override { return bytes_; }
  bool is_remote() const override { return true; }

 private:
  const std::shared_ptr<arrow::io::RandomAccessFile> file_;
  const int64_t bytes_;
  const std::string key_;
};

class ArrowObjectStore : public ObjectStore {
 public:
  explicit ArrowObjectStore(ArrowStoreOptions options)
      : options_(std::move(options)),
        files_(options_.files),
        below_(options_.prefix.empty() ? "/" : "/" + options_.prefix + "/"),
        root_(options_.bucket + below_),
        may_make_bucket_(options_.make_bucket) {}

  Status Check() override;
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override;
  Status PutOverwrite(const std::string& key, std::string_view bytes) override;
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override;
  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override;
  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override;
  Result<std::string> ReadAll(const std::string& key) override;
  Status Delete(const std::string& key) override;
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override;
  std::string UriOf(const std::string& key) const override { return options_.uris.front() + below_ + key; }
  Result<std::string> KeyOf(std::string_view uri) const override;

 private:
  std::string PathOf(const std::string& key) const { return root_ + key; }
  ArrowObjectTarget TargetOf(const std::string& key) const { return {files_, PathOf(key), key}; }
  Status MakeBucket();
  Error Explain(const arrow::Status& status, const std::string& what) const;

  const ArrowStoreOptions options_;
  const std::shared_ptr<arrow::fs::FileSystem> files_;
  const std::string below_;  // what stands between the bucket and a key
  const std::string root_;   // Arrow's path of all keys, with a slash at its end
  std::atomic<bool> may_make_bucket_;
};

// A bucket that goes away later is not made again: that would hide the loss of what was in it.
Status ArrowObjectStore::Check() {
  const std::string what = "looking for the bucket " + options_.bucket;
  auto bucket = Caught([&] { return files_->GetFileInfo(options_.bucket); });
  if (!bucket.ok()) {
    if (StoreError(bucket.status(), what).kind != ErrorKind::kPermissionDenied) return Explain(bucket.status(), what);
    // Who may use a bucket's objects need not be allowed to look at the bucket.
    auto object = Caught([&] { return files_->GetFileInfo(PathOf(kProbeKey)); });
    if (!object.ok()) return Explain(object.status(), what);
  } else if (bucket->type() == FileType::NotFound) {
    if (!may_make_bucket_) {
      return NotFound("there is no bucket " + options_.bucket + " at " + options_.server + " (" + options_.settings +
                      ")");
    }
    ARC_RETURN_IF_ERROR(MakeBucket());
  }
  may_make_bucket_ = false;
  return {};
}

Status ArrowObjectStore::MakeBucket() {
  arrow::Status made = Caught([&] { return files_->CreateDir(options_.bucket, /*recursive=*/false); });
  return made.ok() ? Status() : Explain(made, "making the bucket " + options_.bucket);
}

// Says which of the settings to look at.
Error ArrowObjectStore::Explain(const arrow::Status& status, const std::string& what) const {
  Error error = StoreError(status, what);
  std::string reason = "the store at " + options_.server + " does not answer";
  if (IsMissingBucket(status)) {
    error.kind = ErrorKind::kNotFound;
    reason = "there is no bucket " + options_.bucket + " at " + options_.server;
  } else if (error.kind == ErrorKind::kUnauthenticated) {
    reason = "the store at " + options_.server + " does not know the credentials";
  } else if (error.kind == ErrorKind::kPermissionDenied) {
    reason = "the store at " + options_.server + " denies access to the bucket " + options_.bucket +
             " with these credentials";
  } else if (IsMissingToken(error)) {
    reason = "no access token was to be had for the store at " + options_.server;
  } else if (IsUnknownHost(error)) {
    reason = "the store's name is unknown: no address of " + options_.server + " is found";
  } else if (IsUntrustedServer(error)) {
    reason = "the TLS certificate of the store at " + options_.server + " is not trusted (storage.ca_file)";
  }
  return WithContext(std::move(error), reason + " (" + options_.settings + ")");
}

Status ArrowObjectStore::PutIfAbsent(const std::string& key, std::string_view bytes) {
  ARC_RETURN_IF_ERROR(CheckObjectKey(key));
  ARC_RETURN_IF_ERROR(CheckAbsent(TargetOf(key)));
  return PutObject(TargetOf(key), bytes);
}

Status ArrowObjectStore::PutOverwrite(const std::string& key, std::string_view bytes) {
  ARC_RETURN_IF_ERROR(CheckObjectKey(key));
  return PutObject(TargetOf(key), bytes);
}

Result<std::unique_ptr<ObjectWriter>> ArrowObjectStore::Create(const std::string& key) {
  ARC_RETURN_IF_ERROR(CheckObjectKey(key));
  if (options_.spill_folder.empty()) return MakeStreamingWriter(TargetOf(key));
  return MakeSpillingWriter(TargetOf(key), options_.spill_folder);
}

Result<std::shared_ptr<ObjectReader>> ArrowObjectStore::Open(const std::string& key) {
  ARC_RETURN_IF_ERROR(CheckObjectKey(key));
  auto file = Caught([&] { return files_->OpenInputFile(PathOf(key)); });
  if (!file.ok()) return StoreError(file.status(), "opening " + key);
  auto bytes = Caught([&] { return (*file)->GetSize(); });
  if (!bytes.ok()) return StoreError(bytes.status(), "opening " + key);
  return std::make_shared<ArrowObjectReader>(std::move(*file), *bytes, key);
}

Result<std::shared_ptr<ObjectReader>> ArrowObjectStore::OpenKnown(const std::string& key, int64_t bytes) {
  ARC_RETURN_IF_ERROR(CheckObjectKey(key));
  arrow::fs::FileInfo info(PathOf(key), FileType::File);
  info.set_size(bytes);
  auto file = Caught([&] { return files_->OpenInputFile(info); });
  if (!file.ok()) return StoreError(file.status(), "opening " + key);
  return std::make_shared<ArrowObjectReader>(std::move(*file), bytes, key);
}

Result<std::string> ArrowObjectStore::ReadAll(const std::string& key) {
  ARC_ASSIGN_OR_RETURN(auto reader, Open(key));
  std::string bytes(static_cast<size_t>(reader->bytes()), '\0');
  ARC_ASSIGN_OR_RETURN(size_t read, reader->ReadAt(0, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}));
  bytes.resize(read);
  return bytes;
}

Status ArrowObjectStore::Delete(const std::string& key) {
  ARC_RETURN_IF_ERROR(CheckObjectKey(key));
  arrow::Status status = Caught([&] { return files_->DeleteFile(PathOf(key)); });
  if (status.ok()) return {};
  Error error = StoreError(status, "deleting " + key);
  if (error.kind == ErrorKind::kNotFound) return {};
  // Arrow refuses to delete what is a prefix of other keys only; that is no object.
  auto info = Caught([&] { return files_->GetFileInfo(PathOf(key)); });
  if (info.ok() && info->type() != FileType::File) return {};
  return error;
}

Result<std::vector<ObjectInfo>> ArrowObjectStore::List(const std::string& prefix) {
  std::vector<ObjectInfo> objects;
  size_t slash = prefix.rfind('/');
  std::string folder = slash == std::string::npos ? "" : prefix.substr(0, slash);
  if (slash != std::string::npos && !CheckObjectKey(folder).ok()) return objects;  // no key begins so
  arrow::fs::FileSelector selector;
  selector.base_dir = folder.empty() ? root_.substr(0, root_.size() - 1) : PathOf(folder);
  selector.recursive = true;
  selector.allow_not_found = true;
  auto infos = Caught([&] { return files_->GetFileInfo(selector); });
  if (!infos.ok()) return StoreError(infos.status(), "listing " + prefix);
  for (const arrow::fs::FileInfo& info : *infos) {
    if (info.type() != FileType::File || !info.path().starts_with(root_)) continue;
    std::string key = info.path().substr(root_.size());
    if (!key.starts_with(prefix)) continue;
    const int64_t modified = info.mtime() == arrow::fs::kNoTime ? 0 : info.mtime().time_since_epoch().count() / 1000;
    objects.push_back({std::move(key), info.size(), modified});
  }
  std::sort(objects.begin(), objects.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return objects;
}

Result<std::string> ArrowObjectStore::KeyOf(std::string_view uri) const {
  for (const std::string& bucket : options_.uris) {
    const std::string root = bucket + below_;
    if (!uri.starts_with(root)) continue;
    std::string key(uri.substr(root.size()));
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    return key;
  }
  return InvalidArgument(std::string(uri) + " is not below " + options_.uris.front() + below_);
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> MakeArrowObjectStore(ArrowStoreOptions options) {
  if (options.bucket.empty() || options.bucket.find('/') != std::string::npos) {
    return InvalidArgument("\"" + options.bucket + "\" is no bucket's name (" + options.settings + ")");
  }
  if (!options.prefix.empty()) ARC_RETURN_IF_ERROR(CheckObjectKey(options.prefix));
  return std::make_unique<ArrowObjectStore>(std::move(options));
}

}  // namespace arc
