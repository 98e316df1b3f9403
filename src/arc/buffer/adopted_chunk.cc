#include "arc/buffer/adopted_chunk.h"

#include <arrow/array.h>
#include <arrow/buffer.h>

#include <unordered_set>

#include "arc/base/check.h"
#include "arc/buffer/bitmap.h"
#include "arc/buffer/chunk_memory.h"
#include "arc/buffer/column_copy.h"

namespace arc {
namespace {

// Pinned memory may be this many times what is used before a copy is the better use of memory.
constexpr int64_t kMaxPinnedFactor = 2;

struct Footprint {
  int64_t used = 0;
  int64_t pinned = 0;
  std::unordered_set<const arrow::Buffer*> roots;

  void Add(const arrow::ArrayData& data) {
    for (const auto& buffer : data.buffers) {
      if (buffer == nullptr) continue;
      const arrow::Buffer* root = buffer.get();
      while (root->parent() != nullptr) root = root->parent().get();
      used += buffer->size();
      if (roots.insert(root).second) pinned += root->capacity();
    }
    for (const auto& child : data.child_data) Add(*child);
    if (data.dictionary != nullptr) Add(*data.dictionary);
  }
};

bool IsAligned(const void* pointer) { return reinterpret_cast<uintptr_t>(pointer) % 8 == 0; }

// The Arrow buffer's values where they may serve as they are, else null.
const void* ValuesInPlace(const SourceColumn& source, int64_t rows) {
  const arrow::ArrayData& data = *(*source.array)->data();
  switch (source.type) {
    case ColumnType::kBool: return nullptr;
    case ColumnType::kString: {
      if (!source.coded() || !source.tag->identity || source.nulls != nullptr) return nullptr;
      return data.GetValues<int32_t>(1);
    }
    default: {
      const void* values = data.GetValues<uint64_t>(1);
      return IsAligned(values) && NullsAreZero(source, rows) ? values : nullptr;
    }
  }
}

int64_t ValueBytes(const SourceColumn& source) {
  switch (source.type) {
    case ColumnType::kBool: return 1;
    case ColumnType::kString: return static_cast<int64_t>(source.coded() ? sizeof(uint32_t) : sizeof(HotString));
    default: return 8;
  }
}

void FillValues(const SourceColumn& source, int64_t rows, void* to) {
  switch (source.type) {
    case ColumnType::kBool: CopyBools(source, 0, rows, static_cast<uint8_t*>(to)); return;
    case ColumnType::kString:
      if (source.coded()) {
        CopyCodes(source, 0, rows, static_cast<uint32_t*>(to));
      } else if (source.tag != nullptr) {
        CopyTagStrings(source, 0, rows, nullptr, nullptr, static_cast<HotString*>(to));
      } else {
        CopyStrings(source, 0, rows, nullptr, static_cast<HotString*>(to));
      }
      return;
    default: CopyFixed(source, false, 0, rows, to); return;
  }
}

}  // namespace

std::optional<int64_t> AdoptableBytes(std::span<const SourceColumn> batch) {
  Footprint footprint;
  for (const auto& source : batch) footprint.Add(*(*source.array)->data());
  if (footprint.pinned > footprint.used * kMaxPinnedFactor) return std::nullopt;
  return footprint.pinned;
}

ChunkView AdoptBatch(std::span<const SourceColumn> batch, int64_t rows, int64_t min_time, int64_t max_time, Lsn lsn,
                     int64_t bytes, ByteBudget* budget) {
  const int64_t validity_bytes = WordsFor(rows) * static_cast<int64_t>(sizeof(uint64_t));
  std::vector<const void*> in_place;
  int64_t block_bytes = 0;
  for (const auto& source : batch) {
    in_place.push_back(ValuesInPlace(source, rows));
    if (in_place.back() == nullptr) block_bytes += ChunkMemory::Rounded(ValueBytes(source) * rows);
    if (source.nulls != nullptr) block_bytes += ChunkMemory::Rounded(validity_bytes);
  }
  auto memory = std::make_shared<ChunkMemory>(budget, block_bytes, bytes, std::make_shared<StringArena>(budget));
  std::vector<ChunkColumn> columns;
  columns.reserve(batch.size());
  for (size_t i = 0; i < batch.size(); ++i) {
    const SourceColumn& source = batch[i];
    ChunkColumn column;
    column.field_id = source.column->field_id;
    column.type = source.type;
    column.role = source.column->role;
    column.values = in_place[i];
    if (column.values == nullptr) {
      void* values = memory->Take(ValueBytes(source) * rows);
      FillValues(source, rows, values);
      column.values = values;
    }
    if (source.coded()) column.dictionary = source.tag->interner->dictionary();
    if (source.nulls != nullptr) {
      auto* words = static_cast<std::atomic<uint64_t>*>(memory->TakeZeroed(validity_bytes));
      AppendValidity(source.nulls, source.nulls_offset, rows, words, 0);
      column.validity = words;
    }
    memory->adopted.push_back(*source.array);
    columns.push_back(std::move(column));
  }
  ChunkView view;
  view.rows = static_cast<uint32_t>(rows);
  view.min_time = min_time;
  view.max_time = max_time;
  view.first_lsn = lsn;
  view.last_lsn = lsn;
  view.chunk = std::make_shared<const Chunk>(std::move(columns), view.rows, std::move(memory));
  return view;
}

}  // namespace arc
