#include "arc/decode/json.h"

#include <simdjson.h>

#include <limits>

#include "arc/decode/batch_builder.h"
#include "arc/decode/json_decoder.h"

namespace arc {
namespace {

// The parser's index takes up to four bytes for each byte of text, all at once.
constexpr size_t kMostBytes = 128 << 20;

}  // namespace

Result<WriteRequest> DecodeJson(std::string_view body, const JsonOptions& options) {
  return DecodeGuarded(body, [&]() -> Result<WriteRequest> {
    if (body.empty()) return InvalidArgument("not JSON: the body is empty");
    if (body.size() > kMostBytes) {
      return MakeError(ErrorKind::kTooLarge, "JSON of more than 128 MB; send fewer rows at a time or line protocol");
    }
    RequestBuilder request(body.size());
    // simdjson reads past the end: a copy with room behind it.
    const simdjson::padded_string padded(body);
    JsonDecoder decoder(padded, {options.server_time_micros, options.precision}, &request);
    ARC_RETURN_IF_ERROR(decoder.Run());
    return request.Finish("row");
  });
}

}  // namespace arc
