// The effective configuration: arc.conf < .env < environment < command line, checked, each value with its source.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arc/base/result.h"
#include "arc/server/settings.h"

namespace arc {

// One value of one setting.
struct ConfigValue {
  std::string text;    // as written, choices in lower case
  std::string source;  // "default", "arc.conf:12", ".env:3", "environment WAL_DIR", "command line --port"
  bool boolean = false;
  int64_t integer = 0;  // kInt; kSize in bytes
};

// Where the configuration is read from; a value, so that tests need no process environment.
struct ConfigInput {
  std::optional<std::string> config_file;          // must exist when given; else ./arc.conf if it is there
  std::string dotenv_file = ".env";                // read if it is there; empty: none
  std::map<std::string, std::string> environment;  // the process's
  std::vector<std::pair<std::string, std::string>> command_line;  // key or --option name -> text, later ones win
};

// Immutable once loaded.
class Config {
 public:
  // kInvalidArgument with one line per problem: source, key, value and what is allowed. Fills `warnings` with lines
  // about accepted settings that have no effect.
  static Result<Config> Load(const ConfigInput& input, std::vector<std::string>* warnings);

  // By key of the settings table; an unknown key is a bug.
  bool Bool(std::string_view key) const;
  int64_t Int(std::string_view key) const;  // kInt and kSize
  const std::string& Text(std::string_view key) const;
  const ConfigValue& Value(std::string_view key) const;

 private:
  std::map<std::string, ConfigValue, std::less<>> values_;  // every setting
};

// Key, value and source of every setting in columns; secrets are masked.
std::string RenderConfig(const Config& config);
// docs/configuration.md.
std::string RenderConfigReference();

}  // namespace arc
