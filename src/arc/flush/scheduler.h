// When tables are flushed, and how far the log may forget.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/thread.h"
#include "arc/catalog/catalog.h"
#include "arc/flush/flusher.h"
#include "arc/wal/log.h"

namespace arc {

struct FlushPolicy {
  int64_t table_bytes = 128 << 20;  // a table with more hot bytes is flushed
  int64_t table_age_ms = 300'000;   // or with an older row
  int64_t table_rows = 0;           // or with more rows; 0: no bound
  int64_t log_bytes = 1 << 30;      // the log is kept below about this by flushing whatever holds its oldest half
  double pressure_from = 0.5;       // share of the budget above which the largest tables are flushed at once
  int threads = 2;
};

struct FlushStats {
  uint64_t flushes = 0;
  uint64_t errors = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t files = 0;
  std::string last_error;  // of tables whose last attempt failed; empty when none
};

// Looks over the tables every 200 ms (or when woken), flushes what is due on its own threads and tells the log how far
// everything is committed. A table whose flush fails is tried again after 1 s, doubling up to 30 s. Thread-safe.
class FlushScheduler {
 public:
  // References outlive the scheduler. Starts at once.
  FlushScheduler(Catalog& catalog, Flusher& flusher, WriteAheadLog& log, ByteBudget& budget, Clock& clock,
                 FlushPolicy policy);
  ~FlushScheduler();

  void Wake() { ticker_->Wake(); }
  // Everything applied before the call is committed when this returns success; else the first error. `deadline`
  // (monotonic ns, 0: none) stops before the next table when passed, with kTimeout.
  Status FlushAll(int64_t deadline_nanos = 0);
  // No flush runs or starts after this returns.
  void Stop();
  FlushStats stats() const;

 private:
  struct Failure {
    int64_t retry_at_nanos = 0;
    int64_t delay_ms = 0;
    std::string message;
  };
  void Tick();
  std::vector<std::shared_ptr<Table>> DueTables();
  void AddForPressure(const std::vector<std::shared_ptr<Table>>& tables, std::vector<std::shared_ptr<Table>>* due);
  Lsn LogPressureLsn() const;
  void Post(std::shared_ptr<Table> table);
  Status FlushOne(Table& table);
  void AdvanceLog();

  Catalog& catalog_;
  Flusher& flusher_;
  WriteAheadLog& log_;
  ByteBudget& budget_;
  Clock& clock_;
  const FlushPolicy policy_;
  mutable std::mutex mutex_;
  std::unordered_set<Uuid> running_;
  std::unordered_map<Uuid, Failure> failures_;
  FlushStats stats_;
  std::mutex advance_mutex_;
  Lsn advanced_;
  std::atomic<bool> stopping_{false};
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace arc
