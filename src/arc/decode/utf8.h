// Whether bytes are UTF-8, fast for the short ASCII texts that fill rows.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace arc {

// Any length, any bytes.
bool ValidUtf8AnyBytes(std::string_view text);

// How many bytes stand before the first that is not UTF-8 (or the end).
size_t ValidUtf8Prefix(std::string_view text);

inline bool ValidUtf8(std::string_view text) {
  const char* p = text.data();
  size_t left = text.size();
  uint64_t seen = 0;
  for (; left >= 8; p += 8, left -= 8) {
    uint64_t word;
    std::memcpy(&word, p, 8);
    seen |= word;
  }
  for (; left > 0; ++p, --left) seen |= static_cast<uint8_t>(*p);
  return (seen & 0x8080808080808080) == 0 || ValidUtf8AnyBytes(text);
}

}  // namespace arc
