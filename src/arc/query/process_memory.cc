#include "arc/query/process_memory.h"

#include <unistd.h>

#include <cstdio>
#include <memory>

namespace arc {

int64_t ProcessMemoryBytes() {
  std::unique_ptr<FILE, int (*)(FILE*)> file{std::fopen("/proc/self/statm", "r"), std::fclose};
  long resident = 0;
  long shared = 0;
  if (!file || std::fscanf(file.get(), "%*d %ld %ld", &resident, &shared) != 2) return 0;
  return int64_t{resident - shared} * sysconf(_SC_PAGESIZE);
}

}  // namespace arc
