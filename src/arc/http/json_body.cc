#include "arc/http/json_body.h"

#include "arc/http/body_buffer.h"

namespace arc {

namespace ondemand = simdjson::ondemand;

Error WrongKey(std::string_view key, std::string_view expected) {
  return InvalidArgument("\"" + std::string(key) + "\" must be " + std::string(expected));
}

Status ForEachKey(std::string_view body, std::string_view example,
                  const std::function<Status(const std::string& key, JsonValue value)>& read) {
  static thread_local ondemand::parser parser;
  ondemand::document document;
  ondemand::object object;
  simdjson::padded_string_view text(body.data(), body.size(), body.size() + kBodyPadding);
  if (parser.iterate(text).get(document) != simdjson::SUCCESS ||
      document.get_object().get(object) != simdjson::SUCCESS) {
    return InvalidArgument("the body must be a JSON object like " + std::string(example));
  }
  for (auto field : object) {
    std::string_view key;
    JsonValue value;
    bool null = false;
    if (field.unescaped_key().get(key) != simdjson::SUCCESS || field.value().get(value) != simdjson::SUCCESS ||
        value.is_null().get(null) != simdjson::SUCCESS) {
      return InvalidArgument("the body is not valid JSON");
    }
    // The key stands in the parser's scratch memory, which reading the value may reuse.
    if (!null) ARC_RETURN_IF_ERROR(read(std::string(key), value));
  }
  const char* at = nullptr;
  if (document.current_location().get(at) == simdjson::SUCCESS) {
    return InvalidArgument("the body is not valid JSON: something follows the object");
  }
  return {};
}

Result<std::string> JsonString(std::string_view key, JsonValue value) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return WrongKey(key, "a string");
  return std::string(text);
}

Result<bool> JsonFlag(std::string_view key, JsonValue value) {
  bool flag = false;
  if (value.get_bool().get(flag) != simdjson::SUCCESS) return WrongKey(key, "true or false");
  return flag;
}

Result<int64_t> JsonInteger(std::string_view key, JsonValue value, int64_t least, int64_t most) {
  int64_t number = 0;
  if (value.get_int64().get(number) != simdjson::SUCCESS || number < least || number > most) {
    return WrongKey(key, "an integer from " + std::to_string(least) + " to " + std::to_string(most));
  }
  return number;
}

Result<std::vector<std::string>> JsonStrings(std::string_view key, JsonValue value) {
  std::vector<std::string> texts;
  ondemand::array array;
  if (value.get_array().get(array) != simdjson::SUCCESS) return WrongKey(key, "a list of strings");
  for (auto item : array) {
    std::string_view text;
    if (item.get_string().get(text) != simdjson::SUCCESS) return WrongKey(key, "a list of strings");
    texts.emplace_back(text);
  }
  return texts;
}

}  // namespace arc
