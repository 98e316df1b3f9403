#include <arrow/array.h>
#include <arrow/buffer.h>

#include "arc/base/check.h"
#include "arc/buffer/chunk.h"
#include "arc/buffer/string_arena.h"

namespace arc {
namespace {

constexpr uint32_t kFirstCapacity = 16;

}  // namespace

TagDictionary::TagDictionary(ByteBudget* budget) : budget_(budget), arena_(std::make_unique<StringArena>(budget)) {
  Grow();
}

TagDictionary::~TagDictionary() = default;

int64_t TagDictionary::bytes() const { return array_bytes_ + arena_->bytes(); }

void TagDictionary::Add(std::string_view value) {
  const uint32_t size = size_.load(std::memory_order_relaxed);
  if (size == capacity_) Grow();
  writable_[size] = arena_->Store(value);
  size_.store(size + 1, std::memory_order_release);
}

void TagDictionary::Grow() {
  const uint32_t capacity = capacity_ == 0 ? kFirstCapacity : capacity_ * 2;
  auto grown = std::make_unique<HotString[]>(capacity);
  if (capacity_ > 0) std::memcpy(static_cast<void*>(grown.get()), writable_, capacity_ * sizeof(HotString));
  writable_ = grown.get();
  arrays_.push_back(std::move(grown));
  capacity_ = capacity;
  const auto bytes = static_cast<int64_t>(capacity * sizeof(HotString));
  array_bytes_ += bytes;
  if (budget_ != nullptr) lease_.Absorb(budget_->Force(bytes));
  values_.store(writable_, std::memory_order_release);
}

std::shared_ptr<arrow::ArrayData> TagDictionary::ToArrow(uint32_t size) const {
  std::lock_guard lock(arrow_mutex_);
  if (auto known = arrow_.lock(); known != nullptr && known->length >= size) return known;
  const uint32_t count = this->size();
  ARC_CHECK(size <= count);
  const HotString* entries = values();
  int64_t total = 0;
  for (uint32_t i = 0; i < count; ++i) total += entries[i].inlined.length;
  // At most 65,536 values of at most one request's bytes each: whether the offsets fit is still worth a look.
  ARC_CHECK(total <= INT32_MAX);
  auto offsets = *arrow::AllocateBuffer(static_cast<int64_t>((count + 1) * sizeof(int32_t)));
  auto data = *arrow::AllocateBuffer(total);
  auto* offset = reinterpret_cast<int32_t*>(offsets->mutable_data());
  int32_t at = 0;
  for (uint32_t i = 0; i < count; ++i) {
    offset[i] = at;
    const std::string_view value = entries[i].view();
    if (!value.empty()) std::memcpy(data->mutable_data() + at, value.data(), value.size());
    at += static_cast<int32_t>(value.size());
  }
  offset[count] = at;
  auto array = arrow::ArrayData::Make(arrow::utf8(), count, {nullptr, std::move(offsets), std::move(data)}, 0);
  arrow_ = array;
  return array;
}

}  // namespace arc
