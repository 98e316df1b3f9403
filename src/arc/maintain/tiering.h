// Hot and cold: data files that are old enough move to a second, cheaper store and stay parts of their tables.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/catalog/catalog.h"
#include "arc/io/object_store.h"
#include "arc/maintain/clock_watch.h"
#include "arc/maintain/tiering_plan.h"

namespace arc {

// For how long rows of a database, or of one measurement, stay hot.
struct HotAge {
  std::string database;
  std::string measurement;  // empty: all of the database but those with an age of their own
  int64_t days = 0;
};

struct TieringOptions {
  static constexpr int64_t kMaxDays = 36'500;

  bool has_cold_store = false;          // without one there is nothing to do
  bool enabled = false;                 // by the schedule; by hand it always can
  std::string schedule = "30 2 * * *";  // cron, UTC
  int64_t hot_age_days = 30;
  std::vector<HotAge> exceptions;
  int max_jobs = 2;                            // at a time
  std::optional<CompactionPolicy> compaction;  // what is merged first; none: compaction does not run by itself
};

// A table, and what of it is to be moved.
struct TieringWork {
  std::string database;
  std::string measurement;
  int64_t hot_age_days = 0;
  int64_t cutoff_micros = 0;
  FileTotal moving;
  FileTotal waiting;     // for compaction
  FileTotal straddling;  // with rows on both sides of the cutoff
  FileTotal hot;         // all in the hot store
  FileTotal cold;        // all in the cold store
};

// A file that cannot be moved: damaged, or of another writer and not for Arc to rewrite the manifest of. It stays.
struct UnmovedFile {
  std::string key;
  Error error;
};

struct TieringJob {
  enum class State { kQueued, kRunning, kCompleted, kFailed };
  std::string id;
  TieringWork work;
  State state = State::kQueued;
  FileTotal moved;  // so far
  int64_t commits = 0;
  std::vector<UnmovedFile> left;  // the first kNamed
  std::string error;              // when failed; what was moved before stays moved
  int64_t started_micros = 0;     // wall clock
  int64_t finished_micros = 0;    // 0: not yet
  double seconds = 0;             // that it ran

  static constexpr size_t kNamed = 100;
};

struct TieringStats {
  uint64_t cycles = 0;  // times that all tables were looked over
  uint64_t completed = 0;
  uint64_t failed = 0;
  uint64_t files = 0;  // moved
  uint64_t bytes = 0;
  uint64_t rows = 0;
  uint64_t files_left = 0;  // that could not be moved
  double seconds = 0;       // that jobs ran
  int running = 0;
  int queued = 0;
};

// Thread-safe. One job at a time for each table. A job copies files to the cold store, reads each copy back, and then
// has the copies take the files' places, many in one Iceberg commit ("replace", the same rows under the
// same metrics): a query reads the one or the other. The hot objects go as compaction's inputs do: when the last
// snapshot that has them expires and no query reads them. Killed at any moment, each file is in one store or in both,
// and copies that no commit names are orphans. Copies get names of their own each time, so that no look for orphans
// takes one for what an earlier attempt left. Locks and history live as long as the process.
class Tiering {
 public:
  // References outlive it; `store` is a TieredStore or leads to one, unless there is no cold store. kInvalidArgument
  // for a schedule that is none.
  static Result<std::unique_ptr<Tiering>> Start(Catalog& catalog, ObjectStore& store, ClockWatch& watch, Clock& clock,
                                                RandomSource& random, const TieringOptions& options);
  virtual ~Tiering() = default;

  virtual const TieringOptions& options() const = 0;
  // All tables (empty names: all) with files that are cold, to be moved or to wait.
  virtual std::vector<TieringWork> Survey(const std::string& database, const std::string& measurement) const = 0;
  // Starts jobs for the tables with files to move; how many. kInvalidArgument without a cold store; kUnavailable while
  // the clock is not to be trusted.
  virtual Result<int> Trigger(const std::string& database, const std::string& measurement) = 0;
  virtual std::vector<TieringJob> Jobs() const = 0;     // running and queued
  virtual std::vector<TieringJob> History() const = 0;  // ended, the latest first; the last 100
  virtual TieringStats stats() const = 0;
  // Wall µs of the next look by the schedule; none when that is off.
  virtual std::optional<int64_t> next_run_micros() const = 0;
  // Waits until no job is queued or running.
  virtual void Wait() = 0;
  // Stops the jobs within a few megabytes; none starts any more.
  virtual void Stop() = 0;
};

}  // namespace arc
