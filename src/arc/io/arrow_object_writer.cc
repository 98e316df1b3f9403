#include "arc/io/arrow_object_writer.h"

#include <arrow/filesystem/filesystem.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <functional>
#include <string_view>
#include <utility>

#include "arc/io/arrow_store_error.h"
#include "arc/io/spill_file.h"

namespace arc {
namespace {

// Opens the object's stream and lets `write` fill it; closing it is what makes the object.
Status WriteThrough(const ArrowObjectTarget& target,
                    const std::function<arrow::Status(arrow::io::OutputStream&)>& write) {
  auto stream = Caught([&] { return target.files->OpenOutputStream(target.path); });
  if (!stream.ok()) return StoreError(stream.status(), "writing " + target.key);
  arrow::Status status = Caught([&] { return write(**stream); });
  if (status.ok()) status = Caught([&] { return (*stream)->Close(); });
  if (status.ok()) return {};
  (void)Caught([&] { return (*stream)->Abort(); });
  return StoreError(status, "writing " + target.key);
}

// Keeps a stream open for Commit: whoever writes to it (Parquet) may close what it was given.
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

// Takes note of what was written to a spill file.
class SpillStream : public arrow::io::OutputStream {
 public:
  explicit SpillStream(SpillFile& file) : file_(file) {}
  arrow::Status Write(const void* data, int64_t nbytes) override {
    Status appended = file_.Append({static_cast<const char*>(data), static_cast<size_t>(nbytes)});
    return appended.ok() ? arrow::Status::OK() : arrow::Status::IOError(appended.error().message);
  }
  using arrow::io::OutputStream::Write;
  arrow::Status Flush() override { return arrow::Status::OK(); }
  arrow::Status Close() override { return arrow::Status::OK(); }
  arrow::Result<int64_t> Tell() const override { return file_.bytes(); }
  bool closed() const override { return false; }

 private:
  SpillFile& file_;
};

// What both kinds of writers have in common: an object is committed once, and not over another by accident.
class ArrowObjectWriter : public ObjectWriter {
 public:
  ArrowObjectWriter(ArrowObjectTarget target, std::shared_ptr<arrow::io::OutputStream> stream)
      : target_(std::move(target)), stream_(std::move(stream)) {}

  arrow::io::OutputStream& stream() override { return stream_; }

  Status Commit() override {
    if (committed_) return Internal("an object is committed once");
    (void)stream_.Close();
    ARC_RETURN_IF_ERROR(CheckAbsent(target_));
    return CommitOverwrite();
  }

  Status CommitOverwrite() override {
    if (committed_) return Internal("an object is committed once");
    (void)stream_.Close();
    ARC_RETURN_IF_ERROR(Finish());
    committed_ = true;
    return {};
  }

 protected:
  virtual Status Finish() = 0;
  const ArrowObjectTarget& target() const { return target_; }
  bool committed() const { return committed_; }

 private:
  const ArrowObjectTarget target_;
  UncommittedStream stream_;
  bool committed_ = false;
};

class StreamingWriter : public ArrowObjectWriter {
 public:
  StreamingWriter(ArrowObjectTarget target, std::shared_ptr<arrow::io::OutputStream> parts)
      : ArrowObjectWriter(std::move(target), parts), parts_(std::move(parts)) {}
  ~StreamingWriter() override {
    if (!committed()) (void)Caught([&] { return parts_->Abort(); });
  }

 private:
  Status Finish() override {
    arrow::Status status = Caught([&] { return parts_->Close(); });
    return status.ok() ? Status() : StoreError(status, "writing " + target().key);
  }

  const std::shared_ptr<arrow::io::OutputStream> parts_;
};

class SpillingWriter : public ArrowObjectWriter {
 public:
  SpillingWriter(ArrowObjectTarget target, std::shared_ptr<SpillFile> file)
      : ArrowObjectWriter(std::move(target), std::make_shared<SpillStream>(*file)), file_(std::move(file)) {}

 private:
  Status Finish() override {
    return WriteThrough(target(), [&](arrow::io::OutputStream& stream) {
      arrow::Status written;
      Status read = file_->ForEachPiece([&](std::string_view piece) -> Status {
        written = stream.Write(piece.data(), static_cast<int64_t>(piece.size()));
        return written.ok() ? Status() : Unavailable(written.message());
      });
      return !written.ok() || read.ok() ? written : arrow::Status::IOError(read.error().message);
    });
  }

  const std::shared_ptr<SpillFile> file_;
};

}  // namespace

Status CheckAbsent(const ArrowObjectTarget& target) {
  auto info = Caught([&] { return target.files->GetFileInfo(target.path); });
  if (!info.ok()) return StoreError(info.status(), "looking for " + target.key);
  if (info->type() == arrow::fs::FileType::File) {
    return MakeError(ErrorKind::kAlreadyExists, "the object " + target.key + " is there already");
  }
  return {};
}

Status PutObject(const ArrowObjectTarget& target, std::string_view bytes) {
  return WriteThrough(target, [&](arrow::io::OutputStream& stream) {
    return stream.Write(bytes.data(), static_cast<int64_t>(bytes.size()));
  });
}

Result<std::unique_ptr<ObjectWriter>> MakeStreamingWriter(ArrowObjectTarget target) {
  auto parts = Caught([&] { return target.files->OpenOutputStream(target.path); });
  if (!parts.ok()) return StoreError(parts.status(), "writing " + target.key);
  return std::make_unique<StreamingWriter>(std::move(target), std::move(*parts));
}

std::unique_ptr<ObjectWriter> MakeSpillingWriter(ArrowObjectTarget target, const std::string& spill_folder) {
  return std::make_unique<SpillingWriter>(std::move(target), std::make_shared<SpillFile>(SystemDisk(), spill_folder));
}

}  // namespace arc
