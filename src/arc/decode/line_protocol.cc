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

RecordCut CutLineProtocol(std::string_view text, size_t max_records) {
  RecordCut cut;
  const size_t last = text.rfind('\n');
  if (last == std::string_view::npos) return cut;
  const char* const last_newline = text.data() + last;
  for (const char* p = text.data(); p <= last_newline && cut.records < max_records;) {
    const char* start = p;
    while (*start == ' ' || *start == '\t') ++start;
    const bool blank = *start == '\n' || *start == '#' || (*start == '\r' && start[1] == '\n');
    const char* const end = blank ? static_cast<const char*>(std::memchr(start, '\n', last_newline - start + 1))
                                  : EndOfLineRecord(start, last_newline);
    if (end == nullptr) break;
    p = end + 1;
    cut.bytes = static_cast<size_t>(p - text.data());
    cut.records += blank ? 0 : 1;
  }
  return cut;
}

}  // namespace arc
