#include "arc/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace arc {

void CheckFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "arc: invariant broken: %s at %s:%d\n", condition, file, line);
  std::fflush(stderr);
  std::abort();
}

}  // namespace arc
