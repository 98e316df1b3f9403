// The pieces that cell_text.h's factory puts together. Private to the cell_*.cc files.
#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <memory>
#include <utility>

#include "arc/http/cell_text.h"

namespace arc {

// Writes null cells and hands the others to Derived::Value(row, out).
template <typename Derived>
class NullableCell : public CellWriter {
 public:
  NullableCell(std::shared_ptr<arrow::Array> array, CellFormat format)
      : array_(std::move(array)), has_nulls_(array_->null_count() != 0), format_(format) {}
  void Write(int64_t row, OutputText* out) final {
    if (has_nulls_ && array_->IsNull(row)) {
      if (format_ == CellFormat::kJson) out->Append("null");
      return;
    }
    static_cast<Derived*>(this)->Value(row, out);
  }

 protected:
  bool json() const { return format_ == CellFormat::kJson; }
  const std::shared_ptr<arrow::Array> array_;
  const bool has_nulls_;
  const CellFormat format_;
};

// Numbers, booleans, strings, binary, times, decimals, intervals; null when the type is none of these.
std::unique_ptr<CellWriter> MakeScalarCell(const std::shared_ptr<arrow::Array>& array, CellFormat format);
std::unique_ptr<CellWriter> MakeTimeCell(const std::shared_ptr<arrow::Array>& array, CellFormat format);
// 16 bytes, most significant first.
std::unique_ptr<CellWriter> MakeUuidCell(const std::shared_ptr<arrow::Array>& array, CellFormat format);
// Fixed binary of 16 bytes, least significant first: DuckDB's HUGEINT and UHUGEINT.
std::unique_ptr<CellWriter> MakeHugeIntCell(const std::shared_ptr<arrow::Array>& array, bool is_signed,
                                            CellFormat format);
// int8 as true and false ("arrow.bool8").
std::unique_ptr<CellWriter> MakeBool8Cell(const std::shared_ptr<arrow::Array>& array, CellFormat format);
// Lists, structs, maps, unions, dictionaries, run ends; ok with null when the type is none of these.
Result<std::unique_ptr<CellWriter>> MakeNestedCell(const std::shared_ptr<arrow::Array>& array, CellFormat format);

}  // namespace arc
