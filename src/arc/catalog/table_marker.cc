#include "arc/catalog/table_marker.h"

#include <nlohmann/json.hpp>

#include "arc/base/log.h"
#include "arc/catalog/committed_table.h"
#include "arc/iceberg/reachable.h"

namespace arc {

std::string TableMarkerKey(const std::string& metadata_key, const std::string& table_uuid) {
  return metadata_key.substr(0, metadata_key.rfind('/') + 1) + TableMarkerName(table_uuid);
}

void MarkTable(ObjectStore& store, const std::string& metadata_location, const std::string& table_uuid,
               const TableMarker& marker) {
  const nlohmann::json text = {{"database", marker.database}, {"table", marker.table}, {"dropped", marker.dropped}};
  const auto key = store.KeyOf(metadata_location);
  const Status put = key.ok() ? store.PutOverwrite(TableMarkerKey(*key, table_uuid),
                                                   text.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace))
                              : Status(key.error());
  if (put.ok()) return;
  Log(LogLevel::kWarning, "catalog", "what became of a table is not noted beside its metadata",
      {{"table", marker.database + "." + marker.table}, {"error", put.error().message}});
}

Result<std::optional<TableMarker>> ReadTableMarker(ObjectStore& store, const std::string& key) {
  const auto text = store.ReadAll(key);
  if (!text.ok() && IsPassing(text.error().kind)) return text.error();
  if (!text.ok()) return std::optional<TableMarker>();
  const auto json = nlohmann::json::parse(*text, nullptr, /*allow_exceptions=*/false);
  const bool whole = json.is_object() && json.contains("database") && json["database"].is_string() &&
                     json.contains("table") && json["table"].is_string() && json.contains("dropped") &&
                     json["dropped"].is_boolean();
  if (!whole) return std::optional<TableMarker>();
  return std::optional(
      TableMarker{json["database"].get<std::string>(), json["table"].get<std::string>(), json["dropped"].get<bool>()});
}

}  // namespace arc
