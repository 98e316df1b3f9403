// The seam between the query pool and DuckDB: nothing above it sees a DuckDB header, nothing below it a pool.
#pragma once

#include <memory>
#include <string>

#include "arc/base/result.h"
#include "arc/catalog/catalog.h"
#include "arc/io/object_store.h"
#include "arc/query/query_engine.h"

namespace arc {

// One connection, used again by query after query. One thread at a time, except Interrupt.
class Session {
 public:
  virtual ~Session() = default;
  // Parses, checks, plans and starts the statement. An error leaves the session ready for the next Start.
  virtual Result<std::shared_ptr<arrow::Schema>> Start(const QueryRequest& request) = 0;
  // The next batch, null at the end. After an error or the end only Finish may follow.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
  // Any thread: a running Start or Next returns kCancelled within milliseconds, background work stops.
  virtual void Interrupt() = 0;
  // Ends the query, if one runs, and drops the table versions it pinned.
  virtual void Finish() = 0;
  // The database under this session declared itself unusable; open a new one.
  virtual bool broken() const = 0;
};

// Of the whole process: beyond it queries have taken more than they may.
struct ProcessLimits {
  int64_t usual_bytes = 0;
  // More where earlier queries left much: what running ones may take then, by DuckDB's books and what allocators add.
  int64_t least_share_bytes = 0;
  int64_t ceiling_bytes = 0;
};

// One locked-down DuckDB instance. Thread-safe; outlives its sessions.
class Database {
 public:
  // `temp_folder` holds spill files only and may be removed whole. `catalog` and `store` outlive the database.
  static Result<std::shared_ptr<Database>> Open(const QueryOptions& options, const std::string& temp_folder,
                                                const CatalogView& catalog, ObjectStore& store);
  virtual ~Database() = default;
  static ProcessLimits LimitsOf(const QueryOptions& options);
  virtual Result<std::unique_ptr<Session>> Connect() = 0;
};

}  // namespace arc
