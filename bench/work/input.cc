#include "work/input.h"

#include <utility>

#include "arc/base/check.h"
#include "arc/decode/line_protocol.h"

namespace arc::bench {

std::string BodyOf(Format format, Shape shape, int index) {
  PayloadOptions options;
  options.format = format;
  options.shape = shape;
  options.batch = kBatchRows;
  options.start_micros = 1'700'000'000'000'000;
  Payload payload = EncodePayload(options, index);
  StampTimes(options, int64_t{index} * kBatchRows, &payload);
  return std::move(payload.bytes);
}

Batch BatchOf(Shape shape, int index) {
  Result<WriteRequest> decoded = DecodeLineProtocol(BodyOf(Format::kLineProtocol, shape, index), {});
  ARC_CHECK(decoded.ok() && decoded->errors.empty() && decoded->batches.size() == 1);
  return std::move(decoded->batches[0].batch);
}

std::vector<Batch> BatchesOf(Shape shape, int count) {
  std::vector<Batch> batches;
  for (int i = 0; i < count; ++i) batches.push_back(BatchOf(shape, i));
  return batches;
}

Schema SchemaOf(const Batch& batch) {
  Schema schema;
  for (const BatchColumn& column : batch.columns) {
    const auto field_id = static_cast<int32_t>(schema.columns.size() + 1);
    schema.columns.push_back({column.name, column.type, column.role, field_id, false});
  }
  return schema;
}

}  // namespace arc::bench
