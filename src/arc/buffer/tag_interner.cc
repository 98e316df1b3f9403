#include "arc/buffer/tag_interner.h"

#include <cstring>

#include "arc/base/check.h"
#include "arc/base/uuid.h"
#include "arc/buffer/string_arena.h"

namespace arc {
namespace {

constexpr size_t kFirstSlots = 32;

// Clients choose the strings: an unpredictable seed keeps them from choosing collisions.
uint64_t Seed() {
  static const uint64_t seed = SystemRandom().NextU64() | 1;
  return seed;
}

uint64_t Mix(uint64_t a, uint64_t b) {
  const auto product = static_cast<unsigned __int128>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t Load64(const char* p) {
  uint64_t word;
  std::memcpy(&word, p, sizeof(word));
  return word;
}

// Multiply-and-fold over 16 bytes a step; the last step overlaps the one before instead of being padded.
uint64_t HashString(std::string_view s, uint64_t seed) {
  const char* p = s.data();
  size_t n = s.size();
  uint64_t state = seed ^ Mix(n ^ 0x9E3779B97F4A7C15u, 0xE7037ED1A0B428DBu);
  while (n > 16) {
    state = Mix(Load64(p) ^ 0xA0761D6478BD642Fu, Load64(p + 8) ^ state);
    p += 16;
    n -= 16;
  }
  uint64_t a = 0;
  uint64_t b = 0;
  if (n >= 8) {
    a = Load64(p);
    b = Load64(p + n - 8);
  } else if (n >= 4) {
    uint32_t low;
    uint32_t high;
    std::memcpy(&low, p, 4);
    std::memcpy(&high, p + n - 4, 4);
    a = low;
    b = high;
  } else if (n > 0) {
    a = static_cast<uint8_t>(p[0]) | static_cast<uint64_t>(static_cast<uint8_t>(p[n / 2])) << 8 |
        static_cast<uint64_t>(static_cast<uint8_t>(p[n - 1])) << 16;
  }
  state = Mix(a ^ 0x8EBC6AF09C88C6E3u, b ^ state);
  return Mix(state ^ seed, 0x589965CC75374CC3u);
}

}  // namespace

TagInterner::TagInterner(ByteBudget* budget) : budget_(budget), dictionary_(std::make_shared<TagDictionary>(budget)) {
  Rehash(kFirstSlots);
}

int64_t TagInterner::bytes() const { return static_cast<int64_t>(slots_.size() * sizeof(Slot)) + dictionary_->bytes(); }

uint32_t TagInterner::Intern(std::string_view value) {
  const uint64_t hash = HashString(value, Seed());
  const auto upper = static_cast<uint32_t>(hash >> 32);
  const size_t mask = slots_.size() - 1;
  size_t at = hash & mask;
  while (slots_[at].code_one != 0) {
    const Slot slot = slots_[at];
    if (slot.hash == upper && (*dictionary_)[slot.code_one - 1].view() == value) return slot.code_one - 1;
    at = (at + 1) & mask;
  }
  const uint32_t code = dictionary_->size();
  if (code >= kMaxValues || dictionary_->bytes() + static_cast<int64_t>(value.size()) > kMaxBytes) return kFull;
  dictionary_->Add(value);
  slots_[at] = {upper, code + 1};
  if ((code + 1) * 2 > slots_.size()) Rehash(slots_.size() * 2);
  return code;
}

void TagInterner::Rehash(size_t slots) {
  ARC_CHECK((slots & (slots - 1)) == 0);
  slots_.assign(slots, Slot{0, 0});
  for (uint32_t code = 0; code < dictionary_->size(); ++code) {
    const uint64_t hash = HashString((*dictionary_)[code].view(), Seed());
    size_t at = hash & (slots - 1);
    while (slots_[at].code_one != 0) at = (at + 1) & (slots - 1);
    slots_[at] = {static_cast<uint32_t>(hash >> 32), code + 1};
  }
  if (budget_ != nullptr) lease_ = budget_->Force(static_cast<int64_t>(slots * sizeof(Slot)));
}

}  // namespace arc
