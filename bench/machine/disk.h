// What the disk under a folder can do by itself, and what a folder takes on it.
#pragma once

#include <cstdint>
#include <string>

#include "arc/base/result.h"

namespace arc::bench {

struct DiskRates {
  double write_mb_per_s = 0;   // 256 MB in order, the final fdatasync included
  double fdatasync_per_s = 0;  // 4 KB written over within a file, each followed by fdatasync
  double fdatasync_p99_ms = 0;
};

// About two seconds.
Result<DiskRates> ProbeDisk(const std::string& folder);

struct DiskUse {
  int64_t bytes = 0;  // allocated, after a sync
  int64_t files = 0;
};

// Files under `folder` whose name ends in `suffix`; folders whose name begins with `skip` (when not empty) are left
// out.
Result<DiskUse> MeasureDiskUse(const std::string& folder, const std::string& suffix, const std::string& skip);

}  // namespace arc::bench
