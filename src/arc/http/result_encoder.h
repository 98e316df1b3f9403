// Query results as bytes, batch by batch.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "arc/engine/engine.h"
#include "arc/http/output_text.h"

namespace arc {

enum class ResultFormat : uint8_t { kJson, kCsv, kArrow };

// How the result ended; `error` is set when that was after the first bytes.
struct ResultEnd {
  const Error* error = nullptr;
  int64_t rows = 0;
  QueryStats stats;
  int64_t wall_micros = 0;
};

// One result. Used by one thread at a time: Begin once, Batch any number of times, End once; or Begin and then dropped.
class ResultEncoder {
 public:
  virtual ~ResultEncoder() = default;
  virtual std::string_view content_type() const = 0;
  // Rows that one Batch call should hold at most, so that chunks stay small; 0: as they come.
  virtual int64_t batch_rows() const = 0;
  virtual Status Begin(const std::shared_ptr<arrow::Schema>& schema, OutputText* out) = 0;
  virtual Status Batch(const arrow::RecordBatch& batch, OutputText* out) = 0;
  // False when the format has no way to tell the error: the connection must be cut instead.
  virtual bool End(const ResultEnd& end, OutputText* out) = 0;
};

// JSON: {"columns":[…],"data":[[…],…],"row_count":n,"execution_time_ms":…,"wait_ms":…,"timestamp":…,"success":true}, or
// "success":false,"error":… at the end: what is only known then stands behind the data. Values: cell_text.h.
std::unique_ptr<ResultEncoder> MakeJsonEncoder();
// RFC 4180: a header line, CRLF, quotes where needed; NULL is an empty field, the empty string "".
std::unique_ptr<ResultEncoder> MakeCsvEncoder();
// Arrow IPC stream.
std::unique_ptr<ResultEncoder> MakeArrowEncoder();
std::unique_ptr<ResultEncoder> MakeEncoder(ResultFormat format);

}  // namespace arc
