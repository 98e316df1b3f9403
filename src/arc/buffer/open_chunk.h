// The chunk that small batches are copied into.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "arc/buffer/batch_source.h"
#include "arc/buffer/chunk.h"
#include "arc/buffer/chunk_memory.h"

namespace arc {

// What a column of an open chunk is, decided when the chunk is made.
struct ColumnLayout {
  int32_t field_id = 0;
  ColumnType type = ColumnType::kDouble;
  ColumnRole role = ColumnRole::kField;
  std::shared_ptr<const TagDictionary> dictionary;  // null: no tag, or a plain one

  int64_t value_bytes() const;
};

// Single appender. Rows below rows() never change, so a view may be read while later rows are appended.
class OpenChunk {
 public:
  // The string bytes after which a chunk counts as full, so that the strings of one column stay addressable by Arrow's
  // 32-bit offsets and a flush never has to hold more at once.
  static constexpr int64_t kMaxStringBytes = int64_t{64} << 20;

  OpenChunk(std::vector<ColumnLayout> layout, uint32_t capacity, ByteBudget* budget);

  // Whether the batch's columns all stand here in the type they have in the schema.
  bool Takes(std::span<const SourceColumn> batch) const;
  // Copies rows [from, from + rows) of a batch that Takes() accepts; there must be room. The times' bounds are those of
  // the rows copied.
  void Append(std::span<const SourceColumn> batch, int64_t from, int64_t rows, int64_t min_time, int64_t max_time,
              Lsn lsn);

  uint32_t rows() const { return view_.rows; }
  bool full() const { return rows() == view_.chunk->capacity() || memory_->arena().bytes() >= kMaxStringBytes; }
  uint32_t room() const { return view_.chunk->capacity() - rows(); }
  const ChunkView& View() const { return view_; }
  // The view that replaces this chunk once nothing is appended any more: without columns that are NULL throughout and
  // without validity where nothing is null. `trim`: copied to memory of its size when at most half full.
  ChunkView Seal(bool trim, ByteBudget* budget) const;
  // The layout less the columns that have been NULL in every row: what a following chunk is likely to need.
  std::vector<ColumnLayout> UsedLayout() const;
  int64_t bytes() const { return memory_->fixed_bytes() + memory_->arena().bytes(); }

 private:
  struct Slot {
    void* values = nullptr;
    std::atomic<uint64_t>* validity = nullptr;  // null for time
    int64_t nulls = 0;
  };
  void CopyValues(const SourceColumn& source, const ColumnLayout& column, int64_t from, int64_t rows, void* to);

  const std::vector<ColumnLayout> layout_;
  std::shared_ptr<ChunkMemory> memory_;
  std::vector<Slot> slots_;
  ChunkView view_;
  std::vector<HotString> stored_tags_;  // scratch of CopyTagStrings
};

}  // namespace arc
