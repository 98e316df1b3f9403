#include "arc/wal/group_writer.h"

#include <algorithm>
#include <utility>

#include "arc/base/log.h"

namespace arc {

GroupWriter::GroupWriter(SegmentFiles& files, Clock& clock, const Uuid& lineage, const LogOptions& options, Lsn logged)
    : files_(files), clock_(clock), options_(options), encoder_(lineage), written_(logged), logged_(logged) {}

bool GroupWriter::NeedsNewSegment(int64_t bytes) const {
  if (!active_ || bytes + kEndMarkerBytes > active_->capacity - active_->used) return true;
  return active_->used > 0 && clock_.MonotonicNanos() - active_->started_nanos >= options_.segment_age_ms * 1'000'000;
}

Status GroupWriter::StartSegment(Lsn base, int64_t bytes) {
  // A segment must be whole on disk before a later one exists: the next group vouches for it.
  if (logged_ < written_) ARC_RETURN_IF_ERROR(Sync());
  ARC_ASSIGN_OR_RETURN(auto next, files_.Start(base, bytes));
  if (active_) ++rotations_;
  active_ = std::move(next);
  return {};
}

Status GroupWriter::Renew(Lsn base) { return StartSegment(base, options_.segment_bytes); }

Status GroupWriter::Write(std::span<const LogRecord* const> records, Lsn first) {
  ARC_RETURN_IF_ERROR(encoder_.Encode(records, first, clock_.WallMicros()));
  const int64_t bytes = encoder_.bytes();
  if (NeedsNewSegment(bytes)) ARC_RETURN_IF_ERROR(StartSegment(first, bytes + kEndMarkerBytes));
  auto& active = *active_;
  const Lsn last{first.value + records.size() - 1};
  auto status = WriteBytes(encoder_.Seal({active.epoch, active.used, logged_}), last);
  if (!status.ok()) {
    if (status.error().kind != ErrorKind::kDiskFull) return status;
    AbandonSegment();
    if (logged_ < written_) ARC_RETURN_IF_ERROR(Sync());
    active_.reset();
    return status;
  }
  active.used += bytes;
  files_.Grow(active.used, first, last);
  if (active.used > active.capacity / 2) files_.PrepareAhead();
  return {};
}

Status GroupWriter::WriteBytes(std::span<const uint8_t> bytes, Lsn last) {
  auto& active = *active_;
  if (options_.sync_mode != SyncMode::kFdatasync) {
    ARC_RETURN_IF_ERROR(active.file->WriteAt(active.used, bytes));
    written_ = last;
    return options_.sync_mode == SyncMode::kFsync ? Sync() : Status{};
  }
  const int64_t started = clock_.MonotonicNanos();
  auto status = active.file->AppendDurably(active.used, bytes);
  if (status.ok() || status.error().kind == ErrorKind::kUnknownOutcome) written_ = last;
  if (status.ok()) Synced(started);
  return status;
}

// A file system that copies on write can run full in the middle of a preallocated file. Whatever part was written must
// not read as a group, and the rest of the file is not to be had: the log goes on in a new segment.
void GroupWriter::AbandonSegment() {
  auto& active = *active_;
  auto cut = active.file->Truncate(active.used);
  if (cut.ok()) cut = active.file->WriteAt(active.used, kEndMarker);
  if (cut.ok()) return;
  Log(LogLevel::kWarning, "wal", "part of a refused group stays in its segment", {{"error", cut.error().message}});
}

Status GroupWriter::Sync() {
  const int64_t started = clock_.MonotonicNanos();
  auto status = options_.sync_mode == SyncMode::kFsync ? active_->file->Sync() : active_->file->SyncData();
  // Also ENOSPC, which a delayed allocation reports here: the pages may be gone, and no second sync would tell.
  if (!status.ok()) return MakeError(ErrorKind::kUnknownOutcome, status.error().message);
  Synced(started);
  return {};
}

void GroupWriter::Synced(int64_t started_nanos) {
  const auto micros = static_cast<uint64_t>((clock_.MonotonicNanos() - started_nanos) / 1000);
  ++syncs_.count;
  syncs_.micros_total += micros;
  syncs_.micros_max = std::max(syncs_.micros_max, micros);
  logged_ = written_;
}

}  // namespace arc
