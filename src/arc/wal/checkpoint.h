// checkpoint.json: which lineage a log folder is, and up to where its records are needed no more.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/io/local_disk.h"
#include "arc/model/lsn.h"

namespace arc {

struct Checkpoint {
  Uuid lineage;
  Lsn logged;   // "wal_lsn": the log's files held everything up to here, synced, when this was written
  Lsn applied;  // "duckdb_lsn": visible to queries then; informative
  Lsn flushed;  // "iceberg_lsn": committed to tables, so replay starts above it
  int64_t wall_micros = 0;
};

std::string FormatCheckpoint(const Checkpoint& checkpoint);
Result<Checkpoint> ParseCheckpoint(std::string_view json);

// Nothing when the folder has none.
Result<std::optional<Checkpoint>> ReadCheckpoint(LocalDisk& disk, const std::string& folder);
// Durable when it returns.
Status WriteCheckpoint(LocalDisk& disk, const std::string& folder, const Checkpoint& checkpoint);

}  // namespace arc
