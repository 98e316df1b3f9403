// The global order of changes: one number per (request, table) batch.
#pragma once

#include <compare>
#include <cstdint>

namespace arc {

// A position in one log lineage. 0 stands before the first change; numbers of different lineages do not compare.
struct Lsn {
  uint64_t value = 0;
  auto operator<=>(const Lsn&) const = default;
};

}  // namespace arc
