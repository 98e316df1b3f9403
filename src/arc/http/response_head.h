// The status line and header fields of an answer as bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/http/request_head.h"
#include "arc/http/response.h"

namespace arc {

// How the answer ends.
enum class BodyFraming : uint8_t { kLength, kChunked, kUntilClose };

struct ResponseHeadParts {
  const Response& response;
  std::string_view request_id;
  std::string_view allow_origin;  // empty: no CORS fields
  BodyFraming framing = BodyFraming::kLength;
  bool keep_alive = true;
  int version = 11;  // of the request
  int64_t wall_micros = 0;
};

// Appends everything up to and including the empty line. Thread-safe.
void AppendResponseHead(const ResponseHeadParts& parts, std::string* out);

// What Access-Control-Allow-Origin says to this request's Origin, empty for nothing. `allowed` holds origins or "*".
std::string_view AllowOrigin(const RequestHead& head, const std::vector<std::string>& allowed);
// The answer to an OPTIONS request that is a CORS preflight; nothing when it is none.
std::optional<Response> AnswerPreflight(const RequestHead& head, std::string_view allow_origin);

}  // namespace arc
