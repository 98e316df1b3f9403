#include <nlohmann/json.hpp>

#include "arc/base/log.h"
#include "arc/engine/catalog_rebuild.h"
#include "arc/server/commands.h"
#include "arc/server/options.h"
#include "arc/server/text_columns.h"

namespace arc {

namespace {

// What people should know of a table beside its name.
std::string RemarkOn(const RebuiltTable& table) {
  std::string remark = table.name_taken.empty() ? "" : "another table is called " + table.name_taken;
  if (!table.damage.empty()) remark += (remark.empty() ? "" : "; ") + table.damage;
  return remark;
}

void PrintTables(const RebuildReport& report, std::ostream& out) {
  std::vector<std::vector<std::string>> rows = {{"DATABASE", "TABLE", "ROWS", "METADATA", "REMARK"}};
  for (const auto& table : report.tables) {
    rows.push_back({table.database, table.table, table.rows < 0 ? "?" : std::to_string(table.rows),
                    table.metadata_location, RemarkOn(table)});
  }
  if (!report.tables.empty()) PrintColumns(rows, out);
  if (!report.left.empty()) out << "\nLeft alone:\n";
  for (const auto& left : report.left) out << "  " << left.key << ": " << left.reason << "\n";
}

void PrintJson(const RebuildReport& report, bool dry_run, std::ostream& out) {
  nlohmann::json tables = nlohmann::json::array();
  for (const auto& table : report.tables) {
    nlohmann::json line = {{"database", table.database},
                           {"table", table.table},
                           {"uuid", table.uuid},
                           {"metadata_location", table.metadata_location},
                           {"rows", nullptr}};
    if (table.rows >= 0) line["rows"] = table.rows;
    if (!table.name_taken.empty()) line["name_taken"] = table.name_taken;
    if (!table.damage.empty()) line["damage"] = table.damage;
    tables.push_back(std::move(line));
  }
  nlohmann::json left = nlohmann::json::array();
  for (const auto& file : report.left) left.push_back({{"key", file.key}, {"reason", file.reason}});
  const nlohmann::json answer = {{"dry_run", dry_run}, {"objects", report.objects}, {"tables", tables}, {"left", left}};
  out << answer.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << "\n";
}

}  // namespace

int RunRebuild(const RebuildCommand& command, const Console& console) {
  Result<Config> config = LoadConfig(command.config, nullptr);
  if (!config.ok()) {
    Fail(console, config.error());
    return kExitUsage;
  }
  SetLogLevel(LogLevel::kWarning);
  auto report = RebuildCatalog(EngineOptionsOf(*config), command.dry_run);
  if (!report.ok()) {
    const int code = Fail(console, report.error());
    return report.error().kind == ErrorKind::kConflict ? kExitInUse : code;
  }
  if (command.json) {
    PrintJson(*report, command.dry_run, console.out);
    return kExitSuccess;
  }
  PrintTables(*report, console.out);
  console.out << report->tables.size() << (report->tables.size() == 1 ? " table" : " tables")
              << (command.dry_run ? " would be" : "") << " in the catalog, from " << report->objects << " objects\n";
  return kExitSuccess;
}

}  // namespace arc
