#include "arc/buffer/chunk_memory.h"

#include <cstring>

#include "arc/base/check.h"

namespace arc {

ChunkMemory::ChunkMemory(ByteBudget* budget, int64_t block_bytes, int64_t adopted_bytes,
                         std::shared_ptr<StringArena> arena)
    : adopted_bytes_(adopted_bytes), arena_(std::move(arena)) {
  if (block_bytes > 0) block_ = ChunkBlocks().Take(block_bytes);
  if (budget != nullptr) lease_ = budget->Force(fixed_bytes());
  next_ = static_cast<char*>(block_.data);
  end_ = next_ + block_.bytes;
}

ChunkMemory::~ChunkMemory() {
  if (block_.data != nullptr) ChunkBlocks().Give(block_);
}

void* ChunkMemory::Take(int64_t bytes) {
  char* place = next_;
  next_ += Rounded(bytes);
  ARC_CHECK(next_ <= end_);
  return place;
}

void* ChunkMemory::TakeZeroed(int64_t bytes) { return std::memset(Take(bytes), 0, static_cast<size_t>(bytes)); }

}  // namespace arc
