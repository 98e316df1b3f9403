// Every setting of the server, once: arc.conf, `.env`, the environment, the command line, `arc config show` and
// docs/configuration.md are all derived from this table.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace arc {

enum class SettingType {
  kBool,    // true, false (also 1, 0, yes, no, on, off in the environment)
  kInt,     // within [min, max]
  kSize,    // bytes: 0, 4096, 512MB, 2.8GB, 1GiB; within [min, max] bytes
  kText,    //
  kChoice,  // one of `choices`, compared without case
};

// One row. Views point to static text.
struct Setting {
  std::string_view key;  // "section.name" as in arc.conf
  SettingType type = SettingType::kText;
  std::string_view fallback = {};                // the default, written as in the environment
  std::string_view doc;                          // one or two sentences, Markdown
  int64_t min = 0;                               // kInt, kSize
  int64_t max = 0;                               //
  std::vector<std::string_view> choices = {};    // kChoice
  std::vector<std::string_view> names = {};      // further environment variables besides EnvironmentName()
  std::vector<std::string_view> dot_names = {};  // names honoured in .env only: too general for the environment
  std::string_view fallback_without_wal = {};    // the default when wal.enabled is false, where it differs
  bool secret = false;                           // never shown
};

// A setting of the Python Arc that has no effect here: accepted, with a warning that says why.
struct InertSetting {
  std::string_view key;                      // "section.name", or "section." for a whole section
  std::vector<std::string_view> names = {};  // environment variables
  std::string_view reason;                   // completes "has no effect: …"
};

const std::vector<Setting>& AllSettings();
const std::vector<InertSetting>& InertSettings();

// ARC_ and the key in capitals: wal.sync_mode is ARC_WAL_SYNC_MODE.
std::string EnvironmentName(std::string_view key);

const Setting* FindSetting(std::string_view key);
const InertSetting* FindInertSetting(std::string_view key);
// By environment variable; `dotenv` also finds dot_names.
const Setting* FindSettingByName(std::string_view name, bool dotenv);
const InertSetting* FindInertSettingByName(std::string_view name);

// Environment variables that Arc reads without being settings ("ARC_TOKEN" of the command line, "ARC_BINARY" of the
// tests, …).
bool IsOtherArcVariable(std::string_view name);

// The known key, or environment variable, that is spelled most like `name`.
std::string_view NearestKey(std::string_view key);
std::string NearestName(std::string_view name);

// "1 to 65535", "true or false", "one of a, b": for messages and the reference.
std::string AllowedValues(const Setting& setting);

}  // namespace arc
