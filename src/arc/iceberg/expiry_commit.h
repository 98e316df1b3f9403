// A commit that only forgets: for tables that nothing is written to, whose old snapshots no other commit would expire.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/table_metadata.h"
#include "arc/io/object_store.h"

namespace arc {

// Writes the metadata file without the snapshots that the policy expires, on top of `current`, and returns what to
// commit, as PrepareAppend does; nothing when no snapshot expires. On error nothing stays behind.
Result<std::optional<PreparedCommit>> PrepareExpiry(ObjectStore& store, std::string_view current_location,
                                                    const TableMetadata& current, const AppendPolicy& policy,
                                                    int64_t now_ms, RandomSource& random = SystemRandom());

}  // namespace arc
