// Names to tables, and the way from a table to its committed state and back.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/iceberg_catalog.h"
#include "arc/catalog/pointer_store.h"
#include "arc/catalog/table.h"
#include "arc/iceberg/snapshot_choice.h"
#include "arc/io/local_disk.h"
#include "arc/io/object_group.h"
#include "arc/io/object_store.h"
#include "arc/model/data_file.h"

namespace arc {

// What name look-up gives readers. Databases and tables are found by exact spelling first, then by a single
// case-insensitive match. Thread-safe; tables live as long as somebody holds them.
class CatalogView {
 public:
  virtual ~CatalogView() = default;
  virtual std::vector<std::string> Databases() const = 0;  // sorted
  // As it was first spelled; nothing when there is no such database.
  virtual std::optional<std::string> FindDatabase(std::string_view name) const = 0;
  virtual std::vector<std::shared_ptr<Table>> Tables(std::string_view database) const = 0;          // sorted by name
  virtual std::shared_ptr<Table> Find(std::string_view database, std::string_view name) const = 0;  // null: none
  // Why there is no Table for an Iceberg table of that name, which only other engines can read; empty: there is none.
  virtual std::string WhyUnreadable(std::string_view /*database*/, std::string_view /*name*/) const { return {}; }

  // The committed state that a snapshot of the table is: its schema and files, no hot rows. The files stay in the store
  // while the version is held, whatever expires meanwhile in this process. kNotFound: there is no such snapshot, which
  // the message explains; kUnsupported: Arc can make nothing of it; those of the store.
  virtual Result<std::shared_ptr<const TableVersion>> VersionAt(const Table& /*table*/,
                                                                const SnapshotSelector& /*selector*/) const {
    return MakeError(ErrorKind::kUnsupported, "this catalog keeps no snapshots");
  }
  // The table's Iceberg metadata as it is now, whoever committed it; null: nothing of the table is committed yet.
  virtual Result<std::shared_ptr<const TableMetadata>> MetadataOf(const Table& /*table*/) const {
    return std::shared_ptr<const TableMetadata>();
  }
};

// What a flush made of one table, and what came of committing it.
struct FlushCommit {
  Table* table = nullptr;
  std::shared_ptr<const Schema> schema;
  std::span<const FlushedFile> files;
  Lsn flushed;  // every row with an LSN up to here is in `files` or was flushed before
  Status outcome;
};

// Key of the folder that holds the table's objects: `database/measurement`, percent-encoded.
std::string TableFolder(const TableRef& ref);

// A live data file, and where a durable copy of it is.
struct MovedFile {
  std::shared_ptr<const FileEntry> file;
  std::string key;
};

// Live data files of a table to be replaced by others in one commit. At least one is removed or moved.
struct FileReplacement {
  std::vector<std::shared_ptr<const FileEntry>> removed;  // of the table's committed files
  std::vector<FlushedFile> added;                         // durable already
  std::vector<MovedFile> moved = {};                      // the copies take their places, described as they are
  bool same_rows = true;                                  // the added files hold the removed rows and no others
  std::map<std::string, std::string> summary;             // further entries of the snapshot's summary
};

// How much history tables keep. A table's own Iceberg properties and refs may ask for more.
struct HistoryPolicy {
  int max_snapshots = 100;                         // of a table; 0: no bound
  int64_t max_snapshot_age_ms = 5LL * 86'400'000;  // 0: no bound
  int keep_metadata_files = 100;
  std::function<bool()> trusts_clock;  // while it says no, no snapshot expires; null: always
};

struct ExpiryOutcome {
  size_t snapshots = 0;  // that expired
  size_t objects = 0;    // that went with them
};

// The durable catalog: SQLite pointers (standard Iceberg JDBC tables) to Iceberg metadata in the object store, read at
// start. Thread-safe; commits of one table follow each other, and flushes of one table are committed by one flusher at
// a time.
class Catalog : public CatalogView {
 public:
  // What is passed by reference or pointer outlives the catalog. Reads the metadata of every table of `database_file`.
  static Result<std::unique_ptr<Catalog>> Open(const std::string& database_file, LocalDisk& disk, ObjectStore& store,
                                               Clock& clock, RandomSource& random, ByteBudget* budget,
                                               const HistoryPolicy& history = {});

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

  // Commits flushes of different tables together: for each its files with the schema and `flushed` as the lineage's
  // table property to Iceberg, in a snapshot of its own. `group` is one of the catalog's store and may still hold the
  // files; one Sync of it, then one transaction for all pointers, then each table publishes files in and chunks out.
  // Each outcome is told in the commit: after an error nothing of this table is published and its files are not part of
  // it, unless it is kUnknownOutcome: then a commit of the same files may have happened. Files that commits made
  // obsolete are removed. Of a table that was dropped meanwhile the files are removed, which is a success.
  virtual void CommitFlushes(ObjectGroup& group, std::span<FlushCommit> commits) = 0;

  // Commits the replacement to Iceberg on top of whatever other writers committed meanwhile, swaps the pointer, then
  // publishes the new set of files: a query sees each row once, and one that began before goes on reading the removed
  // files. Their objects stay until snapshot expiry finds them dead and no query of this process has them. After an
  // error nothing is published and the added files are removed (copies of moved ones are not), unless it is
  // kUnknownOutcome: then it may have happened. kNotFound: a removed file is not live any more. kConflict: other
  // writers kept committing first, or a flush must first learn what became of its commit. The new snapshot's id.
  virtual Result<int64_t> CommitReplace(Table& table, const FileReplacement& replacement) = 0;

  // Commits the expiry of snapshots that the policy says, where no flush does, and removes objects whose last reader
  // has ended. What a crash leaves behind is orphaned. kConflict as CommitReplace.
  virtual Result<ExpiryOutcome> ExpireSnapshots(Table& table) = 0;
  // Of `objects`, all that the table's folder was found to hold, those that nothing needs: see UnneededObjects.
  virtual Result<std::vector<ObjectInfo>> Unneeded(const Table& table, std::vector<ObjectInfo> objects) = 0;
  // All pointers as of one moment.
  virtual Result<PointerStoreContent> Content() = 0;
  // While it is held, no object goes that the metadata of the moment of the call needs: expired, replaced and dropped
  // ones wait. It must not outlive the catalog.
  virtual std::shared_ptr<const void> KeepObjects() = 0;
  // Wall µs of the latest commit that the lake knew of at Open; 0: none.
  virtual int64_t last_commit_micros() const = 0;
};

}  // namespace arc
