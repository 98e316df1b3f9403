#include "arc/flush/scheduler.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <utility>

#include "arc/base/log.h"
#include "arc/buffer/block_pool.h"

namespace arc {
namespace {

constexpr auto kTickPeriod = std::chrono::milliseconds(200);
constexpr int64_t kFreeIdleMemoryMs = 10'000;
constexpr int64_t kFirstRetryMs = 1'000;
constexpr int64_t kLastRetryMs = 30'000;
constexpr int64_t kLastCommitRetryMs = 5'000;  // what waits holds back the log
constexpr int64_t kNanosPerMs = 1'000'000;

std::string NameOf(const Table& table) { return table.ref().database + "." + table.ref().name; }

}  // namespace

FlushScheduler::FlushScheduler(Catalog& catalog, Flusher& flusher, WriteAheadLog& log, ByteBudget& budget, Clock& clock,
                               FlushPolicy policy)
    : catalog_(catalog), flusher_(flusher), log_(log), budget_(budget), clock_(clock), policy_(policy) {
  flushing_.executor = std::make_unique<Executor>("flush", policy.threads);
  if (flusher_.stages()) committing_.executor = std::make_unique<Executor>("commit", policy.commit_threads);
  ticker_ = std::make_unique<Ticker>("flush-clock", kTickPeriod, [this] { Tick(); });
}

FlushScheduler::~FlushScheduler() { Stop(); }

void FlushScheduler::Stop() {
  stopping_ = true;
  ticker_->Stop();
  flushing_.executor->Stop();
  if (committing_.executor) committing_.executor->Stop();
}

void FlushScheduler::Tick() {
  const int64_t now = clock_.MonotonicNanos();
  // Read before the tables: a row applied afterwards has a higher LSN than this.
  const Lsn applied = log_.positions().applied;
  const auto tables = Look();
  AdvanceLog(tables, applied);
  for (auto& group : GroupForFlush(DueTables(tables, now))) {
    Post(&flushing_, &FlushScheduler::FlushGroup, std::move(group));
  }
  if (flusher_.stages()) CommitStaged(tables, now);
  if (now >= free_idle_at_nanos_) {
    ChunkBlocks().FreeIdle();
    free_idle_at_nanos_ = now + kFreeIdleMemoryMs * kNanosPerMs;
  }
}

std::vector<FlushScheduler::Seen> FlushScheduler::Look() const {
  std::vector<Seen> seen;
  auto tables = catalog_.AllTables();
  seen.reserve(tables.size());
  for (auto& table : tables) {
    const HotState hot = table->hot();
    if (hot.first_unflushed.value > 0) seen.push_back({std::move(table), hot});
  }
  return seen;
}

// What is due by itself, and then the largest tables as long as memory is short.
std::vector<std::shared_ptr<Table>> FlushScheduler::DueTables(const std::vector<Seen>& tables, int64_t now) {
  const Lsn log_pressure = LogPressureLsn();
  const auto pressure_bytes = static_cast<int64_t>(policy_.pressure_from * static_cast<double>(budget_.limit_bytes()));
  int64_t excess = budget_.used_bytes() - pressure_bytes;
  std::vector<std::shared_ptr<Table>> due;
  std::vector<const Seen*> rest;
  {
    std::lock_guard lock(mutex_);
    for (const auto& seen : tables) {
      if (seen.hot.rows == 0) continue;
      const Uuid& id = seen.table->ref().id;
      if (flushing_.running.contains(id)) {
        excess -= seen.hot.bytes;  // on its way
      } else if (IsDue(seen.hot, now, log_pressure)) {
        if (!MayRun(flushing_, id, now)) continue;
        excess -= seen.hot.bytes;
        due.push_back(seen.table);
      } else {
        rest.push_back(&seen);
      }
    }
  }
  if (excess <= 0) return due;
  std::sort(rest.begin(), rest.end(), [](const Seen* a, const Seen* b) { return a->hot.bytes > b->hot.bytes; });
  std::lock_guard lock(mutex_);
  for (const Seen* seen : rest) {
    if (excess <= 0) break;
    if (!MayRun(flushing_, seen->table->ref().id, now)) continue;
    excess -= seen->hot.bytes;
    due.push_back(seen->table);
  }
  return due;
}

bool FlushScheduler::IsDue(const HotState& hot, int64_t now, Lsn log_pressure) const {
  return hot.bytes >= policy_.table_bytes || now - hot.since_nanos >= policy_.table_age_ms * kNanosPerMs ||
         (policy_.table_rows > 0 && hot.rows >= static_cast<uint64_t>(policy_.table_rows)) || hot.first <= log_pressure;
}

Lsn FlushScheduler::LogPressureLsn() const {
  int64_t bytes = 0;
  std::vector<SegmentInfo> holding;
  for (auto& segment : log_.segments()) {
    if (segment.state != "active" && segment.state != "sealed") continue;
    bytes += segment.bytes;
    holding.push_back(std::move(segment));
  }
  if (bytes <= policy_.log_bytes || holding.size() < 2) return {};
  return holding[holding.size() / 2 - 1].last;
}

bool FlushScheduler::MayRun(const Lane& lane, const Uuid& table, int64_t now) {
  if (lane.running.contains(table)) return false;
  auto failure = lane.failures.find(table);
  return failure == lane.failures.end() || failure->second.retry_at_nanos <= now;
}

void FlushScheduler::CommitStaged(const std::vector<Seen>& tables, int64_t now) {
  for (const auto& [table, hot] : tables) {
    if (table->staged().empty()) continue;
    {
      std::lock_guard lock(mutex_);
      if (!MayRun(committing_, table->ref().id, now)) continue;
    }
    Post(&committing_, &FlushScheduler::CommitGroup, {table});
  }
}

void FlushScheduler::Post(Lane* lane, Step step, TableGroup group) {
  {
    std::lock_guard lock(mutex_);
    std::erase_if(group, [&](const auto& table) { return !lane->running.insert(table->ref().id).second; });
  }
  if (group.empty()) return;
  lane->executor->Post([this, lane, step, group = std::move(group)] {
    if (!stopping_) (void)(this->*step)(group);
    std::lock_guard lock(mutex_);
    for (const auto& table : group) lane->running.erase(table->ref().id);
  });
}

// The first error, if any, as CommitGroup.
Status FlushScheduler::FlushGroup(const TableGroup& group) {
  const auto ends = flusher_.Flush(group);
  Status first_error;
  std::lock_guard lock(mutex_);
  for (size_t i = 0; i < group.size(); ++i) {
    auto status = NoteEnd(&flushing_, *group[i], ends[i]);
    if (first_error.ok()) first_error = std::move(status);
  }
  return first_error;
}

Status FlushScheduler::CommitGroup(const TableGroup& group) {
  Status first_error;
  for (const auto& table : group) {
    const auto end = flusher_.CommitStaged(*table);
    std::lock_guard lock(mutex_);
    auto status = NoteEnd(&committing_, *table, end);
    if (first_error.ok()) first_error = std::move(status);
  }
  return first_error;
}

Status FlushScheduler::NoteEnd(Lane* lane, const Table& table, const Result<FlushCounts>& end) {
  const bool committing = lane == &committing_;
  if (end.ok()) {
    lane->failures.erase(table.ref().id);
    if (end->files == 0 || committing != flusher_.stages()) return {};
    ++stats_.flushes;
    stats_.rows += static_cast<uint64_t>(end->rows);
    stats_.bytes += static_cast<uint64_t>(end->bytes);
    stats_.files += static_cast<uint64_t>(end->files);
    Log(LogLevel::kDebug, "flush", "table flushed",
        {{"table", NameOf(table)}, {"rows", end->rows}, {"bytes", end->bytes}, {"files", end->files}});
    return {};
  }
  ++stats_.errors;
  int64_t last_retry_ms = committing ? kLastCommitRetryMs : kLastRetryMs;
  Failure& failure = lane->failures[table.ref().id];
  failure.delay_ms = failure.delay_ms == 0 ? kFirstRetryMs : std::min(failure.delay_ms * 2, last_retry_ms);
  failure.retry_at_nanos = clock_.MonotonicNanos() + failure.delay_ms * kNanosPerMs;
  failure.message = fmt::format("{}: {}", NameOf(table), end.error().message);
  Log(LogLevel::kError, "flush",
      committing ? "commit failed; the rows stay in the log and in staged files"
                 : "flush failed; the rows stay in the log and in memory",
      {{"table", NameOf(table)}, {"error", end.error().message}, {"retry_ms", failure.delay_ms}});
  return end.error();
}

Status FlushScheduler::FlushAll(int64_t deadline_nanos) {
  std::mutex mutex;
  std::condition_variable finished;
  size_t pending = 0;
  Status first_error;
  auto run = [&](Step step, const TableGroup& group) {
    bool late = deadline_nanos != 0 && clock_.MonotonicNanos() > deadline_nanos;
    if (late) return Status(MakeError(ErrorKind::kTimeout, "the flush ran out of time"));
    return (this->*step)(group);
  };
  auto end = [&](const Status& status) {
    std::lock_guard lock(mutex);
    if (!status.ok() && first_error.ok()) first_error = status;
    if (--pending == 0) finished.notify_all();
  };
  std::vector<std::shared_ptr<Table>> tables;
  for (auto& seen : Look()) tables.push_back(std::move(seen.table));
  for (auto& group : GroupForFlush(std::move(tables))) {
    {
      std::lock_guard lock(mutex);
      ++pending;
    }
    flushing_.executor->Post([&, group = std::move(group)] {
      Status flushed = run(&FlushScheduler::FlushGroup, group);
      if (!flushed.ok() || !flusher_.stages()) return end(flushed);
      committing_.executor->Post([&, group] { end(run(&FlushScheduler::CommitGroup, group)); });
    });
  }
  std::unique_lock lock(mutex);
  finished.wait(lock, [&] { return pending == 0; });
  lock.unlock();
  const Lsn applied = log_.positions().applied;
  AdvanceLog(Look(), applied);
  return first_error;
}

void FlushScheduler::AdvanceLog(const std::vector<Seen>& tables, Lsn applied) {
  std::lock_guard lock(advance_mutex_);
  Lsn flushed = applied;
  for (const auto& seen : tables) flushed.value = std::min(flushed.value, seen.hot.first_unflushed.value - 1);
  if (flushed <= advanced_) return;
  if (auto status = log_.SetFlushed(flushed); !status.ok()) {
    Log(LogLevel::kError, "flush", "the log's checkpoint could not be written", {{"error", status.error().message}});
    return;
  }
  advanced_ = flushed;
}

FlushStats FlushScheduler::stats() const {
  std::lock_guard lock(mutex_);
  FlushStats stats = stats_;
  for (const Lane* lane : {&flushing_, &committing_}) {
    for (const auto& [id, failure] : lane->failures) {
      if (stats.last_error.empty()) stats.last_error = failure.message;
    }
  }
  return stats;
}

}  // namespace arc
