#include "arc/query/result_builder.h"

#include <arrow/array/data.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/bit_util.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

namespace arc {
namespace {

using duckdb::LogicalTypeId;

// Of a value that takes as many bytes in either; 0: not such a type.
int64_t WidthOf(const duckdb::LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::TINYINT:
    case LogicalTypeId::UTINYINT: return 1;
    case LogicalTypeId::SMALLINT:
    case LogicalTypeId::USMALLINT: return 2;
    case LogicalTypeId::INTEGER:
    case LogicalTypeId::UINTEGER:
    case LogicalTypeId::FLOAT:
    case LogicalTypeId::DATE: return 4;
    case LogicalTypeId::BIGINT:
    case LogicalTypeId::UBIGINT:
    case LogicalTypeId::DOUBLE:
    case LogicalTypeId::TIMESTAMP:
    case LogicalTypeId::TIMESTAMP_TZ: return 8;
    default: return 0;
  }
}

Status FromArrow(const arrow::Status& status) {
  if (status.ok()) return {};
  if (status.IsOutOfMemory()) return MakeError(ErrorKind::kOverloaded, "no memory for the result");
  return Internal("result batch: " + status.ToString());
}

// At least `bytes` of room; what lies before `used` is kept.
Status Reserve(std::shared_ptr<arrow::ResizableBuffer>* buffer, int64_t used, int64_t bytes) {
  if (*buffer && (*buffer)->capacity() >= bytes) return {};
  auto grown = arrow::AllocateResizableBuffer(*buffer ? std::max(bytes, 2 * (*buffer)->capacity()) : bytes);
  if (!grown.ok()) return FromArrow(grown.status());
  if (used > 0) std::memcpy((*grown)->mutable_data(), (*buffer)->data(), static_cast<size_t>(used));
  *buffer = std::move(*grown);
  return {};
}

}  // namespace

// One column of the batch being made.
class ResultColumn {
 public:
  virtual ~ResultColumn() = default;

  // `rows` are there already; room for `expected` in all is sensible.
  Status Append(duckdb::Vector& vector, int64_t rows, int64_t count, int64_t expected) {
    duckdb::UnifiedVectorFormat format;
    vector.ToUnifiedFormat(static_cast<duckdb::idx_t>(count), format);
    const int64_t room = std::max(expected, rows + count);
    ARC_RETURN_IF_ERROR(AppendValidity(format, rows, count, room));
    return AppendValues(format, rows, count, room);
  }

  Result<std::shared_ptr<arrow::ArrayData>> Finish(std::shared_ptr<arrow::DataType> type, int64_t rows) {
    std::shared_ptr<arrow::Buffer> validity;
    if (nulls_ > 0) {
      ARC_RETURN_IF_ERROR(FromArrow(validity_->Resize(arrow::bit_util::BytesForBits(rows), /*shrink_to_fit=*/false)));
      validity = std::move(validity_);
    }
    validity_.reset();
    auto data = arrow::ArrayData::Make(std::move(type), rows, {std::move(validity)}, std::exchange(nulls_, 0));
    ARC_RETURN_IF_ERROR(TakeBuffers(rows, data.get()));
    return data;
  }

  virtual int64_t text_bytes() const { return 0; }

 protected:
  virtual Status AppendValues(const duckdb::UnifiedVectorFormat& format, int64_t rows, int64_t count, int64_t room) = 0;
  // Adds the buffers behind the validity, and begins anew.
  virtual Status TakeBuffers(int64_t rows, arrow::ArrayData* data) = 0;

  static bool IsFlat(const duckdb::UnifiedVectorFormat& format) { return !format.sel->IsSet(); }

 private:
  Status AppendValidity(const duckdb::UnifiedVectorFormat& format, int64_t rows, int64_t count, int64_t room) {
    const bool all_valid = format.validity.AllValid();
    if (all_valid && nulls_ == 0) return {};
    const int64_t bytes = arrow::bit_util::BytesForBits(room);
    const bool first = validity_ == nullptr;
    ARC_RETURN_IF_ERROR(Reserve(&validity_, first ? 0 : arrow::bit_util::BytesForBits(rows), bytes));
    uint8_t* bits = validity_->mutable_data();
    if (first) arrow::bit_util::SetBitsTo(bits, 0, rows, true);
    arrow::bit_util::SetBitsTo(bits, rows, count, true);
    if (all_valid) return {};
    for (int64_t row = 0; row < count; ++row) {
      if (format.validity.RowIsValidUnsafe(format.sel->get_index(static_cast<duckdb::idx_t>(row)))) continue;
      arrow::bit_util::ClearBit(bits, rows + row);
      ++nulls_;
    }
    return {};
  }

  std::shared_ptr<arrow::ResizableBuffer> validity_;
  int64_t nulls_ = 0;
};

namespace {

template <typename T>
class FixedColumn : public ResultColumn {
 protected:
  Status AppendValues(const duckdb::UnifiedVectorFormat& format, int64_t rows, int64_t count, int64_t room) override {
    constexpr auto kWidth = static_cast<int64_t>(sizeof(T));
    ARC_RETURN_IF_ERROR(Reserve(&values_, rows * kWidth, room * kWidth));
    T* to = reinterpret_cast<T*>(values_->mutable_data()) + rows;
    const T* from = reinterpret_cast<const T*>(format.data);  // any type of this width
    if (IsFlat(format)) {
      std::memcpy(to, from, static_cast<size_t>(count * kWidth));
    } else {
      for (int64_t row = 0; row < count; ++row) to[row] = from[format.sel->get_index(static_cast<duckdb::idx_t>(row))];
    }
    return {};
  }

  Status TakeBuffers(int64_t rows, arrow::ArrayData* data) override {
    ARC_RETURN_IF_ERROR(FromArrow(values_->Resize(rows * static_cast<int64_t>(sizeof(T)), /*shrink_to_fit=*/false)));
    data->buffers.push_back(std::move(values_));
    values_.reset();
    return {};
  }

 private:
  std::shared_ptr<arrow::ResizableBuffer> values_;
};

// A byte a value becomes a bit.
class BooleanColumn : public ResultColumn {
 protected:
  Status AppendValues(const duckdb::UnifiedVectorFormat& format, int64_t rows, int64_t count, int64_t room) override {
    using arrow::bit_util::BytesForBits;
    ARC_RETURN_IF_ERROR(Reserve(&bits_, BytesForBits(rows), BytesForBits(room)));
    const uint8_t* from = format.data;
    for (int64_t row = 0; row < count; ++row) {
      const bool value = from[format.sel->get_index(static_cast<duckdb::idx_t>(row))] != 0;
      arrow::bit_util::SetBitTo(bits_->mutable_data(), rows + row, value);
    }
    return {};
  }

  Status TakeBuffers(int64_t rows, arrow::ArrayData* data) override {
    ARC_RETURN_IF_ERROR(FromArrow(bits_->Resize(arrow::bit_util::BytesForBits(rows), /*shrink_to_fit=*/false)));
    data->buffers.push_back(std::move(bits_));
    bits_.reset();
    return {};
  }

 private:
  std::shared_ptr<arrow::ResizableBuffer> bits_;
};

class TextColumn : public ResultColumn {
 public:
  int64_t text_bytes() const override { return bytes_; }

 protected:
  Status AppendValues(const duckdb::UnifiedVectorFormat& format, int64_t rows, int64_t count, int64_t room) override {
    constexpr int64_t kOffset = sizeof(int32_t);
    ARC_RETURN_IF_ERROR(Reserve(&offsets_, rows > 0 ? (rows + 1) * kOffset : 0, (room + 1) * kOffset));
    auto* offsets = reinterpret_cast<int32_t*>(offsets_->mutable_data()) + rows;
    const auto* from = duckdb::UnifiedVectorFormat::GetData<duckdb::string_t>(format);
    const bool all_valid = format.validity.AllValid();
    auto is_valid = [&](duckdb::idx_t at) { return all_valid || format.validity.RowIsValidUnsafe(at); };
    int64_t end = bytes_;
    offsets[0] = static_cast<int32_t>(end);
    for (int64_t row = 0; row < count; ++row) {
      const duckdb::idx_t at = format.sel->get_index(static_cast<duckdb::idx_t>(row));
      if (is_valid(at)) end += static_cast<int64_t>(from[at].GetSize());
      if (end > std::numeric_limits<int32_t>::max()) return InvalidArgument("the result's text is larger than 2 GB");
      offsets[row + 1] = static_cast<int32_t>(end);
    }
    // The rows to come are taken to be like these.
    const int64_t text = end + duckdb::string_t::INLINE_LENGTH;
    ARC_RETURN_IF_ERROR(Reserve(&text_, bytes_, rows == 0 ? std::min(text * room / count, text + kSpareText) : text));
    for (int64_t row = 0; row < count; ++row) {
      const duckdb::idx_t at = format.sel->get_index(static_cast<duckdb::idx_t>(row));
      if (!is_valid(at)) continue;
      auto* to = reinterpret_cast<char*>(text_->mutable_data()) + offsets[row];
      // A fixed length is copied without a call; what is too much is written over.
      const bool short_text = from[at].IsInlined();
      std::memcpy(to, from[at].GetData(), short_text ? duckdb::string_t::INLINE_LENGTH : from[at].GetSize());
    }
    bytes_ = end;
    return {};
  }

  Status TakeBuffers(int64_t rows, arrow::ArrayData* data) override {
    constexpr int64_t kOffset = sizeof(int32_t);
    ARC_RETURN_IF_ERROR(FromArrow(offsets_->Resize((rows + 1) * kOffset, /*shrink_to_fit=*/false)));
    ARC_RETURN_IF_ERROR(FromArrow(text_->Resize(std::exchange(bytes_, 0), /*shrink_to_fit=*/false)));
    data->buffers.push_back(std::move(offsets_));
    data->buffers.push_back(std::move(text_));
    offsets_.reset();
    text_.reset();
    return {};
  }

 private:
  static constexpr int64_t kSpareText = 1 << 20;
  std::shared_ptr<arrow::ResizableBuffer> offsets_;
  std::shared_ptr<arrow::ResizableBuffer> text_;
  int64_t bytes_ = 0;
};

}  // namespace

ResultBuilder::ResultBuilder(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}

ResultBuilder::~ResultBuilder() = default;

std::unique_ptr<ResultBuilder> ResultBuilder::Make(const duckdb::vector<duckdb::LogicalType>& types,
                                                   std::shared_ptr<arrow::Schema> schema) {
  std::unique_ptr<ResultBuilder> result(new ResultBuilder(std::move(schema)));
  for (size_t i = 0; i < types.size(); ++i) {
    const arrow::DataType& arrow_type = *result->schema_->field(static_cast<int>(i))->type();
    if (types[i].HasAlias() || arrow_type.id() == arrow::Type::EXTENSION) return nullptr;
    std::unique_ptr<ResultColumn> column;
    if (types[i].id() == LogicalTypeId::BOOLEAN && arrow_type.id() == arrow::Type::BOOL) {
      column = std::make_unique<BooleanColumn>();
    } else if (types[i].id() == LogicalTypeId::VARCHAR && arrow_type.id() == arrow::Type::STRING) {
      column = std::make_unique<TextColumn>();
    } else if (int64_t width = WidthOf(types[i]); width > 0 && arrow_type.bit_width() == 8 * width) {
      switch (width) {
        case 1: column = std::make_unique<FixedColumn<uint8_t>>(); break;
        case 2: column = std::make_unique<FixedColumn<uint16_t>>(); break;
        case 4: column = std::make_unique<FixedColumn<uint32_t>>(); break;
        default: column = std::make_unique<FixedColumn<uint64_t>>(); break;
      }
    }
    if (!column) return nullptr;
    result->columns_.push_back(std::move(column));
  }
  return result;
}

Status ResultBuilder::Append(duckdb::DataChunk& chunk) {
  const auto count = static_cast<int64_t>(chunk.size());
  if (count == 0) return {};
  for (size_t i = 0; i < columns_.size(); ++i) {
    ARC_RETURN_IF_ERROR(columns_[i]->Append(chunk.data[i], rows_, count, expected_rows_));
  }
  rows_ += count;
  return {};
}

int64_t ResultBuilder::text_bytes() const {
  int64_t result = 0;
  for (const auto& column : columns_) result += column->text_bytes();
  return result;
}

Result<std::shared_ptr<arrow::RecordBatch>> ResultBuilder::Finish() {
  std::vector<std::shared_ptr<arrow::ArrayData>> columns;
  for (size_t i = 0; i < columns_.size(); ++i) {
    ARC_ASSIGN_OR_RETURN(auto data, columns_[i]->Finish(schema_->field(static_cast<int>(i))->type(), rows_));
    columns.push_back(std::move(data));
  }
  return arrow::RecordBatch::Make(schema_, std::exchange(rows_, 0), std::move(columns));
}

}  // namespace arc
