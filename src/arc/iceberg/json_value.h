// JSON inside this room: nlohmann::json parsed within bounds, and field access that never throws. Not for public
// headers.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "arc/base/result.h"

namespace arc {

using Json = nlohmann::json;

// Parses a whole document; nesting deeper than 64 levels is refused (copying and printing recurse). kCorruption.
Result<Json> ParseJson(std::string_view text, std::string_view what);

// One line without spaces. Invalid UTF-8 becomes U+FFFD.
std::string PrintJson(const Json& value);

// Reads the members of one object. The first thing that is missing, of the wrong kind or out of range is remembered in
// the Error slot that all readers of a document share; what is read after that has no meaning.
class JsonFields {
 public:
  JsonFields(const Json& object, std::string_view what, std::optional<Error>* error);

  int64_t Int64(const char* name);
  int32_t Int32(const char* name);
  std::optional<int64_t> OptionalInt64(const char* name);  // absent and null are the same
  std::optional<int32_t> OptionalInt32(const char* name);
  std::string Text(const char* name);
  std::string OptionalText(const char* name);
  bool OptionalBool(const char* name);
  // The member, which must be an array (object); an empty one if it is absent or null and not required.
  const Json& Array(const char* name, bool required);
  const Json& Object(const char* name, bool required);
  // Null if absent.
  const Json* Find(const char* name) const;
  void Fail(std::string_view problem);

 private:
  const Json& object_;
  std::string what_;
  std::optional<Error>* error_;
};

}  // namespace arc
