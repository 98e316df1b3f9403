// Strings of a tag column to codes of its dictionary.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "arc/buffer/chunk.h"

namespace arc {

// The appender's side of a TagDictionary: an open-addressing hash table over its entries. Not thread-safe.
class TagInterner {
 public:
  static constexpr uint32_t kMaxValues = 65536;
  // Together with the longest value a request can carry, well below the 2 GB that Arrow's utf8 offsets reach.
  static constexpr int64_t kMaxBytes = int64_t{256} << 20;
  static constexpr uint32_t kFull = UINT32_MAX;

  explicit TagInterner(ByteBudget* budget);

  // The code of `value`, adding it when new; kFull when it is new and the dictionary may not grow: kMaxValues
  // are there or kMaxBytes would be passed.
  uint32_t Intern(std::string_view value);
  const std::shared_ptr<TagDictionary>& dictionary() const { return dictionary_; }
  int64_t bytes() const;  // table and dictionary

 private:
  struct Slot {
    uint32_t hash;      // upper half of the hash, to skip most comparisons
    uint32_t code_one;  // code + 1; 0: empty
  };
  void Rehash(size_t slots);

  ByteBudget* const budget_;
  std::shared_ptr<TagDictionary> dictionary_;
  std::vector<Slot> slots_;  // a power of two, at most half full
  ByteLease lease_;
};

}  // namespace arc
