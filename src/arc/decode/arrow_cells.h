// Arrow arrays of many types, read value by value.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "arc/base/result.h"
#include "arc/decode/scalar.h"
#include "arc/decode/timestamp.h"

namespace arrow {
class Array;
class DataType;
}  // namespace arrow

namespace arc {

// The values of one array. Rows are asked for in ascending order. Texts live as long as the array. Not thread-safe.
class ArrowCells {
 public:
  virtual ~ArrowCells() = default;
  // kNil for NULL; a timestamp or date is a kInt in ArrowTimeUnit's unit.
  virtual Scalar At(int64_t row) = 0;
};

// A dictionary of text, which marks a tag.
bool IsTextDictionary(const arrow::DataType& type);
// The unit of a timestamp's or date's values; nothing for other types.
std::optional<TimePrecision> ArrowTimeUnit(const arrow::DataType& type);
// kInvalidArgument, naming column and type, when no column can hold such values.
Status CheckArrowType(const std::string& column, const arrow::DataType& type);

// `array` must be valid and of a type that CheckArrowType takes; it outlives the cells.
std::unique_ptr<ArrowCells> CellsOf(const arrow::Array& array);

}  // namespace arc
