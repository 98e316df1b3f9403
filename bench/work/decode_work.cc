#include <utility>

#include "arc/base/check.h"
#include "arc/decode/json.h"
#include "arc/decode/line_protocol.h"
#include "arc/decode/msgpack.h"
#include "work/input.h"
#include "work/work.h"

namespace arc::bench {
namespace {

Result<WriteRequest> Decode(Format format, const std::string& body) {
  switch (format) {
    case Format::kLineProtocol: return DecodeLineProtocol(body, {});
    case Format::kJson: return DecodeJson(body, {.precision = TimePrecision::kMicros});
    case Format::kRows:
    case Format::kColumns: break;
  }
  return DecodeMsgpack(body, {.precision = TimePrecision::kMicros});
}

}  // namespace

std::vector<Work> DecodeWork() {
  std::vector<Work> all;
  for (const Format format : {Format::kColumns, Format::kRows, Format::kLineProtocol, Format::kJson}) {
    for (const Shape shape : {Shape::kSmall, Shape::kTsbs}) {
      const auto prepare = [format, shape] {
        return [format, body = BodyOf(format, shape, 0)] {
          const Result<WriteRequest> decoded = Decode(format, body);
          ARC_CHECK(decoded.ok() && decoded->batches.size() == 1 && decoded->batches[0].batch.rows == kBatchRows);
        };
      };
      all.push_back({std::string("decode/") + FormatName(format) + "_" + ShapeName(shape), kBatchRows, prepare});
    }
  }
  return all;
}

}  // namespace arc::bench
