// Whether a column's values repeat enough to be worth a dictionary page.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

namespace arrow {
class Array;
}

namespace arc {

// Judged by a sample spread over all rows. Arrays of int64, uint64 or utf8. With few rows: yes, the cost is small.
bool DictionaryPays(const std::vector<std::shared_ptr<arrow::Array>>& arrays);

}  // namespace arc
