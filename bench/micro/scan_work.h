// Queries over hot rows, in process. Apart from the other work: DuckDB runs them on threads of its own.
#pragma once

#include <vector>

#include "work/work.h"

namespace arc::bench {

std::vector<Work> ScanWork();  // 256,000 hot rows, one thread of DuckDB

}  // namespace arc::bench
