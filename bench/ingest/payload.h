// Request bodies encoded before the clock starts. Only their timestamps are written again when one is sent anew.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace arc::bench {

enum class Format { kRows, kColumns, kLineProtocol, kJson };  // kRows, kColumns: MessagePack; kJson: rows
enum class Shape {
  kSmall,  // tags host and region, three double fields
  kTsbs,   // ten tags, ten integer fields, as "cpu" of the Time Series Benchmark Suite
};

const char* FormatName(Format format);  // as on the command line
const char* ShapeName(Shape shape);

struct PayloadOptions {
  Format format = Format::kColumns;
  Shape shape = Shape::kSmall;
  int batch = 1000;      // records in a request
  int measurements = 1;  // a request is for one of them, in turns
  int series = 100;      // different hosts
  int decimals = 2;      // of the random values in [0, 100) of the small shape
  int64_t start_micros = 0;
  int64_t step_micros = 10;  // between a record and the next: no two records share a timestamp
  uint64_t seed = 1;
};

// Head and body of one request, and where its timestamps stand.
struct Payload {
  std::string bytes;
  std::vector<uint32_t> times;  // offsets into `bytes`, a record each
  int measurement = 0;
};

// "cpu" when there is one measurement, else "cpu_7".
std::string MeasurementName(const PayloadOptions& options, int measurement);

// The body of request number `index`; its values come from `seed` and `index`.
Payload EncodePayload(const PayloadOptions& options, int64_t index);
// Puts `head` before the body.
void PrependHead(const std::string& head, Payload* payload);

// Writes the timestamps of the records from number `first_record` on. Some nanoseconds a record.
void StampTimes(const PayloadOptions& options, int64_t first_record, Payload* payload);

}  // namespace arc::bench
