// How much memory the whole process holds, and how much it may.
#pragma once

#include <cstdint>

namespace arc {

// Memory of its own: files and libraries that are mapped do not count. 0 when the system does not say.
int64_t ProcessMemoryBytes();

}  // namespace arc
