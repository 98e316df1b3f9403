#include "arc/io/object_store_s3.h"

#include <arrow/filesystem/s3fs.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <algorithm>
#include <utility>

#include "arc/io/object_key.h"
#include "arc/io/s3_session.h"

namespace arc {
namespace {

class S3ObjectReader : public ObjectReader {
 public:
  S3ObjectReader(std::shared_ptr<arrow::io::RandomAccessFile> file, int64_t bytes, std::string key)
      : file_(std::move(file)), bytes_(bytes), key_(std::move(key)) {}

  Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override {
    if (offset >= bytes_ || bytes.empty()) return size_t{0};
    int64_t wanted = std::min<int64_t>(bytes_ - offset, static_cast<int64_t>(bytes.size()));
    auto read = file_->ReadAt(offset, wanted, bytes.data());
    if (!read.ok()) return S3Error(read.status(), "reading " + key_);
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

// Keeps a stream open for Commit: closing Arrow's stream is what makes the object, and whoever writes to it (Parquet)
// may close what it was given.
class UncommittedStream : public arrow::io::OutputStream {
 public:
  explicit UncommittedStream(std::shared_ptr<arrow::io::OutputStream> target) : target_(std::move(target)) {}
  arrow::Status Write(const void* data, int64_t nbytes) override {
    if (closed_) return arrow::Status::Invalid("write to a closed object stream");
    return target_->Write(data, nbytes);
  }
  using arrow::io::OutputStream::Write;
  arrow::Status Flush() override { return arrow::Status::OK(); }
  arrow::Status Close() override {
    closed_ = true;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Tell() const override { return target_->Tell(); }
  bool closed() const override { return closed_; }

 private:
  const std::shared_ptr<arrow::io::OutputStream> target_;
  bool closed_ = false;
};

class S3ObjectStore : public ObjectStore {
 public:
  S3ObjectStore(std::shared_ptr<arrow::fs::S3FileSystem> files, std::string root)
      : files_(std::move(files)), root_(std::move(root)) {}

  Status PutIfAbsent(const std::string& key, std::string_view bytes) override {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    ARC_RETURN_IF_ERROR(CheckAbsent(key));
    return Put(key, bytes);
  }

  Status PutOverwrite(const std::string& key, std::string_view bytes) override {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    return Put(key, bytes);
  }

  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override;

  Result<std::shared_ptr<ObjectReader>> Open(const std::string& key) override {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    auto file = files_->OpenInputFile(PathOf(key));
    if (!file.ok()) return S3Error(file.status(), "opening " + key);
    auto bytes = (*file)->GetSize();
    if (!bytes.ok()) return S3Error(bytes.status(), "opening " + key);
    return std::make_shared<S3ObjectReader>(std::move(*file), *bytes, key);
  }

  Result<std::shared_ptr<ObjectReader>> OpenKnown(const std::string& key, int64_t bytes) override {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    arrow::fs::FileInfo info(PathOf(key), arrow::fs::FileType::File);
    info.set_size(bytes);
    auto file = files_->OpenInputFile(info);
    if (!file.ok()) return S3Error(file.status(), "opening " + key);
    return std::make_shared<S3ObjectReader>(std::move(*file), bytes, key);
  }

  Result<std::string> ReadAll(const std::string& key) override {
    ARC_ASSIGN_OR_RETURN(auto reader, Open(key));
    std::string bytes(static_cast<size_t>(reader->bytes()), '\0');
    ARC_ASSIGN_OR_RETURN(size_t read, reader->ReadAt(0, {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()}));
    bytes.resize(read);
    return bytes;
  }

  Status Delete(const std::string& key) override {
    ARC_RETURN_IF_ERROR(CheckObjectKey(key));
    arrow::Status status = files_->DeleteFile(PathOf(key));
    if (status.ok()) return {};
    Error error = S3Error(status, "deleting " + key);
    if (error.kind == ErrorKind::kNotFound) return {};
    // Arrow refuses to delete what is a prefix of other keys only; that is no object.
    auto info = files_->GetFileInfo(PathOf(key));
    if (info.ok() && info->type() != arrow::fs::FileType::File) return {};
    return error;
  }

  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override;

  std::string UriOf(const std::string& key) const override { return "s3://" + PathOf(key); }

  Result<std::string> KeyOf(std::string_view uri) const override {
    std::string_view path = uri;
    // Hadoop's connectors write the same address with schemes of their own.
    for (std::string_view scheme : {"s3://", "s3a://", "s3n://"}) {
      if (!path.starts_with(scheme)) continue;
      path.remove_prefix(scheme.size());
      if (!path.starts_with(root_ + "/")) break;
      std::string key(path.substr(root_.size() + 1));
      ARC_RETURN_IF_ERROR(CheckObjectKey(key));
      return key;
    }
    return InvalidArgument(std::string(uri) + " is not below s3://" + root_);
  }

  // kAlreadyExists when the key is taken.
  Status CheckAbsent(const std::string& key) {
    auto info = files_->GetFileInfo(PathOf(key));
    if (!info.ok()) return S3Error(info.status(), "looking for " + key);
    if (info->type() == arrow::fs::FileType::File) {
      return MakeError(ErrorKind::kAlreadyExists, "the object " + key + " is there already");
    }
    return {};
  }

 private:
  std::string PathOf(const std::string& key) const { return root_ + "/" + key; }

  Status Put(const std::string& key, std::string_view bytes) {
    auto stream = files_->OpenOutputStream(PathOf(key));
    if (!stream.ok()) return S3Error(stream.status(), "writing " + key);
    arrow::Status status = (*stream)->Write(bytes.data(), static_cast<int64_t>(bytes.size()));
    if (status.ok()) status = (*stream)->Close();
    if (status.ok()) return {};
    (void)(*stream)->Abort();
    return S3Error(status, "writing " + key);
  }

  const std::shared_ptr<arrow::fs::S3FileSystem> files_;
  const std::string root_;  // bucket, with the prefix
};

// Large objects go up in parts while they are written; the parts become an object in Commit.
class S3ObjectWriter : public ObjectWriter {
 public:
  S3ObjectWriter(S3ObjectStore& store, std::string key, std::shared_ptr<arrow::io::OutputStream> target)
      : store_(store), key_(std::move(key)), target_(std::move(target)), stream_(target_) {}
  ~S3ObjectWriter() override {
    if (!committed_) (void)target_->Abort();
  }

  arrow::io::OutputStream& stream() override { return stream_; }

  Status Commit() override {
    if (committed_) return Internal("an object is committed once");
    (void)stream_.Close();
    ARC_RETURN_IF_ERROR(store_.CheckAbsent(key_));
    return CommitOverwrite();
  }

  Status CommitOverwrite() override {
    if (committed_) return Internal("an object is committed once");
    (void)stream_.Close();
    arrow::Status status = target_->Close();
    if (!status.ok()) return S3Error(status, "writing " + key_);
    committed_ = true;
    return {};
  }

 private:
  S3ObjectStore& store_;
  const std::string key_;
  const std::shared_ptr<arrow::io::OutputStream> target_;
  UncommittedStream stream_;
  bool committed_ = false;
};

Result<std::unique_ptr<ObjectWriter>> S3ObjectStore::Create(const std::string& key) {
  ARC_RETURN_IF_ERROR(CheckObjectKey(key));
  auto stream = files_->OpenOutputStream(PathOf(key));
  if (!stream.ok()) return S3Error(stream.status(), "writing " + key);
  return std::make_unique<S3ObjectWriter>(*this, key, std::move(*stream));
}

Result<std::vector<ObjectInfo>> S3ObjectStore::List(const std::string& prefix) {
  std::vector<ObjectInfo> objects;
  size_t slash = prefix.rfind('/');
  std::string folder_key = slash == std::string::npos ? "" : prefix.substr(0, slash);
  if (slash != std::string::npos && !CheckObjectKey(folder_key).ok()) return objects;  // no key begins so
  arrow::fs::FileSelector selector;
  selector.base_dir = folder_key.empty() ? root_ : PathOf(folder_key);
  selector.recursive = true;
  selector.allow_not_found = true;
  auto infos = files_->GetFileInfo(selector);
  if (!infos.ok()) return S3Error(infos.status(), "listing " + prefix);
  for (const arrow::fs::FileInfo& info : *infos) {
    if (info.type() != arrow::fs::FileType::File || !info.path().starts_with(root_ + "/")) continue;
    std::string key = info.path().substr(root_.size() + 1);
    if (!key.starts_with(prefix)) continue;
    const int64_t modified = info.mtime() == arrow::fs::kNoTime ? 0 : info.mtime().time_since_epoch().count() / 1000;
    objects.push_back({std::move(key), info.size(), modified});
  }
  std::sort(objects.begin(), objects.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return objects;
}

Status CheckOptions(const S3StoreOptions& options) {
  if (options.bucket.empty() || options.bucket.find('/') != std::string::npos) {
    return InvalidArgument("\"" + options.bucket + "\" is no bucket's name");
  }
  if (options.access_key.empty() != options.secret_key.empty()) {
    return InvalidArgument("an access key and its secret key are given together or not at all");
  }
  if (!options.prefix.empty()) return CheckObjectKey(options.prefix);
  return {};
}

}  // namespace

Result<std::unique_ptr<ObjectStore>> OpenS3ObjectStore(S3StoreOptions options, RandomSource& random) {
  ARC_RETURN_IF_ERROR(CheckOptions(options));
  ARC_ASSIGN_OR_RETURN(auto files, ConnectS3(options, random));
  auto bucket = files->GetFileInfo(options.bucket);
  if (!bucket.ok()) return S3Error(bucket.status(), "opening the bucket " + options.bucket);
  if (bucket->type() == arrow::fs::FileType::NotFound) {
    if (!options.make_bucket) return NotFound("there is no bucket " + options.bucket);
    arrow::Status made = files->CreateDir(options.bucket, /*recursive=*/false);
    if (!made.ok()) return S3Error(made, "making the bucket " + options.bucket);
  }
  std::string root = options.bucket + (options.prefix.empty() ? "" : "/" + options.prefix);
  return std::make_unique<S3ObjectStore>(std::move(files), std::move(root));
}

}  // namespace arc
