// Columnar hot memory of one table: the layout that queries scan and flushes read.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <memory>
#include <mutex>
#include <string_view>
#include <utility>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/model/lsn.h"
#include "arc/model/schema.h"

namespace arrow {
struct ArrayData;
}

namespace arc {

class ChunkMemory;
class StringArena;

// A string of a chunk, laid out as DuckDB's string_t (duckdb/common/types/string_type.hpp) so that a scan hands it over
// without copying: up to 12 bytes stand inline (rest zeroed), longer ones as 4-byte prefix and pointer.
union HotString {
  struct {
    uint32_t length;
    char prefix[4];
    const char* pointer;
  } out;
  struct {
    uint32_t length;
    char bytes[12];
  } inlined;
  HotString() : inlined{} {}
  // Points at `bytes` when they are too long to stand inline: they must then outlive the string.
  HotString(const char* bytes, uint32_t length) : inlined{} {
    inlined.length = length;
    if (length <= sizeof(inlined.bytes)) {
      if (length > 0) std::memcpy(inlined.bytes, bytes, length);
    } else {
      std::memcpy(out.prefix, bytes, sizeof(out.prefix));
      out.pointer = bytes;
    }
  }
  bool is_inlined() const { return inlined.length <= sizeof(inlined.bytes); }
  std::string_view view() const { return {is_inlined() ? inlined.bytes : out.pointer, inlined.length}; }
};
static_assert(sizeof(HotString) == 16);

// Distinct values of one tag column for one flush generation: code -> string. Append-only. One appender
// (tag_interner.h); readers may look up any code published to them (a chunk's published row refers only to entries that
// were there before it) without a lock.
class TagDictionary final {
 public:
  // Its memory is taken from `budget` (which may be null: not accounted) until the last holder lets go.
  explicit TagDictionary(ByteBudget* budget);
  ~TagDictionary();
  TagDictionary(const TagDictionary&) = delete;
  TagDictionary& operator=(const TagDictionary&) = delete;

  uint32_t size() const { return size_.load(std::memory_order_acquire); }  // published entries
  const HotString& operator[](uint32_t code) const { return values()[code]; }
  // All entries in one array, for a dictionary vector without a copy. A later call may return another array (the old
  // one stays readable as long as the dictionary lives). At least one entry is readable even when size() is 0, so that
  // code 0 of a null row is harmless.
  const HotString* values() const { return values_.load(std::memory_order_acquire); }

  // Memory held. For the appender, or when nobody appends any more.
  int64_t bytes() const;

  // The first `size` or more entries as an Arrow utf8 array; callers that overlap in time share one array. Thread-safe.
  std::shared_ptr<arrow::ArrayData> ToArrow(uint32_t size) const;

 private:
  friend class TagInterner;
  void Add(std::string_view value);  // the appender only
  void Grow();

  ByteBudget* const budget_;
  std::atomic<uint32_t> size_{0};
  std::atomic<const HotString*> values_{nullptr};
  HotString* writable_ = nullptr;
  uint32_t capacity_ = 0;
  int64_t array_bytes_ = 0;
  // Every array there ever was: readers may still look at an outgrown one. Doubling, so twice the last at most.
  std::vector<std::unique_ptr<HotString[]>> arrays_;
  ByteLease lease_;
  std::unique_ptr<StringArena> arena_;
  mutable std::mutex arrow_mutex_;
  mutable std::weak_ptr<arrow::ArrayData> arrow_;  // weak: the flush that made it pays for it, not the buffer
};

// One column of a chunk, `Chunk::published rows` long at most; pointers live as long as the chunk.
struct ChunkColumn {
  int32_t field_id = 0;
  ColumnType type = ColumnType::kDouble;
  ColumnRole role = ColumnRole::kField;
  // kTimestamp/kInt64/kUInt64/kDouble: 8 bytes a value; kBool: one byte, 0 or 1; kString: HotString; a tag with a
  // dictionary: uint32_t codes. Where a row is null the value is zero (code 0).
  const void* values = nullptr;
  // Codes refer to this; null for a tag that outgrew its dictionary (values are then HotString).
  std::shared_ptr<const TagDictionary> dictionary;
  // Bit i of word i/64 set: row i is valid. Null when no row is null. The appender sets later bits of a word that
  // readers hold, hence relaxed atomics; bits at or past the reader's row count mean nothing.
  const std::atomic<uint64_t>* validity = nullptr;
};

// A fixed-capacity block of rows. Readers see the rows below the count they were handed and never lock.
class Chunk final {
 public:
  // `memory` owns what the columns point to.
  Chunk(std::vector<ChunkColumn> columns, uint32_t capacity, std::shared_ptr<const ChunkMemory> memory)
      : columns_(std::move(columns)), capacity_(capacity), memory_(std::move(memory)) {}

  // Column 0 is time; fixed for the chunk's life. Columns that are NULL in every row may be missing.
  const std::vector<ChunkColumn>& columns() const { return columns_; }
  uint32_t capacity() const { return capacity_; }
  const ChunkMemory* memory() const { return memory_.get(); }

 private:
  const std::vector<ChunkColumn> columns_;
  const uint32_t capacity_;
  const std::shared_ptr<const ChunkMemory> memory_;
};

// A chunk as one reader may see it.
struct ChunkView {
  std::shared_ptr<const Chunk> chunk;
  uint32_t rows = 0;
  int64_t min_time = 0;
  int64_t max_time = 0;
  Lsn first_lsn;
  Lsn last_lsn;
};

// All hot rows of a table at one moment, in LSN order. Immutable.
struct HotRows {
  std::shared_ptr<const std::vector<ChunkView>> sealed;  // may be null: none
  ChunkView open;                                        // open.chunk may be null
  uint64_t rows = 0;                                     // sum over all views
};

}  // namespace arc
