// Tag columns whose batches were coded against different dictionaries, brought to one.
#pragma once

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

// The same values in the same rows, coded against one dictionary that holds little more than the values in use.
// `used[code]` tells which of its entries occur.
struct CommonTags {
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  std::shared_ptr<arrow::ArrayData> dictionary;
  std::vector<bool> used;
};
Result<CommonTags> UnifyTags(const std::vector<std::shared_ptr<arrow::Array>>& arrays);

}  // namespace arc
