#include "arc/iceberg/json_value.h"

#include <limits>

namespace arc {
namespace {

constexpr int kMaxDepth = 64;

const Json& EmptyArray() {
  static const Json value = Json::array();
  return value;
}

const Json& EmptyObject() {
  static const Json value = Json::object();
  return value;
}

std::optional<int64_t> Integer(const Json& value) {
  if (value.is_number_unsigned()) {
    const auto number = value.get<uint64_t>();
    if (number > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) return std::nullopt;
    return static_cast<int64_t>(number);
  }
  if (value.is_number_integer()) return value.get<int64_t>();
  return std::nullopt;
}

// Brackets outside of strings, counted before parsing: much cheaper than asking the parser at every event.
bool NestedTooDeeply(std::string_view text) {
  int depth = 0;
  bool quoted = false;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '"') {
      quoted = !quoted;
    } else if (quoted) {
      at += c == '\\' ? 1 : 0;
    } else if (c == '[' || c == '{') {
      if (++depth > kMaxDepth) return true;
    } else if (c == ']' || c == '}') {
      --depth;
    }
  }
  return false;
}

}  // namespace

Result<Json> ParseJson(std::string_view text, std::string_view what) {
  if (NestedTooDeeply(text)) return Corruption(std::string(what) + " is nested too deeply");
  try {
    return Json::parse(text.begin(), text.end());
  } catch (const Json::exception& e) {
    return Corruption(std::string(what) + " is not JSON: " + e.what());
  }
}

std::string PrintJson(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

JsonFields::JsonFields(const Json& object, std::string_view what, std::optional<Error>* error)
    : object_(object.is_object() ? object : EmptyObject()), what_(what), error_(error) {
  if (!object.is_object()) Fail("is not an object");
}

void JsonFields::Fail(std::string_view problem) {
  if (!error_->has_value()) *error_ = Corruption("table metadata: " + what_ + " " + std::string(problem));
}

const Json* JsonFields::Find(const char* name) const {
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

std::optional<int64_t> JsonFields::OptionalInt64(const char* name) {
  const Json* value = Find(name);
  if (value == nullptr) return std::nullopt;
  const auto number = Integer(*value);
  if (!number) Fail(std::string("has no integer in ") + name);
  return number;
}

int64_t JsonFields::Int64(const char* name) {
  if (Find(name) == nullptr) Fail(std::string("lacks ") + name);
  return OptionalInt64(name).value_or(0);
}

std::optional<int32_t> JsonFields::OptionalInt32(const char* name) {
  const auto number = OptionalInt64(name);
  if (!number) return std::nullopt;
  if (*number < std::numeric_limits<int32_t>::min() || *number > std::numeric_limits<int32_t>::max()) {
    Fail(std::string("has a number out of range in ") + name);
    return std::nullopt;
  }
  return static_cast<int32_t>(*number);
}

int32_t JsonFields::Int32(const char* name) {
  if (Find(name) == nullptr) Fail(std::string("lacks ") + name);
  return OptionalInt32(name).value_or(0);
}

std::string JsonFields::OptionalText(const char* name) {
  const Json* value = Find(name);
  if (value == nullptr) return {};
  if (!value->is_string()) {
    Fail(std::string("has no string in ") + name);
    return {};
  }
  return value->get_ref<const std::string&>();
}

std::string JsonFields::Text(const char* name) {
  if (Find(name) == nullptr) Fail(std::string("lacks ") + name);
  return OptionalText(name);
}

bool JsonFields::OptionalBool(const char* name) {
  const Json* value = Find(name);
  if (value == nullptr) return false;
  if (!value->is_boolean()) {
    Fail(std::string("has no boolean in ") + name);
    return false;
  }
  return value->get<bool>();
}

const Json& JsonFields::Array(const char* name, bool required) {
  const Json* value = Find(name);
  if (value != nullptr && value->is_array()) return *value;
  if (value != nullptr || required) Fail(std::string("has no array in ") + name);
  return EmptyArray();
}

const Json& JsonFields::Object(const char* name, bool required) {
  const Json* value = Find(name);
  if (value != nullptr && value->is_object()) return *value;
  if (value != nullptr || required) Fail(std::string("has no object in ") + name);
  return EmptyObject();
}

}  // namespace arc
