#include "arc/parquet/unsigned_decimal.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/type.h>
#include <arrow/util/bitmap_ops.h>

namespace arc {

std::shared_ptr<arrow::DataType> UnsignedDecimalType() {
  static const auto kType = arrow::decimal128(20, 0);
  return kType;
}

arrow::Result<std::shared_ptr<arrow::Array>> ToUnsignedDecimal(const arrow::Array& array) {
  const int64_t rows = array.length();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(rows * static_cast<int64_t>(2 * sizeof(uint64_t))));
  const auto* from = array.data()->GetValues<uint64_t>(1);
  auto* to = reinterpret_cast<uint64_t*>(values->mutable_data());
  for (int64_t row = 0; row < rows; ++row) {
    to[2 * row] = from[row];  // low half first
    to[2 * row + 1] = 0;
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (array.null_count() > 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(), array.null_bitmap_data(),
                                                                array.offset(), rows));
  }
  return arrow::MakeArray(arrow::ArrayData::Make(UnsignedDecimalType(), rows, {std::move(validity), std::move(values)},
                                                 array.null_count()));
}

arrow::Result<std::shared_ptr<arrow::Array>> FromUnsignedDecimal(const arrow::Array& array) {
  const int64_t rows = array.length();
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> values,
                        arrow::AllocateBuffer(rows * static_cast<int64_t>(sizeof(uint64_t))));
  const auto* from = reinterpret_cast<const uint64_t*>(array.data()->buffers[1]->data()) + 2 * array.offset();
  auto* to = reinterpret_cast<uint64_t*>(values->mutable_data());
  for (int64_t row = 0; row < rows; ++row) {
    to[row] = from[2 * row];  // low half first
    if (from[2 * row + 1] != 0 && array.IsValid(row)) return arrow::Status::Invalid("a number beyond 64 bits");
  }
  std::shared_ptr<arrow::Buffer> validity;
  if (array.null_count() > 0) {
    ARROW_ASSIGN_OR_RAISE(validity, arrow::internal::CopyBitmap(arrow::default_memory_pool(), array.null_bitmap_data(),
                                                                array.offset(), rows));
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(arrow::uint64(), rows, {std::move(validity), std::move(values)}, array.null_count()));
}

}  // namespace arc
