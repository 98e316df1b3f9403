// An open file of the machine's disk.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "arc/io/local_disk.h"

namespace arc {

// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor();
  int fd() const { return fd_; }

 private:
  int fd_;
};

// As DiskFile says. AppendDurably writes with O_DIRECT and RWF_DSYNC where the file system takes both.
class PosixFile : public DiskFile {
 public:
  PosixFile(Descriptor descriptor, std::string path) : descriptor_(std::move(descriptor)), path_(std::move(path)) {}

  Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override;
  Status WriteAt(int64_t offset, std::span<const uint8_t> bytes) override;
  Result<int64_t> Size() override;
  Status Truncate(int64_t size) override;
  Status Preallocate(int64_t size) override;
  Status SyncData() override;
  Status Sync() override;
  Status AppendDurably(int64_t offset, std::span<const uint8_t> bytes) override;

 private:
  struct FreeBytes {
    void operator()(uint8_t* bytes) const;
  };

  int fd() const { return descriptor_.fd(); }
  Error SyncFailed(int code) const;
  // For file systems without fallocate. Holes below `from` stay holes; Arc makes none before preallocating.
  Status WriteZeros(int64_t from, int64_t to);
  // A failed allocation may have kept blocks and grown the file: on a full disk others need them.
  void GiveBack(int64_t old_size);
  // Whether direct writes are to be had; opens the second descriptor at the first call.
  bool OpenDirect();
  // Puts whole blocks into blocks_: what the file holds before `offset` in its block, `bytes`, zeros.
  Status FillBlocks(int64_t offset, std::span<const uint8_t> bytes, size_t block_bytes);

  Descriptor descriptor_;
  const std::string path_;
  std::optional<Descriptor> direct_;
  bool no_direct_ = false;                        // tried in vain
  std::unique_ptr<uint8_t[], FreeBytes> blocks_;  // aligned; what was appended last
  size_t blocks_capacity_ = 0;
  int64_t tail_offset_ = -1;  // the file's offset of the block that ends the last append; none: -1
  size_t tail_at_ = 0;        // where it stands in blocks_
};

}  // namespace arc
