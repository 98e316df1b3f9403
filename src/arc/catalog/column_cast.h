// Value-level work of aligning a batch: casting one column, merging two, dropping refused rows.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "arc/base/result.h"
#include "arc/model/batch.h"

namespace arc {

struct CastResult {
  std::shared_ptr<arrow::Array> values;  // of BatchArrowType(type, role)
  std::vector<int64_t> refused_rows;     // non-null values that the type cannot hold; NULL in `values`
};

// The column's values in another type. No copy when nothing changes.
Result<CastResult> CastColumn(const BatchColumn& column, ColumnType type, ColumnRole role);

// Row by row `first`, or `second` where that is null; both of BatchArrowType(type, role).
Result<std::shared_ptr<arrow::Array>> FirstNonNull(const arrow::Array& first, const arrow::Array& second,
                                                   ColumnType type, ColumnRole role);

// Drops the rows marked in `refused` (one entry a row) from every column, and the positions with them.
Status KeepRows(const std::vector<char>& refused, Batch* batch);

// Recomputes min_time and max_time from column 0; rows >= 1.
void SetTimeRange(Batch* batch);

}  // namespace arc
