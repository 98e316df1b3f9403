#include "arc/io/object_store.h"

namespace arc {
namespace {

constexpr char kHexDigits[] = "0123456789ABCDEF";

bool IsPlain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string EncodePathElement(std::string_view name) {
  if (name.empty()) return "%";
  std::string element;
  element.reserve(name.size());
  for (size_t i = 0; i < name.size(); ++i) {
    if (IsPlain(name[i]) && !(i == 0 && name[i] == '.')) {
      element += name[i];
      continue;
    }
    auto byte = static_cast<unsigned char>(name[i]);
    element += '%';
    element += kHexDigits[byte >> 4];
    element += kHexDigits[byte & 15];
  }
  return element;
}

Result<std::string> DecodePathElement(std::string_view element) {
  if (element == "%") return std::string();
  std::string name;
  name.reserve(element.size());
  for (size_t i = 0; i < element.size(); ++i) {
    if (element[i] != '%') {
      name += element[i];
      continue;
    }
    int high = i + 2 < element.size() ? HexDigit(element[i + 1]) : -1;
    int low = i + 2 < element.size() ? HexDigit(element[i + 2]) : -1;
    if (high < 0 || low < 0) return InvalidArgument("bad percent-encoding in \"" + std::string(element) + "\"");
    name += static_cast<char>(high * 16 + low);
    i += 2;
  }
  if (name.empty() || EncodePathElement(name) != element) {
    return InvalidArgument("\"" + std::string(element) + "\" is not a path element that Arc writes");
  }
  return name;
}

}  // namespace arc
