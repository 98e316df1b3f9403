#include "arc/http/influx_predicate.h"

#include <cctype>
#include <optional>

#include "arc/http/request_head.h"

namespace arc {
namespace {

constexpr std::string_view kMeasurement = "_measurement";

Error Malformed(std::string_view rest) {
  return InvalidArgument("the predicate must be like _measurement=\"cpu\" AND host=\"a\"; at: " +
                         std::string(rest.substr(0, 50)));
}

bool IsBlank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) { SkipBlanks(); }

  std::string_view rest() const { return rest_; }
  bool at_end() const { return rest_.empty(); }

  bool TakeEquals() {
    if (rest_.empty() || rest_.front() != '=') return false;
    rest_.remove_prefix(1);
    SkipBlanks();
    return true;
  }
  bool TakeAnd() {
    const auto word = TakeOperand();
    return word && EqualIgnoringCase(*word, "and");
  }
  // A name or a value.
  std::optional<std::string> TakeOperand() {
    if (rest_.empty()) return std::nullopt;
    std::string text;
    const char quote = rest_.front();
    if (quote == '"' || quote == '\'') {
      rest_.remove_prefix(1);
      while (!rest_.empty() && rest_.front() != quote) {
        if (rest_.front() == '\\' && rest_.size() > 1 && (rest_[1] == quote || rest_[1] == '\\')) {
          rest_.remove_prefix(1);
        }
        text.push_back(rest_.front());
        rest_.remove_prefix(1);
      }
      if (rest_.empty()) return std::nullopt;
      rest_.remove_prefix(1);
    } else {
      while (!rest_.empty() && !IsBlank(rest_.front()) && std::string_view("=!<>~\"'()").find(rest_.front()) == npos) {
        text.push_back(rest_.front());
        rest_.remove_prefix(1);
      }
      if (text.empty()) return std::nullopt;
    }
    SkipBlanks();
    return text;
  }

 private:
  static constexpr size_t npos = std::string_view::npos;
  void SkipBlanks() {
    while (!rest_.empty() && IsBlank(rest_.front())) rest_.remove_prefix(1);
  }
  std::string_view rest_;
};

}  // namespace

Result<InfluxPredicate> ParseInfluxPredicate(std::string_view text) {
  InfluxPredicate predicate;
  Reader reader(text);
  bool first = true;
  while (!reader.at_end()) {
    const std::string_view here = reader.rest();
    if (!first && !reader.TakeAnd()) return Malformed(here);
    first = false;
    auto name = reader.TakeOperand();
    if (!name || name->empty() || !reader.TakeEquals()) return Malformed(here);
    auto value = reader.TakeOperand();
    if (!value) return Malformed(here);
    if (*name == "_field" || *name == "_value" || *name == "_time") {
      return InvalidArgument("a delete cannot choose by " + *name);
    }
    if (*name != kMeasurement) {
      predicate.tags.emplace_back(std::move(*name), std::move(*value));
    } else if (value->empty() || !predicate.measurement.empty()) {
      return Malformed(here);
    } else {
      predicate.measurement = std::move(*value);
    }
  }
  return predicate;
}

}  // namespace arc
