#include <algorithm>
#include <array>

#include "arc/server/config.h"

namespace arc {

namespace {

void Pad(std::string* line, size_t width) {
  if (line->size() < width) line->append(width - line->size(), ' ');
}

std::string Shown(const Setting& setting, const ConfigValue& value) {
  if (setting.secret && !value.text.empty()) return "(hidden)";
  if (setting.type == SettingType::kText || setting.type == SettingType::kChoice) return '"' + value.text + '"';
  return value.text;
}

void AppendSetting(const Setting& setting, std::string* out) {
  out->append("| `").append(setting.key).append("` | ");
  std::string fallback(setting.fallback);
  out->append(fallback.empty() ? "empty" : "`" + fallback + "`");
  if (!setting.fallback_without_wal.empty()) {
    out->append(" (`").append(setting.fallback_without_wal).append("` without WAL)");
  }
  out->append(" | ").append(AllowedValues(setting)).append(" | `").append(EnvironmentName(setting.key)).append("`");
  for (std::string_view name : setting.names) out->append(", `").append(name).append("`");
  for (std::string_view name : setting.dot_names) out->append(", `").append(name).append("` (`.env` only)");
  out->append(" | ").append(setting.doc).append(" |\n");
}

constexpr std::string_view kIntroduction = R"(# Configuration

Arc starts without any configuration: tables on the local disk under `./data`, port 8000, a generated admin token.
Settings are read from four places, later ones winning:

1. `arc.conf` in the working directory (TOML), or the file named by `--config` or `ARC_CONFIG_FILE`;
2. `.env` in the working directory (`NAME=value` lines);
3. the environment;
4. the command line: `--host`, `--port`, `--data-dir`, `--log-level`, and `--set section.name=value` for everything.

A value that is not allowed, or a setting nobody knows, refuses to start and says what is allowed or which name is
nearest. `arc config show` prints every value and where it came from. This page is made by `arc config reference`.

```toml
[server]
port = 8000

[storage]
data_dir = "/var/lib/arc"

[wal]
sync_mode = "fdatasync"

[ingestion]
memory_mb = 2048
```

Every setting has an environment variable made from its key: `wal.sync_mode` is `ARC_WAL_SYNC_MODE`. Some have shorter or
older names too.
)";

constexpr std::string_view kCommandVariables = R"(
## Variables of the command line

| variable | for |
| --- | --- |
| `ARC_TOKEN` | token of `arc sql` and `arc token` |
| `ARC_URL` | server of `arc sql` and `arc token` |
| `ARC_DATABASE` | database of `arc sql` |
| `ARC_CONFIG_FILE`, `ARC_CONFIG` | the configuration file |

## Accepted without effect

Settings of the Python Arc that mean nothing here. They are accepted with a warning, so that its files and
environments can be used as they are.

| setting | variables | why |
| --- | --- | --- |
)";

}  // namespace

std::string RenderConfig(const Config& config) {
  std::vector<std::array<std::string, 3>> rows;
  size_t widths[2] = {0, 0};
  for (const Setting& setting : AllSettings()) {
    const ConfigValue& value = config.Value(setting.key);
    rows.push_back({std::string(setting.key), Shown(setting, value), value.source});
    for (size_t i = 0; i < 2; ++i) widths[i] = std::max(widths[i], rows.back()[i].size());
  }
  std::string out;
  for (const auto& [key, value, source] : rows) {
    std::string line = key;
    Pad(&line, widths[0] + 2);
    line += value;
    Pad(&line, widths[0] + 2 + widths[1] + 2);
    out += line + source + "\n";
  }
  return out;
}

std::string RenderConfigReference() {
  std::string out(kIntroduction);
  std::string section;
  for (const Setting& setting : AllSettings()) {
    std::string its_section(setting.key.substr(0, setting.key.find('.')));
    if (its_section != section) {
      section = its_section;
      out += "\n## [" + section +
             "]\n\n| setting | default | allowed | environment | |\n| --- | --- | --- | --- | --- |\n";
    }
    AppendSetting(setting, &out);
  }
  out += kCommandVariables;
  for (const InertSetting& setting : InertSettings()) {
    out.append("| `").append(setting.key).append(setting.key.ends_with('.') ? "*` | " : "` | ");
    for (size_t i = 0; i < setting.names.size(); ++i) {
      out.append(i == 0 ? "`" : ", `").append(setting.names[i]).append("`");
    }
    out.append(" | ").append(setting.reason).append(" |\n");
  }
  return out;
}

}  // namespace arc
