// What maintenance must remember across restarts: retention policies, what they deleted, and the clock.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/io/local_disk.h"

namespace arc {

class SqliteDatabase;

// Times are wall µs since 1970.
struct RetentionPolicy {
  int64_t id = 0;
  std::string name;         // unique
  std::string database;     // as stored
  std::string measurement;  // empty: all of the database but those with an active policy of their own
  int64_t retention_days = 0;
  int64_t buffer_days = 0;  // kept beyond
  bool active = true;       // by the schedule; by hand it always can
  int64_t created_micros = 0;
  int64_t updated_micros = 0;
};

struct RetentionExecution {
  enum class State { kRunning, kCompleted, kFailed, kInterrupted };
  int64_t id = 0;
  int64_t policy_id = 0;
  State state = State::kRunning;
  bool scheduled = false;
  int64_t cutoff_micros = 0;  // what is older goes
  int64_t started_micros = 0;
  int64_t finished_micros = 0;  // 0: not yet
  int64_t files = 0;            // deleted
  int64_t rows = 0;
  int64_t bytes = 0;
  std::string error;  // when failed
};

// How the wall clock looked when this server last looked at it.
struct ClockRecord {
  int64_t seen_micros = 0;  // 0: never
  int64_t hold_ms = 0;      // for so long it was not to be trusted yet
};

// A SQLite file of its own, synchronous=FULL: what was answered with success is durable. Thread-safe. Errors as
// SqliteDatabase's; kNotFound naming the policy; kAlreadyExists for a second policy of a name.
class MaintenanceStore {
 public:
  static constexpr int kExecutionsKept = 200;  // of a policy

  // Opens or makes the file; its folder must exist. Executions that a crash cut short become kInterrupted. `disk` and
  // `clock` outlive the store.
  static Result<std::unique_ptr<MaintenanceStore>> Open(const std::string& path, LocalDisk& disk, Clock& clock);
  MaintenanceStore(const MaintenanceStore&) = delete;
  ~MaintenanceStore();

  Result<std::vector<RetentionPolicy>> Policies();  // by id
  Result<RetentionPolicy> Policy(int64_t id);
  // The policy as stored: with id and times.
  Result<RetentionPolicy> AddPolicy(const RetentionPolicy& policy);
  // All but id and the time it was made.
  Result<RetentionPolicy> ChangePolicy(const RetentionPolicy& policy);
  Status RemovePolicy(int64_t id);  // its executions too

  // The id of the new execution. The oldest ones of the policy beyond kExecutionsKept go.
  Result<int64_t> BeginExecution(const RetentionExecution& execution);
  // State, counts and error; sets finished_micros.
  Status EndExecution(const RetentionExecution& execution);
  Result<std::vector<RetentionExecution>> Executions(int64_t policy_id, int limit);  // the latest first

  Result<ClockRecord> LastClock();
  Status RecordClock(const ClockRecord& record);

 private:
  MaintenanceStore(std::unique_ptr<SqliteDatabase> sqlite, Clock& clock);
  Status MakeTables();
  Result<RetentionPolicy> PolicyLocked(int64_t id);
  Result<int64_t> LastId();
  Status CheckName(const RetentionPolicy& policy);

  Clock& clock_;
  std::mutex mutex_;
  const std::unique_ptr<SqliteDatabase> sqlite_;
};

}  // namespace arc
