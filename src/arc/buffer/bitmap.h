// Arrow's byte-granular bitmaps into the 64-bit validity words that readers share with the appender.
#pragma once

#include <algorithm>
#include <atomic>
#include <bit>
#include <cstdint>
#include <cstring>

namespace arc {

inline constexpr int64_t kWordBits = 64;

inline int64_t WordsFor(int64_t bits) { return (bits + kWordBits - 1) / kWordBits; }

inline uint64_t LowBits(int64_t count) { return count >= kWordBits ? ~uint64_t{0} : (uint64_t{1} << count) - 1; }

// Bits [offset, offset + count) of an Arrow bitmap, count <= 64, never reading past the last byte that holds one.
inline uint64_t LoadBits(const uint8_t* bitmap, int64_t offset, int64_t count) {
  const uint8_t* from = bitmap + offset / 8;
  const int64_t shift = offset % 8;
  const int64_t bytes = (shift + count + 7) / 8;
  uint64_t word = 0;
  if (bytes >= 8) {
    std::memcpy(&word, from, 8);
  } else {
    std::memcpy(&word, from, static_cast<size_t>(bytes));
  }
  word >>= shift;
  if (bytes == 9) word |= static_cast<uint64_t>(from[8]) << (kWordBits - shift);
  return word & LowBits(count);
}

// Calls visit(first, count, bits) for [0, rows) in steps of at most 64 rows; bit i of `bits` is row first + i of the
// range that starts at `offset` of `bitmap` (null: all set).
template <typename Visit>
void ForEachWord(const uint8_t* bitmap, int64_t offset, int64_t rows, Visit&& visit) {
  for (int64_t row = 0; row < rows; row += kWordBits) {
    const int64_t count = std::min(kWordBits, rows - row);
    visit(row, count, bitmap == nullptr ? LowBits(count) : LoadBits(bitmap, offset + row, count));
  }
}

// Sets the bits of [to, to + rows) in `words` (zero before) from the bitmap's range at `offset`; returns how many rows
// are null. Single appender: a plain read-modify-write of the shared word is enough.
inline int64_t AppendValidity(const uint8_t* bitmap, int64_t offset, int64_t rows, std::atomic<uint64_t>* words,
                              int64_t to) {
  int64_t valid = 0;
  auto merge = [words](int64_t word, uint64_t bits) {
    words[word].store(words[word].load(std::memory_order_relaxed) | bits, std::memory_order_relaxed);
  };
  ForEachWord(bitmap, offset, rows, [&](int64_t row, int64_t, uint64_t bits) {
    valid += std::popcount(bits);
    const int64_t at = to + row;
    const int64_t shift = at % kWordBits;
    merge(at / kWordBits, bits << shift);
    if (shift != 0 && bits >> (kWordBits - shift) != 0) merge(at / kWordBits + 1, bits >> (kWordBits - shift));
  });
  return rows - valid;
}

}  // namespace arc
