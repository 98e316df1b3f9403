// Retention: whole data files that are older than a policy allows leave their tables, by metadata alone.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/catalog/catalog.h"
#include "arc/catalog/maintenance_store.h"
#include "arc/maintain/clock_watch.h"

namespace arc {

// What a policy deletes of one table, or would.
struct RetentionShare {
  std::string database;
  std::string measurement;
  int64_t files = 0;  // wholly older than the cutoff
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t straddling_files = 0;  // with rows on both sides: they wait
};

struct RetentionOutcome {
  int64_t execution_id = 0;  // 0: a dry run, or nothing was to be deleted by the schedule
  int64_t cutoff_micros = 0;
  std::vector<RetentionShare> tables;  // those with files to delete or to wait for
  RetentionShare total;                // without names
};

struct RetentionStats {
  uint64_t runs = 0;  // real ones
  uint64_t failed = 0;
  uint64_t files = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
};

// Thread-safe; policies run one after the other. A file goes when its newest row is older than retention_days and
// buffer_days together: one commit of the operation "delete" for each table, so that a query sees each table before or
// after it. Hot and staged rows wait until they are committed. The objects go when the last snapshot that has them
// expires and no query reads them.
class Retention {
 public:
  static constexpr int64_t kMaxDays = 36'500;

  // References outlive it.
  Retention(Catalog& catalog, MaintenanceStore& store, ClockWatch& watch, Clock& clock)
      : catalog_(catalog), store_(store), watch_(watch), clock_(clock) {}

  // kInvalidArgument for an impossible policy, and those of MaintenanceStore. The database and the measurement need not
  // be there yet.
  Result<RetentionPolicy> Add(const RetentionPolicy& policy);
  Result<RetentionPolicy> Change(const RetentionPolicy& policy);
  MaintenanceStore& store() { return store_; }

  // What Run would delete now.
  Result<RetentionOutcome> Plan(int64_t policy_id);
  // Deletes, on the calling thread, and records it. After an error some tables may be done; kUnavailable while the
  // clock is not to be trusted.
  Result<RetentionOutcome> Run(int64_t policy_id);
  // All active policies; errors are recorded and logged, and end only their policy. What deletes nothing leaves no
  // record.
  void RunScheduled();
  RetentionStats stats() const;

 private:
  Result<RetentionOutcome> PlanPolicy(const RetentionPolicy& policy);
  Result<RetentionOutcome> RunPolicy(const RetentionPolicy& policy, bool scheduled);
  Status Delete(const RetentionPolicy& policy, RetentionOutcome* outcome);
  Result<std::vector<std::shared_ptr<Table>>> TablesOf(const RetentionPolicy& policy);
  Status CheckClock();

  Catalog& catalog_;
  MaintenanceStore& store_;
  ClockWatch& watch_;
  Clock& clock_;
  std::mutex run_mutex_;
  mutable std::mutex mutex_;
  RetentionStats stats_;
};

}  // namespace arc
