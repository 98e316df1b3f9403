// Interning: distinct texts -> codes 0, 1, 2, … in the order of their first appearance. The dictionary of a tag column
// while it is built, and the way from a name to a column.
#pragma once

#include <smmintrin.h>

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include "arc/decode/growing_buffer.h"

namespace arrow {
class Array;
}

namespace arc {

// The first 16 bytes of a text, zero-filled: a whole text of at most 16 bytes compares at once.
struct TextPrefix {
  __m128i bytes = _mm_setzero_si128();

  // Bytes up to `limit` may be read, past the end of the text too.
  [[gnu::always_inline]] static TextPrefix Of(std::string_view text, const char* limit) {
    // 16 bytes at kMask + 16 - n keep the first n.
    alignas(16) static constexpr uint8_t kMask[32] = {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF,
                                                      0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
    const size_t size = text.size() < 16 ? text.size() : 16;
    TextPrefix prefix;
    if (limit - text.data() >= 16) [[likely]] {
      const __m128i read = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data()));
      const __m128i mask = _mm_loadu_si128(reinterpret_cast<const __m128i*>(kMask + 16 - size));
      prefix.bytes = _mm_and_si128(read, mask);
    } else if (size > 0) {
      std::memcpy(&prefix.bytes, text.data(), size);
    }
    return prefix;
  }
  uint64_t low() const { return static_cast<uint64_t>(_mm_cvtsi128_si64(bytes)); }
  uint64_t high() const { return static_cast<uint64_t>(_mm_extract_epi64(bytes, 1)); }
  bool operator==(const TextPrefix& other) const {
    return _mm_movemask_epi8(_mm_cmpeq_epi8(bytes, other.bytes)) == 0xFFFF;
  }
};

// Open addressing with linear probing; texts of up to 16 bytes are compared inside the slot. The hash is seeded per
// process, so that no sender can prepare collisions; codes do not depend on it. Not thread-safe.
class StringTable {
 public:
  static constexpr int32_t kAbsent = -1;

  int32_t size() const { return count_; }
  // The text's code or kAbsent. Bytes up to `limit` may be read, past the end of the text too.
  [[gnu::always_inline]] int32_t Find(std::string_view text, const char* limit) const {
    const Slot* found = FindPrefix(text, TextPrefix::Of(text, limit));
    return found == nullptr ? kAbsent : found->code;
  }
  // The same for the values of one column after the other. Senders' rows repeat their order: what followed the value
  // before last time is compared first, and only something else is hashed.
  [[gnu::always_inline]] int32_t FindNext(std::string_view text, const char* limit) {
    if (slots_.empty()) return kAbsent;
    const TextPrefix prefix = TextPrefix::Of(text, limit);
    Slot& last = slots_[last_];
    const Slot& guess = slots_[last.follower];
    if (guess.prefix == prefix && guess.size == text.size() && guess.size <= 16 && guess.code >= 0) [[likely]] {
      last_ = last.follower;
      return guess.code;
    }
    const Slot* found = FindPrefix(text, prefix);
    if (found == nullptr) return kAbsent;
    last_ = last.follower = static_cast<uint32_t>(found - slots_.data());
    return found->code;
  }
  // Adds a text that Find does not know. kAbsent when its code or bytes would pass 2^31 - 1.
  int32_t Add(std::string_view text, MemoryBudget* budget);
  std::string_view at(int32_t code) const;
  // The texts as an Arrow utf8 array in code order; the table becomes empty.
  std::shared_ptr<arrow::Array> Finish(MemoryBudget* budget);

 private:
  struct alignas(32) Slot {
    TextPrefix prefix;
    uint32_t size = 0;
    int32_t code = kAbsent;
    uint32_t follower = 0;  // the slot of the value that came after this one
  };

  [[gnu::always_inline]] const Slot* FindPrefix(std::string_view text, const TextPrefix& prefix) const {
    if (slots_.empty()) return nullptr;
    for (size_t i = Hash(text, prefix) & mask_;; i = (i + 1) & mask_) {
      const Slot& slot = slots_[i];
      if (slot.code == kAbsent) return nullptr;
      if (slot.prefix == prefix && slot.size == text.size() && (slot.size <= 16 || SameTail(slot.code, text))) {
        return &slot;
      }
    }
  }
  bool SameTail(int32_t code, std::string_view text) const {
    return std::memcmp(at(code).data() + 16, text.data() + 16, text.size() - 16) == 0;
  }
  static uint64_t Mix(uint64_t a, uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
  }
  uint64_t Hash(std::string_view text, const TextPrefix& prefix) const {
    const uint64_t head = Mix(prefix.low() ^ seed_, prefix.high() ^ seed_high_ ^ text.size());
    return text.size() <= 16 ? head : HashTail(text, head);
  }
  uint64_t HashTail(std::string_view text, uint64_t head) const;
  void Rehash(MemoryBudget* budget);

  const uint64_t seed_ = ProcessSeed(0);
  const uint64_t seed_high_ = ProcessSeed(1);
  static uint64_t ProcessSeed(int which);

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  uint32_t last_ = 0;  // the slot of the value that FindNext found last
  int32_t count_ = 0;
  int32_t bytes_used_ = 0;
  GrowingBuffer bytes_;
  GrowingBuffer offsets_;  // int32, count_ + 1 of them once count_ > 0
};

}  // namespace arc
