#include "arc/io/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "arc/base/check.h"
#include "arc/io/posix_call.h"

namespace arc {

Descriptor::~Descriptor() {
  // Not retried on EINTR: Linux has released the descriptor by then, and somebody else may own its number.
  if (fd_ >= 0) close(fd_);
}

Result<size_t> PosixFile::ReadAt(int64_t offset, std::span<uint8_t> bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t got = RetryInterrupted(
        [&] { return pread(fd(), bytes.data() + done, bytes.size() - done, offset + static_cast<int64_t>(done)); });
    if (got < 0) return ErrorFromErrno(errno, "read", path_);
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return done;
}

Status PosixFile::WriteAt(int64_t offset, std::span<const uint8_t> bytes) {
  tail_offset_ = -1;
  size_t done = 0;
  while (done < bytes.size()) {
    ssize_t put = RetryInterrupted(
        [&] { return pwrite(fd(), bytes.data() + done, bytes.size() - done, offset + static_cast<int64_t>(done)); });
    if (put < 0) return ErrorFromErrno(errno, "write", path_);
    done += static_cast<size_t>(put);
  }
  return {};
}

Result<int64_t> PosixFile::Size() {
  struct stat info;
  if (fstat(fd(), &info) != 0) return ErrorFromErrno(errno, "stat", path_);
  return static_cast<int64_t>(info.st_size);
}

Status PosixFile::Truncate(int64_t size) {
  tail_offset_ = -1;
  if (RetryInterrupted([&] { return ftruncate(fd(), size); }) != 0) return ErrorFromErrno(errno, "truncate", path_);
  return {};
}

Status PosixFile::Preallocate(int64_t size) {
  if (size <= 0) return {};
  ARC_ASSIGN_OR_RETURN(int64_t old_size, Size());
  if (RetryInterrupted([&] { return fallocate(fd(), 0, 0, size); }) == 0) return {};
  int code = errno;
  if (code == EOPNOTSUPP || code == ENOSYS) {
    Status zeroed = WriteZeros(old_size, size);
    if (zeroed.ok()) return {};
    GiveBack(old_size);
    return zeroed;
  }
  GiveBack(old_size);
  return ErrorFromErrno(code, "allocate space for", path_);
}

Status PosixFile::SyncData() {
  if (RetryInterrupted([&] { return fdatasync(fd()); }) != 0) return SyncFailed(errno);
  return {};
}

Status PosixFile::Sync() {
  if (RetryInterrupted([&] { return fsync(fd()); }) != 0) return SyncFailed(errno);
  return {};
}

Error PosixFile::SyncFailed(int code) const {
  Error error = ErrorFromErrno(code, "sync", path_);
  error.kind = ErrorKind::kUnknownOutcome;
  return error;
}

Status PosixFile::WriteZeros(int64_t from, int64_t to) {
  static constexpr std::array<uint8_t, 64 << 10> kZeros{};
  while (from < to) {
    auto length = static_cast<size_t>(std::min<int64_t>(to - from, kZeros.size()));
    ARC_RETURN_IF_ERROR(WriteAt(from, {kZeros.data(), length}));
    from += static_cast<int64_t>(length);
  }
  return {};
}

void PosixFile::GiveBack(int64_t old_size) {
  if (RetryInterrupted([&] { return ftruncate(fd(), old_size); }) != 0) return;
}

// --- Appending past the page cache
// ------------------------------------------------------------------------------------

void PosixFile::FreeBytes::operator()(uint8_t* bytes) const { std::free(bytes); }

bool PosixFile::OpenDirect() {
  if (direct_.has_value() || no_direct_) return direct_.has_value();
  // By the descriptor's name, as the file may have been renamed since it was opened.
  const std::string self = "/proc/self/fd/" + std::to_string(fd());
  const int opened = RetryInterrupted([&] { return open(self.c_str(), O_RDWR | O_DIRECT | O_CLOEXEC); });
  if (opened >= 0) direct_.emplace(opened);
  no_direct_ = opened < 0;
  return opened >= 0;
}

Status PosixFile::FillBlocks(int64_t offset, std::span<const uint8_t> bytes, size_t block_bytes) {
  const int64_t first = offset / kAppendBlockBytes * kAppendBlockBytes;
  const auto head = static_cast<size_t>(offset - first);
  // The block at hand is kept over the growth below: it is what the new blocks begin with.
  std::array<uint8_t, kAppendBlockBytes> kept;
  if (head > 0 && first == tail_offset_) {
    std::memcpy(kept.data(), blocks_.get() + tail_at_, head);
  } else if (head > 0) {
    ARC_ASSIGN_OR_RETURN(const size_t got, ReadAt(first, std::span(kept).first(head)));
    if (got < head) std::memset(kept.data() + got, 0, head - got);
  }
  if (blocks_capacity_ < block_bytes) {
    blocks_capacity_ = std::max(block_bytes, 2 * blocks_capacity_);
    blocks_.reset(static_cast<uint8_t*>(std::aligned_alloc(kAppendBlockBytes, blocks_capacity_)));
    ARC_CHECK(blocks_ != nullptr);
  }
  std::memcpy(blocks_.get(), kept.data(), head);
  if (!bytes.empty()) std::memcpy(blocks_.get() + head, bytes.data(), bytes.size());
  std::memset(blocks_.get() + head + bytes.size(), 0, block_bytes - head - bytes.size());
  return {};
}

Status PosixFile::AppendDurably(int64_t offset, std::span<const uint8_t> bytes) {
  const int64_t first = offset / kAppendBlockBytes * kAppendBlockBytes;
  const int64_t end = offset + static_cast<int64_t>(bytes.size());
  const int64_t block_end = (end + kAppendBlockBytes - 1) / kAppendBlockBytes * kAppendBlockBytes;
  const auto buffered = [&]() -> Status {
    ARC_RETURN_IF_ERROR(WriteAt(offset, bytes));
    return SyncData();
  };
  ARC_ASSIGN_OR_RETURN(const int64_t size, Size());
  if (block_end > size || !OpenDirect()) return buffered();
  const auto block_bytes = static_cast<size_t>(block_end - first);
  ARC_RETURN_IF_ERROR(FillBlocks(offset, bytes, block_bytes));
  tail_offset_ = -1;
  for (size_t done = 0; done < block_bytes;) {
    const iovec part{blocks_.get() + done, block_bytes - done};
    const ssize_t put = RetryInterrupted(
        [&] { return pwritev2(direct_->fd(), &part, 1, first + static_cast<int64_t>(done), RWF_DSYNC); });
    if (put < 0 && done == 0 && (errno == EINVAL || errno == EOPNOTSUPP || errno == ENOSYS)) {
      no_direct_ = true;
      direct_.reset();
      return buffered();
    }
    if (put < 0 && (errno == ENOSPC || errno == EDQUOT)) return ErrorFromErrno(errno, "write", path_);
    if (put < 0) return SyncFailed(errno);
    // What follows a short write must begin at a whole block again.
    const size_t whole = static_cast<size_t>(put) / kAppendBlockBytes * kAppendBlockBytes;
    if (whole == 0) return SyncFailed(EIO);
    done += whole;
  }
  tail_at_ = block_bytes - kAppendBlockBytes;
  tail_offset_ = block_end - kAppendBlockBytes;
  return {};
}

}  // namespace arc
