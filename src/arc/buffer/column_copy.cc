#include "arc/buffer/column_copy.h"

#include <arrow/array.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "arc/buffer/bitmap.h"

namespace arc {
namespace {

// The 8-byte values of a fixed-width column, its offset applied.
const uint64_t* Words(const SourceColumn& source) { return (*source.array)->data()->GetValues<uint64_t>(1); }

// Calls visit(row) for each null row of [from, from + rows), counted from `from`.
template <typename Visit>
void ForEachNull(const SourceColumn& source, int64_t from, int64_t rows, Visit&& visit) {
  ForEachWord(source.nulls, source.nulls_offset + from, rows, [&](int64_t first, int64_t count, uint64_t bits) {
    for (uint64_t nulls = ~bits & LowBits(count); nulls != 0; nulls &= nulls - 1) {
      visit(first + std::countr_zero(nulls));
    }
  });
}

// Calls visit(row) for each row that is not null.
template <typename Visit>
void ForEachValid(const SourceColumn& source, int64_t from, int64_t rows, Visit&& visit) {
  if (source.nulls == nullptr) {
    for (int64_t row = 0; row < rows; ++row) visit(row);
    return;
  }
  ForEachWord(source.nulls, source.nulls_offset + from, rows, [&](int64_t first, int64_t, uint64_t bits) {
    for (; bits != 0; bits &= bits - 1) visit(first + std::countr_zero(bits));
  });
}

// Rows that ForEachValid leaves out are zero.
template <typename Value>
void ZeroWhereNull(const SourceColumn& source, int64_t rows, Value* to) {
  if (source.nulls != nullptr) std::fill_n(to, rows, Value());
}

}  // namespace

void CopyFixed(const SourceColumn& source, bool widen, int64_t from, int64_t rows, void* to) {
  const uint64_t* values = Words(source) + from;
  if (widen) {
    const auto* integers = reinterpret_cast<const int64_t*>(values);
    auto* doubles = static_cast<double*>(to);
    for (int64_t row = 0; row < rows; ++row) doubles[row] = static_cast<double>(integers[row]);
  } else {
    std::memcpy(to, values, static_cast<size_t>(rows) * sizeof(uint64_t));
  }
  if (source.nulls == nullptr) return;
  auto* words = static_cast<uint64_t*>(to);
  ForEachNull(source, from, rows, [words](int64_t row) { words[row] = 0; });
}

void CopyBools(const SourceColumn& source, int64_t from, int64_t rows, uint8_t* to) {
  const arrow::ArrayData& data = *(*source.array)->data();
  ForEachWord(data.buffers[1]->data(), data.offset + from, rows, [to](int64_t first, int64_t count, uint64_t bits) {
    for (int64_t i = 0; i < count; ++i) to[first + i] = static_cast<uint8_t>(bits >> i & 1);
  });
  if (source.nulls != nullptr) ForEachNull(source, from, rows, [to](int64_t row) { to[row] = 0; });
}

void CopyStrings(const SourceColumn& source, int64_t from, int64_t rows, StringArena* arena, HotString* to) {
  const auto& strings = static_cast<const arrow::StringArray&>(**source.array);
  const int32_t* offsets = strings.raw_value_offsets() + from;
  const auto* bytes = reinterpret_cast<const char*>(strings.raw_data());
  ZeroWhereNull(source, rows, to);
  ForEachValid(source, from, rows, [&](int64_t row) {
    const char* begin = bytes + offsets[row];
    const auto length = static_cast<uint32_t>(offsets[row + 1] - offsets[row]);
    to[row] = arena == nullptr ? HotString(begin, length) : arena->Store({begin, length});
  });
}

void CopyCodes(const SourceColumn& source, int64_t from, int64_t rows, uint32_t* to) {
  const int32_t* codes = static_cast<const arrow::Int32Array&>(*source.dictionary->indices()).raw_values() + from;
  const uint32_t* recode = source.tag->recode.data();
  if (source.nulls == nullptr && source.tag->identity) {
    std::memcpy(to, codes, static_cast<size_t>(rows) * sizeof(uint32_t));
    return;
  }
  ZeroWhereNull(source, rows, to);
  ForEachValid(source, from, rows, [=](int64_t row) { to[row] = recode[codes[row]]; });
}

void CopyTagStrings(const SourceColumn& source, int64_t from, int64_t rows, StringArena* arena,
                    std::vector<HotString>* stored, HotString* to) {
  const auto& values = static_cast<const arrow::StringArray&>(*source.dictionary->dictionary());
  const int32_t* codes = static_cast<const arrow::Int32Array&>(*source.dictionary->indices()).raw_values() + from;
  ZeroWhereNull(source, rows, to);
  if (arena != nullptr) stored->assign(static_cast<size_t>(values.length()), HotString());
  ForEachValid(source, from, rows, [&](int64_t row) {
    const std::string_view value = values.GetView(codes[row]);
    const HotString here(value.data(), static_cast<uint32_t>(value.size()));
    if (arena == nullptr || here.is_inlined()) {
      to[row] = here;
      return;
    }
    HotString& once = (*stored)[static_cast<size_t>(codes[row])];
    if (once.inlined.length == 0) once = arena->Store(value);
    to[row] = once;
  });
}

bool NullsAreZero(const SourceColumn& source, int64_t rows) {
  if (source.nulls == nullptr) return true;
  const uint64_t* values = Words(source);
  uint64_t seen = 0;
  ForEachNull(source, 0, rows, [&](int64_t row) { seen |= values[row]; });
  return seen == 0;
}

}  // namespace arc
