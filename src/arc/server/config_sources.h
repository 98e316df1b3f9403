// The files that configuration comes from, as flat lists of texts. Private to `server`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "arc/base/result.h"

namespace arc {

struct SourceEntry {
  std::string name;    // TOML: "section.name"; .env: the variable
  std::string text;    // the value as text; TOML arrays of strings joined by commas
  std::string source;  // "arc.conf:12"
};

// TOML 1.0. Tables become dotted names. Dates and arrays of other things are refused. `label` names the file in
// messages and sources.
Result<std::vector<SourceEntry>> ReadTomlSettings(std::string_view text, const std::string& label);

// NAME=value lines, `#` comments, an optional `export`, single or double quotes; ` #` ends an unquoted value.
Result<std::vector<SourceEntry>> ReadDotenv(std::string_view text, const std::string& label);

// The text of a setting's value turned into its type.
struct ParsedSize {
  int64_t bytes = 0;
};
Result<ParsedSize> ParseSize(std::string_view text);

}  // namespace arc
