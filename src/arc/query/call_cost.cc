#include "arc/query/call_cost.h"

#include <algorithm>
#include <vector>

namespace arc {
namespace {

bool IsDigit(char byte) { return byte >= '0' && byte <= '9'; }

// The number at `*at`, which is moved behind it.
double ReadNumber(std::string_view text, size_t* at) {
  double value = 0;
  while (*at < text.size() && IsDigit(text[*at])) value = value * 10 + (text[(*at)++] - '0');
  return value;
}

}  // namespace

FormatCost CostOfFormat(std::string_view format) {
  FormatCost cost;
  int depth = 0;
  for (size_t i = 0; i < format.size();) {
    const char byte = format[i];
    if (depth == 0 && byte == '{' && i + 1 < format.size() && format[i + 1] == '{') {
      i += 2;
    } else if (byte == '{') {
      if (++depth == 1) ++cost.places;
      cost.takes_widths = cost.takes_widths || depth > 1;
      ++i;
    } else if (byte == '}') {
      depth = std::max(0, depth - 1);
      ++i;
    } else if (depth > 0 && IsDigit(byte)) {
      cost.bytes += ReadNumber(format, &i);
    } else {
      ++i;
    }
  }
  return cost;
}

FormatCost CostOfPrintf(std::string_view format) {
  static constexpr std::string_view kBeforeConversion = "0123456789.*$+-# '";
  FormatCost cost;
  for (size_t i = 0; i < format.size();) {
    if (format[i++] != '%') continue;
    ++cost.places;
    while (i < format.size() && kBeforeConversion.find(format[i]) != std::string_view::npos) {
      cost.takes_widths = cost.takes_widths || format[i] == '*';
      if (IsDigit(format[i])) {
        cost.bytes += ReadNumber(format, &i);
      } else {
        ++i;
      }
    }
    // `%%`, and whatever stands for the kind of value.
    if (i < format.size()) ++i;
  }
  return cost;
}

double SizeOfRegex(std::string_view pattern) {
  struct Group {
    double size = 0;  // of what stands in it so far
    double last = 0;  // of its last element, which a repetition repeats
  };
  std::vector<Group> groups(1);
  auto add = [&](double size) {
    groups.back().size += size;
    groups.back().last = size;
  };
  for (size_t i = 0; i < pattern.size();) {
    const char byte = pattern[i++];
    if (byte == '\\') {
      ++i;
      add(1);
    } else if (byte == '(') {
      groups.emplace_back();
    } else if (byte == ')' && groups.size() > 1) {
      const double size = groups.back().size + 2;
      groups.pop_back();
      add(size);
    } else if (byte == '[') {
      // A bracket right behind the opening one belongs to the set.
      i = pattern.find(']', i + 1);
      i = i == std::string_view::npos ? pattern.size() : i + 1;
      add(1);
    } else if (byte == '{' && i < pattern.size() && IsDigit(pattern[i])) {
      double times = ReadNumber(pattern, &i);
      if (i < pattern.size() && pattern[i] == ',') times = std::max(times + 1, ReadNumber(pattern, &++i));
      if (i < pattern.size() && pattern[i] == '}') ++i;
      Group& group = groups.back();
      group.size += group.last * std::max(0.0, times - 1);
      group.last *= std::max(1.0, times);
    } else {
      add(1);
    }
  }
  double size = 0;
  for (const Group& group : groups) size += group.size;
  return size;
}

double CountGroupReferences(std::string_view replacement) {
  double count = 0;
  for (size_t i = 0; i + 1 < replacement.size(); ++i) {
    if (replacement[i] != '\\') continue;
    if (IsDigit(replacement[++i])) ++count;
  }
  return count;
}

double DepthOfJson(std::string_view text) {
  int64_t depth = 0;
  int64_t deepest = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char byte = text[i];
    if (quoted) {
      if (byte == '\\') ++i;
      quoted = byte != '"';
    } else if (byte == '"') {
      quoted = true;
    } else if (byte == '[' || byte == '{') {
      deepest = std::max(deepest, ++depth);
    } else if (byte == ']' || byte == '}') {
      --depth;
    }
  }
  return static_cast<double>(deepest);
}

}  // namespace arc
