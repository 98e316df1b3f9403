// Writes small JSON documents: the answers of the status and token routes, and errors.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace arc {

// Builds one document from the outside in; commas are put by itself. The caller closes what it opens. A value.
class JsonText {
 public:
  JsonText& BeginObject() { return Open('{'); }
  JsonText& EndObject() { return Close('}'); }
  JsonText& BeginArray() { return Open('['); }
  JsonText& EndArray() { return Close(']'); }
  JsonText& Key(std::string_view name);

  JsonText& Value(std::string_view text);
  JsonText& Value(const char* text) { return Value(std::string_view(text)); }
  JsonText& Value(const std::string& text) { return Value(std::string_view(text)); }
  JsonText& Value(bool value) { return Raw(value ? "true" : "false"); }
  JsonText& Value(double value);  // null when not finite
  template <std::integral T>
    requires(!std::same_as<T, bool>)
  JsonText& Value(T value) {
    return Raw(std::to_string(value));
  }
  JsonText& Value(const std::vector<std::string>& texts);
  template <typename T>
  JsonText& Value(const std::optional<T>& value) {
    return value ? Value(*value) : Null();
  }
  JsonText& Null() { return Raw("null"); }
  // Already JSON.
  JsonText& Raw(std::string_view json);

  template <typename T>
  JsonText& Field(std::string_view name, const T& value) {
    return Key(name).Value(value);
  }
  const std::string& text() const { return text_; }
  std::string Take() { return std::move(text_); }

 private:
  JsonText& Open(char bracket);
  JsonText& Close(char bracket);
  void Comma();

  std::string text_;
  bool needs_comma_ = false;
};

}  // namespace arc
