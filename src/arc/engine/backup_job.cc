#include "arc/engine/backup_job.h"

#include <utility>

#include "arc/base/log.h"
#include "arc/catalog/sqlite_snapshot.h"

namespace arc {
namespace {

constexpr int64_t kMicrosPerMs = 1000;
constexpr int64_t kNanosPerMs = 1'000'000;
// How long writers wait at most, for requests inside to end and for what these wrote to be committed.
constexpr std::chrono::milliseconds kDrainLimit{2000};
constexpr int64_t kFlushLimitMs = 5000;
// Beside the catalog: tokens (hashes only), retention policies.
constexpr const char* kFiles[] = {"auth.db", "maintenance.db"};

}  // namespace

Status BackupJob::Start(const std::string& target) {
  std::lock_guard lock(mutex_);
  if (stopped_) return Unavailable("the server is stopping");
  if (status_.state == BackupStatus::State::kRunning) {
    return MakeError(ErrorKind::kConflict, "a backup to " + status_.target + " is under way");
  }
  status_ = {};
  status_.state = BackupStatus::State::kRunning;
  status_.target = target;
  status_.started_micros = parts_.clock.WallMicros();
  progress_ = std::make_shared<BackupProgress>();
  executor_.Post([this, target, progress = progress_] { End(Run(target, *progress)); });
  return {};
}

BackupStatus BackupJob::status() const {
  std::lock_guard lock(mutex_);
  BackupStatus status = status_;
  if (progress_ == nullptr) return status;
  status.objects_total = progress_->objects_total;
  status.objects_done = progress_->objects_done;
  status.objects_copied = progress_->objects_copied;
  status.bytes_copied = progress_->bytes_copied;
  return status;
}

void BackupJob::Stop() {
  {
    std::lock_guard lock(mutex_);
    stopped_ = true;
    if (progress_ != nullptr) progress_->cancelled = true;
  }
  executor_.Stop();
}

void BackupJob::End(Result<BackupSummary> summary) {
  std::lock_guard lock(mutex_);
  status_.finished_micros = parts_.clock.WallMicros();
  if (!summary.ok()) {
    status_.state = BackupStatus::State::kFailed;
    status_.error = summary.error().message;
    Log(LogLevel::kError, "engine", "backup failed", {{"target", status_.target}, {"error", status_.error}});
    return;
  }
  status_.state = BackupStatus::State::kCompleted;
  status_.summary = std::move(*summary);
  Log(LogLevel::kInfo, "engine", "backup made",
      {{"target", status_.target},
       {"backup", status_.summary->id},
       {"lsn", status_.summary->lsn},
       {"objects_copied", status_.summary->objects_copied},
       {"bytes_copied", status_.summary->bytes_copied},
       {"problems", uint64_t{status_.summary->problems.size()}}});
}

Result<BackupSummary> BackupJob::Run(const std::string& target, BackupProgress& progress) {
  if (parts_.store.KeyOf(target).ok()) return InvalidArgument(target + " is among the tables' own objects");
  ARC_ASSIGN_OR_RETURN(const auto opened, parts_.open_target(target));
  // From before the pointers are read until everything they lead to is copied.
  const auto kept = parts_.catalog.KeepObjects();
  ARC_ASSIGN_OR_RETURN(auto source, Cut());
  for (const char* name : kFiles) {
    auto bytes = SqliteSnapshot(parts_.data_folder + "/" + name, parts_.disk);
    if (!bytes.ok() && bytes.error().kind == ErrorKind::kNotFound) continue;
    if (!bytes.ok()) return std::move(bytes).error();
    source.files.emplace_back(name, std::move(*bytes));
  }
  return MakeBackup(source, *opened.store, parts_.random, progress);
}

// The pointers at an LSN. The first flush takes what time it takes; what is written meanwhile is flushed with the gate
// closed, and then every row that was ever acknowledged is committed and no other. Where that takes too long writers go
// on, and some tables have rows beyond the LSN.
Result<BackupSource> BackupJob::Cut() {
  const Lsn before = parts_.log.positions().applied;
  ARC_RETURN_IF_ERROR(parts_.scheduler.FlushAll());
  const bool drained = parts_.gate.Close(kDrainLimit);
  const Lsn applied = parts_.log.positions().applied;
  const int64_t deadline = parts_.clock.MonotonicNanos() + kFlushLimitMs * kNanosPerMs;
  const bool exact = drained && parts_.scheduler.FlushAll(deadline).ok();
  auto catalog = parts_.catalog.Content();
  parts_.gate.Open();
  if (!catalog.ok()) return std::move(catalog).error();
  return BackupSource{parts_.store,
                      std::move(*catalog),
                      exact ? applied.value : before.value,
                      exact,
                      parts_.log.lineage().ToString(),
                      {},
                      parts_.clock.WallMicros() / kMicrosPerMs};
}

}  // namespace arc
