#include "arc/wal/log.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "arc/base/log.h"
#include "arc/wal/checkpoint.h"
#include "arc/wal/committer.h"
#include "arc/wal/group_writer.h"
#include "arc/wal/recovery.h"
#include "arc/wal/segment_files.h"

namespace arc {
namespace {

class FileLog : public WriteAheadLog {
 public:
  FileLog(LocalDisk& disk, Clock& clock, RandomSource& random, const LogOptions& options, const Recovery& recovery)
      : disk_(disk),
        clock_(clock),
        options_(options),
        lineage_(recovery.checkpoint.lineage),
        files_(disk, clock, random, options),
        writer_(files_, clock, lineage_, options, recovery.last) {}

  Status Start(const Recovery& recovery, Lsn floor) {
    ARC_RETURN_IF_ERROR(files_.Load());
    for (const auto& segment : recovery.segments) {
      files_.AddSealed(segment.base, segment.capacity, segment.used, segment.first, segment.last, segment.replayed);
    }
    // The checkpoint that allows this is the one on disk.
    ARC_RETURN_IF_ERROR(files_.Retire(recovery.checkpoint.flushed));
    CleanUpByAge();
    LogPositions positions;
    positions.applied = positions.durable = std::max(recovery.last, floor);
    positions.next = Lsn{positions.applied.value + 1};
    positions.flushed = recovery.checkpoint.flushed;
    bool full = false;
    if (options_.sync_mode != SyncMode::kOff) {
      auto status = writer_.Renew(positions.next);
      full = !status.ok() && status.error().kind == ErrorKind::kDiskFull;
      if (!status.ok() && !full) return status;
    }
    committer_.emplace(writer_, clock_, options_, positions, full);
    return {};
  }

  ~FileLog() override { committer_.reset(); }

  void Append(LogRecord record, Apply apply, Done done) override {
    std::vector<LogRecord> records;
    records.push_back(std::move(record));
    committer_->Append(std::move(records), std::move(apply), std::move(done));
  }

  void AppendAll(std::vector<LogRecord> records, Apply apply, Done done) override {
    committer_->Append(std::move(records), std::move(apply), std::move(done));
  }

  Status SyncThrough(Lsn lsn) override { return committer_->SyncThrough(lsn); }

  Status SetFlushed(Lsn lsn) override {
    std::lock_guard lock(flush_mutex_);
    ARC_RETURN_IF_ERROR(committer_->SetFlushed(lsn));
    const Lsn flushed = committer_->positions().flushed;
    if (!files_.HasRetirable(flushed)) return {};
    // Replay must never look for what the next step takes away.
    ARC_RETURN_IF_ERROR(PutCheckpoint());
    ARC_RETURN_IF_ERROR(files_.Retire(flushed));
    CleanUpByAge();
    return {};
  }

  const Uuid& lineage() const override { return lineage_; }
  LogPositions positions() const override { return committer_->positions(); }
  LogStats stats() const override { return committer_->stats(); }
  std::vector<SegmentInfo> segments() const override { return files_.List(); }
  std::string poisoned() const override { return committer_->poisoned(); }
  bool full() const override { return committer_->full(); }
  Result<int> CleanUp(int64_t older_than_ms) override { return files_.CleanUp(older_than_ms); }

  Status Close() override {
    ARC_RETURN_IF_ERROR(committer_->Close());
    std::lock_guard lock(flush_mutex_);
    return PutCheckpoint();
  }

 private:
  Status PutCheckpoint() {
    Checkpoint checkpoint;
    checkpoint.lineage = lineage_;
    checkpoint.logged = committer_->logged();
    const auto positions = committer_->positions();
    checkpoint.applied = positions.applied;
    checkpoint.flushed = positions.flushed;
    checkpoint.wall_micros = clock_.WallMicros();
    return WriteCheckpoint(disk_, options_.folder, checkpoint);
  }

  void CleanUpByAge() {
    auto removed = files_.CleanUp(options_.archive_age_ms);
    if (!removed.ok()) {
      Log(LogLevel::kWarning, "wal", "old segments cannot be removed", {{"error", removed.error().message}});
    }
  }

  LocalDisk& disk_;
  Clock& clock_;
  const LogOptions options_;
  const Uuid lineage_;
  SegmentFiles files_;
  GroupWriter writer_;
  std::mutex flush_mutex_;
  std::optional<Committer> committer_;
};

Status CheckOptions(const LogOptions& options) {
  if (options.folder.empty()) return InvalidArgument("the write-ahead log has no folder");
  if (options.segment_bytes < 4096 || options.segment_age_ms <= 0 || options.queue_bytes <= 0 ||
      options.recycled_segments < 0) {
    return InvalidArgument(
        "the write-ahead log's segments must have at least 4096 bytes and all its bounds be positive");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<WriteAheadLog>> WriteAheadLog::Open(LocalDisk& disk, Clock& clock, RandomSource& random,
                                                           LogOptions options, const FlushedFloor& flushed_floor,
                                                           const Replay& replay, ReplayReport* report) {
  ARC_RETURN_IF_ERROR(CheckOptions(options));
  ARC_ASSIGN_OR_RETURN(auto recovery, RecoverLog(disk, clock, random, options.folder, flushed_floor, replay));
  auto log = std::make_unique<FileLog>(disk, clock, random, options, recovery);
  ARC_RETURN_IF_ERROR(log->Start(recovery, recovery.floor));
  if (report != nullptr) *report = recovery.report;
  return std::unique_ptr<WriteAheadLog>(std::move(log));
}

}  // namespace arc
