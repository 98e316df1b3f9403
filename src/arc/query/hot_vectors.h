// Chunk columns as DuckDB vectors: no copy but of validity words and of codes where a tag is NULL.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "arc/buffer/chunk.h"
#include "duckdb/common/types/vector.hpp"

namespace arc {

// Tag dictionaries as DuckDB dictionaries, each made once per scan. Thread-safe.
class DuckDictionaries {
 public:
  // Entry i is code i; the last entry is NULL. `dictionary` outlives this.
  duckdb::buffer_ptr<duckdb::VectorChildBuffer> Of(const TagDictionary& dictionary);

 private:
  std::mutex mutex_;
  std::map<const TagDictionary*, duckdb::buffer_ptr<duckdb::VectorChildBuffer>> made_;
};

// Rows [from, from + count) of `column` into `vector`, which is of `type` (BIGINT values are cast where that is
// DOUBLE). `from` is a multiple of 64, `count` at most STANDARD_VECTOR_SIZE; the chunk outlives the vector's use.
void FillVector(const ChunkColumn& column, const duckdb::LogicalType& type, uint32_t from, uint32_t count,
                DuckDictionaries& dictionaries, duckdb::Vector& vector);

// All NULL: the chunk lacks the column.
void FillNull(duckdb::Vector& vector);

}  // namespace arc
