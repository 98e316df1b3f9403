#include "arc/wal/committer.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "arc/base/log.h"

namespace arc {
namespace {

// Enough to spread one sync over many requests; bounds what replay holds in memory.
constexpr int64_t kGroupBytes = 16 << 20;
constexpr int64_t kAsyncSyncNanos = 200'000'000;
constexpr int64_t kFullRetryNanos = 1'000'000'000;
constexpr int64_t kRecordBytes = 256;  // what a record costs beside its rows

Error ClosedError() { return Unavailable("the write-ahead log is closed"); }
Error FullError() { return MakeError(ErrorKind::kDiskFull, "the write-ahead log's disk is full"); }
Error PoisonedError(const std::string& why) {
  return Unavailable("the write-ahead log takes nothing until a restart: " + why);
}

}  // namespace

Committer::Committer(GroupWriter& writer, Clock& clock, const LogOptions& options, const LogPositions& positions,
                     bool full)
    : writer_(writer),
      clock_(clock),
      options_(options),
      positions_(positions),
      written_(writer.written()),
      logged_(writer.logged()),
      full_(full),
      retry_due_nanos_(clock.MonotonicNanos() + kFullRetryNanos) {
  thread_ = Thread("wal-commit", [this] { Run(); });
}

Committer::~Committer() {
  auto closed = Close();
  if (!closed.ok()) Log(LogLevel::kError, "wal", "closing the log failed", {{"error", closed.error().message}});
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  work_.notify_all();
  thread_.Join();
}

std::optional<Error> Committer::RefusalNow(int64_t bytes) const {
  if (closing_) return ClosedError();
  if (!poisoned_.empty()) return PoisonedError(poisoned_);
  if (full_) return FullError();
  if (stats_.queued_bytes > 0 && stats_.queued_bytes + bytes > options_.queue_bytes) {
    return MakeError(ErrorKind::kOverloaded, "too many bytes wait for the write-ahead log");
  }
  return std::nullopt;
}

void Committer::Append(std::vector<LogRecord> records, WriteAheadLog::Apply apply, WriteAheadLog::Done done) {
  ARC_CHECK(!records.empty());
  int64_t bytes = 0;
  for (const auto& record : records) bytes += kRecordBytes + record.batch.ByteSize();
  bool idle;
  {
    std::lock_guard lock(mutex_);
    idle = queue_.empty() && refusals_.empty();
    if (auto refusal = RefusalNow(bytes)) {
      refusals_.push_back({std::move(done), *std::move(refusal)});
    } else {
      stats_.queued_bytes += bytes;
      ++accepted_;
      queue_.push_back({std::move(records), std::move(apply), std::move(done), bytes});
    }
  }
  if (idle) work_.notify_one();
}

void Committer::Run() {
  Lock lock(mutex_);
  while (true) {
    WaitForWork(lock);
    AnswerRefusals(lock);
    if (!queue_.empty()) CommitGroup(TakeGroup(), lock);
    if (unsynced() && (sync_wanted_ || closing_ || clock_.MonotonicNanos() >= sync_due_nanos_)) SyncNow(lock);
    if (full_ && !closing_ && clock_.MonotonicNanos() >= retry_due_nanos_) RetryFullDisk(lock);
    sync_wanted_ = false;
    progress_.notify_all();
    if (stopping_ && queue_.empty() && refusals_.empty()) return;
  }
}

void Committer::WaitForWork(Lock& lock) {
  const auto ready = [this] {
    return !queue_.empty() || !refusals_.empty() || sync_wanted_ || stopping_ || (closing_ && unsynced());
  };
  int64_t due = 0;
  if (unsynced()) due = sync_due_nanos_;
  if (full_) due = unsynced() ? std::min(due, retry_due_nanos_) : retry_due_nanos_;
  if (due == 0) {
    work_.wait(lock, ready);
    return;
  }
  // In slices, because the clock may be a test's and jump.
  const int64_t nanos = std::clamp<int64_t>(due - clock_.MonotonicNanos(), 0, 20'000'000);
  work_.wait_for(lock, std::chrono::nanoseconds(nanos), ready);
}

void Committer::AnswerRefusals(Lock& lock) {
  auto refusals = std::exchange(refusals_, {});
  if (refusals.empty()) return;
  lock.unlock();
  for (auto& refusal : refusals) refusal.done(std::move(refusal.error));
  refusals.clear();
  lock.lock();
}

std::vector<Committer::Request> Committer::TakeGroup() {
  std::vector<Request> group;
  int64_t bytes = 0;
  while (!queue_.empty() && (group.empty() || bytes + queue_.front().bytes <= kGroupBytes)) {
    bytes += queue_.front().bytes;
    group.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  stats_.queued_bytes -= bytes;
  return group;
}

void Committer::CommitGroup(std::vector<Request> group, Lock& lock) {
  if (!poisoned_.empty()) return Fail(std::move(group), PoisonedError(poisoned_), lock);
  if (full_) return Fail(std::move(group), FullError(), lock);
  const Lsn first = positions_.next;
  const bool was_unsynced = unsynced();
  lock.unlock();
  auto status = LogGroup(group, first);
  lock.lock();
  CopyWriterState();
  if (!was_unsynced && unsynced()) sync_due_nanos_ = clock_.MonotonicNanos() + kAsyncSyncNanos;
  if (!status.ok() && status.error().kind == ErrorKind::kInternal && group.size() > 1) {
    // One request cannot be encoded: the others must not suffer.
    for (auto& request : group) {
      std::vector<Request> alone;
      alone.push_back(std::move(request));
      CommitGroup(std::move(alone), lock);
    }
    return;
  }
  uint64_t records = 0;
  for (const auto& request : group) records += request.records.size();
  // Also when it failed: part of it may stand in the file, so its LSNs are not given again.
  positions_.next = Lsn{first.value + records};
  if (!status.ok()) return Fail(std::move(group), std::move(status).error(), lock);
  Publish(std::move(group), first, lock);
}

// Without the lock.
Status Committer::LogGroup(const std::vector<Request>& group, Lsn first) {
  if (options_.sync_mode == SyncMode::kOff) return {};
  std::vector<const LogRecord*> records;
  for (const auto& request : group) {
    for (const auto& record : request.records) records.push_back(&record);
  }
  return writer_.Write(records, first);
}

// Refuses the group and takes the log out of service as far as the error demands.
void Committer::Fail(std::vector<Request> group, Error error, Lock& lock) {
  if (error.kind == ErrorKind::kDiskFull) {
    if (!full_) Log(LogLevel::kError, "wal", "the disk is full", {{"error", error.message}});
    full_ = true;
    retry_due_nanos_ = clock_.MonotonicNanos() + kFullRetryNanos;
  } else if (error.kind != ErrorKind::kInternal && poisoned_.empty()) {
    poisoned_ = error.message;
    Log(LogLevel::kError, "wal", "a write or sync of the log failed; it takes nothing until a restart",
        {{"error", error.message}});
    error = MakeError(ErrorKind::kUnknownOutcome,
                      "the rows may or may not have been written; the write-ahead log failed: " + error.message);
  }
  lock.unlock();
  for (auto& request : group) request.done(error);
  const size_t requests = group.size();
  group.clear();
  lock.lock();
  finished_ += requests;
}

void Committer::Publish(std::vector<Request> group, Lsn first, Lock& lock) {
  lock.unlock();
  uint64_t records = 0;
  uint64_t rows = 0;
  for (auto& request : group) {
    for (auto& record : request.records) {
      rows += static_cast<uint64_t>(record.batch.rows);
      request.apply(Lsn{first.value + records++}, std::move(record));
    }
  }
  lock.lock();
  positions_.applied = Lsn{first.value + records - 1};
  ++stats_.groups;
  stats_.records += records;
  stats_.rows += rows;
  if (options_.sync_mode != SyncMode::kOff) stats_.bytes += static_cast<uint64_t>(writer_.group_bytes());
  lock.unlock();
  uint64_t last = first.value - 1;
  for (auto& request : group) {
    last += request.records.size();
    request.done(Lsn{last});
  }
  const size_t requests = group.size();
  group.clear();
  lock.lock();
  finished_ += requests;
}

void Committer::SyncNow(Lock& lock) {
  lock.unlock();
  auto status = writer_.Sync();
  lock.lock();
  CopyWriterState();
  if (!status.ok()) Fail({}, std::move(status).error(), lock);
}

void Committer::RetryFullDisk(Lock& lock) {
  const Lsn base = positions_.next;
  lock.unlock();
  auto status = writer_.Renew(base);
  lock.lock();
  CopyWriterState();
  if (status.ok()) {
    full_ = false;
    Log(LogLevel::kInfo, "wal", "the disk has room again");
  } else {
    Fail({}, std::move(status).error(), lock);
  }
}

void Committer::CopyWriterState() {
  if (options_.sync_mode == SyncMode::kOff) return;
  written_ = writer_.written();
  logged_ = writer_.logged();
  positions_.durable = std::max(positions_.durable, logged_);
  stats_.syncs = writer_.syncs().count;
  stats_.sync_micros_total = writer_.syncs().micros_total;
  stats_.sync_micros_max = writer_.syncs().micros_max;
  stats_.rotations = writer_.rotations();
}

Status Committer::SyncThrough(Lsn lsn) {
  Lock lock(mutex_);
  if (positions_.durable >= lsn) return {};
  const uint64_t ticket = accepted_;
  progress_.wait(lock, [&] { return finished_ >= ticket || written_ >= lsn || !poisoned_.empty(); });
  if (options_.sync_mode == SyncMode::kOff) return {};
  const Lsn target = std::min(lsn, written_);
  while (positions_.durable < target) {
    if (!poisoned_.empty()) return PoisonedError(poisoned_);
    sync_wanted_ = true;
    work_.notify_one();
    progress_.wait(lock);
  }
  return {};
}

Status Committer::Close() {
  Lock lock(mutex_);
  closing_ = true;
  work_.notify_one();
  progress_.wait(lock, [&] { return finished_ >= accepted_ && !unsynced(); });
  if (!poisoned_.empty()) return PoisonedError(poisoned_);
  return {};
}

Result<bool> Committer::SetFlushed(Lsn lsn) {
  std::lock_guard lock(mutex_);
  if (lsn > positions_.applied) {
    return InvalidArgument("LSN " + std::to_string(lsn.value) + " cannot be flushed: only " +
                           std::to_string(positions_.applied.value) + " is applied");
  }
  if (lsn <= positions_.flushed) return false;
  positions_.flushed = lsn;
  if (options_.sync_mode == SyncMode::kOff) positions_.durable = std::max(positions_.durable, lsn);
  return true;
}

LogPositions Committer::positions() const {
  std::lock_guard lock(mutex_);
  return positions_;
}

Lsn Committer::logged() const {
  std::lock_guard lock(mutex_);
  return logged_;
}

LogStats Committer::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

std::string Committer::poisoned() const {
  std::lock_guard lock(mutex_);
  return poisoned_;
}

bool Committer::full() const {
  std::lock_guard lock(mutex_);
  return full_;
}

}  // namespace arc
