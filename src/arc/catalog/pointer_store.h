// Which metadata file of each Iceberg table is the current one: the single point of every commit.
//
// A SQLite file with the tables of Iceberg's JDBC catalog, schema V1 (org.apache.iceberg.jdbc.JdbcUtil in Java,
// pyiceberg.catalog.sql in Python), under the catalog name "arc": both open it directly, while we run or not.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/io/local_disk.h"

namespace arc {

class SqliteDatabase;

struct TablePointer {
  std::string database;
  std::string table;
  std::string metadata_location;
};

struct NamespaceContent {
  std::string database;
  std::map<std::string, std::string> properties;
};

// Everything that the store holds, as of one moment.
struct PointerStoreContent {
  std::vector<NamespaceContent> namespaces;  // by name
  std::vector<TablePointer> tables;          // by database, then table
  std::vector<std::string> dropped;          // UUIDs of dropped tables
};

// One table's pointer from `expected` (nullopt: the table is not there) to `next`.
struct PointerSwap {
  std::string database;
  std::string table;
  std::optional<std::string> expected;
  std::string next;
};

// Thread-safe. A call that returned success is durable. Errors: kUnavailable (busy for 5 s, unreadable), kDiskFull,
// kCorruption, and from calls that write kUnknownOutcome: read again to learn whether it happened. A namespace is one
// database name (Iceberg's tools take a dot in it for a level of its own). Locations are what other engines can open:
// absolute paths or URIs. Rows of other catalogs and of Iceberg views in the same file are left alone.
class PointerStore {
 public:
  static constexpr const char* kCatalogName = "arc";

  // Opens or makes the file at `path`, and its folder. `disk` must outlive the store.
  static Result<std::unique_ptr<PointerStore>> Open(const std::string& path, LocalDisk& disk);
  ~PointerStore();

  // Where the table's metadata is; nullopt when there is no such table.
  Result<std::optional<std::string>> Load(const std::string& database, const std::string& table);
  // Puts `next` in place of `expected` (nullopt: the table must not be there), atomically against every other user of
  // the file; kConflict when something else is there. `expected` becomes the previous location.
  Status CompareAndSwap(const std::string& database, const std::string& table,
                        const std::optional<std::string>& expected, const std::string& next);
  // Those of several pointers that are as expected, all in one transaction; says of each whether it was.
  Result<std::vector<bool>> SwapAll(std::span<const PointerSwap> swaps);
  Result<std::vector<TablePointer>> List();  // by database, then table
  // Success when there already.
  Status CreateNamespace(const std::string& database);
  // Sorted; those made by CreateNamespace and those that hold tables.
  Result<std::vector<std::string>> Namespaces();
  // Success when already gone. Files are not touched.
  Status Drop(const std::string& database, const std::string& table);
  // All swaps or none; kConflict names the first that cannot be.
  Status CompareAndSwapAll(std::span<const PointerSwap> swaps);
  // kNotFound when there is no such table, kAlreadyExists when the new name is taken.
  Status Rename(const TablePointer& from, const std::string& database, const std::string& table);

  Result<std::map<std::string, std::string>> NamespaceProperties(const std::string& database);
  Status ChangeNamespaceProperties(const std::string& database, const std::map<std::string, std::string>& set,
                                   const std::vector<std::string>& remove);
  // Success when already gone. Its tables must be gone.
  Status DropNamespace(const std::string& database);

  // Rows that the log still holds for a dropped table are not to be brought back at the next start: a table of our own
  // in the same file remembers its UUID.
  Status RememberDropped(const Uuid& table);
  Result<bool> WasDropped(const Uuid& table);

  // Nothing was ever put into it.
  Result<bool> IsUnused();
  Result<PointerStoreContent> Content();
  // All of it or nothing; kConflict unless the store IsUnused.
  Status Fill(const PointerStoreContent& content);

 private:
  explicit PointerStore(std::unique_ptr<SqliteDatabase> sqlite);
  Status MakeTables();
  // With mutex_ held.
  Result<int64_t> Swap(const PointerSwap& swap);  // how many pointers it changed, 0 or 1
  Result<bool> IsUnusedLocked();
  Result<std::vector<TablePointer>> ListLocked();
  Result<std::vector<std::string>> NamespacesLocked();
  Result<std::map<std::string, std::string>> PropertiesLocked(const std::string& database);
  Status SetExists(const std::string& database);
  Status InsertDropped(const std::string& uuid);
  Status SetProperties(const std::string& database, const std::map<std::string, std::string>& set);

  std::mutex mutex_;
  const std::unique_ptr<SqliteDatabase> sqlite_;
};

}  // namespace arc
