// An object as Arrow reads files.
#pragma once

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "arc/base/result.h"
#include "arc/io/object_store.h"

namespace arc {

// Remembers the store's own error: what else goes wrong is the file's fault.
class ObjectFile : public arrow::io::RandomAccessFile {
 public:
  explicit ObjectFile(std::shared_ptr<ObjectReader> object) : object_(std::move(object)) {}
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override {
    const auto size = static_cast<size_t>(std::max<int64_t>(bytes, 0));
    auto read = object_->ReadAt(position, {static_cast<uint8_t*>(out), size});
    if (read.ok()) return static_cast<int64_t>(*read);
    error_ = read.error();
    return arrow::Status::IOError(read.error().message);
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override {
    // A damaged footer may ask for anything.
    bytes = std::clamp<int64_t>(bytes, 0, std::max<int64_t>(object_->bytes() - position, 0));
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::ResizableBuffer> buffer, arrow::AllocateResizableBuffer(bytes));
    ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position, bytes, buffer->mutable_data()));
    ARROW_RETURN_NOT_OK(buffer->Resize(read, false));
    return buffer;
  }
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t read, ReadAt(position_, bytes, out));
    position_ += read;
    return read;
  }
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override {
    ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, bytes));
    position_ += buffer->size();
    return buffer;
  }
  arrow::Status Seek(int64_t position) override {
    position_ = position;
    return arrow::Status::OK();
  }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Result<int64_t> GetSize() override { return object_->bytes(); }
  arrow::Status Close() override { return arrow::Status::OK(); }
  bool closed() const override { return false; }
  const std::optional<Error>& error() const { return error_; }

 private:
  const std::shared_ptr<ObjectReader> object_;
  int64_t position_ = 0;
  std::optional<Error> error_;
};

}  // namespace arc
