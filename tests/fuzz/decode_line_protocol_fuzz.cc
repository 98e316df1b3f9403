// Any bytes as line protocol: no crash, and whatever is taken keeps the invariants of a Batch.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "arc/decode/batch_invariants.h"
#include "arc/decode/line_protocol.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  // The first byte chooses the precision, the rest is the body.
  const arc::LineProtocolOptions options{static_cast<arc::TimePrecision>(data[0] % 7), 1'700'000'000'000'000};
  const std::string_view body(reinterpret_cast<const char*>(data) + 1, size - 1);
  auto decoded = arc::DecodeLineProtocol(body, options);
  if (!decoded.ok()) return 0;
  if (const std::string broken = arc::BrokenRequest(*decoded); !broken.empty()) {
    std::fprintf(stderr, "broken: %s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
