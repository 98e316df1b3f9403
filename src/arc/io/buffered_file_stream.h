// An Arrow stream into a DiskFile.
#pragma once

#include <arrow/io/interfaces.h>
#include <arrow/result.h>

#include <cstdint>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/local_disk.h"

namespace arc {

// Gathers small writes; large ones pass by. For one thread; the file must outlive it.
class BufferedFileStream : public arrow::io::OutputStream {
 public:
  explicit BufferedFileStream(DiskFile& file);

  arrow::Status Write(const void* data, int64_t nbytes) override;
  using arrow::io::OutputStream::Write;
  arrow::Status Flush() override;
  arrow::Status Close() override;
  arrow::Result<int64_t> Tell() const override { return written_ + static_cast<int64_t>(buffer_.size()); }
  bool closed() const override { return closed_; }

  // Closes it; what went wrong first, with its own kind: Arrow's status codes are fewer than ours.
  Status Finish();

 private:
  arrow::Status WriteThrough(std::span<const uint8_t> bytes);

  DiskFile& file_;
  std::vector<uint8_t> buffer_;
  int64_t written_ = 0;
  bool closed_ = false;
  Status status_;
};

}  // namespace arc
