#include "arc/buffer/chunk_memory.h"

#include <new>

#include "arc/base/check.h"

namespace arc {

ChunkMemory::ChunkMemory(ByteBudget* budget, int64_t block_bytes, int64_t adopted_bytes,
                         std::shared_ptr<StringArena> arena)
    : block_bytes_(block_bytes), adopted_bytes_(adopted_bytes), arena_(std::move(arena)) {
  if (budget != nullptr) lease_ = budget->Force(fixed_bytes());
  if (block_bytes == 0) return;
  // calloc takes large blocks zeroed from the kernel: what is never written is never touched.
  allocation_ = std::calloc(1, static_cast<size_t>(block_bytes + kAlignment));
  if (allocation_ == nullptr) throw std::bad_alloc();
  const auto address = reinterpret_cast<uintptr_t>(allocation_);
  next_ = reinterpret_cast<char*>((address + kAlignment - 1) / kAlignment * kAlignment);
  end_ = next_ + block_bytes;
}

ChunkMemory::~ChunkMemory() { std::free(allocation_); }

void* ChunkMemory::Take(int64_t bytes) {
  char* place = next_;
  next_ += Rounded(bytes);
  ARC_CHECK(next_ <= end_);
  return place;
}

}  // namespace arc
