// The database without a server: opens, writes, queries, flushes and closes. Wiring only; the rooms do the work.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arc/auth/token_store.h"
#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"
#include "arc/engine/backup_job.h"
#include "arc/engine/deletions.h"
#include "arc/flush/scheduler.h"
#include "arc/ingest/writer.h"
#include "arc/io/local_disk.h"
#include "arc/io/monitored_store.h"
#include "arc/io/object_store.h"
#include "arc/io/read_ahead_store.h"
#include "arc/io/read_cache_store.h"
#include "arc/maintain/compaction.h"
#include "arc/maintain/retention.h"
#include "arc/maintain/tiering.h"
#include "arc/maintain/upkeep.h"
#include "arc/model/batch.h"
#include "arc/query/query_engine.h"
#include "arc/wal/log.h"

namespace arc {

struct EngineOptions {
  std::string data_folder = "./data";  // wal/, arc.db (pointers), auth.db, maintenance.db, tmp/
  std::string storage_root;            // tables; empty: <data_folder>/arc
  // Opens the remote store that holds the tables instead; flushes are staged in <data_folder>/staging first. Open asks
  // it nothing but Check, and for its objects where there is no catalog.
  std::function<Result<std::unique_ptr<ObjectStore>>()> open_remote_store;
  // Opens the store that old data files move to; without it there is none. Open asks it nothing but Check.
  std::function<Result<std::unique_ptr<ObjectStore>>()> open_cold_store;
  bool cold_is_local = false;                   // on local disk: nothing of it is cached there
  bool rebuild_catalog = true;                  // from the store's objects, where there is none
  int64_t staging_bytes = int64_t{10} << 30;    // bound of staged files; beyond it rows stay in memory
  int64_t read_ahead_bytes = 64 << 20;          // of the remote store's footers kept in memory
  int64_t read_cache_bytes = int64_t{4} << 30;  // of the remote store's data kept on local disk; 0: none
  std::string read_cache_folder;                // empty: <data_folder>/read-cache
  LogOptions log;                               // folder empty: <data_folder>/wal
  QueryOptions query;                           // temp_folder empty: <data_folder>/tmp
  int64_t buffer_bytes = 512 << 20;             // bound of all hot rows
  int64_t buffer_wait_ms = 200;                 // a writer waits so long for room, then kOverloaded
  FlushPolicy flush;
  std::string compression = "lz4_raw";
  CompactionOptions compaction;
  TieringOptions tiering;  // compaction and has_cold_store are the engine's
  HistoryPolicy history;   // trusts_clock is the engine's
  UpkeepOptions upkeep;
  OpenBackupTarget open_backup_target;  // empty: folders of `disk` only
};

// Where tables on local disk live.
std::string StorageRootOf(const EngineOptions& options);

struct WriteOptions {
  std::string database = "default";
  bool accept_partial = true;  // false: one bad row refuses the request
  Principal principal = Principal::Admin("internal");
};

struct BufferStats {
  int64_t used_bytes = 0;
  int64_t limit_bytes = 0;
  uint64_t rows_buffered = 0;
  uint64_t rows_written = 0;
  uint64_t flushes = 0;
  uint64_t flush_errors = 0;
  double oldest_age_seconds = 0;
  std::map<std::string, uint64_t> rows_by_table;  // "db.measurement", only those with hot rows
};

struct CacheStats {
  ReadAheadStats read_ahead;
  ReadCacheStats read_cache;
};

struct RemoteStats {
  std::optional<StoreStats> store;   // of the tables; none: they live on local disk
  std::optional<StoreStats> cold;    // none: there is no cold store
  std::optional<CacheStats> caches;  // none: nothing is remote
  int64_t staged_bytes = 0;          // of data files on local disk that wait for the store
};

struct MaintenanceStats {
  UpkeepStats upkeep;
  RetentionStats retention;
  DeletionStats deletions;
  uint64_t tables_dropped = 0;
};

// Why the server should not get traffic, empty when it should: {"wal": "disk full", …}.
using Readiness = std::map<std::string, std::string>;

// Thread-safe.
class Engine {
 public:
  // Locks the data folder, recovers and starts the background flush. `disk`, `clock` and `random` must outlive it.
  static Result<std::unique_ptr<Engine>> Open(EngineOptions options, LocalDisk& disk = SystemDisk(),
                                              Clock& clock = SystemClock(), RandomSource& random = SystemRandom());
  virtual ~Engine() = default;

  // Returns at once; `done` is called from another thread when the rows are durable and visible, or refused.
  virtual void Write(WriteRequest request, const WriteOptions& options,
                     std::function<void(Result<WriteOutcome>)> done) = 0;
  virtual Result<WriteOutcome> WriteAndWait(WriteRequest request, const WriteOptions& options) = 0;
  virtual Status CreateDatabase(const std::string& database) = 0;  // success when it is there already
  // Returns when everything acknowledged before the call is committed to Iceberg.
  virtual Status Flush() = 0;
  // A query, or one of the statements that change something: see Deletions::Statement.
  virtual Result<std::unique_ptr<ResultStream>> Query(const QueryRequest& request) = 0;

  // What an Iceberg client needs before it asks for the table: rows are committed that have no table in the lake yet,
  // and, unless `max_staleness_ms` is negative, all when the oldest hot one is older. Success without such a table.
  virtual Status FlushForIceberg(const IcebergTableName& name, int64_t max_staleness_ms) = 0;

  virtual const CatalogView& catalog() const = 0;
  virtual IcebergCatalog& iceberg() = 0;
  virtual TokenStore& tokens() = 0;
  virtual WriteAheadLog& log() = 0;
  virtual QueryEngine& queries() = 0;
  virtual ObjectStore& store() = 0;
  virtual Compaction& compaction() = 0;
  virtual Tiering& tiering() = 0;
  virtual Retention& retention() = 0;
  virtual Upkeep& upkeep() = 0;
  virtual Deletions& deletions() = 0;
  // Begins a backup (docs/backup.md) and returns at once; kConflict while one runs.
  virtual Status StartBackup(const std::string& target) = 0;
  virtual BackupStatus backup_status() const = 0;  // of the latest
  virtual BufferStats buffer_stats() const = 0;
  virtual FlushStats flush_stats() const = 0;
  virtual MaintenanceStats maintenance_stats() const = 0;
  virtual Readiness readiness() const = 0;
  // What does not work although the server should get traffic: it answers, but not everything.
  virtual Readiness impairments() const = 0;
  virtual RemoteStats remote_stats() const = 0;
  virtual const ReplayReport& replay_report() const = 0;
  // Drains: flushes what is hot unless that takes longer than `limit`; what remains is in the log. Idempotent.
  virtual Status Close(std::chrono::milliseconds limit) = 0;
};

}  // namespace arc
