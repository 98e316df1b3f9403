// Rows on their way from a client into the log and the hot buffer: Arrow arrays plus what they mean.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arc/model/schema.h"

namespace arrow {
class Array;
class Buffer;
}  // namespace arrow

namespace arc {

struct BatchColumn {
  std::string name;
  ColumnType type = ColumnType::kDouble;
  ColumnRole role = ColumnRole::kField;
  // False when the format does not tell tags from string fields (columnar bodies): `role` is then a guess that gives
  // way to the role of a column the table already has.
  bool role_known = true;
  // Of BatchArrowType(type, role), Batch::rows long, offset 0. A tag's dictionary holds no null and no value twice.
  std::shared_ptr<arrow::Array> values;
  // Only in a kDouble column that mixes 1 and 1.0: bit i set (least significant first, as in Arrow) says that row i
  // was sent as an integer and is exactly the double, so that a BIGINT column can still take it.
  std::shared_ptr<arrow::Buffer> integral;
};

// Invariants: column 0 is {"time", kTimestamp, kTime} without nulls; (name, role) is unique; rows >= 1; min_time and
// max_time are exact. Immutable once built; cheap to copy.
struct Batch {
  int64_t rows = 0;
  int64_t min_time = 0;  // µs since 1970 UTC
  int64_t max_time = 0;
  std::vector<BatchColumn> columns;
  // Place of each row in the request (line number from 1, or row index from 0), for error messages. Empty: row i
  // stands at first_position + i.
  std::vector<uint32_t> positions;
  uint32_t first_position = 0;

  uint32_t PositionOf(int64_t row) const {
    return positions.empty() ? first_position + static_cast<uint32_t>(row) : positions[static_cast<size_t>(row)];
  }
  // Bytes of the arrays' buffers: what holding the batch costs.
  int64_t ByteSize() const;
};

// One row of a request that was not taken, and why.
struct RowError {
  uint32_t position = 0;  // as Batch::positions
  std::string message;
};

// A whole request, decoded: any number of tables, the bad rows beside the good ones.
struct WriteRequest {
  struct TableBatch {
    std::string measurement;
    Batch batch;
  };
  // A measurement stands here more than once when its rows disagree about the kind of a column (number, boolean,
  // string): rows that agree share a batch, in the order of their first row.
  std::vector<TableBatch> batches;
  std::vector<RowError> errors;
  std::string position_name = "line";  // what a position counts: "line", "row"
};

}  // namespace arc
