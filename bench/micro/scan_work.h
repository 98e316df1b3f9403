// Queries over hot rows, in process. Apart from the other work: DuckDB runs them on threads of its own.
#pragma once

#include <vector>

#include "work/work.h"

namespace arc::bench {

// 256,000 hot rows, one thread of DuckDB; and 100,000 files that are only planned with.
std::vector<Work> ScanWork();

}  // namespace arc::bench
