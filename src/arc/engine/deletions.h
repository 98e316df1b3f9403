// Deleting rows, tables and databases: who may, and how a statement comes to do it.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "arc/auth/token_store.h"
#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/catalog/catalog.h"
#include "arc/maintain/row_deletion.h"
#include "arc/maintain/table_drops.h"
#include "arc/query/query_engine.h"
#include "arc/query/row_finder.h"

namespace arc {

struct DropRequest {
  std::string database;
  std::string measurement;   // empty: the database
  bool if_exists = false;    // what is not there is dropped already
  std::string confirmation;  // as DropOutcome told
  Principal principal;
};

// Thread-safe.
class Deletions {
 public:
  // References outlive it.
  Deletions(const CatalogView& catalog, QueryEngine& queries, RowDeletion& rows, TableDrops& drops, Clock& clock)
      : catalog_(catalog), queries_(queries), rows_(rows), drops_(drops), clock_(clock) {}

  // The statement `request.sql` as a stream of one row that carries it out when read; null when it is a query. A DELETE
  // without WHERE is refused, a DROP without confirmation ends with kConflict that tells it.
  std::unique_ptr<ResultStream> Statement(const QueryRequest& request);

  // `request.sql` is a DELETE; without WHERE it needs `all_rows`. A dry run tells what would be deleted. The principal
  // reads and writes the database. Errors as RowDeletion and QueryEngine::Execute; kNotFound; kPermissionDenied.
  Result<DeletionOutcome> Delete(const QueryRequest& request, bool dry_run, bool all_rows, CancelSwitch& cancel);
  // As TableDrops, for administrators.
  Result<DropOutcome> Drop(const DropRequest& request);
  // Cancels what runs and waits for its end; nothing starts any more.
  void Stop();

 private:
  Result<DeletionOutcome> DeleteNow(const QueryRequest& request, bool dry_run, bool all_rows, CancelSwitch& cancel);
  Result<DropOutcome> DropNow(const DropRequest& request);
  Status Begin(CancelSwitch* cancel);
  void End(CancelSwitch* cancel);
  Result<std::shared_ptr<Table>> TableFor(const std::string& database, const std::string& table,
                                          const Principal& principal) const;

  const CatalogView& catalog_;
  QueryEngine& queries_;
  RowDeletion& rows_;
  TableDrops& drops_;
  Clock& clock_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool stopped_ = false;
  std::unordered_set<CancelSwitch*> running_;
};

}  // namespace arc
