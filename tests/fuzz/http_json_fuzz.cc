// Any bytes as the JSON object of a request, every value read as every type.
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "arc/http/body_buffer.h"
#include "arc/http/json_body.h"
#include "arc/http/time_text.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::vector<char> padded(size + arc::kBodyPadding);
  if (size > 0) std::memcpy(padded.data(), data, size);
  const std::string_view body(padded.data(), size);
  (void)arc::ForEachKey(body, "{}", [](const std::string& key, arc::JsonValue value) -> arc::Status {
    switch (key.empty() ? 0 : key[0]) {
      case 's': {
        ARC_ASSIGN_OR_RETURN(std::string text, arc::JsonString(key, value));
        (void)arc::ParseTime(text);
        return {};
      }
      case 'f': {
        ARC_ASSIGN_OR_RETURN([[maybe_unused]] bool flag, arc::JsonFlag(key, value));
        return {};
      }
      case 'i': {
        ARC_ASSIGN_OR_RETURN([[maybe_unused]] int64_t number, arc::JsonInteger(key, value, -5, 1'000'000));
        return {};
      }
      case 'l': {
        ARC_ASSIGN_OR_RETURN([[maybe_unused]] auto texts, arc::JsonStrings(key, value));
        return {};
      }
      default: return {};
    }
  });
  return 0;
}
