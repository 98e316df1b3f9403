#include "arc/server/config_sources.h"

#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include <charconv>
#include <cmath>
#include <sstream>

namespace arc {

namespace {

std::string At(const std::string& label, const toml::source_region& region) {
  return label + ":" + std::to_string(region.begin.line);
}

Result<std::string> ScalarText(const toml::node& node, const std::string& name, const std::string& place) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* integer = node.as_integer()) return std::to_string(integer->get());
  if (const auto* boolean = node.as_boolean()) return std::string(boolean->get() ? "true" : "false");
  if (const auto* number = node.as_floating_point()) {
    std::ostringstream text;
    text << number->get();
    return text.str();
  }
  return InvalidArgument(place + ": " + name + " must be text, a number, true or false");
}

Status Flatten(const toml::table& table, const std::string& prefix, const std::string& label,
               std::vector<SourceEntry>* entries) {
  for (const auto& [key, node] : table) {
    std::string name = prefix + std::string(key.str());
    std::string place = At(label, node.source());
    if (const auto* inner = node.as_table()) {
      ARC_RETURN_IF_ERROR(Flatten(*inner, name + ".", label, entries));
    } else if (const auto* list = node.as_array()) {
      std::string joined;
      for (const auto& element : *list) {
        ARC_ASSIGN_OR_RETURN(std::string text, ScalarText(element, name, place));
        if (!joined.empty()) joined += ",";
        joined += text;
      }
      entries->push_back({name, joined, place});
    } else {
      ARC_ASSIGN_OR_RETURN(std::string text, ScalarText(node, name, place));
      entries->push_back({name, text, place});
    }
  }
  return {};
}

std::string_view Trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r";
  size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

bool IsVariableName(std::string_view name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  for (char c : name) {
    bool good = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    if (!good) return false;
  }
  return true;
}

Result<std::string> DotenvValue(std::string_view text, const std::string& place) {
  if (text.empty() || (text[0] != '"' && text[0] != '\'')) {
    size_t comment = text.find(" #");
    if (!text.empty() && text[0] == '#') comment = 0;
    return std::string(Trim(text.substr(0, comment)));
  }
  const char quote = text[0];
  std::string value;
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == quote) {
      std::string_view rest = Trim(text.substr(i + 1));
      if (!rest.empty() && rest[0] != '#') return InvalidArgument(place + ": text after the closing quote");
      return value;
    }
    if (quote == '"' && text[i] == '\\' && i + 1 < text.size()) {
      char next = text[++i];
      value.push_back(next == 'n' ? '\n' : next == 't' ? '\t' : next);
    } else {
      value.push_back(text[i]);
    }
  }
  return InvalidArgument(place + ": the quote is not closed");
}

}  // namespace

Result<std::vector<SourceEntry>> ReadTomlSettings(std::string_view text, const std::string& label) {
  toml::parse_result parsed = toml::parse(text, label);
  if (!parsed) {
    return InvalidArgument(At(label, parsed.error().source()) + ": " + std::string(parsed.error().description()));
  }
  std::vector<SourceEntry> entries;
  ARC_RETURN_IF_ERROR(Flatten(parsed.table(), "", label, &entries));
  return entries;
}

Result<std::vector<SourceEntry>> ReadDotenv(std::string_view text, const std::string& label) {
  std::vector<SourceEntry> entries;
  int number = 0;
  while (!text.empty()) {
    size_t end = text.find('\n');
    std::string_view line = Trim(text.substr(0, end));
    text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    ++number;
    if (line.empty() || line[0] == '#') continue;
    const std::string place = label + ":" + std::to_string(number);
    if (line.starts_with("export ")) line = Trim(line.substr(7));
    size_t equals = line.find('=');
    std::string_view name = Trim(line.substr(0, equals));
    if (equals == std::string_view::npos || !IsVariableName(name)) {
      return InvalidArgument(place + ": expected NAME=value");
    }
    ARC_ASSIGN_OR_RETURN(std::string value, DotenvValue(Trim(line.substr(equals + 1)), place));
    entries.push_back({std::string(name), std::move(value), place});
  }
  return entries;
}

Result<ParsedSize> ParseSize(std::string_view text) {
  double number = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit;
  for (char c : Trim(std::string_view(rest, static_cast<size_t>(text.data() + text.size() - rest)))) {
    unit.push_back(static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
  }
  static constexpr std::pair<std::string_view, double> kUnits[] = {{"", 1},
                                                                   {"B", 1},
                                                                   {"K", 1e3},
                                                                   {"KB", 1e3},
                                                                   {"M", 1e6},
                                                                   {"MB", 1e6},
                                                                   {"G", 1e9},
                                                                   {"GB", 1e9},
                                                                   {"T", 1e12},
                                                                   {"TB", 1e12},
                                                                   {"KIB", 1024.0},
                                                                   {"MIB", 1048576.0},
                                                                   {"GIB", 1073741824.0},
                                                                   {"TIB", 1099511627776.0}};
  for (const auto& [name, factor] : kUnits) {
    if (unit != name) continue;
    double bytes = number * factor;
    if (error != std::errc() || !std::isfinite(bytes) || bytes < 0 || bytes > 9e18) break;
    return ParsedSize{static_cast<int64_t>(bytes)};
  }
  return InvalidArgument("not a size");
}

}  // namespace arc
