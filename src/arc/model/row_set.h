// Which rows of a data file, by their numbers in it.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace arc {

// A bit for each row up to the last one in the set. Rows count from 0. A value.
class RowSet {
 public:
  static constexpr int64_t kNone = std::numeric_limits<int64_t>::max();

  // True when the row was not in the set before.
  bool Add(int64_t row) {
    const auto word = static_cast<size_t>(row / kBits);
    if (word >= words_.size()) words_.resize(std::max(word + 1, words_.size() + words_.size() / 2));
    const uint64_t bit = uint64_t{1} << (row % kBits);
    const bool added = (words_[word] & bit) == 0;
    words_[word] |= bit;
    return added;
  }
  // The first row from `row` on that is in the set, or kNone.
  int64_t NextIn(int64_t row) const { return Next(row, 0); }
  // The first row from `row` on that is not.
  int64_t NextOut(int64_t row) const {
    const int64_t found = Next(row, ~uint64_t{0});
    return found == kNone ? std::max(row, static_cast<int64_t>(words_.size()) * kBits) : found;
  }
  int64_t bytes() const { return static_cast<int64_t>(words_.capacity() * sizeof(uint64_t)); }
  void Clear() { words_ = {}; }

 private:
  static constexpr int64_t kBits = 64;

  // The first from `row` on whose bit differs from those of `flip`.
  int64_t Next(int64_t row, uint64_t flip) const {
    auto word = static_cast<size_t>(row / kBits);
    uint64_t mask = ~uint64_t{0} << (row % kBits);
    for (; word < words_.size(); ++word, mask = ~uint64_t{0}) {
      const uint64_t bits = (words_[word] ^ flip) & mask;
      if (bits != 0) return static_cast<int64_t>(word) * kBits + std::countr_zero(bits);
    }
    return kNone;
  }

  std::vector<uint64_t> words_;
};

}  // namespace arc
