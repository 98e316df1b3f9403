// The open chunk of one table and the sealed ones that wait for their flush.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/base/result.h"
#include "arc/buffer/chunk.h"
#include "arc/model/batch.h"
#include "arc/model/lsn.h"
#include "arc/model/schema.h"

namespace arrow {
class RecordBatch;
}

namespace arc {

inline constexpr int64_t kAdoptRows = 8192;
inline constexpr uint32_t kMaxChunkRows = 65536;
// The first chunk of a flush generation: 5,000 tables that get a few rows each must stay small (20 KB at ten columns).
// A first batch of more rows gets a chunk that holds it.
inline constexpr uint32_t kMinChunkRows = 256;

// Not thread-safe, except that views handed out may be read by anyone at any time: the owner serializes Append, Seal
// and Release (catalog's Table does, under its lock).
class TableBuffer {
 public:
  explicit TableBuffer(ByteBudget* budget);
  ~TableBuffer();
  TableBuffer(const TableBuffer&) = delete;
  TableBuffer& operator=(const TableBuffer&) = delete;

  // Appends rows of one LSN; cannot fail. `batch` is aligned: every column is one of `schema` by exact name, of the
  // schema's type, or BIGINT where the schema has since been widened to DOUBLE; columns that the batch lacks become
  // NULL. LSNs ascend. `lease` holds the bytes taken for the batch; it is given back once the chunks hold a lease of
  // their own over exactly the memory they take. Batches of at least kAdoptRows rows become a chunk of their own around
  // the Arrow buffers without a copy (unless they pin far more memory than they use); smaller ones are copied into the
  // open chunk. A batch whose columns the open chunk lacks (or has in another type) starts a new open chunk.
  void Append(const Schema& schema, const Batch& batch, Lsn lsn, ByteLease lease);

  // Everything held now. Cheap: shares the sealed list.
  HotRows View() const;

  // Seals the open chunk (if it has rows); the next Append starts a new flush generation with new tag dictionaries.
  void Seal();
  // Forgets sealed chunks whose last LSN is at most `through`; their memory and lease go when the last reader does.
  void Release(Lsn through);

  uint64_t rows() const;
  int64_t bytes() const;  // memory held by the chunks, dictionaries included
  Lsn first_lsn() const;  // of the oldest row held; 0 when empty

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The rows of `view` as one record batch in the order of `schema` (which may be newer than the chunk): absent columns
// NULL, BIGINT widened to DOUBLE where the schema says so, tags dictionary<int32, utf8>. Fixed-width columns are not
// copied. The batch keeps the chunk alive.
Result<std::shared_ptr<arrow::RecordBatch>> ToRecordBatch(const ChunkView& view, const Schema& schema);

}  // namespace arc
