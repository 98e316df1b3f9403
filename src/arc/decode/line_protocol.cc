#include "arc/decode/line_protocol.h"

#include <cstring>
#include <string>

#include "arc/decode/batch_builder.h"
#include "arc/decode/line_decoder.h"

namespace arc {
namespace {

// The number of records, guessed from the length of the first.
size_t GuessRows(std::string_view body) {
  const size_t newline = body.find('\n');
  return newline == std::string_view::npos ? 1 : body.size() / (newline + 1) + body.size() / (newline + 1) / 8 + 1;
}

Result<WriteRequest> Decode(std::string_view body, const LineProtocolOptions& options) {
  RequestBuilder request(body.size());
  request.ExpectRows(GuessRows(body));
  LineDecoder decoder(options, &request);
  size_t done = 0;
  // In place up to the last newline that has enough bytes behind it; what remains is copied and padded.
  if (body.size() > LineDecoder::kReadAhead) {
    const size_t last = body.rfind('\n', body.size() - 1 - LineDecoder::kReadAhead);
    if (last != std::string_view::npos) {
      ARC_ASSIGN_OR_RETURN(const char* stopped, decoder.Run(body.data(), body.data() + last, /*final=*/false));
      done = static_cast<size_t>(stopped - body.data());
    }
  }
  if (done < body.size()) {
    std::string tail;
    tail.reserve(body.size() - done + 1 + LineDecoder::kReadAhead);
    tail.append(body.substr(done));
    if (tail.back() != '\n') tail += '\n';
    const size_t last = tail.size() - 1;
    tail.append(LineDecoder::kReadAhead, '\0');
    ARC_ASSIGN_OR_RETURN([[maybe_unused]] const char* stopped,
                         decoder.Run(tail.data(), tail.data() + last, /*final=*/true));
  }
  return request.Finish("line");
}

}  // namespace

Result<WriteRequest> DecodeLineProtocol(std::string_view body, const LineProtocolOptions& options) {
  return DecodeGuarded(body, [&] { return Decode(body, options); });
}

}  // namespace arc
