#include "arc/http/json_text.h"

#include <charconv>
#include <cmath>

#include "arc/base/log.h"

namespace arc {

void JsonText::Comma() {
  if (needs_comma_) text_.push_back(',');
}

JsonText& JsonText::Open(char bracket) {
  Comma();
  text_.push_back(bracket);
  needs_comma_ = false;
  return *this;
}

JsonText& JsonText::Close(char bracket) {
  text_.push_back(bracket);
  needs_comma_ = true;
  return *this;
}

JsonText& JsonText::Key(std::string_view name) {
  Comma();
  AppendJsonString(name, &text_);
  text_.push_back(':');
  needs_comma_ = false;
  return *this;
}

JsonText& JsonText::Raw(std::string_view json) {
  Comma();
  text_.append(json);
  needs_comma_ = true;
  return *this;
}

JsonText& JsonText::Value(std::string_view text) {
  Comma();
  AppendJsonString(text, &text_);
  needs_comma_ = true;
  return *this;
}

JsonText& JsonText::Value(double value) {
  if (!std::isfinite(value)) return Null();
  char digits[32];
  auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  return Raw({digits, static_cast<size_t>(end - digits)});
}

JsonText& JsonText::Value(const std::vector<std::string>& texts) {
  BeginArray();
  for (const auto& text : texts) Value(std::string_view(text));
  return EndArray();
}

}  // namespace arc
