// SQL over hot rows and files: a locked-down DuckDB whose only catalog is ours.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "arc/auth/token_store.h"
#include "arc/base/result.h"
#include "arc/catalog/catalog.h"
#include "arc/io/object_store.h"

namespace arrow {
class RecordBatch;
class Schema;
}  // namespace arrow

namespace arc {

enum class QueryPriority { kCritical, kHigh, kNormal, kLow };

struct QueryOptions {
  int threads = 0;                 // of DuckDB; 0: one per core
  int64_t memory_limit_bytes = 0;  // 0: 60 % of the machine's memory
  int64_t other_memory_bytes = 0;  // what the rest of the process may hold at most
  std::string temp_folder;         // spill files; holds nothing else; emptied at start
  int pool_size = 5;               // queries running at once
  int queue_limit = 100;           // waiting; more are refused with kOverloaded
  std::chrono::milliseconds timeout{300'000};
  std::chrono::milliseconds slow_query{1'000};  // logged at warning
};

// The files that a DELETE is for. Its statement then gives the rows that match: "file", a file's position in the
// version, and "row", a row's number in the file, both BIGINT and in no order.
struct DeleteTarget {
  std::shared_ptr<const TableVersion> version;  // without hot rows
  // Set by Execute: positions of files all of whose rows match, as their time ranges tell. They are not in the result.
  std::vector<uint32_t> whole_files;
};

struct QueryRequest {
  std::string sql;                   // one statement
  std::string database = "default";  // unqualified names resolve here
  Principal principal;
  QueryPriority priority = QueryPriority::kNormal;
  std::chrono::milliseconds timeout{0};  // 0: the engine's
  std::string confirmation;              // of a DROP: what its first attempt answered
  // Not null: `sql` is a DELETE, and the table it names is this one. Nothing is deleted by it.
  std::shared_ptr<DeleteTarget> delete_target;
  // Called once, by a thread of the engine, when the query still runs kStopGrace after its time is up: it is inside a
  // call that cannot be interrupted. Its place is free when that call ends. Must not block.
  std::function<void()> on_stuck;
};

inline constexpr std::chrono::milliseconds kStopGrace{1'000};

struct QueryStats {
  double wait_ms = 0;       // for a place in the pool
  double execution_ms = 0;  // so far, or in all once the stream has ended
  int64_t rows = 0;         // handed out so far
};

// A running query. Used by one thread at a time, except Cancel. Holds its place in the pool until destroyed or ended.
class ResultStream {
 public:
  virtual ~ResultStream() = default;
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;
  // The next batch, or null at the end. kTimeout, kCancelled, or the query's error.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Next() = 0;
  // From any thread: interrupts within milliseconds; Next then returns kCancelled.
  virtual void Cancel() = 0;
  virtual QueryStats stats() const = 0;
};

struct QueryPoolStats {
  int pool_size = 0;
  int active = 0;
  int queued = 0;
  uint64_t executed = 0;
  uint64_t failed = 0;
  uint64_t refused = 0;
  double wait_ms_total = 0;
  double execution_ms_total = 0;
};

// Thread-safe. Streams may outlive the engine, but both must be gone before main returns: DuckDB does not survive the
// end of its thread-local storage.
class QueryEngine {
 public:
  // Both must outlive the engine.
  static Result<std::unique_ptr<QueryEngine>> Open(const QueryOptions& options, const CatalogView& catalog,
                                                   ObjectStore& store);
  virtual ~QueryEngine() = default;
  // Blocks for a place in the pool, then plans; the work is done by DuckDB's threads and by the callers of Next. Errors
  // are the user's (kInvalidArgument with DuckDB's message; kPermissionDenied for what the sandbox or the token
  // refuses; kOverloaded when the queue is full). Allowed statements: SELECT and set operations, WITH, VALUES,
  // FROM-first, DESCRIBE, SHOW DATABASES, SHOW TABLES [FROM db], SHOW ALL TABLES, EXPLAIN [ANALYZE], SUMMARIZE, PIVOT.
  virtual Result<std::unique_ptr<ResultStream>> Execute(const QueryRequest& request) = 0;
  virtual QueryPoolStats pool_stats() const = 0;
};

}  // namespace arc
