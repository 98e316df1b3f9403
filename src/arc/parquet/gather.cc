#include "arc/parquet/gather.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <cstring>

#include "arc/parquet/arrow_error.h"
#include "arc/parquet/tag_codes.h"

namespace arc {
namespace {

constexpr int64_t kMaxStringBytes = int64_t{1} << 30;

using ArrayResult = arrow::Result<std::shared_ptr<arrow::Array>>;
using BufferResult = arrow::Result<std::shared_ptr<arrow::Buffer>>;

}  // namespace

// One column of all batches. The pointers have the arrays' offsets applied, except bitmaps'.
struct Gatherer::Source {
  std::shared_ptr<arrow::DataType> type;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  std::vector<const uint64_t*> words;     // 8-byte values
  std::vector<const int32_t*> codes;      // tags
  std::vector<const int32_t*> code_maps;  // null: as they are
  std::vector<const int32_t*> offsets;    // strings
  std::vector<const char*> bytes;
  bool nullable = false;
  CommonDictionary common;

  bool IsValid(size_t batch, int64_t row) const { return arrays[batch]->IsValid(row); }
};

namespace {

struct Gathering {
  const RowRefs& refs;
  std::span<const uint64_t> order;

  int64_t rows() const { return static_cast<int64_t>(order.size()); }

  // Calls visit(i, batch, row) for the i-th row of the order.
  template <typename Visit>
  void ForEach(Visit&& visit) const {
    for (size_t i = 0; i < order.size(); ++i) visit(i, refs.BatchOf(order[i]), refs.RowOf(order[i]));
  }

  template <typename Test>
  BufferResult Bitmap(Test&& test, int64_t* set) const {
    ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bitmap,
                          arrow::AllocateBuffer(arrow::bit_util::BytesForBits(rows())));
    uint8_t* bytes = bitmap->mutable_data();
    std::memset(bytes, 0, static_cast<size_t>(bitmap->size()));
    int64_t count = 0;
    ForEach([&](size_t i, size_t batch, size_t row) {
      const bool bit = test(batch, static_cast<int64_t>(row));
      bytes[i / 8] |= static_cast<uint8_t>(bit << (i % 8));
      count += bit;
    });
    *set = count;
    return bitmap;
  }
};

}  // namespace

Gatherer::Gatherer(const RowRefs& refs, std::vector<Source> sources, std::shared_ptr<arrow::RecordBatch> like)
    : refs_(refs), sources_(std::move(sources)), like_(std::move(like)) {}
Gatherer::Gatherer(Gatherer&&) noexcept = default;
Gatherer::~Gatherer() = default;

Result<Gatherer> Gatherer::Make(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches, const RowRefs& refs) {
  std::vector<Source> sources(static_cast<size_t>(batches[0]->num_columns()));
  for (size_t column = 0; column < sources.size(); ++column) {
    Source& source = sources[column];
    source.type = batches[0]->schema()->field(static_cast<int>(column))->type();
    for (const auto& batch : batches) {
      source.arrays.push_back(batch->column(static_cast<int>(column)));
      if (!source.arrays.back()->type()->Equals(*source.type)) return Internal("batches to sort differ in their types");
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
        for (size_t i = 0; i < source.arrays.size(); ++i) {
          source.codes.push_back(source.arrays[i]->data()->GetValues<int32_t>(1));
          const auto& map = source.common.maps[i];
          source.code_maps.push_back(map.empty() ? nullptr : map.data());
        }
        break;
      }
      default: return Internal("no way to sort a column of type " + source.type->ToString());
    }
  }
  return Gatherer(refs, std::move(sources), batches[0]);
}

size_t Gatherer::PieceRows(std::span<const uint64_t> order, size_t max_rows) const {
  size_t rows = std::min(max_rows, order.size());
  for (const auto& source : sources_) {
    if (source.offsets.empty()) continue;
    int64_t bytes = 0;
    for (size_t i = 0; i < rows; ++i) {
      const int32_t* offsets = source.offsets[refs_.BatchOf(order[i])] + refs_.RowOf(order[i]);
      bytes += offsets[1] - offsets[0];
      if (bytes > kMaxStringBytes) rows = std::max<size_t>(i, 1);
    }
  }
  return rows;
}

namespace {

template <typename Source>
ArrayResult GatherWords(const Gathering& gathering, const Source& source, std::shared_ptr<arrow::Buffer> validity,
                        int64_t nulls) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(gathering.rows() * static_cast<int64_t>(sizeof(uint64_t))));
  auto* to = reinterpret_cast<uint64_t*>(values->mutable_data());
  const uint64_t* const* from = source.words.data();
  gathering.ForEach([=](size_t i, size_t batch, size_t row) { to[i] = from[batch][row]; });
  return arrow::MakeArray(
      arrow::ArrayData::Make(source.type, gathering.rows(), {std::move(validity), std::move(values)}, nulls));
}

template <typename Source>
ArrayResult GatherBools(const Gathering& gathering, const Source& source, std::shared_ptr<arrow::Buffer> validity,
                        int64_t nulls) {
  int64_t set = 0;
  ARROW_ASSIGN_OR_RAISE(auto values,
                        gathering.Bitmap(
                            [&](size_t batch, int64_t row) {
                              return static_cast<const arrow::BooleanArray&>(*source.arrays[batch]).Value(row);
                            },
                            &set));
  return arrow::MakeArray(
      arrow::ArrayData::Make(source.type, gathering.rows(), {std::move(validity), std::move(values)}, nulls));
}

template <typename Source>
ArrayResult GatherCodes(const Gathering& gathering, const Source& source, std::shared_ptr<arrow::Buffer> validity,
                        int64_t nulls) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(gathering.rows() * static_cast<int64_t>(sizeof(int32_t))));
  auto* to = reinterpret_cast<int32_t*>(values->mutable_data());
  const bool mapped =
      std::any_of(source.code_maps.begin(), source.code_maps.end(), [](const int32_t* map) { return map != nullptr; });
  if (!mapped) {
    gathering.ForEach([&](size_t i, size_t batch, size_t row) { to[i] = source.codes[batch][row]; });
  } else {
    gathering.ForEach([&](size_t i, size_t batch, size_t row) {
      // The code of a null row may be anything.
      if (source.nullable && !source.IsValid(batch, static_cast<int64_t>(row))) {
        to[i] = 0;
        return;
      }
      const int32_t code = source.codes[batch][row];
      const int32_t* map = source.code_maps[batch];
      to[i] = map == nullptr ? code : map[code];
    });
  }
  auto data = arrow::ArrayData::Make(source.type, gathering.rows(), {std::move(validity), std::move(values)}, nulls);
  data->dictionary = source.common.dictionary;
  return arrow::MakeArray(data);
}

template <typename Source>
ArrayResult GatherStrings(const Gathering& gathering, const Source& source, std::shared_ptr<arrow::Buffer> validity,
                          int64_t nulls) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                        arrow::AllocateBuffer((gathering.rows() + 1) * static_cast<int64_t>(sizeof(int32_t))));
  auto* offset = reinterpret_cast<int32_t*>(offsets->mutable_data());
  int32_t total = 0;
  gathering.ForEach([&](size_t i, size_t batch, size_t row) {
    offset[i] = total;
    total += source.offsets[batch][row + 1] - source.offsets[batch][row];
  });
  offset[gathering.rows()] = total;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> bytes, arrow::AllocateBuffer(total));
  auto* to = reinterpret_cast<char*>(bytes->mutable_data());
  gathering.ForEach([&](size_t i, size_t batch, size_t row) {
    const auto length = static_cast<size_t>(offset[i + 1] - offset[i]);
    if (length > 0) std::memcpy(to + offset[i], source.bytes[batch] + source.offsets[batch][row], length);
  });
  return arrow::MakeArray(arrow::ArrayData::Make(source.type, gathering.rows(),
                                                 {std::move(validity), std::move(offsets), std::move(bytes)}, nulls));
}

template <typename Source>
ArrayResult GatherColumn(const Gathering& gathering, const Source& source) {
  std::shared_ptr<arrow::Buffer> validity;
  int64_t nulls = 0;
  if (source.nullable) {
    int64_t valid = 0;
    ARROW_ASSIGN_OR_RAISE(
        validity, gathering.Bitmap([&](size_t batch, int64_t row) { return source.IsValid(batch, row); }, &valid));
    nulls = gathering.rows() - valid;
    if (nulls == 0) validity = nullptr;
  }
  switch (source.type->id()) {
    case arrow::Type::BOOL: return GatherBools(gathering, source, std::move(validity), nulls);
    case arrow::Type::STRING: return GatherStrings(gathering, source, std::move(validity), nulls);
    case arrow::Type::DICTIONARY: return GatherCodes(gathering, source, std::move(validity), nulls);
    default: return GatherWords(gathering, source, std::move(validity), nulls);
  }
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> Gatherer::Gather(std::span<const uint64_t> order) const {
  const Gathering gathering{refs_, order};
  arrow::ArrayVector arrays;
  arrays.reserve(sources_.size());
  for (const auto& source : sources_) {
    ARC_ASSIGN_OR_RETURN(auto array, FromArrow(GatherColumn(gathering, source)));
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(like_->schema(), gathering.rows(), std::move(arrays));
}

}  // namespace arc
