// Tag columns whose batches were coded against different dictionaries, brought to one.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "arc/base/result.h"

namespace arrow {
class Array;
struct ArrayData;
}  // namespace arrow

namespace arc {

// One dictionary for a column's arrays. `maps[i]` takes a code of array i to one of `dictionary`; empty: as it is.
struct CommonDictionary {
  std::shared_ptr<arrow::ArrayData> dictionary;
  std::vector<std::vector<int32_t>> maps;
};

// `arrays` are dictionary<int32, utf8>; dictionaries hold no nulls. Arrays that share one dictionary cost nothing.
Result<CommonDictionary> FindCommonDictionary(const std::vector<std::shared_ptr<arrow::Array>>& arrays);

// Tags of a row group, whose dictionary is written whole with it.
struct GroupTags {
  std::shared_ptr<arrow::Array> array;
  std::vector<uint8_t> used;  // of each entry of the dictionary that was given: 1 if a row has it
};

// The same values in the same rows, coded against a dictionary that holds little more than the values in use.
arrow::Result<GroupTags> DropUnusedTags(const std::shared_ptr<arrow::Array>& tags);

}  // namespace arc
