// Any bytes as a request, whole and in pieces: the head, the token, the query string, a chunked body. However the bytes
// are cut, the same request comes out of them.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "arc/http/chunked_body.h"
#include "arc/http/credentials.h"
#include "arc/http/query_string.h"
#include "arc/http/request_head.h"

namespace {

using arc::ChunkedBody;
using arc::HeadParser;

constexpr uint32_t kHeaderLimit = 4 << 10;

void Require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

// Feeds `bytes` as a connection does, `piece` more at a time: what was not taken is given again. The state at the end
// and how many bytes are the head's.
struct HeadRun {
  HeadParser::State state = HeadParser::State::kNeedMore;
  size_t taken = 0;
};
HeadRun ParseHead(std::string_view bytes, size_t piece, arc::RequestHead* head, HeadParser* parser) {
  HeadRun run;
  parser->Start(head, kHeaderLimit);
  for (size_t have = 0; have < bytes.size() && run.state == HeadParser::State::kNeedMore;) {
    have = std::min(bytes.size(), have + piece);
    size_t used = 0;
    run.state = parser->Feed(bytes.substr(run.taken, have - run.taken), &used);
    Require(used <= have - run.taken, "more bytes taken than given");
    run.taken += used;
  }
  return run;
}

struct BodyRun {
  ChunkedBody::Step end = ChunkedBody::Step::kNeedMore;
  std::string data;
  size_t left = 0;
};
BodyRun DecodeChunks(std::string_view bytes, size_t piece) {
  BodyRun run;
  ChunkedBody chunks;
  while (!bytes.empty() && run.end == ChunkedBody::Step::kNeedMore) {
    std::string_view in = bytes.substr(0, piece);
    const size_t given = in.size();
    do {
      std::string_view data;
      run.end = chunks.Next(&in, &data);
      if (run.end == ChunkedBody::Step::kData) run.data.append(data);
    } while (run.end == ChunkedBody::Step::kData);
    bytes.remove_prefix(given - in.size());
  }
  run.left = bytes.size();
  return run;
}

void ReadTarget(const arc::RequestHead& head) {
  const arc::QueryString query(head.query());
  Require(arc::FindToken(head, query).size() <= kHeaderLimit, "a token longer than the head");
  Require(arc::PercentDecode(head.path(), false).size() <= head.path().size(), "a path longer than its text");
  (void)query.Get("db");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The first byte says how the rest is cut.
  const size_t piece = 1 + data[0] % 64;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  arc::RequestHead whole_head;
  arc::RequestHead cut_head;
  HeadParser whole_parser;
  HeadParser cut_parser;
  const HeadRun whole = ParseHead(bytes, bytes.size() + 1, &whole_head, &whole_parser);
  const HeadRun cut = ParseHead(bytes, piece, &cut_head, &cut_parser);
  // A wrong head is refused at once or only when its end is there, which is when Beast looks at it again.
  Require((whole.state == HeadParser::State::kDone) == (cut.state == HeadParser::State::kDone),
          "the head depends on how it is cut");
  std::string_view rest = bytes;
  if (whole.state == HeadParser::State::kDone) {
    Require(whole.taken == cut.taken && whole_head.target() == cut_head.target() &&
                whole_head.fields() == cut_head.fields(),
            "the request depends on how it is cut");
    const HeadParser::Framing framing = whole_parser.framing();
    Require(!framing.chunked || !framing.content_length, "a body framed twice");
    ReadTarget(whole_head);
    rest.remove_prefix(whole.taken);
  }
  const BodyRun whole_body = DecodeChunks(rest, rest.size() + 1);
  const BodyRun cut_body = DecodeChunks(rest, piece);
  Require(whole_body.end == cut_body.end && whole_body.data == cut_body.data && whole_body.left == cut_body.left,
          "the chunked body depends on how it is cut");
  Require(whole_body.data.size() <= rest.size(), "a chunked body larger than its bytes");
  return 0;
}
