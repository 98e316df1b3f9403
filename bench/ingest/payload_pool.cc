#include "ingest/payload_pool.h"

#include <algorithm>
#include <utility>

#include "arc/base/check.h"

namespace arc::bench {
namespace {

const char* ContentType(Format format) {
  switch (format) {
    case Format::kLineProtocol: return "text/plain; charset=utf-8";
    case Format::kJson: return "application/json";
    case Format::kRows:
    case Format::kColumns: break;
  }
  return "application/msgpack";
}

}  // namespace

PayloadPool::PayloadPool(const PayloadOptions& options, const Request& request, int connections, int64_t records,
                         int64_t limit_bytes)
    : options_(options) {
  const char* type = ContentType(options.format);
  const int64_t needed = records == 0 ? INT64_MAX : (records + options.batch - 1) / options.batch;
  const int64_t least = std::max<int64_t>(connections, options.measurements);
  for (int64_t index = 0; index < least || (index < needed && bytes_ < limit_bytes); ++index) {
    Payload payload = EncodePayload(options, index);
    PrependHead(RequestHead(request.endpoint, request.address, type, request.headers, payload.bytes.size()), &payload);
    bytes_ += static_cast<int64_t>(payload.bytes.size());
    payloads_.push_back(std::move(payload));
  }
  for (Payload& payload : payloads_) free_.push_back(&payload);
}

Payload* PayloadPool::Take(int64_t first_record) {
  ARC_CHECK(!free_.empty());
  Payload* payload = free_.front();
  free_.pop_front();
  StampTimes(options_, first_record, payload);
  return payload;
}

}  // namespace arc::bench
