// InfluxDB line protocol -> WriteRequest.
// Grammar: https://docs.influxdata.com/influxdb/v1/write_protocols/line_protocol_reference/
#pragma once

#include <cstdint>
#include <string_view>

#include "arc/base/result.h"
#include "arc/decode/record_cut.h"
#include "arc/decode/timestamp.h"
#include "arc/model/batch.h"

namespace arc {

struct LineProtocolOptions {
  TimePrecision precision = TimePrecision::kNanos;
  int64_t server_time_micros = 0;  // for lines without a timestamp
};

// Pure; any thread. Positions are line numbers from 1; a line that breaks the grammar becomes a RowError that names the
// column and shows the text there, and the others stay. What InfluxDB leaves open is decided so: a duplicate field
// keeps its last value, a duplicate tag refuses the line; a backslash before a character that needs no escape is an
// ordinary character; `\` cannot end a name. kTooLarge: the rows need far more memory than the body (see
// MemoryBudget); kInvalidArgument: more than kMaxRowErrors bad lines.
Result<WriteRequest> DecodeLineProtocol(std::string_view body, const LineProtocolOptions& options);

// The first whole records of a text that may be cut anywhere, at most `max_records`.
RecordCut CutLineProtocol(std::string_view text, size_t max_records);

}  // namespace arc
