// Broken invariants abort: the process state can no longer be trusted and the log will replay what was acknowledged.
#pragma once

namespace arc {

// Prints what was violated and where, then aborts. Thread-safe.
[[noreturn]] void CheckFailed(const char* condition, const char* file, int line);

}  // namespace arc

#define ARC_CHECK(condition)                              \
  do {                                                    \
    if (!(condition)) [[unlikely]]                        \
      ::arc::CheckFailed(#condition, __FILE__, __LINE__); \
  } while (false)
