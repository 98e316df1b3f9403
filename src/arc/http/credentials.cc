#include "arc/http/credentials.h"

#include <cstdint>
#include <string_view>

namespace arc {
namespace {

std::string_view Trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

int Base64Value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

// RFC 4648, standard or URL alphabet, padding optional; empty when it is not base64.
std::string Base64Decode(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  for (char c : text) {
    int value = Base64Value(c);
    if (value < 0) return {};
    bits = bits << 6 | static_cast<uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>(bits >> count & 0xff));
    }
  }
  return out;
}

}  // namespace

std::string FindToken(const RequestHead& head, const QueryString& query) {
  std::string_view authorization = head.Find("authorization");
  auto blank = authorization.find(' ');
  if (blank != std::string_view::npos) {
    std::string_view scheme = authorization.substr(0, blank);
    std::string_view rest = Trim(authorization.substr(blank + 1));
    if (EqualIgnoringCase(scheme, "bearer") || EqualIgnoringCase(scheme, "token")) return std::string(rest);
    if (EqualIgnoringCase(scheme, "basic")) {
      std::string pair = Base64Decode(rest);
      auto colon = pair.find(':');
      if (colon != std::string::npos && colon + 1 < pair.size()) return pair.substr(colon + 1);
      return pair.substr(0, colon);
    }
  }
  if (auto key = head.Find("x-api-key"); !key.empty()) return std::string(key);
  return std::string(query.Get("p"));
}

}  // namespace arc
