// Whether a column's values repeat enough to be worth a dictionary page.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "arc/parquet/row_order.h"

namespace arrow {
class Array;
}

namespace arc {

// Rows spread over all of `ranges` to judge them by, each a range of its own. Few rows: none.
std::vector<RowRange> SampleRows(std::span<const RowRange> ranges);

// Judged by the values of the rows sampled: int64, uint64, double or utf8. With few rows: yes, the cost is small.
bool DictionaryPays(const std::vector<std::shared_ptr<arrow::Array>>& sample);

}  // namespace arc
