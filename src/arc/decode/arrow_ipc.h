// Arrow IPC streams -> WriteRequest: the rows of one measurement.
// Format: https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format
#pragma once

#include <string_view>

#include "arc/base/result.h"
#include "arc/decode/table_body.h"
#include "arc/model/batch.h"

namespace arc {

// Record batches of at least so many rows become batches of their own, with the arrays that need no conversion as they
// stand; smaller ones are gathered.
inline constexpr int64_t kAdoptedArrowRows = 8192;

// Pure; any thread. Positions count rows from 0 over the whole stream. The bytes are trusted in nothing.
// Columns: integers, floating point numbers, decimals, booleans, text, timestamps (any unit and zone) and dates, also
// dictionary- or run-end encoded; other types are refused. Decimals without scale are integers where they fit 64 bits,
// other decimals doubles. Without TableBodyOptions::tags, dictionary-encoded text is a tag. The column of times holds
// timestamps, dates, numbers of the options' precision, or RFC 3339 text. A row is refused when it has no time or a
// value that no column can hold, and the others stay. kInvalidArgument: no sound stream (then nothing is taken), a
// column that cannot be stored, LayOutTableBody's reasons. kTooLarge: the stream expands to far more memory than its
// size (see MemoryBudget).
Result<WriteRequest> DecodeArrow(std::string_view body, const TableBodyOptions& options);

}  // namespace arc
