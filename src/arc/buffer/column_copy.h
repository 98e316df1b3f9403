// Copies column values from Arrow's layout into a chunk's. Null rows become zero.
#pragma once

#include <cstdint>
#include <span>

#include "arc/buffer/batch_source.h"
#include "arc/buffer/chunk.h"
#include "arc/buffer/string_arena.h"

namespace arrow {
class BooleanArray;
class StringArray;
}  // namespace arrow

namespace arc {

// Rows [from, from + rows) of `source`, 8 bytes each, widened to double if `widen`.
void CopyFixed(const SourceColumn& source, bool widen, int64_t from, int64_t rows, void* to);
void CopyBools(const SourceColumn& source, int64_t from, int64_t rows, uint8_t* to);
// `arena` null: long strings stay where they are, in the Arrow array.
void CopyStrings(const SourceColumn& source, int64_t from, int64_t rows, StringArena* arena, HotString* to);
void CopyCodes(const SourceColumn& source, int64_t from, int64_t rows, uint32_t* to);
// A tag without dictionary. `stored` is scratch: a long value is put into the arena once per call. `arena` as above.
void CopyTagStrings(const SourceColumn& source, int64_t from, int64_t rows, StringArena* arena,
                    std::vector<HotString>* stored, HotString* to);

// Whether every null row's 8-byte value is zero already, as Arrow's builders leave it but its format does not promise.
bool NullsAreZero(const SourceColumn& source, int64_t rows);

}  // namespace arc
