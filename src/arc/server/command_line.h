// What the user asked for: the arguments of `arc`, parsed into values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "arc/base/result.h"
#include "arc/transfer/piece_reader.h"

namespace arc {

// Options that any command working on a configuration or data folder takes.
struct ConfigArguments {
  std::optional<std::string> file;
  std::vector<std::pair<std::string, std::string>> settings;  // key -> text, in order
};

// Which server to talk to, and as whom.
struct ServerArguments {
  std::string url;    // empty: ARC_URL, then the server of the data folder, then this machine's port 8000
  std::string token;  // empty: ARC_TOKEN, then a short-lived one made in the data folder
};

struct ServeCommand {
  ConfigArguments config;
};

enum class SqlFormat { kTable, kCsv, kJson, kArrow };

struct SqlCommand {
  ConfigArguments config;
  ServerArguments server;
  std::string sql;  // empty or "-": read from standard input
  std::string database;
  SqlFormat format = SqlFormat::kTable;
  int64_t max_rows = 1000;  // shown in a table
};

struct WriteCommand {
  ConfigArguments config;
  ServerArguments server;
  std::string file;
  std::string database;
  std::string measurement;           // CSV, Parquet, Arrow; empty: the file's name without its suffixes
  std::optional<FileFormat> format;  // absent: by the file's name
  std::string precision;             // empty: the server's default for the format
  std::optional<std::string> tags;   // names, separated by commas
  std::string time_column;
  std::string delimiter;  // one byte or "tab"; empty: a comma, for .tsv a tab
  int64_t batch_rows = 50'000;
  bool restart = false;  // from the file's beginning, whatever an interrupted run left
};

struct TokenCommand {
  enum class Action { kCreate, kList, kRevoke };
  Action action = Action::kList;
  ConfigArguments config;
  ServerArguments server;
  std::string name;  // of the new token; name or id to revoke
  std::string description;
  bool read = false;
  bool write = false;
  bool admin = false;
  std::vector<std::string> databases;
  int64_t expires_in_seconds = 0;  // 0: never
};

struct ConfigCommand {
  enum class Action { kShow, kReference };
  Action action = Action::kShow;
  ConfigArguments config;
};

struct WalCommand {
  enum class Action { kInspect, kRepair };
  Action action = Action::kInspect;
  ConfigArguments config;
  bool yes = false;  // repair without asking
};

struct RebuildCommand {
  ConfigArguments config;
  bool dry_run = false;
  bool json = false;
};

struct BackupCommand {
  enum class Action { kMake, kList, kVerify, kPrune };
  Action action = Action::kMake;
  ConfigArguments config;
  ServerArguments server;
  std::string target;  // a folder or a store's address
  std::string id;      // to verify; empty: all
  size_t keep = 0;     // backups that pruning leaves
};

struct RestoreCommand {
  ConfigArguments config;
  std::string source;
  std::string id;  // empty: the newest
};

struct VersionCommand {};

// Help, or what is wrong with the arguments: printed, and the process ends with `exit_code`.
struct UsageText {
  std::string text;
  int exit_code = 0;
};

using Command = std::variant<ServeCommand, SqlCommand, WriteCommand, TokenCommand, ConfigCommand, WalCommand,
                             RebuildCommand, BackupCommand, RestoreCommand, VersionCommand, UsageText>;

// `arguments` without the program's name.
Command ParseCommandLine(const std::vector<std::string>& arguments);

// "90s", "15m", "12h", "30d" in seconds.
Result<int64_t> ParseDuration(const std::string& text);

}  // namespace arc
