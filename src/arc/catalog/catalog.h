// Names to tables, and the way from a table to its committed state and back.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/iceberg_catalog.h"
#include "arc/catalog/table.h"
#include "arc/io/local_disk.h"
#include "arc/io/object_store.h"
#include "arc/model/data_file.h"

namespace arc {

// What name look-up gives readers. Databases and tables are found by exact spelling first, then by a single
// case-insensitive match. Thread-safe; tables live as long as somebody holds them.
class CatalogView {
 public:
  virtual ~CatalogView() = default;
  virtual std::vector<std::string> Databases() const = 0;  // sorted
  virtual bool HasDatabase(std::string_view database) const = 0;
  virtual std::vector<std::shared_ptr<Table>> Tables(std::string_view database) const = 0;          // sorted by name
  virtual std::shared_ptr<Table> Find(std::string_view database, std::string_view name) const = 0;  // null: none
  // Why there is no Table for an Iceberg table of that name, which only other engines can read; empty: there is none.
  virtual std::string WhyUnreadable(std::string_view /*database*/, std::string_view /*name*/) const { return {}; }
};

// Key of the folder that holds the table's objects: `database/measurement`, percent-encoded.
std::string TableFolder(const TableRef& ref);

// Whether a database or table may be called so: it has to be a folder's name too. kInvalidArgument; `what` is named.
Status CheckStoredName(std::string_view what, const std::string& name);

// The durable catalog: SQLite pointers (standard Iceberg JDBC tables) to Iceberg metadata in the object store, read at
// start. Thread-safe; CommitFlush of one table is called by one flusher at a time.
class Catalog : public CatalogView {
 public:
  // What is passed by reference or pointer outlives the catalog. Reads the metadata of every table of `database_file`.
  static Result<std::unique_ptr<Catalog>> Open(const std::string& database_file, LocalDisk& disk, ObjectStore& store,
                                               Clock& clock, RandomSource& random, ByteBudget* budget);

  // The lineage whose flushed LSNs count from now on, set once before replay. Returns the highest LSN that any table
  // has flushed of it, so that a new log on an old lake goes on above; kCorruption when a table's
  // property is no LSN.
  virtual Result<Lsn> UseLineage(const Uuid& lineage) = 0;
  // Success when the database is there already. Durable.
  virtual Status CreateDatabase(const std::string& database) = 0;
  // The table, made with a fresh UUID if it is not there; its database too. Not durable by itself: the log or the first
  // flush makes it so.
  virtual Result<std::shared_ptr<Table>> GetOrCreate(const std::string& database, const std::string& name) = 0;
  // The table a log record belongs to, made with the record's UUID if need be; null when that table was dropped.
  // kCorruption when the name belongs to another UUID.
  virtual Result<std::shared_ptr<Table>> Restore(const TableRef& ref) = 0;
  virtual std::vector<std::shared_ptr<Table>> AllTables() const = 0;

  // Whether the table is in the lake; before its first flush it is not.
  virtual bool IsCommitted(const Table& table) const = 0;
  // The same tables for other engines. Valid after UseLineage.
  virtual IcebergCatalog& iceberg() = 0;

  // Commits `files` (durable already) with the schema and `flushed` as the lineage's table property to Iceberg, swaps
  // the pointer, then publishes files in and chunks out of the table. After an error nothing is published and the files
  // are not part of the table, unless it is kUnknownOutcome: then a commit of the same files may have happened. Files
  // the commit made obsolete are removed. Of a table that was dropped meanwhile only the files are removed.
  virtual Status CommitFlush(Table& table, const Schema& schema, const std::vector<FlushedFile>& files,
                             Lsn flushed) = 0;
};

}  // namespace arc
