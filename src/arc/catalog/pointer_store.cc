#include "arc/catalog/pointer_store.h"

#include <utility>

#include "arc/catalog/sqlite_database.h"
#include "arc/io/path.h"

namespace arc {
namespace {

// The statements of JdbcUtil (V1: the last column included at once).
constexpr const char* kCreateTables =
    "CREATE TABLE IF NOT EXISTS iceberg_tables ("
    "catalog_name VARCHAR(255) NOT NULL, "
    "table_namespace VARCHAR(255) NOT NULL, "
    "table_name VARCHAR(255) NOT NULL, "
    "metadata_location VARCHAR(1000), "
    "previous_metadata_location VARCHAR(1000), "
    "iceberg_type VARCHAR(5), "
    "PRIMARY KEY (catalog_name, table_namespace, table_name))";

constexpr const char* kCreateNamespaceProperties =
    "CREATE TABLE IF NOT EXISTS iceberg_namespace_properties ("
    "catalog_name VARCHAR(255) NOT NULL, "
    "namespace VARCHAR(255) NOT NULL, "
    "property_key VARCHAR(255), "
    "property_value VARCHAR(1000), "
    "PRIMARY KEY (catalog_name, namespace, property_key))";

constexpr const char* kCreateDropped =
    "CREATE TABLE IF NOT EXISTS arc_dropped_tables (table_uuid VARCHAR(36) NOT NULL PRIMARY KEY)";

// How JdbcCatalog marks a namespace without properties.
constexpr std::string_view kExists = "exists";

// Tables of schema V0 have NULL for a type.
#define ARC_IS_OUR_TABLE "catalog_name = 'arc' AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)"

Error MovedOn(const PointerSwap& swap) {
  return MakeError(ErrorKind::kConflict, "the metadata of table " + swap.database + "." + swap.table + " is not " +
                                             swap.expected.value_or("absent") +
                                             " any more: somebody else has committed");
}

}  // namespace

PointerStore::PointerStore(std::unique_ptr<SqliteDatabase> sqlite) : sqlite_(std::move(sqlite)) {}
PointerStore::~PointerStore() = default;

Result<std::unique_ptr<PointerStore>> PointerStore::Open(const std::string& path, LocalDisk& disk) {
  std::string absolute = AbsolutePath(path);
  ARC_RETURN_IF_ERROR(disk.CreateDirectories(ParentFolder(absolute)));
  ARC_ASSIGN_OR_RETURN(std::unique_ptr<SqliteDatabase> sqlite, SqliteDatabase::Open(absolute, disk));
  std::unique_ptr<PointerStore> store(new PointerStore(std::move(sqlite)));
  ARC_RETURN_IF_ERROR(store->MakeTables());
  return store;
}

Status PointerStore::MakeTables() {
  ARC_RETURN_IF_ERROR(sqlite_->Change(kCreateTables));
  ARC_RETURN_IF_ERROR(sqlite_->Change(kCreateNamespaceProperties));
  ARC_RETURN_IF_ERROR(sqlite_->Change(kCreateDropped));
  ARC_ASSIGN_OR_RETURN(auto has_type, sqlite_->Query("SELECT 1 FROM pragma_table_info('iceberg_tables') "
                                                     "WHERE name = 'iceberg_type'"));
  if (!has_type.empty()) return {};
  // Made by a tool of schema V0: upgraded as JdbcCatalog does.
  ARC_RETURN_IF_ERROR(sqlite_->Change("ALTER TABLE iceberg_tables ADD COLUMN iceberg_type VARCHAR(5)"));
  return {};
}

Result<std::optional<std::string>> PointerStore::Load(const std::string& database, const std::string& table) {
  std::lock_guard lock(mutex_);
  ARC_ASSIGN_OR_RETURN(auto rows, sqlite_->Query("SELECT metadata_location FROM iceberg_tables WHERE " ARC_IS_OUR_TABLE
                                                 " AND table_namespace = ? AND table_name = ?",
                                                 {database, table}));
  if (rows.empty()) return std::optional<std::string>();
  return std::move(rows[0][0]);
}

Status PointerStore::CompareAndSwap(const std::string& database, const std::string& table,
                                    const std::optional<std::string>& expected, const std::string& next) {
  std::lock_guard lock(mutex_);
  const PointerSwap swap{database, table, expected, next};
  ARC_ASSIGN_OR_RETURN(const int64_t changed, Swap(swap));
  return changed == 1 ? Status() : MovedOn(swap);
}

Result<std::vector<bool>> PointerStore::SwapAll(std::span<const PointerSwap> swaps) {
  std::lock_guard lock(mutex_);
  std::vector<bool> swapped;
  ARC_RETURN_IF_ERROR(sqlite_->Transaction([&]() -> Status {
    for (const auto& swap : swaps) {
      ARC_ASSIGN_OR_RETURN(const int64_t changed, Swap(swap));
      swapped.push_back(changed == 1);
    }
    return {};
  }));
  return swapped;
}

Result<int64_t> PointerStore::Swap(const PointerSwap& swap) {
  const auto& [database, table, expected, next] = swap;
  if (expected.has_value()) {
    return sqlite_->Change(
        "UPDATE iceberg_tables SET metadata_location = ?, previous_metadata_location = ? "
        "WHERE " ARC_IS_OUR_TABLE " AND table_namespace = ? AND table_name = ? AND metadata_location = ?",
        {next, *expected, database, table, *expected});
  }
  return sqlite_->Change(
      "INSERT INTO iceberg_tables (catalog_name, table_namespace, table_name, "
      "metadata_location, previous_metadata_location, iceberg_type) "
      "VALUES ('arc', ?, ?, ?, NULL, 'TABLE') ON CONFLICT DO NOTHING",
      {database, table, next});
}

Status PointerStore::CompareAndSwapAll(std::span<const PointerSwap> swaps) {
  std::lock_guard lock(mutex_);
  return sqlite_->Transaction([&]() -> Status {
    for (const auto& swap : swaps) {
      ARC_ASSIGN_OR_RETURN(const int64_t changed, Swap(swap));
      if (changed == 0) return MovedOn(swap);
    }
    return {};
  });
}

Status PointerStore::Rename(const TablePointer& from, const std::string& database, const std::string& table) {
  std::lock_guard lock(mutex_);
  ARC_ASSIGN_OR_RETURN(auto taken, sqlite_->Query("SELECT 1 FROM iceberg_tables WHERE catalog_name = 'arc' AND "
                                                  "table_namespace = ? AND table_name = ?",
                                                  {database, table}));
  if (!taken.empty()) return MakeError(ErrorKind::kAlreadyExists, "Table already exists: " + database + "." + table);
  ARC_ASSIGN_OR_RETURN(const int64_t changed,
                       sqlite_->Change("UPDATE iceberg_tables SET table_namespace = ?, table_name = ? "
                                       "WHERE " ARC_IS_OUR_TABLE " AND table_namespace = ? AND table_name = ?",
                                       {database, table, from.database, from.table}));
  if (changed == 0) return NotFound("Table does not exist: " + from.database + "." + from.table);
  return {};
}

Result<std::map<std::string, std::string>> PointerStore::NamespaceProperties(const std::string& database) {
  std::lock_guard lock(mutex_);
  return PropertiesLocked(database);
}

Result<std::map<std::string, std::string>> PointerStore::PropertiesLocked(const std::string& database) {
  ARC_ASSIGN_OR_RETURN(auto rows,
                       sqlite_->Query("SELECT property_key, property_value FROM iceberg_namespace_properties "
                                      "WHERE catalog_name = 'arc' AND namespace = ?",
                                      {database}));
  std::map<std::string, std::string> properties;
  for (auto& row : rows) {
    if (row[0] && *row[0] != kExists) properties[*row[0]] = row[1].value_or("");
  }
  return properties;
}

Status PointerStore::ChangeNamespaceProperties(const std::string& database,
                                               const std::map<std::string, std::string>& set,
                                               const std::vector<std::string>& remove) {
  std::lock_guard lock(mutex_);
  return sqlite_->Transaction([&]() -> Status {
    for (const auto& name : remove) {
      if (name == kExists) continue;
      ARC_RETURN_IF_ERROR(
          sqlite_->Change("DELETE FROM iceberg_namespace_properties WHERE catalog_name = 'arc' AND "
                          "namespace = ? AND property_key = ?",
                          {database, name}));
    }
    return SetProperties(database, set);
  });
}

Status PointerStore::SetProperties(const std::string& database, const std::map<std::string, std::string>& set) {
  for (const auto& [name, value] : set) {
    ARC_RETURN_IF_ERROR(
        sqlite_->Change("INSERT INTO iceberg_namespace_properties "
                        "(catalog_name, namespace, property_key, property_value) VALUES ('arc', ?, ?, ?) "
                        "ON CONFLICT (catalog_name, namespace, property_key) "
                        "DO UPDATE SET property_value = excluded.property_value",
                        {database, name, value}));
  }
  return {};
}

Status PointerStore::DropNamespace(const std::string& database) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(sqlite_->Change(
      "DELETE FROM iceberg_namespace_properties WHERE catalog_name = 'arc' AND namespace = ?", {database}));
  return {};
}

Status PointerStore::RememberDropped(const Uuid& table) {
  std::lock_guard lock(mutex_);
  return InsertDropped(table.ToString());
}

Status PointerStore::InsertDropped(const std::string& uuid) {
  ARC_RETURN_IF_ERROR(
      sqlite_->Change("INSERT INTO arc_dropped_tables (table_uuid) VALUES (?) ON CONFLICT DO NOTHING", {uuid}));
  return {};
}

Result<bool> PointerStore::WasDropped(const Uuid& table) {
  std::lock_guard lock(mutex_);
  ARC_ASSIGN_OR_RETURN(auto rows,
                       sqlite_->Query("SELECT 1 FROM arc_dropped_tables WHERE table_uuid = ?", {table.ToString()}));
  return !rows.empty();
}

Result<std::vector<TablePointer>> PointerStore::List() {
  std::lock_guard lock(mutex_);
  return ListLocked();
}

Result<std::vector<TablePointer>> PointerStore::ListLocked() {
  ARC_ASSIGN_OR_RETURN(auto rows,
                       sqlite_->Query("SELECT table_namespace, table_name, metadata_location FROM iceberg_tables "
                                      "WHERE " ARC_IS_OUR_TABLE " AND metadata_location IS NOT NULL ORDER BY 1, 2"));
  std::vector<TablePointer> pointers;
  pointers.reserve(rows.size());
  for (auto& row : rows) pointers.push_back({std::move(*row[0]), std::move(*row[1]), std::move(*row[2])});
  return pointers;
}

Status PointerStore::CreateNamespace(const std::string& database) {
  std::lock_guard lock(mutex_);
  return SetExists(database);
}

Status PointerStore::SetExists(const std::string& database) {
  ARC_RETURN_IF_ERROR(
      sqlite_->Change("INSERT INTO iceberg_namespace_properties "
                      "(catalog_name, namespace, property_key, property_value) "
                      "VALUES ('arc', ?, 'exists', 'true') ON CONFLICT DO NOTHING",
                      {database}));
  return {};
}

Result<std::vector<std::string>> PointerStore::Namespaces() {
  std::lock_guard lock(mutex_);
  return NamespacesLocked();
}

Result<std::vector<std::string>> PointerStore::NamespacesLocked() {
  ARC_ASSIGN_OR_RETURN(auto rows,
                       sqlite_->Query("SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = 'arc' "
                                      "UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = 'arc' "
                                      "ORDER BY 1"));
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (auto& row : rows) names.push_back(std::move(*row[0]));
  return names;
}

Result<bool> PointerStore::IsUnused() {
  std::lock_guard lock(mutex_);
  return IsUnusedLocked();
}

Result<bool> PointerStore::IsUnusedLocked() {
  ARC_ASSIGN_OR_RETURN(const auto rows, sqlite_->Query("SELECT 1 WHERE EXISTS (SELECT 1 FROM iceberg_tables) "
                                                       "OR EXISTS (SELECT 1 FROM iceberg_namespace_properties) "
                                                       "OR EXISTS (SELECT 1 FROM arc_dropped_tables)"));
  return rows.empty();
}

Result<PointerStoreContent> PointerStore::Content() {
  std::lock_guard lock(mutex_);
  PointerStoreContent content;
  // A transaction, so that other programs change nothing between the statements.
  ARC_RETURN_IF_ERROR(sqlite_->Transaction([&]() -> Status {
    ARC_ASSIGN_OR_RETURN(content.tables, ListLocked());
    ARC_ASSIGN_OR_RETURN(const auto namespaces, NamespacesLocked());
    for (const auto& name : namespaces) {
      ARC_ASSIGN_OR_RETURN(auto properties, PropertiesLocked(name));
      content.namespaces.push_back({name, std::move(properties)});
    }
    ARC_ASSIGN_OR_RETURN(auto rows, sqlite_->Query("SELECT table_uuid FROM arc_dropped_tables ORDER BY 1"));
    for (auto& row : rows) content.dropped.push_back(std::move(*row[0]));
    return {};
  }));
  return content;
}

Status PointerStore::Fill(const PointerStoreContent& content) {
  std::lock_guard lock(mutex_);
  return sqlite_->Transaction([&]() -> Status {
    ARC_ASSIGN_OR_RETURN(const bool unused, IsUnusedLocked());
    if (!unused) return MakeError(ErrorKind::kConflict, "the catalog holds tables or databases already");
    for (const auto& [database, properties] : content.namespaces) {
      ARC_RETURN_IF_ERROR(SetExists(database));
      ARC_RETURN_IF_ERROR(SetProperties(database, properties));
    }
    for (const auto& [database, table, location] : content.tables) {
      ARC_ASSIGN_OR_RETURN(const int64_t made, Swap({database, table, std::nullopt, location}));
      if (made == 0) return Internal("two tables are called " + database + "." + table);
    }
    for (const auto& uuid : content.dropped) ARC_RETURN_IF_ERROR(InsertDropped(uuid));
    return {};
  });
}

Status PointerStore::Drop(const std::string& database, const std::string& table) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(sqlite_->Change("DELETE FROM iceberg_tables WHERE " ARC_IS_OUR_TABLE
                                      " AND table_namespace = ? AND table_name = ?",
                                      {database, table}));
  return {};
}

}  // namespace arc
