#include "arc/engine/catalog_rebuild.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "arc/base/log.h"
#include "arc/engine/data_folder.h"
#include "arc/engine/lake_stores.h"
#include "arc/io/path.h"

namespace arc {
namespace {

constexpr size_t kLogged = 20;  // of tables, and of files left

// Null: the catalog holds something. The file is made if it is not there.
Result<std::unique_ptr<PointerStore>> OpenUnused(const std::string& database_file, LocalDisk& disk) {
  ARC_ASSIGN_OR_RETURN(auto pointers, PointerStore::Open(database_file, disk));
  ARC_ASSIGN_OR_RETURN(const bool unused, pointers->IsUnused());
  if (!unused) pointers.reset();
  return pointers;
}

void LogReport(const RebuildReport& report, const std::string& database_file) {
  Log(LogLevel::kWarning, "engine", "there was no catalog; it was made anew from the tables in the object store",
      {{"catalog", database_file},
       {"tables", uint64_t{report.tables.size()}},
       {"files_left", uint64_t{report.left.size()}},
       {"objects", report.objects}});
  for (size_t i = 0; i < std::min(kLogged, report.tables.size()); ++i) {
    const RebuiltTable& table = report.tables[i];
    if (table.damage.empty() && table.name_taken.empty()) continue;
    Log(LogLevel::kWarning, "engine", "a table of the new catalog is not as it should be",
        {{"table", table.database + "." + table.table},
         {"metadata", table.metadata_location},
         {"name_taken", table.name_taken},
         {"damage", table.damage}});
  }
  for (size_t i = 0; i < std::min(kLogged, report.left.size()); ++i) {
    Log(LogLevel::kWarning, "engine", "a metadata file became no table",
        {{"file", report.left[i].key}, {"reason", report.left[i].reason}});
  }
}

}  // namespace

Status RebuildIfLost(const std::string& database_file, LocalDisk& disk, ObjectStore& store) {
  ARC_ASSIGN_OR_RETURN(const bool there, disk.Exists(database_file));
  std::unique_ptr<PointerStore> pointers;
  if (there) {
    ARC_ASSIGN_OR_RETURN(pointers, OpenUnused(database_file, disk));
    if (pointers == nullptr) return {};
  }
  auto report = PlanRebuild(store);
  if (!report.ok() && there) {
    Log(LogLevel::kWarning, "engine", "the catalog is empty, and the object store cannot be asked for tables",
        {{"error", report.error().message}});
    return {};
  }
  if (!report.ok()) {
    return WithContext(std::move(report).error(),
                       "there is no catalog at " + database_file + ", and the object store does not tell its tables");
  }
  if (report->tables.empty() && report->left.empty()) return {};
  if (pointers == nullptr) {
    ARC_ASSIGN_OR_RETURN(pointers, OpenUnused(database_file, disk));
  }
  ARC_RETURN_IF_ERROR(CarryOut(*report, *pointers));
  LogReport(*report, database_file);
  return {};
}

Result<RebuildReport> RebuildCatalog(const EngineOptions& options, bool dry_run, LocalDisk& disk) {
  if (dry_run) {
    ARC_ASSIGN_OR_RETURN(const auto store, OpenBareLake(options, disk));
    return PlanRebuild(*store);
  }
  ARC_RETURN_IF_ERROR(disk.CreateDirectories(options.data_folder));
  ARC_ASSIGN_OR_RETURN(const auto lock, disk.Lock(options.data_folder + kDataFolderLock));
  const std::string database_file = options.data_folder + kCatalogFile;
  ARC_ASSIGN_OR_RETURN(const auto store, OpenBareLake(options, disk));
  // The store first: a catalog that was made but not filled would be taken for one that knows of no tables.
  ARC_ASSIGN_OR_RETURN(auto report, PlanRebuild(*store));
  ARC_ASSIGN_OR_RETURN(const auto pointers, OpenUnused(database_file, disk));
  if (pointers == nullptr) {
    return MakeError(ErrorKind::kAlreadyExists,
                     database_file + " holds a catalog; move it away to have it made anew from the store");
  }
  ARC_RETURN_IF_ERROR(CarryOut(report, *pointers));
  return report;
}

}  // namespace arc
