// Which tables are flushed together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "arc/catalog/table.h"

namespace arc {

// Small tables share the syncs of their files and the transaction of their pointers, which cost them more than their
// rows do. A group is small enough that its rows leave memory soon and that threads can share many tables.
inline constexpr int64_t kSmallTableBytes = 1 << 20;
inline constexpr size_t kTablesPerGroup = 64;
inline constexpr int64_t kBytesPerGroup = 8 << 20;

using TableGroup = std::vector<std::shared_ptr<Table>>;

// Groups of small tables, and each larger table by itself, in the order given.
std::vector<TableGroup> GroupForFlush(std::vector<std::shared_ptr<Table>> tables);

}  // namespace arc
