#include "arc/server/tiering_settings.h"

#include <charconv>
#include <deque>
#include <string_view>

#include "arc/io/object_store.h"
#include "arc/server/storage_settings.h"

namespace arc {
namespace {

constexpr std::string_view kStorage = "storage.";

std::vector<Setting> OwnSettings() {
  return {
      {.key = "tiering.enabled",
       .type = SettingType::kBool,
       .fallback = "false",
       .doc =
           "Move old data files to the cold store by the schedule ([tiering.md](tiering.md)). By hand it always can."},
      {.key = "tiering.backend",
       .type = SettingType::kChoice,
       .fallback = "none",
       .doc =
           "The cold store: a second `local` folder, `minio`, `s3`, `gcs` or `azure`. Tables with files in it need it "
           "as long as they have them, whether anything is moved or not.",
       .choices = {"none", "local", "minio", "s3", "gcs", "azure"}},
      {.key = "tiering.schedule",
       .fallback = "30 2 * * *",
       .doc = "When to look for old files: minute, hour, day of month, month, day of week (cron, UTC)."},
      {.key = "tiering.hot_age_days",
       .type = SettingType::kInt,
       .fallback = "30",
       .doc = "A file moves when its newest row is older.",
       .min = 0,
       .max = TieringOptions::kMaxDays},
      {.key = "tiering.hot_age_exceptions",
       .doc = "Other ages for some databases and measurements: `lake=90, lake/cpu=7`; names as in the store's folders, "
              "percent-encoded."},
      {.key = "tiering.max_concurrent_jobs",
       .type = SettingType::kInt,
       .fallback = "2",
       .doc = "Tables whose files are copied at the same time.",
       .min = 1,
       .max = 64},
      {.key = "tiering.local_path", .doc = "Folder of the cold store on local disk."},
      {.key = "tiering.prefix",
       .doc =
           "What every cold object's key begins with in a remote store; empty is the whole bucket. Must not lie within "
           "the tables' own place."},
  };
}

// Those of the stores have the names, types and choices of [storage].
std::vector<Setting> StoreSettings() {
  static std::deque<std::string> texts;  // settings are views
  std::vector<Setting> settings;
  for (Setting setting : StorageSettings()) {
    const std::string_view name = setting.key.substr(kStorage.size());
    if (name.find('.') == std::string_view::npos && name != "ca_file") continue;
    const bool is_place = name.ends_with(".bucket") || name.ends_with(".container");
    const bool is_text = setting.type == SettingType::kText;
    const std::string original(setting.key);
    setting.key = texts.emplace_back("tiering." + std::string(name));
    setting.doc = texts.emplace_back(is_place ? "As `" + original + "`, of the cold store."
                                              : "As `" + original + "`, which it is where not set.");
    if (is_text) setting.fallback = "";
    setting.names.clear();
    setting.dot_names.clear();
    settings.push_back(std::move(setting));
  }
  return settings;
}

Result<HotAge> ParseHotAge(std::string_view text) {
  const size_t equals = text.rfind('=');
  HotAge age;
  std::string_view name = text.substr(0, equals);
  const std::string_view days = equals == std::string_view::npos ? "" : text.substr(equals + 1);
  const auto [end, error] = std::from_chars(days.data(), days.data() + days.size(), age.days);
  if (error != std::errc() || end != days.data() + days.size() || age.days < 0 || age.days > TieringOptions::kMaxDays) {
    return InvalidArgument("'" + std::string(text) + "' is no name and number of days, such as lake/cpu=7");
  }
  const size_t slash = name.find('/');
  ARC_ASSIGN_OR_RETURN(age.database, DecodePathElement(name.substr(0, slash)));
  if (slash != std::string_view::npos) {
    ARC_ASSIGN_OR_RETURN(age.measurement, DecodePathElement(name.substr(slash + 1)));
  }
  return age;
}

}  // namespace

std::vector<Setting> TieringSettings() {
  std::vector<Setting> all = OwnSettings();
  for (auto& setting : StoreSettings()) all.push_back(std::move(setting));
  return all;
}

std::vector<std::string> TieringProblems(const Config& config) {
  std::vector<std::string> problems;
  const std::string& backend = config.Text("tiering.backend");
  if (const auto ages = ParseHotAges(config.Text("tiering.hot_age_exceptions")); !ages.ok()) {
    problems.push_back("tiering.hot_age_exceptions (" + EnvironmentName("tiering.hot_age_exceptions") +
                       "): " + ages.error().message);
  }
  if (backend == "none" && config.Bool("tiering.enabled")) {
    problems.push_back("tiering.backend (" + EnvironmentName("tiering.backend") + "): needed with tiering.enabled");
  }
  if (backend == "none") return problems;
  if (backend == "local" && config.Text("tiering.local_path").empty()) {
    problems.push_back("tiering.local_path (" + EnvironmentName("tiering.local_path") +
                       "): needed for tiering.backend = 'local'");
  }
  for (auto& problem : StoreProblems(StoreSection::OfCold(config))) problems.push_back(std::move(problem));
  return problems;
}

TieringOptions TieringOptionsOf(const Config& config) {
  TieringOptions options;
  options.enabled = config.Bool("tiering.enabled");
  options.schedule = config.Text("tiering.schedule");
  options.hot_age_days = config.Int("tiering.hot_age_days");
  options.max_jobs = static_cast<int>(config.Int("tiering.max_concurrent_jobs"));
  if (auto ages = ParseHotAges(config.Text("tiering.hot_age_exceptions")); ages.ok())
    options.exceptions = std::move(*ages);
  return options;
}

Result<std::vector<HotAge>> ParseHotAges(std::string_view text) {
  std::vector<HotAge> ages;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (part.empty()) continue;
    ARC_ASSIGN_OR_RETURN(auto age, ParseHotAge(part));
    ages.push_back(std::move(age));
  }
  return ages;
}

}  // namespace arc
