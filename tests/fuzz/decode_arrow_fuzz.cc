// Any bytes as an Arrow IPC stream: no crash, and whatever is taken keeps the invariants of a Batch.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "arc/decode/arrow_ipc.h"
#include "arc/decode/batch_invariants.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  arc::TableBodyOptions options;
  options.measurement = "m";
  auto decoded = arc::DecodeArrow(body, options);
  if (!decoded.ok()) return 0;
  if (const std::string broken = arc::BrokenRequest(*decoded); !broken.empty()) {
    std::fprintf(stderr, "broken: %s\n", broken.c_str());
    std::abort();
  }
  return 0;
}
