// JSON that a client sent, read inside this room: what is wrong with it is kInvalidArgument. Not for public headers.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "arc/base/result.h"
#include "arc/iceberg/json_value.h"

namespace arc {

// A whole document.
Result<Json> ParseRequestJson(std::string_view text, std::string_view what);

// Members of one object. Errors name `what` and the member. The object outlives the reader.
class RequestFields {
 public:
  RequestFields(const Json& object, std::string_view what) : object_(object), what_(what) {}

  Result<std::string> Text(const char* name) const;
  Result<std::string> OptionalText(const char* name) const;  // empty when absent or null
  Result<int64_t> Int64(const char* name) const;
  Result<int32_t> Int32(const char* name) const;
  Result<std::optional<int64_t>> OptionalInt64(const char* name) const;
  Result<bool> OptionalBool(const char* name) const;  // false when absent or null
  Result<const Json*> Object(const char* name) const;
  Result<const Json*> Array(const char* name) const;
  Result<std::map<std::string, std::string>> TextMap(const char* name) const;  // empty when absent or null
  const Json* Find(const char* name) const;                                    // null when absent or null

 private:
  Error Wrong(const char* name, std::string_view expected) const;

  const Json& object_;
  const std::string what_;
};

}  // namespace arc
