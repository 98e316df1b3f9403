#include "arc/server/commands.h"

#include <unistd.h>

#include "arc/io/local_disk.h"
#include "arc/server/server_access.h"
#include "arc/wal/inspect.h"

namespace arc {

namespace {

std::map<std::string, std::string> ProcessEnvironment() {
  std::map<std::string, std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text = *entry;
    size_t equals = text.find('=');
    if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

void PrintLines(const std::vector<std::string>& lines, std::ostream& out) {
  for (const std::string& line : lines) out << line << "\n";
}

}  // namespace

Result<Config> LoadConfig(const ConfigArguments& arguments, std::vector<std::string>* warnings) {
  ConfigInput input;
  input.config_file = arguments.file;
  input.environment = ProcessEnvironment();
  input.command_line = arguments.settings;
  return Config::Load(input, warnings);
}

int Fail(const Console& console, const Error& error) {
  console.problems << "arc: " << error.message << std::endl;
  switch (error.kind) {
    case ErrorKind::kCorruption: return kExitDamage;
    default: return kExitFailure;
  }
}

int RunConfig(const ConfigCommand& command, const Console& console) {
  if (command.action == ConfigCommand::Action::kReference) {
    console.out << RenderConfigReference();
    return kExitSuccess;
  }
  std::vector<std::string> warnings;
  Result<Config> config = LoadConfig(command.config, &warnings);
  for (const std::string& warning : warnings) console.problems << "warning: " << warning << "\n";
  if (!config.ok()) {
    Fail(console, config.error());
    return kExitUsage;
  }
  console.out << RenderConfig(*config);
  return kExitSuccess;
}

int RunWal(const WalCommand& command, const Console& console) {
  Result<Config> config = LoadConfig(command.config, nullptr);
  if (!config.ok()) {
    Fail(console, config.error());
    return kExitUsage;
  }
  const std::string& data_folder = config->Text("storage.data_dir");
  const std::string folder = config->Text("wal.dir").empty() ? data_folder + "/wal" : config->Text("wal.dir");
  LocalDisk& disk = SystemDisk();
  auto there = disk.Exists(folder);
  if (!there.ok()) return Fail(console, there.error());
  if (!*there) return Fail(console, NotFound("there is no log at " + folder));
  // The log of a running server changes under the reader.
  auto lock = LockDataFolder(disk, data_folder);
  if (!lock.ok()) {
    Fail(console, WithContext(std::move(lock).error(), "stop the server first"));
    return kExitInUse;
  }
  if (command.action == WalCommand::Action::kRepair && command.yes) {
    auto report = RepairLog(disk, SystemClock(), SystemRandom(), folder);
    if (!report.ok()) return Fail(console, report.error());
    PrintLines(DescribeRepair(*report), console.out);
    return kExitSuccess;
  }
  auto inspection = InspectLog(disk, folder);
  if (!inspection.ok()) return Fail(console, inspection.error());
  PrintLines(DescribeInspection(*inspection), console.out);
  if (command.action == WalCommand::Action::kRepair) {
    console.out << (inspection->damages.empty() ? "nothing to repair\n" : "nothing was changed; repair with --yes\n");
  }
  return inspection->damages.empty() ? kExitSuccess : kExitDamage;
}

int RunCommand(const Command& command, const Console& console) {
  struct Runner {
    const Console& console;
    int operator()(const ServeCommand& serve) const { return RunServe(serve, console); }
    int operator()(const SqlCommand& sql) const { return RunSql(sql, console); }
    int operator()(const WriteCommand& write) const { return RunWrite(write, console); }
    int operator()(const TokenCommand& token) const { return RunToken(token, console); }
    int operator()(const ConfigCommand& config) const { return RunConfig(config, console); }
    int operator()(const WalCommand& wal) const { return RunWal(wal, console); }
    int operator()(const BackupCommand& backup) const { return RunBackup(backup, console); }
    int operator()(const RestoreCommand& restore) const { return RunRestore(restore, console); }
    int operator()(const RebuildCommand& rebuild) const { return RunRebuild(rebuild, console); }
    int operator()(const VersionCommand&) const {
      console.out << "arc " ARC_VERSION "\n";
      return kExitSuccess;
    }
    int operator()(const UsageText& usage) const {
      (usage.exit_code == 0 ? console.out : console.problems) << usage.text;
      return usage.exit_code;
    }
  };
  int code = std::visit(Runner{console}, command);
  console.out.flush();
  return code;
}

}  // namespace arc
