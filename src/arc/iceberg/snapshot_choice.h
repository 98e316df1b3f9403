// Which snapshot of a table a reader means, and the table as it was then.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "arc/base/result.h"
#include "arc/iceberg/table_metadata.h"

namespace arc {

// By id or by name or, without both, the one that was current at a time.
struct SnapshotSelector {
  std::optional<int64_t> snapshot_id;
  std::string ref;        // a branch or tag; empty: none
  int64_t at_micros = 0;  // wall clock, µs since 1970
};

// "2025-10-16 14:05:09.123", in UTC.
std::string SnapshotTimeText(int64_t timestamp_ms);

// kNotFound, telling which snapshots there are and whether the wanted one has expired. The snapshot is the metadata's.
Result<const Snapshot*> ChooseSnapshot(const TableMetadata& metadata, const SnapshotSelector& selector);

// The metadata as if the snapshot, which is one of its own, were the current one, with its schema. kUnsupported when
// that schema is gone.
Result<TableMetadata> AsOfSnapshot(const TableMetadata& metadata, const Snapshot& snapshot);

}  // namespace arc
