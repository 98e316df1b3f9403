// The group that `arc wal repair` puts where damaged bytes were: an empty stream of kind "lost" that names the LSNs
// which are gone and fills the gap, so that every reader walks past it.
#pragma once

#include <cstdint>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/model/lsn.h"

namespace arc {

struct LostGroup {
  Uuid lineage;
  Lsn first;
  Lsn last;
  uint64_t epoch = 0;
  int64_t offset = 0;
  int64_t bytes = 0;  // exactly; 0: as few as possible
};

// Without end marker. kUnsupported when `bytes` is too small or no multiple of 8.
Result<std::vector<uint8_t>> EncodeLostGroup(const LostGroup& lost);

}  // namespace arc
