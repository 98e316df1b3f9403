// Backups of a running database: one at a time, on a thread of their own.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "arc/backup/backup_set.h"
#include "arc/backup/make_backup.h"
#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/thread.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"
#include "arc/engine/write_gate.h"
#include "arc/flush/scheduler.h"
#include "arc/io/local_disk.h"
#include "arc/io/object_store.h"
#include "arc/wal/log.h"

namespace arc {

struct BackupStatus {
  enum class State { kNever, kRunning, kCompleted, kFailed };
  State state = State::kNever;
  std::string target;
  int64_t started_micros = 0;   // wall clock
  int64_t finished_micros = 0;  // 0: not yet
  uint64_t objects_total = 0;   // 0: not known yet
  uint64_t objects_done = 0;
  uint64_t objects_copied = 0;
  int64_t bytes_copied = 0;
  std::optional<BackupSummary> summary;  // when completed
  std::string error;                     // when failed
};

// Opens a target by what the user calls it: an absolute path, or a store's address.
using OpenBackupTarget = std::function<Result<BackupTarget>(const std::string& target)>;

// Thread-safe.
class BackupJob {
 public:
  // What it works on; all outlives it.
  struct Parts {
    Catalog& catalog;
    ObjectStore& store;
    FlushScheduler& scheduler;
    WriteAheadLog& log;
    WriteGate& gate;
    LocalDisk& disk;
    Clock& clock;
    RandomSource& random;
    std::string data_folder;
    OpenBackupTarget open_target;
  };
  explicit BackupJob(Parts parts) : parts_(std::move(parts)) {}
  ~BackupJob() { Stop(); }

  // Begins one and returns at once. kConflict while one runs.
  Status Start(const std::string& target);
  BackupStatus status() const;
  // Cancels what runs and waits for its end. None starts afterwards.
  void Stop();

 private:
  Result<BackupSummary> Run(const std::string& target, BackupProgress& progress);
  Result<BackupSource> Cut();
  void End(Result<BackupSummary> summary);

  const Parts parts_;
  mutable std::mutex mutex_;
  BackupStatus status_;
  std::shared_ptr<BackupProgress> progress_;
  bool stopped_ = false;
  Executor executor_{"backup", 1, ThreadPriority::kYielding};
};

}  // namespace arc
