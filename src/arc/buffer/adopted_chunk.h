// Large batches become chunks around their Arrow buffers.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "arc/buffer/batch_source.h"
#include "arc/buffer/chunk.h"

namespace arc {

// Bytes of memory that holding the batch's arrays keeps alive, if that is not much more than what the arrays use (a
// slice of a large request body pins all of it); nullopt: better copied.
std::optional<int64_t> AdoptableBytes(std::span<const SourceColumn> batch);

// A full chunk of `rows` rows over the batch. Fixed-width values and string bytes stay in the Arrow buffers; validity,
// booleans, tag codes and string views are made anew in the chunk's layout. `bytes` as AdoptableBytes said.
ChunkView AdoptBatch(std::span<const SourceColumn> batch, int64_t rows, int64_t min_time, int64_t max_time, Lsn lsn,
                     int64_t bytes, ByteBudget* budget);

}  // namespace arc
