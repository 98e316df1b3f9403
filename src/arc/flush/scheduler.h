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
#include "arc/flush/flush_groups.h"
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
  int commit_threads = 4;  // tables uploaded and committed at once, where a remote store has flushes staged first
};

struct FlushStats {
  uint64_t flushes = 0;
  uint64_t errors = 0;
  uint64_t rows = 0;
  uint64_t bytes = 0;
  uint64_t files = 0;
  std::string last_error;  // of tables whose last attempt failed; empty when none
};

// Looks over the tables every 200 ms (or when woken), flushes what is due on its own threads, small tables in groups,
// and tells the log how far everything is committed. A table whose flush fails is tried again after 1 s, doubling up to
// 30 s. Staged flushes are committed on further threads, so that a store that does not answer holds up no flush.
// Thread-safe.
class FlushScheduler {
 public:
  // References outlive the scheduler. Starts at once.
  FlushScheduler(Catalog& catalog, Flusher& flusher, WriteAheadLog& log, ByteBudget& budget, Clock& clock,
                 FlushPolicy policy);
  ~FlushScheduler();

  void Wake() { ticker_->Wake(); }
  // Everything applied before the call is committed when this returns success; else the first error. `deadline`
  // (monotonic ns, 0: none) stops before the next group of tables when passed, with kTimeout.
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
  // One step of a table's way to the lake: at most one task a table, each table's failures apart.
  struct Lane {
    std::unique_ptr<Executor> executor;
    std::unordered_set<Uuid> running;
    std::unordered_map<Uuid, Failure> failures;
  };
  // A table and what was hot of it when the clock looked.
  struct Seen {
    std::shared_ptr<Table> table;
    HotState hot;
  };
  using Step = Status (FlushScheduler::*)(const TableGroup&);
  void Tick();
  std::vector<Seen> Look() const;
  std::vector<std::shared_ptr<Table>> DueTables(const std::vector<Seen>& tables, int64_t now);
  bool IsDue(const HotState& hot, int64_t now, Lsn log_pressure) const;
  Lsn LogPressureLsn() const;
  static bool MayRun(const Lane& lane, const Uuid& table, int64_t now);  // with mutex_ held
  void CommitStaged(const std::vector<Seen>& tables, int64_t now);
  void Post(Lane* lane, Step step, TableGroup group);
  Status FlushGroup(const TableGroup& group);
  Status CommitGroup(const TableGroup& group);
  Status NoteEnd(Lane* lane, const Table& table, const Result<FlushCounts>& end);  // with mutex_ held
  void AdvanceLog(const std::vector<Seen>& tables, Lsn applied);

  Catalog& catalog_;
  Flusher& flusher_;
  WriteAheadLog& log_;
  ByteBudget& budget_;
  Clock& clock_;
  const FlushPolicy policy_;
  mutable std::mutex mutex_;
  Lane flushing_;
  Lane committing_;
  FlushStats stats_;
  int64_t free_idle_at_nanos_ = 0;  // of the ticker only
  std::mutex advance_mutex_;
  Lsn advanced_;
  std::atomic<bool> stopping_{false};
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace arc
