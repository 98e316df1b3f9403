#include "arc/iceberg/request_json.h"

#include <limits>

namespace arc {

Result<Json> ParseRequestJson(std::string_view text, std::string_view what) {
  auto json = ParseJson(text, what);
  if (!json.ok()) return InvalidArgument(json.error().message);
  return json;
}

Error RequestFields::Wrong(const char* name, std::string_view expected) const {
  return InvalidArgument(what_ + " has no " + std::string(expected) + " in " + name);
}

const Json* RequestFields::Find(const char* name) const {
  if (!object_.is_object()) return nullptr;
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

Result<std::string> RequestFields::Text(const char* name) const {
  const Json* value = Find(name);
  if (value == nullptr || !value->is_string()) return Wrong(name, "string");
  return value->get_ref<const std::string&>();
}

Result<std::string> RequestFields::OptionalText(const char* name) const {
  if (Find(name) == nullptr) return std::string();
  return Text(name);
}

Result<std::optional<int64_t>> RequestFields::OptionalInt64(const char* name) const {
  const Json* value = Find(name);
  if (value == nullptr) return std::optional<int64_t>();
  if (!value->is_number_integer()) return Wrong(name, "integer");
  if (value->is_number_unsigned() && value->get<uint64_t>() > uint64_t{std::numeric_limits<int64_t>::max()}) {
    return Wrong(name, "integer of 64 bits");
  }
  return std::optional<int64_t>(value->get<int64_t>());
}

Result<int64_t> RequestFields::Int64(const char* name) const {
  ARC_ASSIGN_OR_RETURN(const auto value, OptionalInt64(name));
  if (!value) return Wrong(name, "integer");
  return *value;
}

Result<int32_t> RequestFields::Int32(const char* name) const {
  ARC_ASSIGN_OR_RETURN(const int64_t value, Int64(name));
  if (value < std::numeric_limits<int32_t>::min() || value > std::numeric_limits<int32_t>::max()) {
    return Wrong(name, "integer of 32 bits");
  }
  return static_cast<int32_t>(value);
}

Result<bool> RequestFields::OptionalBool(const char* name) const {
  const Json* value = Find(name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) return Wrong(name, "boolean");
  return value->get<bool>();
}

Result<const Json*> RequestFields::Object(const char* name) const {
  const Json* value = Find(name);
  if (value == nullptr || !value->is_object()) return Wrong(name, "object");
  return value;
}

Result<const Json*> RequestFields::Array(const char* name) const {
  const Json* value = Find(name);
  if (value == nullptr || !value->is_array()) return Wrong(name, "array");
  return value;
}

Result<std::map<std::string, std::string>> RequestFields::TextMap(const char* name) const {
  std::map<std::string, std::string> texts;
  const Json* value = Find(name);
  if (value == nullptr) return texts;
  if (!value->is_object()) return Wrong(name, "object");
  for (const auto& [key, text] : value->items()) {
    if (!text.is_string()) return Wrong(name, "string under \"" + key + "\"");
    texts.emplace(key, text.get_ref<const std::string&>());
  }
  return texts;
}

}  // namespace arc
