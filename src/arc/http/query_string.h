// URL query strings and form bodies: name=value pairs, percent-decoded.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace arc {

// Decodes %XX; '+' becomes a blank when `plus_is_blank` (queries and forms, not paths). A stray '%' stands for itself.
std::string PercentDecode(std::string_view text, bool plus_is_blank);

// Pairs in the order sent; at most 100, more are ignored. A value.
class QueryString {
 public:
  QueryString() = default;
  // "a=1&b=2", as behind '?' or in an application/x-www-form-urlencoded body.
  explicit QueryString(std::string_view text) { Parse(text); }
  void Parse(std::string_view text);  // adds to what is there
  // The first value so named; names are case-sensitive.
  std::optional<std::string_view> Find(std::string_view name) const;
  std::string_view Get(std::string_view name) const { return Find(name).value_or(std::string_view()); }

 private:
  std::vector<std::pair<std::string, std::string>> pairs_;
};

}  // namespace arc
