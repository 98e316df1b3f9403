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

// Tables of schema V0 have NULL for a type.
#define ARC_IS_OUR_TABLE "catalog_name = 'arc' AND (iceberg_type = 'TABLE' OR iceberg_type IS NULL)"

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
  auto changed = Swap({database, table, expected, next});
  if (!changed.ok()) return std::move(changed).error();
  if (*changed == 1) return {};
  return MakeError(ErrorKind::kConflict, "the metadata of table " + database + "." + table + " is not " +
                                             (expected.has_value() ? *expected : "absent") +
                                             " any more: somebody else has committed");
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

Result<std::vector<TablePointer>> PointerStore::List() {
  std::lock_guard lock(mutex_);
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
  ARC_RETURN_IF_ERROR(
      sqlite_->Change("INSERT INTO iceberg_namespace_properties "
                      "(catalog_name, namespace, property_key, property_value) "
                      "VALUES ('arc', ?, 'exists', 'true') ON CONFLICT DO NOTHING",
                      {database}));
  return {};
}

Result<std::vector<std::string>> PointerStore::Namespaces() {
  std::lock_guard lock(mutex_);
  ARC_ASSIGN_OR_RETURN(auto rows,
                       sqlite_->Query("SELECT namespace FROM iceberg_namespace_properties WHERE catalog_name = 'arc' "
                                      "UNION SELECT table_namespace FROM iceberg_tables WHERE catalog_name = 'arc' "
                                      "ORDER BY 1"));
  std::vector<std::string> names;
  names.reserve(rows.size());
  for (auto& row : rows) names.push_back(std::move(*row[0]));
  return names;
}

Status PointerStore::Drop(const std::string& database, const std::string& table) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(sqlite_->Change("DELETE FROM iceberg_tables WHERE " ARC_IS_OUR_TABLE
                                      " AND table_namespace = ? AND table_name = ?",
                                      {database, table}));
  return {};
}

}  // namespace arc
