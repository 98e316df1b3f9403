// Bytes as table metadata: parsed, used, printed and parsed again to the same text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "arc/iceberg/schema_conversion.h"
#include "arc/iceberg/table_metadata.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace arc;
  auto metadata = ParseTableMetadata({reinterpret_cast<const char*>(data), size});
  if (!metadata.ok()) return 0;
  const std::string printed = TableMetadataJson(*metadata);
  auto again = ParseTableMetadata(printed);
  if (!again.ok() || TableMetadataJson(*again) != printed) std::abort();
  (void)FlushedLsn(*metadata, Uuid{});
  if (auto schema = ToArcSchema(*metadata); schema.ok()) {
    (void)AdoptSchema(*schema, &*metadata);
    (void)EnsureSpec(PartitionKind::kDay, &*metadata);
  }
  for (const auto& spec : metadata->partition_specs) (void)PartitionKindOf(*metadata, spec.spec_id);
  return 0;
}
