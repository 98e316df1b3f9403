#include "arc/decode/utf8.h"

#include <simdjson.h>

namespace arc {

bool ValidUtf8AnyBytes(std::string_view text) { return simdjson::validate_utf8(text.data(), text.size()); }

}  // namespace arc
