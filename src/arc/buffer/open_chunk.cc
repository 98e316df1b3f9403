#include "arc/buffer/open_chunk.h"

#include <algorithm>
#include <cstring>

#include "arc/base/check.h"
#include "arc/buffer/bitmap.h"
#include "arc/buffer/column_copy.h"

namespace arc {
namespace {

int64_t ValidityBytes(uint32_t rows) { return WordsFor(rows) * static_cast<int64_t>(sizeof(uint64_t)); }

// Bytes of the block for `columns` at `capacity`; `nulls(i)` tells whether column i has validity.
template <typename HasNulls>
int64_t BlockBytes(const std::vector<ColumnLayout>& columns, uint32_t capacity, HasNulls&& nulls) {
  int64_t bytes = 0;
  for (size_t i = 0; i < columns.size(); ++i) {
    bytes += ChunkMemory::Rounded(columns[i].value_bytes() * capacity);
    if (nulls(i)) bytes += ChunkMemory::Rounded(ValidityBytes(capacity));
  }
  return bytes;
}

bool SameAs(const ColumnLayout& column, const SourceColumn& source) {
  if (column.type != source.column->type) return false;
  // A tag with codes must still be coded by the very dictionary of this chunk; a plain one stays plain.
  return !source.coded() ? column.dictionary == nullptr
                         : column.dictionary.get() == source.tag->interner->dictionary().get();
}

}  // namespace

int64_t ColumnLayout::value_bytes() const {
  switch (type) {
    case ColumnType::kBool: return 1;
    case ColumnType::kString:
      return dictionary != nullptr ? static_cast<int64_t>(sizeof(uint32_t)) : static_cast<int64_t>(sizeof(HotString));
    default: return 8;
  }
}

OpenChunk::OpenChunk(std::vector<ColumnLayout> layout, uint32_t capacity, ByteBudget* budget)
    : layout_(std::move(layout)) {
  auto has_nulls = [](size_t i) { return i > 0; };  // time is never null
  memory_ = std::make_shared<ChunkMemory>(budget, BlockBytes(layout_, capacity, has_nulls), 0,
                                          std::make_shared<StringArena>(budget));
  std::vector<ChunkColumn> columns;
  columns.reserve(layout_.size());
  slots_.resize(layout_.size());
  for (size_t i = 0; i < layout_.size(); ++i) {
    const ColumnLayout& column = layout_[i];
    slots_[i].values = memory_->Take(column.value_bytes() * capacity);
    if (has_nulls(i)) {
      slots_[i].validity = static_cast<std::atomic<uint64_t>*>(memory_->TakeZeroed(ValidityBytes(capacity)));
    }
    columns.push_back(
        {column.field_id, column.type, column.role, slots_[i].values, column.dictionary, slots_[i].validity});
  }
  view_.chunk = std::make_shared<const Chunk>(std::move(columns), capacity, memory_);
}

bool OpenChunk::Takes(std::span<const SourceColumn> batch) const {
  size_t at = 0;  // both in the schema's order
  for (const auto& source : batch) {
    while (at < layout_.size() && layout_[at].field_id != source.column->field_id) ++at;
    if (at == layout_.size() || !SameAs(layout_[at], source)) return false;
    ++at;
  }
  return true;
}

void OpenChunk::Append(std::span<const SourceColumn> batch, int64_t from, int64_t rows, int64_t min_time,
                       int64_t max_time, Lsn lsn) {
  ARC_CHECK(rows > 0 && rows <= room());
  const int64_t start = view_.rows;
  size_t next = 0;
  for (size_t i = 0; i < layout_.size(); ++i) {
    const ColumnLayout& column = layout_[i];
    Slot& slot = slots_[i];
    if (next == batch.size() || batch[next].column->field_id != column.field_id) {
      std::memset(static_cast<char*>(slot.values) + start * column.value_bytes(), 0,
                  static_cast<size_t>(rows * column.value_bytes()));
      slot.nulls += rows;  // validity is zero already
      continue;
    }
    const SourceColumn& source = batch[next++];
    CopyValues(source, column, from, rows, static_cast<char*>(slot.values) + start * column.value_bytes());
    if (slot.validity != nullptr) {
      slot.nulls += AppendValidity(source.nulls, source.nulls_offset + from, rows, slot.validity, start);
    }
  }
  ARC_CHECK(next == batch.size());
  view_.min_time = start == 0 ? min_time : std::min(view_.min_time, min_time);
  view_.max_time = start == 0 ? max_time : std::max(view_.max_time, max_time);
  if (start == 0) view_.first_lsn = lsn;
  view_.last_lsn = lsn;
  view_.rows += static_cast<uint32_t>(rows);
}

void OpenChunk::CopyValues(const SourceColumn& source, const ColumnLayout& column, int64_t from, int64_t rows,
                           void* to) {
  switch (column.type) {
    case ColumnType::kBool: CopyBools(source, from, rows, static_cast<uint8_t*>(to)); return;
    case ColumnType::kString:
      if (source.coded()) {
        CopyCodes(source, from, rows, static_cast<uint32_t*>(to));
      } else if (source.tag != nullptr) {
        CopyTagStrings(source, from, rows, &memory_->arena(), &stored_tags_, static_cast<HotString*>(to));
      } else {
        CopyStrings(source, from, rows, &memory_->arena(), static_cast<HotString*>(to));
      }
      return;
    default: CopyFixed(source, source.type != column.type, from, rows, to); return;
  }
}

std::vector<ColumnLayout> OpenChunk::UsedLayout() const {
  std::vector<ColumnLayout> used;
  for (size_t i = 0; i < layout_.size(); ++i) {
    if (slots_[i].nulls < view_.rows) used.push_back(layout_[i]);
  }
  return used;
}

ChunkView OpenChunk::Seal(bool trim, ByteBudget* budget) const {
  const uint32_t rows = view_.rows;
  const bool copy = trim && rows <= view_.chunk->capacity() / 2;
  std::vector<size_t> kept;
  std::vector<ColumnLayout> layout;
  for (size_t i = 0; i < layout_.size(); ++i) {
    if (i > 0 && slots_[i].nulls == rows) continue;
    kept.push_back(i);
    layout.push_back(layout_[i]);
  }
  auto has_nulls = [&](size_t i) { return slots_[kept[i]].nulls > 0; };
  std::shared_ptr<ChunkMemory> memory = memory_;
  // The arena is shared: the strings' pointers stay as they are.
  if (copy) {
    memory = std::make_shared<ChunkMemory>(budget, BlockBytes(layout, rows, has_nulls), 0, memory_->shared_arena());
  }
  std::vector<ChunkColumn> columns;
  columns.reserve(kept.size());
  for (size_t i = 0; i < kept.size(); ++i) {
    ChunkColumn column = view_.chunk->columns()[kept[i]];
    if (!has_nulls(i)) column.validity = nullptr;
    if (copy) {
      const int64_t bytes = layout[i].value_bytes() * rows;
      column.values = std::memcpy(memory->Take(bytes), column.values, static_cast<size_t>(bytes));
      if (column.validity != nullptr) {
        auto* words = static_cast<std::atomic<uint64_t>*>(memory->Take(ValidityBytes(rows)));
        for (int64_t word = 0; word < WordsFor(rows); ++word) {
          words[word].store(column.validity[word].load(std::memory_order_relaxed), std::memory_order_relaxed);
        }
        column.validity = words;
      }
    }
    columns.push_back(std::move(column));
  }
  ChunkView sealed = view_;
  const uint32_t capacity = copy ? rows : view_.chunk->capacity();
  sealed.chunk = std::make_shared<const Chunk>(std::move(columns), capacity, std::move(memory));
  return sealed;
}

}  // namespace arc
