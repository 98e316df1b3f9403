// Rows and columns as JSON -> WriteRequest.
#pragma once

#include <cstdint>
#include <string_view>

#include "arc/base/result.h"
#include "arc/decode/timestamp.h"
#include "arc/model/batch.h"

namespace arc {

struct JsonOptions {
  int64_t server_time_micros = 0;                    // for rows without a time
  TimePrecision precision = TimePrecision::kMillis;  // of numeric times
};

// Pure; any thread. The shapes of DecodeMsgpack, with `measurement`, `time` and `timestamp` as longer spellings of `m`
// and `t`. An integer past 64 bits is taken as a double. kInvalidArgument names line and column where the body is no
// JSON.
Result<WriteRequest> DecodeJson(std::string_view body, const JsonOptions& options);

}  // namespace arc
