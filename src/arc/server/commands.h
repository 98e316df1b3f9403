// One function per command of `arc`. Each prints for people and returns the process's exit code.
#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/server/command_line.h"
#include "arc/server/config.h"

namespace arc {

// Exit codes, as docs/cli.md lists them.
inline constexpr int kExitSuccess = 0;
inline constexpr int kExitFailure = 1;
inline constexpr int kExitUsage = 2;   // arguments or configuration
inline constexpr int kExitInUse = 3;   // another server has the data folder
inline constexpr int kExitDamage = 4;  // bytes on disk are not what was written

// The configuration as this process sees it: arc.conf, .env, its environment, the arguments.
Result<Config> LoadConfig(const ConfigArguments& arguments, std::vector<std::string>* warnings);

// Where a command writes; std::cout and std::cerr but in tests.
struct Console {
  std::ostream& out;
  std::ostream& problems;
};
// Prints "arc: …" and gives the exit code that fits.
int Fail(const Console& console, const Error& error);

int RunServe(const ServeCommand& command, const Console& console);
int RunSql(const SqlCommand& command, const Console& console);
int RunWrite(const WriteCommand& command, const Console& console);
int RunToken(const TokenCommand& command, const Console& console);
int RunConfig(const ConfigCommand& command, const Console& console);
int RunWal(const WalCommand& command, const Console& console);
int RunBackup(const BackupCommand& command, const Console& console);
int RunRestore(const RestoreCommand& command, const Console& console);
int RunRebuild(const RebuildCommand& command, const Console& console);
int RunCommand(const Command& command, const Console& console);

}  // namespace arc
