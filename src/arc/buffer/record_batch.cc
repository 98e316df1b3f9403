// Chunks as Arrow record batches: what a flush writes and what tests compare.
#include <arrow/array.h>
#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_dict.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <bit>
#include <cstring>

#include "arc/base/check.h"
#include "arc/buffer/bitmap.h"
#include "arc/buffer/chunk_memory.h"
#include "arc/buffer/table_buffer.h"

namespace arc {
namespace {

// Chunk memory that keeps its chunk alive.
class ChunkBuffer : public arrow::Buffer {
 public:
  ChunkBuffer(const void* data, int64_t bytes, std::shared_ptr<const Chunk> chunk)
      : arrow::Buffer(static_cast<const uint8_t*>(data), bytes), chunk_(std::move(chunk)) {}

 private:
  std::shared_ptr<const Chunk> chunk_;
};

Error FromArrow(const arrow::Status& status) {
  return MakeError(status.IsOutOfMemory() ? ErrorKind::kOverloaded : ErrorKind::kInternal, status.message());
}

arrow::Result<std::shared_ptr<arrow::Buffer>> Zeroed(int64_t bytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateBuffer(bytes));
  std::memset(buffer->mutable_data(), 0, static_cast<size_t>(bytes));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

// Validity of a column's first rows as an Arrow bitmap (null buffer when nothing is null), with the count of nulls.
struct Validity {
  std::shared_ptr<arrow::Buffer> bitmap;
  int64_t nulls = 0;
};

// Copied: the words of an open chunk go on changing behind the rows that the view may see.
arrow::Result<Validity> CopyValidity(const ChunkColumn& column, int64_t rows) {
  Validity validity;
  if (column.validity == nullptr) return validity;
  const int64_t words = WordsFor(rows);
  ARROW_ASSIGN_OR_RAISE(auto bitmap, Zeroed(words * 8));
  int64_t valid = 0;
  for (int64_t word = 0; word < words; ++word) {
    const uint64_t bits = column.validity[word].load(std::memory_order_relaxed) & LowBits(rows - word * kWordBits);
    valid += std::popcount(bits);
    std::memcpy(bitmap->mutable_data() + word * 8, &bits, 8);
  }
  validity.nulls = rows - valid;
  if (validity.nulls > 0) validity.bitmap = std::move(bitmap);
  return validity;
}

class Converter {
 public:
  explicit Converter(const ChunkView& view) : view_(view), rows_(view.rows) {}

  arrow::Result<std::shared_ptr<arrow::Array>> Absent(const Column& column) {
    auto type = BatchArrowType(column.type, column.role);
    if (type->id() != arrow::Type::DICTIONARY) return arrow::MakeArrayOfNull(type, rows_);
    ARROW_ASSIGN_OR_RAISE(auto codes, Zeroed(rows_ * static_cast<int64_t>(sizeof(int32_t))));
    ARROW_ASSIGN_OR_RAISE(auto bitmap, Zeroed((rows_ + 7) / 8));
    auto data = arrow::ArrayData::Make(std::move(type), rows_, {std::move(bitmap), std::move(codes)}, rows_);
    ARROW_ASSIGN_OR_RAISE(auto empty, arrow::MakeEmptyArray(arrow::utf8()));
    data->dictionary = empty->data();
    return arrow::MakeArray(data);
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Convert(size_t index, const Column& column) {
    const ChunkColumn& from = view_.chunk->columns()[index];
    if (from.type != column.type) {
      if (from.type == ColumnType::kInt64 && column.type == ColumnType::kDouble) return Widened(from);
      return arrow::Status::TypeError("column ", column.name, " is hot as ", SqlTypeName(from.type),
                                      " but the table has it as ", SqlTypeName(column.type));
    }
    if (from.dictionary != nullptr) return Coded(from);
    const auto& adopted = view_.chunk->memory()->adopted;
    if (!adopted.empty()) return adopted[index]->length() == rows_ ? adopted[index] : adopted[index]->Slice(0, rows_);
    if (from.type == ColumnType::kBool) return Bools(from);
    if (from.type == ColumnType::kString) return column.role == ColumnRole::kTag ? PlainTag(from) : Strings(from);
    ARROW_ASSIGN_OR_RAISE(auto validity, CopyValidity(from, rows_));
    return Make(BatchArrowType(column.type, column.role), std::move(validity), Values(from, sizeof(uint64_t)));
  }

 private:
  std::shared_ptr<arrow::Buffer> Values(const ChunkColumn& from, size_t width) {
    return std::make_shared<ChunkBuffer>(from.values, rows_ * static_cast<int64_t>(width), view_.chunk);
  }

  std::shared_ptr<arrow::Array> Make(std::shared_ptr<arrow::DataType> type, Validity validity,
                                     std::shared_ptr<arrow::Buffer> values) {
    return arrow::MakeArray(arrow::ArrayData::Make(std::move(type), rows_,
                                                   {std::move(validity.bitmap), std::move(values)}, validity.nulls));
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Widened(const ChunkColumn& from) {
    ARROW_ASSIGN_OR_RAISE(auto validity, CopyValidity(from, rows_));
    ARROW_ASSIGN_OR_RAISE(auto values, arrow::AllocateBuffer(rows_ * static_cast<int64_t>(sizeof(double))));
    const auto* integers = static_cast<const int64_t*>(from.values);
    auto* doubles = reinterpret_cast<double*>(values->mutable_data());
    for (int64_t row = 0; row < rows_; ++row) doubles[row] = static_cast<double>(integers[row]);
    return Make(arrow::float64(), std::move(validity), std::move(values));
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Coded(const ChunkColumn& from) {
    ARROW_ASSIGN_OR_RAISE(auto validity, CopyValidity(from, rows_));
    // Loaded after the rows were published: every code of the view is below it.
    auto data = arrow::ArrayData::Make(BatchArrowType(ColumnType::kString, ColumnRole::kTag), rows_,
                                       {std::move(validity.bitmap), Values(from, sizeof(uint32_t))}, validity.nulls);
    data->dictionary = from.dictionary->ToArrow(from.dictionary->size());
    return arrow::MakeArray(data);
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Bools(const ChunkColumn& from) {
    ARROW_ASSIGN_OR_RAISE(auto validity, CopyValidity(from, rows_));
    ARROW_ASSIGN_OR_RAISE(auto bits, Zeroed(WordsFor(rows_) * 8));
    const auto* bytes = static_cast<const uint8_t*>(from.values);
    for (int64_t row = 0; row < rows_; ++row) {
      bits->mutable_data()[row / 8] |= static_cast<uint8_t>(bytes[row] << (row % 8));
    }
    return Make(arrow::boolean(), std::move(validity), std::move(bits));
  }

  arrow::Result<std::shared_ptr<arrow::Array>> Strings(const ChunkColumn& from) {
    ARROW_ASSIGN_OR_RAISE(auto validity, CopyValidity(from, rows_));
    const auto* strings = static_cast<const HotString*>(from.values);
    int64_t total = 0;
    for (int64_t row = 0; row < rows_; ++row) total += strings[row].inlined.length;
    if (total > INT32_MAX) return arrow::Status::CapacityError("strings of a chunk pass 2 GB");
    ARROW_ASSIGN_OR_RAISE(auto offsets, arrow::AllocateBuffer((rows_ + 1) * static_cast<int64_t>(sizeof(int32_t))));
    ARROW_ASSIGN_OR_RAISE(auto bytes, arrow::AllocateBuffer(total));
    auto* offset = reinterpret_cast<int32_t*>(offsets->mutable_data());
    auto* to = reinterpret_cast<char*>(bytes->mutable_data());
    int32_t at = 0;
    for (int64_t row = 0; row < rows_; ++row) {
      offset[row] = at;
      const std::string_view value = strings[row].view();
      if (!value.empty()) std::memcpy(to + at, value.data(), value.size());
      at += static_cast<int32_t>(value.size());
    }
    offset[rows_] = at;
    return arrow::MakeArray(arrow::ArrayData::Make(
        arrow::utf8(), rows_, {std::move(validity.bitmap), std::move(offsets), std::move(bytes)}, validity.nulls));
  }

  arrow::Result<std::shared_ptr<arrow::Array>> PlainTag(const ChunkColumn& from) {
    const auto* strings = static_cast<const HotString*>(from.values);
    arrow::StringDictionary32Builder builder;
    ARROW_RETURN_NOT_OK(builder.Reserve(rows_));
    for (int64_t row = 0; row < rows_; ++row) {
      const bool valid = from.validity == nullptr ||
                         (from.validity[row / kWordBits].load(std::memory_order_relaxed) >> (row % kWordBits) & 1) != 0;
      ARROW_RETURN_NOT_OK(valid ? builder.Append(strings[row].view()) : builder.AppendNull());
    }
    return builder.Finish();
  }

  const ChunkView& view_;
  const int64_t rows_;
};

// Position of the column with `field_id`; chunks keep the schema's order mostly, so the search starts at `hint`.
int FindById(const std::vector<ChunkColumn>& columns, int32_t field_id, size_t hint) {
  for (size_t i = 0; i < columns.size(); ++i) {
    const size_t at = (hint + i) % columns.size();
    if (columns[at].field_id == field_id) return static_cast<int>(at);
  }
  return -1;
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> ToRecordBatch(const ChunkView& view, const Schema& schema) {
  ARC_CHECK(view.chunk != nullptr);
  Converter converter(view);
  std::vector<std::shared_ptr<arrow::Field>> fields;
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  fields.reserve(schema.columns.size());
  arrays.reserve(schema.columns.size());
  size_t hint = 0;
  for (const auto& column : schema.columns) {
    const int index = FindById(view.chunk->columns(), column.field_id, hint);
    if (index >= 0) hint = static_cast<size_t>(index) + 1;
    auto array = index < 0 ? converter.Absent(column) : converter.Convert(static_cast<size_t>(index), column);
    if (!array.ok()) return FromArrow(array.status());
    fields.push_back(
        arrow::field(column.name, BatchArrowType(column.type, column.role), column.role != ColumnRole::kTime));
    arrays.push_back(std::move(array).ValueUnsafe());
  }
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), view.rows, std::move(arrays));
}

}  // namespace arc
