#include "arc/decode/utf8.h"

#include <simdjson.h>

namespace arc {

bool ValidUtf8AnyBytes(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

size_t ValidUtf8Prefix(std::string_view text) {
  // Halving finds the last block that is sound; a block may be cut only before a leading byte.
  const auto cut = [&](size_t at) {
    while (at > 0 && at < text.size() && (static_cast<uint8_t>(text[at]) & 0xC0) == 0x80) --at;
    return at;
  };
  size_t sound = 0, end = text.size();
  if (ValidUtf8(text)) return end;
  while (end - sound > 4) {
    const size_t middle = cut(sound + (end - sound) / 2);
    if (middle == sound) break;
    if (ValidUtf8(text.substr(sound, middle - sound))) {
      sound = middle;
    } else {
      end = middle;
    }
  }
  for (size_t size = 1; size <= 4 && sound + size <= end; ++size) {
    if (ValidUtf8(text.substr(sound, size))) {
      sound += size;
      size = 0;
    }
  }
  return sound;
}

}  // namespace arc
