// Any bytes as CSV: no crash, whatever is taken keeps the invariants of a Batch, and cutting loses no record.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "arc/decode/batch_invariants.h"
#include "arc/decode/csv.h"
#include "arc/decode/csv_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The first byte chooses the options, the rest is the body.
  arc::CsvOptions options;
  options.table.measurement = "m";
  options.table.precision = static_cast<arc::TimePrecision>((data[0] & 7) % 7);
  if ((data[0] & 8) != 0) options.table.tags = {"t"};
  if ((data[0] & 16) != 0) options.columns = {"time", "t", "v"};
  if ((data[0] & 32) != 0) options.delimiter = ';';
  const std::string body(reinterpret_cast<const char*>(data) + 1, size - 1);
  const arc::RecordCut cut = arc::CutCsv(body, options.delimiter, 3);
  if (cut.bytes > body.size() || (cut.bytes > 0 && body[cut.bytes - 1] != '\n')) std::abort();
  auto decoded = arc::DecodeCsv(body, options);
  if (!decoded.ok()) return 0;
  if (const std::string broken = arc::BrokenRequest(*decoded); !broken.empty()) {
    std::fprintf(stderr, "broken: %s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
