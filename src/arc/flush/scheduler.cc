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
  for (auto& table : DueTables()) Post(&flushing_, &FlushScheduler::FlushOne, std::move(table));
  const int64_t now = clock_.MonotonicNanos();
  if (flusher_.stages()) {
    for (auto& table : catalog_.AllTables()) {
      if (table->staged().empty() || !MayRun(committing_, table->ref().id, now)) continue;
      Post(&committing_, &FlushScheduler::CommitOne, std::move(table));
    }
  }
  AdvanceLog();
  if (now >= free_idle_at_nanos_) {
    ChunkBlocks().FreeIdle();
    free_idle_at_nanos_ = now + kFreeIdleMemoryMs * kNanosPerMs;
  }
}

std::vector<std::shared_ptr<Table>> FlushScheduler::DueTables() {
  int64_t now = clock_.MonotonicNanos();
  Lsn log_pressure = LogPressureLsn();
  std::vector<std::shared_ptr<Table>> candidates;
  for (auto& table : catalog_.AllTables()) {
    if (table->hot_rows() == 0 || !MayRun(flushing_, table->ref().id, now)) continue;
    candidates.push_back(std::move(table));
  }
  std::vector<std::shared_ptr<Table>> due;
  std::vector<std::shared_ptr<Table>> rest;
  for (auto& table : candidates) {
    bool is_due = table->hot_bytes() >= policy_.table_bytes ||
                  now - table->hot_since_nanos() >= policy_.table_age_ms * kNanosPerMs ||
                  (policy_.table_rows > 0 && table->hot_rows() >= static_cast<uint64_t>(policy_.table_rows)) ||
                  table->first_hot() <= log_pressure;
    (is_due ? due : rest).push_back(std::move(table));
  }
  AddForPressure(rest, &due);
  return due;
}

void FlushScheduler::AddForPressure(const std::vector<std::shared_ptr<Table>>& tables,
                                    std::vector<std::shared_ptr<Table>>* due) {
  auto start = static_cast<int64_t>(policy_.pressure_from * static_cast<double>(budget_.limit_bytes()));
  int64_t excess = budget_.used_bytes() - start;
  if (excess <= 0) return;
  for (const auto& table : *due) excess -= table->hot_bytes();
  std::vector<std::pair<int64_t, std::shared_ptr<Table>>> by_size;
  for (const auto& table : tables) by_size.emplace_back(table->hot_bytes(), table);
  std::sort(by_size.begin(), by_size.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  for (auto& [bytes, table] : by_size) {
    if (excess <= 0) return;
    excess -= bytes;
    due->push_back(std::move(table));
  }
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
  std::lock_guard lock(mutex_);
  if (lane.running.contains(table)) return false;
  auto failure = lane.failures.find(table);
  return failure == lane.failures.end() || failure->second.retry_at_nanos <= now;
}

void FlushScheduler::Post(Lane* lane, Step step, std::shared_ptr<Table> table) {
  {
    std::lock_guard lock(mutex_);
    if (!lane->running.insert(table->ref().id).second) return;
  }
  lane->executor->Post([this, lane, step, table = std::move(table)] {
    if (!stopping_) (void)(this->*step)(*table);
    std::lock_guard lock(mutex_);
    lane->running.erase(table->ref().id);
  });
}

Status FlushScheduler::FlushOne(Table& table) {
  auto counts = flusher_.Flush(table);
  std::lock_guard lock(mutex_);
  if (counts.ok() && !flusher_.stages()) Count(*counts, table);
  return NoteEnd(&flushing_, table, counts.ok() ? Status() : Status(counts.error()));
}

Status FlushScheduler::CommitOne(Table& table) {
  auto counts = flusher_.CommitStaged(table);
  std::lock_guard lock(mutex_);
  if (counts.ok()) Count(*counts, table);
  return NoteEnd(&committing_, table, counts.ok() ? Status() : Status(counts.error()));
}

void FlushScheduler::Count(const FlushCounts& counts, const Table& table) {
  if (counts.files == 0) return;
  ++stats_.flushes;
  stats_.rows += static_cast<uint64_t>(counts.rows);
  stats_.bytes += static_cast<uint64_t>(counts.bytes);
  stats_.files += static_cast<uint64_t>(counts.files);
  Log(LogLevel::kDebug, "flush", "table flushed",
      {{"table", NameOf(table)}, {"rows", counts.rows}, {"bytes", counts.bytes}, {"files", counts.files}});
}

Status FlushScheduler::NoteEnd(Lane* lane, const Table& table, Status status) {
  if (status.ok()) {
    lane->failures.erase(table.ref().id);
    return status;
  }
  ++stats_.errors;
  bool committing = lane == &committing_;
  int64_t last_retry_ms = committing ? kLastCommitRetryMs : kLastRetryMs;
  Failure& failure = lane->failures[table.ref().id];
  failure.delay_ms = failure.delay_ms == 0 ? kFirstRetryMs : std::min(failure.delay_ms * 2, last_retry_ms);
  failure.retry_at_nanos = clock_.MonotonicNanos() + failure.delay_ms * kNanosPerMs;
  failure.message = fmt::format("{}: {}", NameOf(table), status.error().message);
  Log(LogLevel::kError, "flush",
      committing ? "commit failed; the rows stay in the log and in staged files"
                 : "flush failed; the rows stay in the log and in memory",
      {{"table", NameOf(table)}, {"error", status.error().message}, {"retry_ms", failure.delay_ms}});
  return status;
}

Status FlushScheduler::FlushAll(int64_t deadline_nanos) {
  std::mutex mutex;
  std::condition_variable finished;
  size_t pending = 0;
  Status first_error;
  auto run = [&](Step step, Table& table) {
    bool late = deadline_nanos != 0 && clock_.MonotonicNanos() > deadline_nanos;
    if (late) return Status(MakeError(ErrorKind::kTimeout, "the flush ran out of time"));
    return (this->*step)(table);
  };
  auto end = [&](const Status& status) {
    std::lock_guard lock(mutex);
    if (!status.ok() && first_error.ok()) first_error = status;
    if (--pending == 0) finished.notify_all();
  };
  for (const auto& table : catalog_.AllTables()) {
    if (table->hot_rows() == 0 && table->staged().empty()) continue;
    {
      std::lock_guard lock(mutex);
      ++pending;
    }
    flushing_.executor->Post([&, table] {
      Status flushed = run(&FlushScheduler::FlushOne, *table);
      if (!flushed.ok() || !flusher_.stages()) return end(flushed);
      committing_.executor->Post([&, table] { end(run(&FlushScheduler::CommitOne, *table)); });
    });
  }
  std::unique_lock lock(mutex);
  finished.wait(lock, [&] { return pending == 0; });
  lock.unlock();
  AdvanceLog();
  return first_error;
}

void FlushScheduler::AdvanceLog() {
  std::lock_guard lock(advance_mutex_);
  // Read before the tables: a row applied afterwards has a higher LSN than this.
  Lsn flushed = log_.positions().applied;
  for (const auto& table : catalog_.AllTables()) {
    Lsn first = table->first_unflushed();
    if (first.value > 0) flushed.value = std::min(flushed.value, first.value - 1);
  }
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
