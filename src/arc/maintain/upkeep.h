// What keeps a lake small for years without anybody tending it: retention, snapshot expiry and the removal of orphans,
// by a schedule.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/thread.h"
#include "arc/catalog/catalog.h"
#include "arc/catalog/maintenance_store.h"
#include "arc/io/object_store.h"
#include "arc/maintain/clock_watch.h"
#include "arc/maintain/retention.h"

namespace arc {

struct UpkeepOptions {
  bool enabled = true;                       // by the schedule; by hand it always can
  int64_t interval_ms = 3'600'000;           // between two rounds of retention and expiry
  int64_t orphan_interval_ms = 86'400'000;   // between two looks for orphans
  int64_t orphan_age_ms = 3 * 86'400'000LL;  // younger objects are none
  bool remove_orphans = true;                // false: the schedule only counts them
};

// Objects of one look, or of one removal.
struct OrphanOutcome {
  std::vector<ObjectInfo> objects;  // the first kNamed
  uint64_t count = 0;
  int64_t bytes = 0;
  uint64_t removed = 0;
  std::vector<std::string> errors;  // of tables that were left out, the first kNamed

  static constexpr size_t kNamed = 100;
};

struct UpkeepStats {
  uint64_t rounds = 0;
  uint64_t errors = 0;  // tables that a round could not do
  uint64_t snapshots_expired = 0;
  uint64_t objects_expired = 0;
  uint64_t orphans_found = 0;  // by the last look
  int64_t orphan_bytes = 0;
  uint64_t orphans_removed = 0;
  int64_t clock_hold_ms = 0;  // until the wall clock is trusted again
  std::string last_error;     // of the last round; empty: none
};

// Thread-safe.
class Upkeep {
 public:
  // References outlive it. Nothing runs by itself before Start; the first round comes after one interval.
  Upkeep(Catalog& catalog, ObjectStore& store, MaintenanceStore& record, Retention& retention, ClockWatch& watch,
         Clock& clock, const UpkeepOptions& options);
  ~Upkeep() { Stop(); }

  // Starts the thread that calls RunDue every minute. Once.
  void Start();
  const UpkeepOptions& options() const { return options_; }
  // Expires snapshots of all tables, or of one database or measurement (empty: all), on the calling thread. Errors of
  // single tables are counted and logged, the first is returned after the others are done.
  Result<ExpiryOutcome> ExpireSnapshots(const std::string& database, const std::string& measurement);
  // The orphans of those tables; removes them unless it is a dry run. Needs a clock that can be trusted. `age_ms` may
  // be no shorter than the options'.
  Result<OrphanOutcome> RemoveOrphans(const std::string& database, const std::string& measurement, int64_t age_ms,
                                      bool dry_run);
  // Records the clock, and does what is due by now.
  void RunDue();
  void Stop();
  UpkeepStats stats() const;

 private:
  using Keys = std::unordered_set<std::string>;
  std::vector<std::shared_ptr<Table>> TablesOf(const std::string& database, const std::string& measurement) const;
  Result<ExpiryOutcome> ExpireLocked(const std::vector<std::shared_ptr<Table>>& tables);
  void LookForOrphans();
  OrphanOutcome CollectOrphans(const std::vector<std::shared_ptr<Table>>& tables, int64_t age_ms, bool remove,
                               const Keys* only, Keys* found);
  void RecordClock();

  Catalog& catalog_;
  ObjectStore& store_;
  MaintenanceStore& record_;
  Retention& retention_;
  ClockWatch& watch_;
  Clock& clock_;
  const UpkeepOptions options_;
  std::mutex work_mutex_;  // one round or removal at a time
  int64_t round_at_nanos_;
  int64_t orphans_at_nanos_;
  std::optional<int64_t> recorded_at_nanos_;  // the clock
  int64_t recorded_hold_ms_ = 0;
  Keys found_before_;  // by the last scheduled look
  mutable std::mutex mutex_;
  UpkeepStats stats_;
  std::atomic<bool> stopping_{false};
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace arc
