#include "arc/maintain/tiering.h"

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "arc/base/log.h"
#include "arc/base/thread.h"
#include "arc/maintain/compactor.h"
#include "arc/maintain/cron_ticker.h"
#include "arc/maintain/file_mover.h"
#include "arc/maintain/job_list.h"

namespace arc {
namespace {

constexpr int64_t kDayMicros = 86'400'000'000;
constexpr size_t kMaxLeft = 10'000;  // beyond, all are tried again
constexpr size_t kTagDigits = 8;

class TieringImpl : public Tiering {
 public:
  TieringImpl(Catalog& catalog, ObjectStore& store, ClockWatch& watch, Clock& clock, RandomSource& random,
              const TieringOptions& options, CronSchedule schedule)
      : catalog_(catalog), store_(store), watch_(watch), clock_(clock), random_(random), options_(options) {
    executor_ = std::make_unique<Executor>("tiering", std::max(options.max_jobs, 1), ThreadPriority::kYielding);
    const bool runs_by_itself = options.has_cold_store && options.enabled;
    ticker_ = std::make_unique<CronTicker>("tiering-clock", runs_by_itself ? std::optional(schedule) : std::nullopt,
                                           clock, [this] { LookOver(); });
  }
  ~TieringImpl() override { Stop(); }

  const TieringOptions& options() const override { return options_; }
  std::vector<TieringWork> Survey(const std::string& database, const std::string& measurement) const override;
  Result<int> Trigger(const std::string& database, const std::string& measurement) override;
  std::vector<TieringJob> Jobs() const override;
  std::vector<TieringJob> History() const override;
  TieringStats stats() const override;
  std::optional<int64_t> next_run_micros() const override { return ticker_->Next(); }
  void Wait() override;
  void Stop() override;

 private:
  struct Active {
    TieringJob job;
    std::shared_ptr<Table> table;
    std::vector<std::shared_ptr<const FileEntry>> files;
  };

  void LookOver();
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
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  JobList<Active> jobs_;
  std::unordered_set<std::string> left_;  // keys of files that cannot be moved
  TieringStats stats_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<CronTicker> ticker_;
};

void TieringImpl::LookOver() {
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
  const bool busy = std::any_of(jobs_.active().begin(), jobs_.active().end(),
                                [&](const auto& other) { return other->table == table; });
  if (stopping_ || busy) return false;
  active->job.id = Uuid::Random(random_).ToString();
  jobs_.Add(active);
  executor_->Post([this, active] { Run(active); });
  return true;
}

void TieringImpl::Run(const std::shared_ptr<Active>& active) {
  const int64_t started_nanos = clock_.MonotonicNanos();
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
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
  const auto moved = mover.Move(active->files);
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
  jobs_.End(active);
  ended_.notify_all();
}

std::vector<TieringJob> TieringImpl::Jobs() const {
  std::lock_guard lock(mutex_);
  return jobs_.Jobs();
}

std::vector<TieringJob> TieringImpl::History() const {
  std::lock_guard lock(mutex_);
  return jobs_.Ended();
}

TieringStats TieringImpl::stats() const {
  std::lock_guard lock(mutex_);
  TieringStats stats = stats_;
  stats.running = jobs_.Count(TieringJob::State::kRunning);
  stats.queued = jobs_.Count(TieringJob::State::kQueued);
  return stats;
}

void TieringImpl::Wait() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return jobs_.active().empty(); });
}

void TieringImpl::Stop() {
  stopping_ = true;
  ticker_->Stop();
  {
    std::lock_guard lock(mutex_);
    jobs_.DropQueued();
    ended_.notify_all();
  }
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
