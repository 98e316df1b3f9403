// Times for people: "2026-01-31 14:05:00Z".
#pragma once

#include <cstdint>
#include <string>

namespace arc {

// Microseconds since 1970 UTC, cut to seconds.
std::string UtcSeconds(int64_t micros);
// "2026-01-31T14:05:00.123456Z" in the same form; other text is left as it is.
std::string WithoutFraction(std::string iso);

}  // namespace arc
