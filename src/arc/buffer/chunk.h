// Columnar hot memory of one table: the layout that queries scan and flushes read.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/model/lsn.h"
#include "arc/model/schema.h"

namespace arc {

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
  std::string_view view() const {
    return {inlined.length <= sizeof(inlined.bytes) ? inlined.bytes : out.pointer, inlined.length};
  }
};
static_assert(sizeof(HotString) == 16);

// Distinct values of one tag column for one flush generation: code -> string. Append-only. One appender; readers may
// look up any code published to them (a chunk's published row refers only to entries that were there before it).
class TagDictionary;

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
  // readers hold, hence relaxed atomics.
  const std::atomic<uint64_t>* validity = nullptr;
};

class TagDictionary {
 public:
  virtual ~TagDictionary() = default;
  virtual uint32_t size() const = 0;  // published entries, acquire
  virtual const HotString& operator[](uint32_t code) const = 0;
};

// A fixed-capacity block of rows. Readers see the rows below the count they were handed and never lock.
class Chunk {
 public:
  virtual ~Chunk() = default;
  virtual const std::vector<ChunkColumn>& columns() const = 0;  // column 0 is time; fixed for the chunk's life
  virtual uint32_t capacity() const = 0;
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
