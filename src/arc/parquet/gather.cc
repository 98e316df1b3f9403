#include "arc/parquet/gather.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "arc/parquet/arrow_error.h"
#include "arc/parquet/tag_codes.h"

namespace arc {

// One column of all batches. The pointers have the arrays' offsets applied, except bitmaps'.
struct Gatherer::Source {
  std::shared_ptr<arrow::DataType> type;
  arrow::ArrayVector arrays;
  std::vector<const uint64_t*> words;   // 8-byte values
  std::vector<const int32_t*> codes;    // tags
  std::vector<const int32_t*> offsets;  // strings
  std::vector<const char*> bytes;
  bool nullable = false;
  bool may_have_nan = false;
  CommonDictionary common;  // tags
};

namespace {

using Ranges = Gatherer::Ranges;
using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;
using BufferResult = arrow::Result<std::shared_ptr<arrow::Buffer>>;

constexpr int64_t kMaxStringBytes = int64_t{1} << 30;
// Ranges of as many rows on average are worth more as slices than their copy costs.
constexpr size_t kSliceRows = 8192;
// Fewer are moved one by one: a call costs more.
constexpr uint32_t kCallRows = 16;

int64_t RowsOf(Ranges ranges) {
  int64_t rows = 0;
  for (const RowRange& range : ranges) rows += range.rows;
  return rows;
}

// Ranges that are fetched into the cache ahead: rows in disorder are anywhere.
constexpr size_t kFetchAhead = 16;

// The values of the ranges, one after the other. Short ones go value by value.
template <typename T>
void Gather(const std::vector<const T*>& values, Ranges ranges, T* to) {
  const size_t fetched = ranges.size() - std::min(ranges.size(), kFetchAhead);
  for (size_t i = 0; i < ranges.size(); ++i) {
    if (i < fetched) __builtin_prefetch(values[ranges[i + kFetchAhead].batch] + ranges[i + kFetchAhead].first);
    const T* from = values[ranges[i].batch] + ranges[i].first;
    const uint32_t count = ranges[i].rows;
    if (count == 1) {
      *to = *from;
    } else if (count < kCallRows) {
      std::copy(from, from + count, to);
    } else {
      std::memcpy(to, from, count * sizeof(T));
    }
    to += count;
  }
}

// The bits of the ranges. `bits_of(batch)` is a bitmap and the offset of the batch's first row in it; no bitmap: all
// set.
template <typename BitsOf>
BufferResult GatherBits(Ranges ranges, int64_t rows, BitsOf&& bits_of) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bitmap, arrow::AllocateEmptyBitmap(rows));
  uint8_t* to = bitmap->mutable_data();
  int64_t at = 0;
  for (const RowRange& range : ranges) {
    const auto [bits, offset] = bits_of(range.batch);
    if (bits == nullptr) {
      arrow::bit_util::SetBitsTo(to, at, range.rows, true);
    } else if (range.rows >= kCallRows) {
      arrow::internal::CopyBitmap(bits, offset + range.first, range.rows, to, at);
    } else {
      for (uint32_t i = 0; i < range.rows; ++i) {
        const bool bit = arrow::bit_util::GetBit(bits, offset + range.first + i);
        to[(at + i) / 8] |= static_cast<uint8_t>(bit << ((at + i) % 8));
      }
    }
    at += range.rows;
  }
  return bitmap;
}

BufferResult GatherWords(const std::vector<const uint64_t*>& words, Ranges ranges, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(rows * static_cast<int64_t>(sizeof(uint64_t))));
  auto* to = reinterpret_cast<uint64_t*>(values->mutable_data());
  Gather(words, ranges, to);
  return values;
}

// The code of a null row may be anything: it passes a map as 0.
int32_t Mapped(const std::vector<int32_t>& map, int32_t code) {
  const auto place = static_cast<size_t>(static_cast<uint32_t>(code));
  return place < map.size() ? map[place] : 0;
}

BufferResult GatherCodes(const std::vector<const int32_t*>& codes, const CommonDictionary& common, Ranges ranges,
                         int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(rows * static_cast<int64_t>(sizeof(int32_t))));
  auto* to = reinterpret_cast<int32_t*>(values->mutable_data());
  Gather(codes, ranges, to);
  if (std::all_of(common.maps.begin(), common.maps.end(), [](const auto& map) { return map.empty(); })) return values;
  for (const RowRange& range : ranges) {
    const auto& map = common.maps[range.batch];
    for (uint32_t i = 0; i < range.rows && !map.empty(); ++i) to[i] = Mapped(map, to[i]);
    to += range.rows;
  }
  return values;
}

struct Strings {
  const std::vector<const int32_t*>& offsets;  // of each batch
  const std::vector<const char*>& bytes;

  // How many of the first ranges make one array: as far as Arrow's offsets reach, at least one. (A range's bytes fit,
  // as they come from one array.)
  size_t Reach(Ranges ranges) const {
    int64_t total = 0;
    for (size_t i = 0; i < ranges.size(); ++i) {
      const int32_t* from = offsets[ranges[i].batch] + ranges[i].first;
      total += from[ranges[i].rows] - from[0];
      if (total > kMaxStringBytes) return std::max<size_t>(i, 1);
    }
    return ranges.size();
  }

  arrow::Result<std::pair<std::shared_ptr<arrow::Buffer>, std::shared_ptr<arrow::Buffer>>> Gather(Ranges ranges,
                                                                                                  int64_t rows) const {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> ends,
                          arrow::AllocateBuffer((rows + 1) * static_cast<int64_t>(sizeof(int32_t))));
    auto* end = reinterpret_cast<int32_t*>(ends->mutable_data());
    int32_t total = 0;
    *end++ = 0;
    for (const RowRange& range : ranges) {
      const int32_t* from = offsets[range.batch] + range.first;
      for (uint32_t i = 1; i <= range.rows; ++i) *end++ = total + (from[i] - from[0]);
      total += from[range.rows] - from[0];
    }
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> text, arrow::AllocateBuffer(total));
    auto* to = reinterpret_cast<char*>(text->mutable_data());
    for (const RowRange& range : ranges) {
      const int32_t* from = offsets[range.batch] + range.first;
      const auto length = static_cast<size_t>(from[range.rows] - from[0]);
      if (length > 0) std::memcpy(to, bytes[range.batch] + from[0], length);
      to += length;
    }
    return std::pair(std::move(ends), std::move(text));
  }
};

template <typename Source>
BufferResult GatherValidity(const Source& source, Ranges ranges, int64_t rows) {
  if (!source.nullable) return nullptr;
  return GatherBits(ranges, rows, [&](uint32_t batch) {
    return std::pair(source.arrays[batch]->null_bitmap_data(), source.arrays[batch]->offset());
  });
}

template <typename Source>
ArrayResult Copy(const Source& source, Ranges ranges, int64_t rows) {
  std::vector<std::shared_ptr<arrow::Buffer>> buffers(2);
  ARROW_ASSIGN_OR_RAISE(buffers[0], GatherValidity(source, ranges, rows));
  switch (source.type->id()) {
    case arrow::Type::BOOL: {
      ARROW_ASSIGN_OR_RAISE(buffers[1], GatherBits(ranges, rows, [&](uint32_t batch) {
                              const auto& data = *source.arrays[batch]->data();
                              return std::pair(data.buffers[1]->data(), data.offset);
                            }));
      break;
    }
    case arrow::Type::STRING: {
      ARROW_ASSIGN_OR_RAISE(auto strings, (Strings{source.offsets, source.bytes}.Gather(ranges, rows)));
      buffers[1] = std::move(strings.first);
      buffers.push_back(std::move(strings.second));
      break;
    }
    case arrow::Type::DICTIONARY: {
      ARROW_ASSIGN_OR_RAISE(buffers[1], GatherCodes(source.codes, source.common, ranges, rows));
      break;
    }
    default: {
      ARROW_ASSIGN_OR_RAISE(buffers[1], GatherWords(source.words, ranges, rows));
    }
  }
  const int64_t nulls = buffers[0] == nullptr ? 0 : arrow::kUnknownNullCount;
  auto data = arrow::ArrayData::Make(source.type, rows, std::move(buffers), nulls);
  data->dictionary = source.common.dictionary;
  // Without a bitmap readers take shorter ways.
  if (data->GetNullCount() == 0) data->buffers[0] = nullptr;
  return arrow::MakeArray(data);
}

// The value of a null row may be anything, so that what is found need not be a NaN: it is looked at closer then.
bool MayHoldNan(const arrow::Array& doubles) {
  const auto* values = doubles.data()->GetValues<double>(1);
  const int64_t rows = doubles.length();
  bool found = rows > 0 && std::isnan(values[rows - 1]);
  // Two at a time: unordered is what holds a NaN.
  for (int64_t row = 0; row + 1 < rows; row += 2) found |= std::isunordered(values[row], values[row + 1]);
  return found;
}

}  // namespace

Gatherer::Gatherer(std::vector<Source> sources) : sources_(std::move(sources)) {}
Gatherer::~Gatherer() = default;

Result<std::shared_ptr<const Gatherer>> Gatherer::Make(
    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  std::vector<Source> sources(batches.empty() ? 0 : static_cast<size_t>(batches[0]->num_columns()));
  for (const auto& batch : batches) {
    if (static_cast<size_t>(batch->num_columns()) != sources.size()) return Internal("batches differ in their columns");
    if (batch->num_rows() > UINT32_MAX) return Internal("a batch has too many rows");
  }
  for (size_t column = 0; column < sources.size(); ++column) {
    Source& source = sources[column];
    source.type = batches[0]->schema()->field(static_cast<int>(column))->type();
    for (const auto& batch : batches) {
      source.arrays.push_back(batch->column(static_cast<int>(column)));
      if (!source.arrays.back()->type()->Equals(*source.type)) return Internal("batches differ in their types");
      source.nullable |= source.arrays.back()->null_count() > 0;
    }
    switch (source.type->id()) {
      case arrow::Type::TIMESTAMP:
      case arrow::Type::DOUBLE:
      case arrow::Type::INT64:
      case arrow::Type::UINT64:
        for (const auto& array : source.arrays) source.words.push_back(array->data()->GetValues<uint64_t>(1));
        break;
      case arrow::Type::BOOL: break;
      case arrow::Type::STRING:
        for (const auto& array : source.arrays) {
          const auto& strings = static_cast<const arrow::StringArray&>(*array);
          source.offsets.push_back(strings.raw_value_offsets());
          source.bytes.push_back(reinterpret_cast<const char*>(strings.raw_data()));
        }
        break;
      case arrow::Type::DICTIONARY: {
        ARC_ASSIGN_OR_RETURN(source.common, FindCommonDictionary(source.arrays));
        for (const auto& array : source.arrays) source.codes.push_back(array->data()->GetValues<int32_t>(1));
        break;
      }
      default: return Internal("no way to sort a column of type " + source.type->ToString());
    }
    if (source.type->id() == arrow::Type::DOUBLE) {
      source.may_have_nan =
          std::any_of(source.arrays.begin(), source.arrays.end(), [](const auto& array) { return MayHoldNan(*array); });
    }
  }
  const bool timed = !sources.empty() && sources[0].type->id() == arrow::Type::TIMESTAMP && !sources[0].nullable;
  if (!batches.empty() && !timed) return Internal("a batch has no time in its first column");
  return std::shared_ptr<const Gatherer>(new Gatherer(std::move(sources)));
}

size_t Gatherer::columns() const { return sources_.size(); }
const arrow::DataType& Gatherer::type(size_t column) const { return *sources_[column].type; }

bool Gatherer::nullable(size_t column) const { return sources_[column].nullable; }

TimeColumns Gatherer::Times() const {
  TimeColumns times;
  if (sources_.empty()) return times;
  for (const auto& array : sources_[0].arrays) {
    times.emplace_back(array->data()->GetValues<int64_t>(1), static_cast<size_t>(array->length()));
  }
  return times;
}

bool Gatherer::HasNan(size_t column, Ranges ranges) const {
  const Source& source = sources_[column];
  if (!source.may_have_nan) return false;
  return std::any_of(ranges.begin(), ranges.end(), [&](const RowRange& range) {
    const auto& doubles = static_cast<const arrow::DoubleArray&>(*source.arrays[range.batch]);
    for (int64_t row = range.first; row < int64_t{range.first} + range.rows; ++row) {
      if (doubles.IsValid(row) && std::isnan(doubles.Value(row))) return true;
    }
    return false;
  });
}

arrow::Result<arrow::ArrayVector> Gatherer::Column(size_t column, Ranges ranges) const {
  const Source& source = sources_[column];
  arrow::ArrayVector arrays;
  const bool tag = source.type->id() == arrow::Type::DICTIONARY;
  const int64_t rows = RowsOf(ranges);
  if (!tag && static_cast<size_t>(rows) >= ranges.size() * kSliceRows) {
    for (const RowRange& range : ranges) arrays.push_back(source.arrays[range.batch]->Slice(range.first, range.rows));
    return arrays;
  }
  while (!ranges.empty()) {
    const size_t count = source.offsets.empty() ? ranges.size() : Strings{source.offsets, source.bytes}.Reach(ranges);
    const Ranges piece = ranges.first(count);
    ARROW_ASSIGN_OR_RAISE(auto array, Copy(source, piece, RowsOf(piece)));
    arrays.push_back(std::move(array));
    ranges = ranges.subspan(count);
  }
  return arrays;
}

}  // namespace arc
