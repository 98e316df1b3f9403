// Bytes as a manifest and as a manifest list: read, and what could be read is written and read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "arc/iceberg/manifest.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace arc;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const IcebergSchema schema{0, {{1, "time", false, "timestamp", {}}}, {}};
  const PartitionSpec spec{0, {{1, 1000, "time_hour", "hour", {}}}};
  ManifestWriter writer(schema, spec, 1, Uuid{});
  ManifestFile row;
  row.path = "m";
  const auto copy = [&](const ManifestEntry& entry) -> Status { return writer.Add(entry); };
  if (ReadManifest(bytes, row, {}, copy).ok()) {
    const int64_t entries = writer.entries();
    auto finished = writer.Finish(1);
    if (!finished.ok()) std::abort();
    int64_t again = 0;
    const auto count = [&](const ManifestEntry&) -> Status {
      ++again;
      return {};
    };
    if (!ReadManifest(finished->bytes, finished->row, {}, count).ok() || again != entries) std::abort();
  }
  (void)ReadManifest(bytes, row, {false, 1}, [](const ManifestEntry&) -> Status { return {}; });
  if (auto rows = ReadManifestList(bytes); rows.ok()) {
    auto written = WriteManifestList(*rows, 1, 0, 1, Uuid{});
    if (!written.ok()) std::abort();
    auto again = ReadManifestList(*written);
    if (!again.ok() || again->size() != rows->size()) std::abort();
  }
  return 0;
}
