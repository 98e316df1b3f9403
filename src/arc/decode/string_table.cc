#include "arc/decode/string_table.h"

#include <arrow/array.h>
#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/type.h>

#include <array>
#include <limits>
#include <utility>

#include "arc/base/uuid.h"

namespace arc {
namespace {

constexpr size_t kFirstSlots = 32;
constexpr size_t kSparseSlots = 1024;
constexpr int64_t kFirstTexts = 16;
constexpr int64_t kFirstBytes = 128;

}  // namespace

uint64_t StringTable::ProcessSeed(int which) {
  static const std::array<uint64_t, 2> kSeeds = {SystemRandom().NextU64(), SystemRandom().NextU64()};
  return kSeeds[static_cast<size_t>(which)];
}

std::string_view StringTable::at(int32_t code) const {
  const auto* offsets = reinterpret_cast<const int32_t*>(offsets_.data());
  return {reinterpret_cast<const char*>(bytes_.data()) + offsets[code],
          static_cast<size_t>(offsets[code + 1] - offsets[code])};
}

uint64_t StringTable::HashTail(std::string_view text, uint64_t head) const {
  const char* p = text.data() + 16;
  size_t left = text.size() - 16;
  uint64_t hash = head;
  for (; left > 16; p += 16, left -= 16) {
    const TextPrefix block = TextPrefix::Of({p, 16}, p + 16);
    hash = Mix(block.low() ^ seed_ ^ hash, block.high() ^ seed_high_);
  }
  const TextPrefix block = TextPrefix::Of({p, left}, p + left);
  return Mix(block.low() ^ seed_ ^ hash, block.high() ^ seed_high_ ^ left);
}

int32_t StringTable::Add(std::string_view text, MemoryBudget* budget) {
  constexpr int64_t kMax = std::numeric_limits<int32_t>::max();
  if (count_ >= kMax - 1 || bytes_used_ + static_cast<int64_t>(text.size()) > kMax) return kAbsent;
  // Sparse while that is cheap: most look-ups then end at the first slot.
  const size_t per_text = slots_.size() <= kSparseSlots ? 4 : 2;
  if (static_cast<size_t>(count_) * per_text >= slots_.size()) Rehash(budget);
  const int64_t offsets_needed = (static_cast<int64_t>(count_) + 2) * 4;
  offsets_.Grow(offsets_needed < kFirstTexts * 4 ? kFirstTexts * 4 : offsets_needed, budget);
  const int64_t bytes_needed = bytes_used_ + static_cast<int64_t>(text.size());
  bytes_.Grow(bytes_needed < kFirstBytes ? kFirstBytes : bytes_needed, budget);

  auto* offsets = reinterpret_cast<int32_t*>(offsets_.data());
  offsets[count_] = bytes_used_;
  if (!text.empty()) std::memcpy(bytes_.data() + bytes_used_, text.data(), text.size());
  bytes_used_ += static_cast<int32_t>(text.size());
  offsets[count_ + 1] = bytes_used_;

  const TextPrefix prefix = TextPrefix::Of(text, text.data() + text.size());
  size_t i = Hash(text, prefix) & mask_;
  while (slots_[i].code != kAbsent) i = (i + 1) & mask_;
  slots_[i] = {prefix, static_cast<uint32_t>(text.size()), count_, 0};
  return count_++;
}

void StringTable::Rehash(MemoryBudget* budget) {
  const size_t slots = slots_.empty() ? kFirstSlots : slots_.size() * (slots_.size() < kSparseSlots ? 4 : 2);
  budget->Take(static_cast<int64_t>((slots - slots_.size()) * sizeof(Slot)));
  std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
  mask_ = slots - 1;
  last_ = 0;
  for (const Slot& slot : old) {
    if (slot.code == kAbsent) continue;
    const std::string_view text = at(slot.code);
    size_t i = Hash(text, slot.prefix) & mask_;
    while (slots_[i].code != kAbsent) i = (i + 1) & mask_;
    slots_[i] = {slot.prefix, slot.size, slot.code, 0};
  }
}

std::shared_ptr<arrow::Array> StringTable::Finish(MemoryBudget* budget) {
  if (count_ == 0) {
    offsets_.Reserve(4, budget);
    std::memset(offsets_.data(), 0, 4);
  }
  const int64_t count = count_;
  auto data = arrow::ArrayData::Make(arrow::utf8(), count,
                                     {nullptr, offsets_.Finish((count + 1) * 4), bytes_.Finish(bytes_used_)}, 0);
  slots_.clear();
  mask_ = 0;
  last_ = 0;
  count_ = 0;
  bytes_used_ = 0;
  return arrow::MakeArray(data);
}

}  // namespace arc
