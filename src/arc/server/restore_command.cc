#include <unistd.h>

#include <filesystem>
#include <span>

#include "arc/backup/backup_set.h"
#include "arc/backup/restore.h"
#include "arc/base/log.h"
#include "arc/engine/data_folder.h"
#include "arc/engine/lake_stores.h"
#include "arc/io/path.h"
#include "arc/server/commands.h"
#include "arc/server/object_progress.h"
#include "arc/server/options.h"
#include "arc/server/remote_store.h"
#include "arc/server/server_access.h"

namespace arc {

namespace {

constexpr char kTokenFile[] = "/auth.db";

// Nothing may be there: what is, would be mixed with what comes.
Status CheckEmpty(LocalDisk& disk, const std::string& folder) {
  const auto names = disk.List(folder);
  if (!names.ok()) return names.error().kind == ErrorKind::kNotFound ? Status() : Status(names.error());
  if (names->empty()) return {};
  ARC_ASSIGN_OR_RETURN(const bool unfinished, disk.Exists(folder + kRestoreMarker));
  return MakeError(ErrorKind::kAlreadyExists,
                   unfinished ? "an earlier restore into " + folder + " did not end; remove the folder first"
                              : "the data folder " + folder + " is not empty");
}

Result<std::unique_ptr<ObjectStore>> OpenLake(const Config& config) {
  ARC_ASSIGN_OR_RETURN(auto lake, OpenBareLake(EngineOptionsOf(config), SystemDisk()));
  ARC_ASSIGN_OR_RETURN(const auto objects, lake->List(""));
  if (!objects.empty()) {
    return MakeError(ErrorKind::kAlreadyExists,
                     "the place of the tables is not empty: it holds " + lake->UriOf(objects[0].key));
  }
  return lake;
}

Result<BackupManifest> Restore(const RestoreCommand& command, const Config& config, BackupProgress& seen) {
  LocalDisk& disk = SystemDisk();
  const std::string& source_name = command.source;
  const bool is_path = source_name.find("://") == std::string::npos;
  ARC_ASSIGN_OR_RETURN(const auto source,
                       OpenTarget(config, is_path ? AbsolutePath(source_name) : source_name, /*to_change=*/false));
  ARC_ASSIGN_OR_RETURN(auto manifest, LoadBackup(*source.store, command.id));
  const std::string folder = AbsolutePath(config.Text("storage.data_dir"));
  ARC_RETURN_IF_ERROR(CheckEmpty(disk, folder));
  ARC_RETURN_IF_ERROR(disk.CreateDirectories(folder));
  ARC_ASSIGN_OR_RETURN(const auto lock, LockDataFolder(disk, folder));
  const std::string marker = manifest.id + "\n";
  ARC_RETURN_IF_ERROR(DurablePut(disk, folder + kRestoreMarker,
                                 std::span(reinterpret_cast<const uint8_t*>(marker.data()), marker.size())));
  ARC_ASSIGN_OR_RETURN(const auto lake, OpenLake(config));
  ARC_RETURN_IF_ERROR(RestoreBackup(*source.store, manifest, {disk, folder, folder + kCatalogFile, *lake}, seen));
  std::error_code ignored;  // there may be no tokens in it
  std::filesystem::permissions(folder + kTokenFile,
                               std::filesystem::perms::owner_read | std::filesystem::perms::owner_write, ignored);
  ARC_RETURN_IF_ERROR(disk.Remove(folder + kRestoreMarker));
  ARC_RETURN_IF_ERROR(disk.SyncDirectory(folder));
  return manifest;
}

}  // namespace

int RunRestore(const RestoreCommand& command, const Console& console) {
  Result<Config> config = LoadConfig(command.config, nullptr);
  if (!config.ok()) {
    Fail(console, config.error());
    return kExitUsage;
  }
  SetLogLevel(LogLevel::kWarning);
  BackupProgress seen;
  Result<BackupManifest> restored = [&] {
    const ObjectProgress progress(console.problems, ::isatty(STDERR_FILENO) != 0, [&seen] {
      return ObjectProgressText(seen.objects_done, seen.objects_total, seen.bytes_done);
    });
    return Restore(command, *config, seen);
  }();
  if (!restored.ok()) return Fail(console, restored.error());
  console.out << "restored backup " << restored->id << ": " << restored->catalog.tables.size() << " tables at LSN "
              << restored->lsn << (restored->exact ? "" : " or later") << ", " << BytesText(restored->bytes()) << "\n";
  for (const auto& problem : restored->problems) console.problems << "arc: " << problem << "\n";
  return kExitSuccess;
}

}  // namespace arc
