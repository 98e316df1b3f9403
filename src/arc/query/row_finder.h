// The rows that a DELETE is for.
#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "arc/base/result.h"
#include "arc/catalog/row_matches.h"
#include "arc/query/query_engine.h"

namespace arc {

// Stops a query, and what follows it, from another thread. Thread-safe.
class CancelSwitch {
 public:
  void Cancel();
  bool cancelled() const;
  // The query that Cancel is for; null: none any more. Cancelled at once where Cancel came first.
  void Watch(ResultStream* stream);

 private:
  mutable std::mutex mutex_;
  bool cancelled_ = false;
  ResultStream* stream_ = nullptr;
};

// The matching rows of the version's files, by file; in memory there is a bit for each row of the files that match in
// part. `request.sql` is the DELETE (or the EXPLAIN of it), its condition is evaluated as a query of the principal at
// one moment: all files, all tables in subqueries, and now(). Errors as QueryEngine::Execute, and kTooLarge when the
// files that match in part have more than 2^31 rows together.
Result<std::vector<RowMatches>> FindRows(QueryEngine& engine, QueryRequest request,
                                         std::shared_ptr<const TableVersion> version, CancelSwitch& cancel);

}  // namespace arc
