// Content-Encoding of request bodies: gzip and zstd, bounded in output and in ratio.
#pragma once

#include <cstdint>
#include <string_view>

#include "arc/base/result.h"
#include "arc/http/body_buffer.h"

namespace arc {

enum class ContentEncoding : uint8_t { kIdentity, kGzip, kZstd, kUnknown };

// Of a Content-Encoding header; empty is identity. One coding only: lists are kUnknown.
ContentEncoding ParseContentEncoding(std::string_view header);

struct DecodingLimits {
  int64_t max_bytes = 0;  // of output
  int max_ratio = 0;      // output to input, looked at beyond 16 MB of output
};

// Decompresses the whole of `body` (several gzip members or zstd frames may follow each other) into `out`.
// kInvalidArgument: damaged or cut short; kTooLarge: over a limit; kOverloaded: no room in the pool's budget.
Status DecodeBody(ContentEncoding encoding, std::string_view body, const DecodingLimits& limits, BodyBuffer* out);

}  // namespace arc
