// Append-only memory for strings too long to stand inline in a HotString.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/buffer/chunk.h"

namespace arc {

// One appender; what was stored never moves and lives as long as the arena. Its blocks are taken from the budget.
class StringArena {
 public:
  explicit StringArena(ByteBudget* budget) : budget_(budget) {}
  StringArena(const StringArena&) = delete;
  StringArena& operator=(const StringArena&) = delete;

  HotString Store(std::string_view value) {
    const auto length = static_cast<uint32_t>(value.size());
    if (value.size() <= sizeof(HotString().inlined.bytes)) return HotString(value.data(), length);
    if (value.size() > left_) NewBlock(value.size());
    char* place = next_;
    std::memcpy(place, value.data(), value.size());
    next_ += value.size();
    left_ -= value.size();
    return HotString(place, length);
  }

  int64_t bytes() const { return bytes_; }  // of all blocks

 private:
  void NewBlock(size_t needed);

  ByteBudget* const budget_;
  std::vector<std::unique_ptr<char[]>> blocks_;
  char* next_ = nullptr;
  size_t left_ = 0;
  size_t block_bytes_ = 1024;  // of the next block, doubling
  int64_t bytes_ = 0;
  ByteLease lease_;
};

}  // namespace arc
