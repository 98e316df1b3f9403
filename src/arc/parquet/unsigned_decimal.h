// UBIGINT in files: Iceberg has no unsigned type, DECIMAL(20,0) holds every value.
#pragma once

#include <arrow/result.h>

#include <memory>

namespace arrow {
class Array;
class DataType;
}  // namespace arrow

namespace arc {

std::shared_ptr<arrow::DataType> UnsignedDecimalType();
// A uint64 array as decimal128(20, 0).
arrow::Result<std::shared_ptr<arrow::Array>> ToUnsignedDecimal(const arrow::Array& array);
// And back. Invalid for a value that 64 bits do not hold.
arrow::Result<std::shared_ptr<arrow::Array>> FromUnsignedDecimal(const arrow::Array& array);

}  // namespace arc
