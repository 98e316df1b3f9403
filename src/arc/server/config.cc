#include "arc/server/config.h"

#include <algorithm>
#include <charconv>

#include "arc/io/local_disk.h"
#include "arc/server/config_sources.h"
#include "arc/server/storage_settings.h"
#include "arc/server/tiering_settings.h"

namespace arc {

namespace {

constexpr std::string_view kDefaultConfigFile = "arc.conf";

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Names that orchestrators set by themselves for a service called "arc" or "wal", such as ARC_PORT=tcp://10.0.0.1:8000.
bool IsServiceVariable(std::string_view name, std::string_view text) {
  return text.starts_with("tcp://") || text.starts_with("udp://") || name.find("_SERVICE_") != std::string_view::npos ||
         name.find("_TCP_") != std::string_view::npos || name.find("_UDP_") != std::string_view::npos ||
         name.ends_with("_TCP") || name.ends_with("_UDP");
}

// Variables of these families belong to Arc, so a name nobody knows among them is a mistake.
bool IsArcFamily(std::string_view name) {
  for (std::string_view prefix : {"ARC_", "WAL_", "WRITE_BUFFER_", "QUERY_CACHE_", "COMPACTION_"}) {
    if (name.starts_with(prefix)) return true;
  }
  return false;
}

// Turns a text into the setting's type; false when it is none.
bool ParseValue(const Setting& setting, std::string_view text, ConfigValue* value) {
  value->text = text;
  switch (setting.type) {
    case SettingType::kText: return true;
    case SettingType::kBool: {
      std::string lower = Lower(text);
      bool yes = lower == "true" || lower == "1" || lower == "yes" || lower == "on";
      bool no = lower == "false" || lower == "0" || lower == "no" || lower == "off";
      value->boolean = yes;
      value->text = yes ? "true" : "false";
      return yes || no;
    }
    case SettingType::kInt: {
      const char* end = text.data() + text.size();
      auto [rest, error] = std::from_chars(text.data(), end, value->integer);
      return error == std::errc() && rest == end && value->integer >= setting.min && value->integer <= setting.max;
    }
    case SettingType::kSize: {
      Result<ParsedSize> size = ParseSize(text);
      if (!size.ok()) return false;
      value->integer = size->bytes;
      return value->integer >= setting.min && value->integer <= setting.max;
    }
    case SettingType::kChoice: {
      value->text = Lower(text);
      if (setting.key == "logging.level" && value->text == "critical") value->text = "error";  // Python's highest level
      if (setting.key == "logging.level" && value->text == "warn") value->text = "warning";
      const auto& choices = setting.choices;
      return std::find(choices.begin(), choices.end(), value->text) != choices.end();
    }
  }
  return false;
}

// Collects values and everything wrong with them, so that one start shows all mistakes.
class Loader {
 public:
  void Defaults() {
    for (const Setting& setting : AllSettings()) Fallback(setting, setting.fallback, "default");
  }

  void Set(const Setting& setting, std::string_view text, const std::string& source) {
    ConfigValue value;
    value.source = source;
    if (!ParseValue(setting, text, &value)) {
      const std::string shown = setting.secret ? "(hidden)" : "'" + std::string(text) + "'";
      Problem(source + ": " + std::string(setting.key) + " = " + shown + ", allowed: " + AllowedValues(setting));
      return;
    }
    values_[std::string(setting.key)] = std::move(value);
  }

  void Inert(const InertSetting& setting, std::string_view name, const std::string& source) {
    warnings_.push_back(source + ": " + std::string(name) + " has no effect: " + std::string(setting.reason));
  }

  void Problem(std::string problem) { problems_.push_back(std::move(problem)); }

  void FromToml(const std::vector<SourceEntry>& entries) {
    for (const SourceEntry& entry : entries) {
      if (const Setting* setting = FindSetting(entry.name)) {
        Set(*setting, entry.text, entry.source);
      } else if (const InertSetting* inert = FindInertSetting(entry.name)) {
        Inert(*inert, entry.name, entry.source);
      } else if (entry.name.ends_with(".database") && entry.name.starts_with("storage.")) {
        Inert(*FindInertSetting("storage.database"), entry.name, entry.source);
      } else {
        Problem(entry.source + ": unknown setting " + entry.name + "; did you mean " +
                std::string(NearestKey(entry.name)) + "?");
      }
    }
  }

  void FromVariable(const std::string& name, const std::string& text, const std::string& source, bool dotenv) {
    if (text.empty() || IsServiceVariable(name, text)) return;  // set to nothing is not set
    if (const Setting* setting = FindSettingByName(name, dotenv)) {
      Set(*setting, text, source);
    } else if (const InertSetting* inert = FindInertSettingByName(name)) {
      Inert(*inert, name, source);
    } else if (IsArcFamily(name) && !IsOtherArcVariable(name)) {
      Problem(source + ": unknown variable " + name + "; did you mean " + NearestName(name) + "?");
    }
  }

  // Some defaults differ without a log, where rows not yet flushed are rows at risk.
  void Resolve() {
    if (!problems_.empty()) return;
    bool logged = values_.at("wal.enabled").boolean && values_.at("wal.sync_mode").text != "off";
    if (logged) return;
    for (const Setting& setting : AllSettings()) {
      if (setting.fallback_without_wal.empty() || values_.at(std::string(setting.key)).source != "default") continue;
      Fallback(setting, setting.fallback_without_wal, "default without WAL");
    }
  }

  void Fallback(const Setting& setting, std::string_view text, const std::string& source) {
    ConfigValue value;
    value.source = source;
    ARC_CHECK(ParseValue(setting, text, &value));
    values_[std::string(setting.key)] = std::move(value);
  }

  std::map<std::string, ConfigValue, std::less<>> values_;
  std::vector<std::string> problems_;
  std::vector<std::string> warnings_;
};

Result<std::optional<std::string>> ReadIfThere(const std::string& path, bool must_exist) {
  ARC_ASSIGN_OR_RETURN(bool there, SystemDisk().Exists(path));
  if (!there && !must_exist) return std::optional<std::string>();
  if (!there) return NotFound("there is no configuration file " + path);
  ARC_ASSIGN_OR_RETURN(std::string text, ReadWholeFile(SystemDisk(), path));
  return std::optional<std::string>(std::move(text));
}

Error Unusable(const std::vector<std::string>& problems) {
  std::string message = "the configuration cannot be used:";
  for (const std::string& problem : problems) message += "\n  " + problem;
  return InvalidArgument(std::move(message));
}

std::string ConfigFileName(const ConfigInput& input, bool* chosen) {
  *chosen = true;
  if (input.config_file.has_value()) return *input.config_file;
  for (const char* name : {"ARC_CONFIG", "ARC_CONFIG_FILE"}) {
    auto found = input.environment.find(name);
    if (found != input.environment.end() && !found->second.empty()) return found->second;
  }
  *chosen = false;
  return std::string(kDefaultConfigFile);
}

}  // namespace

Result<Config> Config::Load(const ConfigInput& input, std::vector<std::string>* warnings) {
  Loader loader;
  loader.Defaults();

  bool chosen = false;
  const std::string file = ConfigFileName(input, &chosen);
  ARC_ASSIGN_OR_RETURN(std::optional<std::string> toml, ReadIfThere(file, chosen));
  if (toml.has_value()) {
    auto entries = ReadTomlSettings(*toml, file);
    if (entries.ok()) loader.FromToml(*entries);
    if (!entries.ok()) loader.Problem(entries.error().message);
  }
  if (!input.dotenv_file.empty()) {
    ARC_ASSIGN_OR_RETURN(std::optional<std::string> dotenv, ReadIfThere(input.dotenv_file, false));
    auto entries = ReadDotenv(dotenv.value_or(""), input.dotenv_file);
    if (!entries.ok()) loader.Problem(entries.error().message);
    if (entries.ok()) {
      for (const SourceEntry& entry : *entries) loader.FromVariable(entry.name, entry.text, entry.source, true);
    }
  }
  for (const auto& [name, text] : input.environment) loader.FromVariable(name, text, "environment " + name, false);
  for (const auto& [key, text] : input.command_line) {
    const std::string source = "command line";
    const Setting* setting = FindSetting(key);
    if (setting != nullptr) loader.Set(*setting, text, source);
    if (setting == nullptr && FindInertSetting(key) != nullptr) loader.Inert(*FindInertSetting(key), key, source);
    if (setting == nullptr && FindInertSetting(key) == nullptr) {
      loader.Problem(source + ": unknown setting " + key + "; did you mean " + std::string(NearestKey(key)) + "?");
    }
  }
  loader.Resolve();
  if (warnings != nullptr) *warnings = std::move(loader.warnings_);
  if (!loader.problems_.empty()) return Unusable(loader.problems_);
  Config config;
  config.values_ = std::move(loader.values_);
  auto problems = StoreProblems(StoreSection::OfTables(config));
  for (auto& problem : TieringProblems(config)) problems.push_back(std::move(problem));
  if (!problems.empty()) return Unusable(problems);
  return config;
}

const ConfigValue& Config::Value(std::string_view key) const {
  auto found = values_.find(key);
  ARC_CHECK(found != values_.end());
  return found->second;
}

bool Config::Bool(std::string_view key) const {
  ARC_CHECK(FindSetting(key) != nullptr && FindSetting(key)->type == SettingType::kBool);
  return Value(key).boolean;
}

int64_t Config::Int(std::string_view key) const {
  ARC_CHECK(FindSetting(key) != nullptr);
  SettingType type = FindSetting(key)->type;
  ARC_CHECK(type == SettingType::kInt || type == SettingType::kSize);
  return Value(key).integer;
}

const std::string& Config::Text(std::string_view key) const { return Value(key).text; }

}  // namespace arc
