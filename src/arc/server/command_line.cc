#include "arc/server/command_line.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <limits>
#include <map>
#include <sstream>

namespace arc {

namespace {

constexpr int kUsageExit = 2;

void AddSetting(CLI::App* app, const std::string& option, const std::string& key, const std::string& doc,
                ConfigArguments* config) {
  app->add_option_function<std::string>(
      option, [config, key](const std::string& text) { config->settings.emplace_back(key, text); }, doc);
}

void AddConfig(CLI::App* app, ConfigArguments* config) {
  app->add_option("-c,--config", config->file, "Configuration file (default: ./arc.conf if it is there)");
  AddSetting(app, "-d,--data-dir", "storage.data_dir", "Data folder (default: ./data)", config);
  app->add_option_function<std::vector<std::string>>(
         "--set",
         [config](const std::vector<std::string>& pairs) {
           for (const std::string& pair : pairs) {
             size_t equals = pair.find('=');
             if (equals == std::string::npos)
               throw CLI::ValidationError("--set", "expected section.name=value: " + pair);
             config->settings.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
           }
         },
         "Any setting, as section.name=value; repeatable")
      ->type_size(1)
      ->expected(-1);
}

void AddServer(CLI::App* app, ServerArguments* server) {
  app->add_option("-u,--url", server->url,
                  "Address of the server (default: ARC_URL, or the server of the data folder)");
  app->add_option("-t,--token", server->token,
                  "API token (default: ARC_TOKEN, or a short-lived one made in the data folder)");
}

void AddServe(CLI::App* app, ServeCommand* serve) {
  AddConfig(app, &serve->config);
  AddSetting(app, "-p,--port", "server.port", "TCP port (default: 8000)", &serve->config);
  AddSetting(app, "-H,--host", "server.host", "Address to listen on (default: 0.0.0.0)", &serve->config);
  AddSetting(app, "--log-level", "logging.level", "debug, info, warning or error (default: info)", &serve->config);
}

void AddSql(CLI::App* app, SqlCommand* sql) {
  static const std::map<std::string, SqlFormat> formats = {
      {"table", SqlFormat::kTable}, {"csv", SqlFormat::kCsv}, {"json", SqlFormat::kJson}, {"arrow", SqlFormat::kArrow}};
  AddConfig(app, &sql->config);
  AddServer(app, &sql->server);
  app->add_option("sql", sql->sql, "One statement; read from standard input when absent or -");
  app->add_option("-D,--database", sql->database, "Database of unqualified names (default: ARC_DATABASE, or default)");
  app->add_option("-f,--format", sql->format, "table, csv, json or arrow (an IPC stream) (default: table)")
      ->transform(CLI::CheckedTransformer(formats, CLI::ignore_case).description(""))
      ->type_name("FORMAT");
  app->add_option("--max-rows", sql->max_rows, "Rows shown in a table; the others are counted (default: 1000)")
      ->check(CLI::NonNegativeNumber);
}

void AddWrite(CLI::App* app, WriteCommand* write) {
  static const std::map<std::string, std::optional<FileFormat>> formats = {
      {"auto", std::nullopt},      {"lp", FileFormat::kLineProtocol}, {"csv", FileFormat::kCsv},
      {"json", FileFormat::kJson}, {"parquet", FileFormat::kParquet}, {"arrow", FileFormat::kArrow}};
  AddConfig(app, &write->config);
  AddServer(app, &write->server);
  app->add_option("file", write->file, "The file; texts and Arrow streams may be compressed (.gz, .zst)")->required();
  app->add_option("-D,--db,--database", write->database, "Database to write to (default: ARC_DATABASE, or default)");
  app->add_option("-m,--measurement", write->measurement,
                  "Measurement of CSV, Parquet and Arrow rows (default: the file's name without its suffixes)");
  app->add_option_function<std::string>(
         "-f,--format", [write](const std::string& name) { write->format = formats.at(name); },
         "auto (by the file's name), lp, csv, json, parquet or arrow (default: auto)")
      ->check(CLI::IsMember({"auto", "lp", "csv", "json", "parquet", "arrow"}))
      ->type_name("FORMAT");
  app->add_option("--precision", write->precision, "Unit of times that are bare numbers: ns, us, ms, s, m, h or auto");
  app->add_option("--tags", write->tags, "Columns that are tags, separated by commas (CSV, Parquet, Arrow)");
  app->add_option("--time-column", write->time_column, "Column of the times (default: time, timestamp or _time)");
  app->add_option("--delimiter", write->delimiter, "Between the cells of CSV: one byte, or tab (default: a comma)");
  app->add_option("--batch-rows", write->batch_rows, "Rows sent in one request (default: 50000)")
      ->check(CLI::Range(1, 1'000'000));
  app->add_flag("--restart", write->restart, "Begin at the file's beginning, whatever an interrupted run left");
}

void AddToken(CLI::App* app, TokenCommand* token, std::string* expires) {
  app->require_subcommand(1);
  CLI::App* create = app->add_subcommand("create", "Make a token; its secret is printed once");
  create->add_option("name", token->name, "A name not yet taken")->required();
  create->add_option("--description", token->description, "What it is for");
  create->add_flag("--read", token->read, "May query (default unless --write or --admin is given)");
  create->add_flag("--write", token->write, "May write");
  create->add_flag("--admin", token->admin, "May do everything");
  create->add_option("--databases", token->databases, "Databases it is limited to, separated by commas")
      ->delimiter(',');
  create->add_option("--expires", *expires, "Time until it expires, such as 90s, 15m, 12h or 30d (default: never)");
  CLI::App* list = app->add_subcommand("list", "Show all tokens, without their secrets");
  CLI::App* revoke = app->add_subcommand("revoke", "Delete a token; it is refused from then on");
  revoke->add_option("token", token->name, "Its name or id")->required();
  for (CLI::App* action : {create, list, revoke}) {
    AddConfig(action, &token->config);
    AddServer(action, &token->server);
  }
  create->callback([token] { token->action = TokenCommand::Action::kCreate; });
  list->callback([token] { token->action = TokenCommand::Action::kList; });
  revoke->callback([token] { token->action = TokenCommand::Action::kRevoke; });
}

void AddConfigCommand(CLI::App* app, ConfigCommand* config) {
  app->require_subcommand(1);
  CLI::App* show = app->add_subcommand("show", "Print every effective value and where it came from");
  AddConfig(show, &config->config);
  show->callback([config] { config->action = ConfigCommand::Action::kShow; });
  CLI::App* reference = app->add_subcommand("reference", "Print the reference of all settings (Markdown)");
  reference->callback([config] { config->action = ConfigCommand::Action::kReference; });
}

void AddWal(CLI::App* app, WalCommand* wal) {
  app->require_subcommand(1);
  CLI::App* inspect = app->add_subcommand("inspect", "Print the segments of the log and whether they are sound");
  CLI::App* repair =
      app->add_subcommand("repair", "Make a damaged log readable again: what cannot be read is given up and named");
  repair->add_flag("--yes", wal->yes, "Do it; without this only what would be done is printed");
  AddConfig(inspect, &wal->config);
  AddConfig(repair, &wal->config);
  inspect->callback([wal] { wal->action = WalCommand::Action::kInspect; });
  repair->callback([wal] { wal->action = WalCommand::Action::kRepair; });
}

void AddRebuild(CLI::App* app, RebuildCommand* rebuild) {
  AddConfig(app, &rebuild->config);
  app->add_flag("--dry-run", rebuild->dry_run, "Only print what would be done; also beside a running server");
  app->add_flag("--json", rebuild->json, "Print JSON");
}

void AddBackup(CLI::App* app, BackupCommand* backup) {
  using Action = BackupCommand::Action;
  AddConfig(app, &backup->config);
  AddServer(app, &backup->server);
  app->add_option("target", backup->target, "A folder, or an address in the configured store")->required();
  CLI::Option* list = app->add_flag_callback(
      "--list", [backup] { backup->action = Action::kList; }, "Print the backups that the target holds");
  CLI::Option* verify = app->add_flag_callback(
      "--verify", [backup] { backup->action = Action::kVerify; },
      "Read all that the backups need and compare checksums");
  CLI::Option* prune = app->add_flag_callback(
      "--prune", [backup] { backup->action = Action::kPrune; }, "Remove old backups and what only they need");
  list->excludes(verify)->excludes(prune);
  verify->excludes(prune);
  app->add_option("--id", backup->id, "Verify this backup only")->needs(verify);
  CLI::Option* keep = app->add_option("--keep", backup->keep, "How many of the newest backups pruning leaves");
  keep->check(CLI::Range(1, 1'000'000))->needs(prune);
  prune->needs(keep);
}

void AddRestore(CLI::App* app, RestoreCommand* restore) {
  AddConfig(app, &restore->config);
  app->add_option("source", restore->source, "What `arc backup` was given as its target")->required();
  app->add_option("--id", restore->id, "Which backup (default: the newest)");
}

}  // namespace

Command ParseCommandLine(const std::vector<std::string>& arguments) {
  ServeCommand serve;
  SqlCommand sql;
  WriteCommand write;
  TokenCommand token;
  ConfigCommand config;
  WalCommand wal;
  RebuildCommand rebuild;
  BackupCommand backup;
  RestoreCommand restore;
  std::string expires;

  CLI::App app("Arc: time-series in over HTTP, SQL at once, open Iceberg tables.", "arc");
  app.require_subcommand(1);
  CLI::App* serve_app = app.add_subcommand("serve", "Run the server");
  CLI::App* sql_app = app.add_subcommand("sql", "Run one SQL statement on a server");
  CLI::App* write_app = app.add_subcommand("write", "Write a file to a server; goes on where an earlier run stopped");
  CLI::App* token_app = app.add_subcommand("token", "Make, list and revoke API tokens");
  CLI::App* config_app = app.add_subcommand("config", "Show the configuration");
  CLI::App* wal_app = app.add_subcommand("wal", "Look at or repair the write-ahead log of a stopped server");
  CLI::App* backup_app = app.add_subcommand("backup", "Back up a running server; list, verify and prune backups");
  CLI::App* restore_app = app.add_subcommand("restore", "Make a fresh data folder from a backup");
  CLI::App* rebuild_app = app.add_subcommand("rebuild", "Make a lost catalog anew from the tables in the object store");
  CLI::App* version_app = app.add_subcommand("version", "Print the version");
  AddServe(serve_app, &serve);
  AddSql(sql_app, &sql);
  AddWrite(write_app, &write);
  AddToken(token_app, &token, &expires);
  AddConfigCommand(config_app, &config);
  AddWal(wal_app, &wal);
  AddBackup(backup_app, &backup);
  AddRestore(restore_app, &restore);
  AddRebuild(rebuild_app, &rebuild);

  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream problem;
    int code = app.exit(error, out, problem);
    return UsageText{code == 0 ? out.str() : problem.str(), code == 0 ? 0 : kUsageExit};
  }
  if (serve_app->parsed()) return serve;
  if (sql_app->parsed()) return sql;
  if (write_app->parsed()) return write;
  if (config_app->parsed()) return config;
  if (wal_app->parsed()) return wal;
  if (rebuild_app->parsed()) return rebuild;
  if (backup_app->parsed()) return backup;
  if (restore_app->parsed()) return restore;
  if (version_app->parsed()) return VersionCommand{};
  if (!token.write && !token.admin) token.read = true;
  if (!expires.empty()) {
    Result<int64_t> seconds = ParseDuration(expires);
    if (!seconds.ok()) return UsageText{"--expires: " + seconds.error().message + "\n", kUsageExit};
    token.expires_in_seconds = *seconds;
  }
  return token;
}

Result<int64_t> ParseDuration(const std::string& text) {
  int64_t number = 0;
  auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string unit(rest, text.data() + text.size());
  static const std::map<std::string, int64_t> units = {{"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86'400}};
  auto found = units.find(unit);
  constexpr int64_t kLongest = 100 * 365 * int64_t{86'400};
  if (error != std::errc() || found == units.end() || number <= 0 || number > kLongest / found->second) {
    return InvalidArgument("'" + text + "' is not a time such as 90s, 15m, 12h or 30d");
  }
  return number * found->second;
}

}  // namespace arc
