#include "arc/io/buffered_file_stream.h"

#include <arrow/buffer.h>
#include <arrow/status.h>

namespace arc {
namespace {

constexpr size_t kWriteBufferBytes = 256 << 10;

}  // namespace

BufferedFileStream::BufferedFileStream(DiskFile& file) : file_(file) { buffer_.reserve(kWriteBufferBytes); }

arrow::Status BufferedFileStream::Write(const void* data, int64_t nbytes) {
  if (closed_) return arrow::Status::Invalid("write to a closed object stream");
  std::span<const uint8_t> bytes(static_cast<const uint8_t*>(data), static_cast<size_t>(nbytes));
  if (buffer_.size() + bytes.size() > kWriteBufferBytes) {
    ARROW_RETURN_NOT_OK(Flush());
    if (bytes.size() >= kWriteBufferBytes) return WriteThrough(bytes);
  }
  buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
  return arrow::Status::OK();
}

arrow::Status BufferedFileStream::Flush() {
  arrow::Status status = WriteThrough(buffer_);
  buffer_.clear();
  return status;
}

arrow::Status BufferedFileStream::Close() {
  if (closed_) return arrow::Status::OK();
  closed_ = true;
  return Flush();
}

Status BufferedFileStream::Finish() {
  arrow::Status closed = Close();
  if (!status_.ok()) return status_;
  if (!closed.ok()) return Unavailable(closed.message());
  return {};
}

arrow::Status BufferedFileStream::WriteThrough(std::span<const uint8_t> bytes) {
  if (status_.ok() && !bytes.empty()) status_ = file_.WriteAt(written_, bytes);
  if (!status_.ok()) return arrow::Status::IOError(status_.error().message);
  written_ += static_cast<int64_t>(bytes.size());
  return arrow::Status::OK();
}

}  // namespace arc
