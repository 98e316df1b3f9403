// Request bodies that are one JSON object, read key by key with simdjson.
#pragma once

#include <simdjson.h>

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"

namespace arc {

using JsonValue = simdjson::ondemand::value;

// Calls `read` for each key whose value is not null; stops at its first error. `body` has kBodyPadding readable bytes
// behind it. kInvalidArgument when the body is no JSON object, with `example` of what it should be.
Status ForEachKey(std::string_view body, std::string_view example,
                  const std::function<Status(const std::string& key, JsonValue value)>& read);

// The value as the type, or kInvalidArgument naming the key and what it must be.
Result<std::string> JsonString(std::string_view key, JsonValue value);
Result<bool> JsonFlag(std::string_view key, JsonValue value);
Result<int64_t> JsonInteger(std::string_view key, JsonValue value, int64_t least, int64_t most);
Result<std::vector<std::string>> JsonStrings(std::string_view key, JsonValue value);
Error WrongKey(std::string_view key, std::string_view expected);

}  // namespace arc
