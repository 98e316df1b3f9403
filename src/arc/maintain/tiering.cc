#include "arc/maintain/tiering.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "arc/base/log.h"
#include "arc/base/thread.h"
#include "arc/maintain/compactor.h"
#include "arc/maintain/cron.h"
#include "arc/maintain/file_mover.h"

namespace arc {
namespace {

constexpr auto kTickPeriod = std::chrono::seconds(1);
constexpr int64_t kDayMicros = 86'400'000'000;
constexpr size_t kMaxHistory = 100;
constexpr size_t kMaxLeft = 10'000;  // beyond, all are tried again
constexpr size_t kTagDigits = 8;

class TieringImpl : public Tiering {
 public:
  TieringImpl(Catalog& catalog, ObjectStore& store, ClockWatch& watch, Clock& clock, RandomSource& random,
              const TieringOptions& options, CronSchedule schedule)
      : catalog_(catalog),
        store_(store),
        watch_(watch),
        clock_(clock),
        random_(random),
        options_(options),
        schedule_(schedule),
        last_tick_micros_(clock.WallMicros()) {
    executor_ = std::make_unique<Executor>("tiering", std::max(options.max_jobs, 1), ThreadPriority::kYielding);
    ticker_ = std::make_unique<Ticker>("tiering-clock", kTickPeriod, [this] { Tick(); });
  }
  ~TieringImpl() override { Stop(); }

  const TieringOptions& options() const override { return options_; }
  std::vector<TieringWork> Survey(const std::string& database, const std::string& measurement) const override;
  Result<int> Trigger(const std::string& database, const std::string& measurement) override;
  std::vector<TieringJob> Jobs() const override;
  std::vector<TieringJob> History() const override;
  TieringStats stats() const override;
  std::optional<int64_t> next_run_micros() const override;
  void Wait() override;
  void Stop() override;

 private:
  struct Active {
    TieringJob job;
    std::shared_ptr<Table> table;
    std::vector<std::shared_ptr<const FileEntry>> files;
  };

  void Tick();
  std::vector<std::shared_ptr<Table>> TablesOf(const std::string& database, const std::string& measurement) const;
  int64_t HotAgeOf(const TableRef& ref) const;
  TieringPlan Plan(const Table& table, TieringWork* work) const;
  bool Queue(const std::shared_ptr<Table>& table);
  void Run(const std::shared_ptr<Active>& active);
  void Leave(const std::shared_ptr<Active>& active, const FileEntry& file, const Error& error);
  void End(const std::shared_ptr<Active>& active, const Status& moved, double seconds);

  Catalog& catalog_;
  ObjectStore& store_;
  ClockWatch& watch_;
  Clock& clock_;
  RandomSource& random_;
  const TieringOptions options_;
  const CronSchedule schedule_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  int64_t last_tick_micros_;
  std::vector<std::shared_ptr<Active>> active_;  // queued and running, in the order they were queued
  std::unordered_set<std::string> left_;         // keys of files that cannot be moved
  std::deque<TieringJob> history_;
  TieringStats stats_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<Ticker> ticker_;
};

// A clock that was set back, or far forward, is due once at most.
void TieringImpl::Tick() {
  const int64_t now = clock_.WallMicros();
  int64_t last = 0;
  {
    std::lock_guard lock(mutex_);
    last = std::exchange(last_tick_micros_, now);
  }
  if (!options_.has_cold_store || !options_.enabled || stopping_ || now <= last) return;
  const auto due = schedule_.Next(last);
  if (!due || *due > now) return;
  if (const auto started = Trigger("", ""); !started.ok()) {
    Log(LogLevel::kWarning, "tiering", "nothing is moved", {{"error", started.error().message}});
  }
}

std::vector<std::shared_ptr<Table>> TieringImpl::TablesOf(const std::string& database,
                                                          const std::string& measurement) const {
  auto tables = catalog_.AllTables();
  std::erase_if(tables, [&](const auto& table) {
    return (!database.empty() && table->ref().database != database) ||
           (!measurement.empty() && table->ref().name != measurement);
  });
  return tables;
}

int64_t TieringImpl::HotAgeOf(const TableRef& ref) const {
  int64_t days = options_.hot_age_days;
  for (const auto& age : options_.exceptions) {
    if (age.database != ref.database) continue;
    if (age.measurement == ref.name) return age.days;
    if (age.measurement.empty()) days = age.days;
  }
  return days;
}

TieringPlan TieringImpl::Plan(const Table& table, TieringWork* work) const {
  const int64_t now = clock_.WallMicros();
  const auto files = table.committed_files();  // staged ones are no part of the table yet
  work->database = table.ref().database;
  work->measurement = table.ref().name;
  work->hot_age_days = HotAgeOf(table.ref());
  work->cutoff_micros = now - work->hot_age_days * kDayMicros;
  auto plan = PlanTiering(*files, FileColumns(*table.Current()->schema).columns.size(), now, work->cutoff_micros,
                          options_.compaction ? &*options_.compaction : nullptr);
  {
    std::lock_guard lock(mutex_);
    std::erase_if(plan.files, [&](const auto& file) { return left_.contains(file->key); });
  }
  plan.moving = {};
  for (const auto& file : plan.files) plan.moving.Add(*file);
  work->moving = plan.moving;
  work->waiting = plan.waiting;
  work->straddling = plan.straddling;
  work->hot = plan.hot;
  work->cold = plan.cold;
  return plan;
}

std::vector<TieringWork> TieringImpl::Survey(const std::string& database, const std::string& measurement) const {
  std::vector<TieringWork> works;
  for (const auto& table : TablesOf(database, measurement)) {
    TieringWork work;
    Plan(*table, &work);
    if (work.moving.files + work.waiting.files + work.straddling.files + work.cold.files > 0) {
      works.push_back(std::move(work));
    }
  }
  return works;
}

Result<int> TieringImpl::Trigger(const std::string& database, const std::string& measurement) {
  if (!options_.has_cold_store) return InvalidArgument("there is no cold store: see the setting tiering.backend");
  if (!watch_.IsTrusted()) return Unavailable("the wall clock has leapt: ages cannot be told for now");
  int started = 0;
  for (const auto& table : TablesOf(database, measurement)) started += Queue(table) ? 1 : 0;
  std::lock_guard lock(mutex_);
  ++stats_.cycles;
  return started;
}

bool TieringImpl::Queue(const std::shared_ptr<Table>& table) {
  auto active = std::make_shared<Active>();
  active->table = table;
  active->files = Plan(*table, &active->job.work).files;
  if (active->files.empty()) return false;
  std::lock_guard lock(mutex_);
  const bool busy =
      std::any_of(active_.begin(), active_.end(), [&](const auto& other) { return other->table == table; });
  if (stopping_ || busy) return false;
  active->job.id = Uuid::Random(random_).ToString();
  active_.push_back(active);
  executor_->Post([this, active] { Run(active); });
  return true;
}

void TieringImpl::Run(const std::shared_ptr<Active>& active) {
  const int64_t started_nanos = clock_.MonotonicNanos();
  {
    std::lock_guard lock(mutex_);
    active->job.state = TieringJob::State::kRunning;
    active->job.started_micros = clock_.WallMicros();
  }
  FileMover::Events events;
  events.is_cancelled = [this] { return stopping_.load(); };
  events.moved = [&](const std::vector<MovedFile>& moved) {
    std::lock_guard lock(mutex_);
    for (const auto& [file, key] : moved) active->job.moved.Add(*file);
    ++active->job.commits;
  };
  events.unmoved = [&](const FileEntry& file, const Error& error) { Leave(active, file, error); };
  FileMover mover(catalog_, store_, *active->table, active->job.id.substr(0, kTagDigits), events);
  const auto moved = stopping_ ? Status(MakeError(ErrorKind::kCancelled, "stopped")) : mover.Move(active->files);
  active->files.clear();  // what has left the table may go
  End(active, moved, static_cast<double>(clock_.MonotonicNanos() - started_nanos) / 1e9);
}

void TieringImpl::Leave(const std::shared_ptr<Active>& active, const FileEntry& file, const Error& error) {
  const TieringWork& work = active->job.work;
  Log(LogLevel::kWarning, "tiering", "a file stays in the hot store",
      {{"table", work.database + "." + work.measurement}, {"file", file.key}, {"error", error.message}});
  std::lock_guard lock(mutex_);
  if (left_.size() >= kMaxLeft) left_.clear();
  left_.insert(file.key);
  ++stats_.files_left;
  if (active->job.left.size() < TieringJob::kNamed) active->job.left.push_back({file.key, error});
}

void TieringImpl::End(const std::shared_ptr<Active>& active, const Status& moved, double seconds) {
  std::lock_guard lock(mutex_);
  TieringJob& job = active->job;
  job.finished_micros = clock_.WallMicros();
  job.seconds = seconds;
  job.state = moved.ok() ? TieringJob::State::kCompleted : TieringJob::State::kFailed;
  ++(moved.ok() ? stats_.completed : stats_.failed);
  stats_.files += static_cast<uint64_t>(job.moved.files);
  stats_.bytes += static_cast<uint64_t>(job.moved.bytes);
  stats_.rows += static_cast<uint64_t>(job.moved.rows);
  stats_.seconds += seconds;
  const std::string table = job.work.database + "." + job.work.measurement;
  if (!moved.ok()) {
    job.error = moved.error().message;
    Log(LogLevel::kWarning, "tiering", "a job failed",
        {{"table", table}, {"files_moved", job.moved.files}, {"error", job.error}});
  } else {
    Log(LogLevel::kInfo, "tiering", "files moved to the cold store",
        {{"table", table}, {"files", job.moved.files}, {"bytes", job.moved.bytes}});
  }
  std::erase(active_, active);
  history_.push_front(job);
  if (history_.size() > kMaxHistory) history_.pop_back();
  ended_.notify_all();
}

std::vector<TieringJob> TieringImpl::Jobs() const {
  std::lock_guard lock(mutex_);
  std::vector<TieringJob> jobs;
  for (const auto& active : active_) jobs.push_back(active->job);
  return jobs;
}

std::vector<TieringJob> TieringImpl::History() const {
  std::lock_guard lock(mutex_);
  return {history_.begin(), history_.end()};
}

TieringStats TieringImpl::stats() const {
  std::lock_guard lock(mutex_);
  TieringStats stats = stats_;
  for (const auto& active : active_)
    ++(active->job.state == TieringJob::State::kRunning ? stats.running : stats.queued);
  return stats;
}

std::optional<int64_t> TieringImpl::next_run_micros() const {
  return options_.has_cold_store && options_.enabled ? schedule_.Next(clock_.WallMicros()) : std::nullopt;
}

void TieringImpl::Wait() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return active_.empty(); });
}

void TieringImpl::Stop() {
  stopping_ = true;
  ticker_->Stop();
  executor_->Stop();
}

}  // namespace

Result<std::unique_ptr<Tiering>> Tiering::Start(Catalog& catalog, ObjectStore& store, ClockWatch& watch, Clock& clock,
                                                RandomSource& random, const TieringOptions& options) {
  auto schedule = CronSchedule::Parse(options.schedule);
  if (!schedule.ok()) return WithContext(std::move(schedule).error(), "tiering.schedule");
  return std::unique_ptr<Tiering>(
      std::make_unique<TieringImpl>(catalog, store, watch, clock, random, options, *schedule));
}

}  // namespace arc
