// Compaction as it runs by itself: when tables are looked over, which jobs run, and what became of them.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"
#include "arc/io/object_store.h"
#include "arc/maintain/compactor.h"

namespace arc {

struct CompactionOptions {
  bool enabled = false;                // by the schedule; by hand it always can
  std::string schedule = "5 * * * *";  // cron, UTC
  CompactionPolicy policy;             // memory_bytes: of all jobs together here
  int max_jobs = 2;                    // at a time
  int64_t lock_ms = 2 * 3'600'000;     // after so long another job may take a file that a job still holds
  std::string compression = "zstd";
  int compression_level = 1;
};

// A partition and what there is to merge in it.
struct CompactionWork {
  std::string database;
  std::string measurement;
  std::string partition;  // "cpu/2025/10/16/14", days without the hour
  std::string tier;       // "hourly", "daily"
  int files = 0;
  int64_t bytes = 0;
  int64_t rows = 0;
};

struct CompactionJob {
  enum class State { kQueued, kRunning, kCompleted, kFailed };
  std::string id;
  CompactionWork work;
  State state = State::kQueued;
  CompactionResult result;      // when completed
  std::string error;            // when failed
  std::vector<LeftFile> left;   // files that could not be merged
  int64_t started_micros = 0;   // wall clock
  int64_t finished_micros = 0;  // 0: not yet
  double seconds = 0;           // that it ran
};

struct CompactionStats {
  uint64_t cycles = 0;  // times that all tables were looked over
  uint64_t completed = 0;
  uint64_t failed = 0;
  uint64_t files_before = 0;  // of completed jobs
  uint64_t files_after = 0;
  uint64_t bytes_before = 0;
  uint64_t bytes_after = 0;
  uint64_t rows = 0;
  uint64_t files_left = 0;  // that could not be merged, since the start
  double seconds = 0;       // that jobs ran
  int running = 0;
  int queued = 0;
};

// Thread-safe. Locks and history live as long as the process.
class Compaction {
 public:
  // References outlive it. kInvalidArgument for a schedule that is none.
  static Result<std::unique_ptr<Compaction>> Start(Catalog& catalog, ObjectStore& store, Clock& clock,
                                                   RandomSource& random, const CompactionOptions& options);
  virtual ~Compaction() = default;

  virtual const CompactionOptions& options() const = 0;
  // What a look over all tables would start jobs for now.
  virtual std::vector<CompactionWork> Candidates() const = 0;
  // Looks over the tables (empty names: all) and starts the jobs; how many. Their number is bounded: what does not fit
  // is found by the next look.
  virtual int Trigger(const std::string& database, const std::string& measurement) = 0;
  virtual std::vector<CompactionJob> Jobs() const = 0;     // running and queued
  virtual std::vector<CompactionJob> History() const = 0;  // ended, the latest first; the last 100
  virtual CompactionStats stats() const = 0;
  // Wall µs of the next look by the schedule; none when that is off.
  virtual std::optional<int64_t> next_run_micros() const = 0;
  // Waits until no job is queued or running.
  virtual void Wait() = 0;
  // Stops the jobs at the next row group; none starts any more.
  virtual void Stop() = 0;
};

}  // namespace arc
