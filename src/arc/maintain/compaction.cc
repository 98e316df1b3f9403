#include "arc/maintain/compaction.h"

#include <fmt/format.h>

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "arc/base/log.h"
#include "arc/base/thread.h"
#include "arc/flush/file_name.h"
#include "arc/maintain/cron_ticker.h"
#include "arc/maintain/job_list.h"

namespace arc {
namespace {

constexpr int64_t kNanosPerMs = 1'000'000;
constexpr size_t kMaxJobs = 1000;    // queued and running
constexpr size_t kMaxLeft = 10'000;  // beyond, all are tried again

CompactionWork WorkOf(const Table& table, const CompactionCandidate& candidate) {
  const TableRef& ref = table.ref();
  const std::string folder = PartitionFolder(ref, candidate.partition, candidate.value);
  CompactionWork work;
  work.database = ref.database;
  work.measurement = ref.name;
  work.partition = folder.substr(folder.find('/') + 1);
  work.tier = candidate.partition == FlushedFile::Partition::kHour ? "hourly" : "daily";
  work.files = static_cast<int>(candidate.files.size());
  work.bytes = candidate.bytes;
  work.rows = candidate.rows;
  return work;
}

CompactionPolicy OfOneJob(const CompactionOptions& options) {
  CompactionPolicy policy = options.policy;
  policy.memory_bytes /= std::max(options.max_jobs, 1);
  return policy;
}

class CompactionImpl : public Compaction {
 public:
  CompactionImpl(Catalog& catalog, ObjectStore& store, Clock& clock, RandomSource& random,
                 const CompactionOptions& options, CronSchedule schedule)
      : catalog_(catalog),
        clock_(clock),
        random_(random),
        options_(options),
        policy_(OfOneJob(options)),
        compactor_(catalog, store,
                   {.compression = options.compression,
                    .compression_level = options.compression_level,
                    .double_dictionaries = true},
                   policy_) {
    executor_ = std::make_unique<Executor>("compaction", std::max(options.max_jobs, 1), ThreadPriority::kYielding);
    ticker_ = std::make_unique<CronTicker>("compact-clock", options.enabled ? std::optional(schedule) : std::nullopt,
                                           clock, [this] { Trigger("", ""); });
  }
  ~CompactionImpl() override { Stop(); }

  const CompactionOptions& options() const override { return options_; }
  std::vector<CompactionWork> Candidates() const override;
  int Trigger(const std::string& database, const std::string& measurement) override;
  std::vector<CompactionJob> Jobs() const override;
  std::vector<CompactionJob> History() const override;
  CompactionStats stats() const override;
  std::optional<int64_t> next_run_micros() const override { return ticker_->Next(); }
  void Wait() override;
  void Stop() override;

 private:
  struct Active {
    CompactionJob job;
    std::shared_ptr<Table> table;
    CompactionCandidate candidate;
    Uuid id;
    int64_t started_nanos = 0;
  };

  std::vector<CompactionCandidate> Plan(const Table& table) const;  // with mutex_ held
  bool Queue(const std::shared_ptr<Table>& table, CompactionCandidate candidate);
  void Run(const std::shared_ptr<Active>& active);
  void End(const std::shared_ptr<Active>& active, Result<CompactionResult> result, std::vector<LeftFile> left);
  void Lock(const CompactionCandidate& candidate);
  void Count(const CompactionJob& job);

  Catalog& catalog_;
  Clock& clock_;
  RandomSource& random_;
  const CompactionOptions options_;
  const CompactionPolicy policy_;  // of one job
  const Compactor compactor_;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  JobList<Active> jobs_;
  std::unordered_map<std::string, int64_t> locked_until_;  // files of jobs -> monotonic ns
  std::unordered_map<std::string, Error> left_;            // files that cannot be merged
  CompactionStats stats_;
  std::unique_ptr<Executor> executor_;
  std::unique_ptr<CronTicker> ticker_;
};

std::vector<CompactionCandidate> CompactionImpl::Plan(const Table& table) const {
  const auto version = table.Current();
  const int64_t now = clock_.MonotonicNanos();
  std::unordered_set<std::string_view> excluded;
  for (const auto& [key, until] : locked_until_) {
    if (until > now) excluded.insert(key);
  }
  for (const auto& [key, error] : left_) excluded.insert(key);
  // Staged files are no part of the table yet.
  const auto files = table.committed_files();
  return PlanCompaction(*files, FileColumns(*version->schema).columns.size(), clock_.WallMicros(), policy_, excluded);
}

std::vector<CompactionWork> CompactionImpl::Candidates() const {
  std::vector<CompactionWork> works;
  for (const auto& table : catalog_.AllTables()) {
    std::lock_guard lock(mutex_);
    for (const auto& candidate : Plan(*table)) works.push_back(WorkOf(*table, candidate));
  }
  return works;
}

int CompactionImpl::Trigger(const std::string& database, const std::string& measurement) {
  int started = 0;
  for (const auto& table : catalog_.AllTables()) {
    if (!database.empty() && table->ref().database != database) continue;
    if (!measurement.empty() && table->ref().name != measurement) continue;
    std::lock_guard lock(mutex_);
    for (auto& candidate : Plan(*table)) started += Queue(table, std::move(candidate)) ? 1 : 0;
  }
  std::lock_guard lock(mutex_);
  ++stats_.cycles;
  return started;
}

// With mutex_ held.
bool CompactionImpl::Queue(const std::shared_ptr<Table>& table, CompactionCandidate candidate) {
  if (stopping_ || jobs_.active().size() >= kMaxJobs) return false;
  auto active = std::make_shared<Active>();
  active->id = Uuid::Random(random_);
  active->job.id = active->id.ToString();
  active->job.work = WorkOf(*table, candidate);
  active->table = table;
  Lock(candidate);
  active->candidate = std::move(candidate);
  jobs_.Add(active);
  executor_->Post([this, active] { Run(active); });
  return true;
}

// With mutex_ held.
void CompactionImpl::Lock(const CompactionCandidate& candidate) {
  const int64_t until = clock_.MonotonicNanos() + options_.lock_ms * kNanosPerMs;
  for (const auto& file : candidate.files) locked_until_[file->key] = until;
}

void CompactionImpl::Run(const std::shared_ptr<Active>& active) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return;
    Lock(active->candidate);
    active->job.state = CompactionJob::State::kRunning;
    active->job.started_micros = clock_.WallMicros();
    active->started_nanos = clock_.MonotonicNanos();
  }
  std::vector<LeftFile> left;
  auto result =
      compactor_.Run(*active->table, active->candidate, active->id, [this] { return stopping_.load(); }, &left);
  End(active, std::move(result), std::move(left));
}

void CompactionImpl::End(const std::shared_ptr<Active>& active, Result<CompactionResult> result,
                         std::vector<LeftFile> left) {
  std::lock_guard lock(mutex_);
  CompactionJob& job = active->job;
  job.finished_micros = clock_.WallMicros();
  job.seconds = static_cast<double>(clock_.MonotonicNanos() - active->started_nanos) / 1e9;
  job.left = std::move(left);
  job.state = result.ok() ? CompactionJob::State::kCompleted : CompactionJob::State::kFailed;
  if (result.ok()) {
    job.result = *result;
  } else {
    job.error = result.error().message;
  }
  if (left_.size() > kMaxLeft) left_.clear();
  for (const auto& file : job.left) left_.insert_or_assign(file.key, file.error);
  for (const auto& file : active->candidate.files) locked_until_.erase(file->key);
  Count(job);
  jobs_.End(active);
  ended_.notify_all();
}

// With mutex_ held.
void CompactionImpl::Count(const CompactionJob& job) {
  const std::string table = job.work.database + "." + job.work.measurement;
  stats_.files_left += job.left.size();
  stats_.seconds += job.seconds;
  if (job.state == CompactionJob::State::kFailed) {
    ++stats_.failed;
    Log(LogLevel::kWarning, "compaction", "a job failed",
        {{"table", table}, {"partition", job.work.partition}, {"error", job.error}});
    return;
  }
  ++stats_.completed;
  stats_.files_before += static_cast<uint64_t>(job.result.files_before);
  stats_.files_after += static_cast<uint64_t>(job.result.files_after);
  stats_.bytes_before += static_cast<uint64_t>(job.result.bytes_before);
  stats_.bytes_after += static_cast<uint64_t>(job.result.bytes_after);
  stats_.rows += static_cast<uint64_t>(job.result.rows);
  Log(LogLevel::kInfo, "compaction", "files merged",
      {{"table", table},
       {"partition", job.work.partition},
       {"files_before", job.result.files_before},
       {"files_after", job.result.files_after},
       {"bytes_before", job.result.bytes_before},
       {"bytes_after", job.result.bytes_after}});
}

std::vector<CompactionJob> CompactionImpl::Jobs() const {
  std::lock_guard lock(mutex_);
  return jobs_.Jobs();
}

std::vector<CompactionJob> CompactionImpl::History() const {
  std::lock_guard lock(mutex_);
  return jobs_.Ended();
}

CompactionStats CompactionImpl::stats() const {
  std::lock_guard lock(mutex_);
  CompactionStats stats = stats_;
  stats.running = jobs_.Count(CompactionJob::State::kRunning);
  stats.queued = jobs_.Count(CompactionJob::State::kQueued);
  return stats;
}

void CompactionImpl::Wait() {
  std::unique_lock lock(mutex_);
  ended_.wait(lock, [&] { return jobs_.active().empty(); });
}

void CompactionImpl::Stop() {
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

Result<std::unique_ptr<Compaction>> Compaction::Start(Catalog& catalog, ObjectStore& store, Clock& clock,
                                                      RandomSource& random, const CompactionOptions& options) {
  auto schedule = CronSchedule::Parse(options.schedule);
  if (!schedule.ok()) return WithContext(std::move(schedule).error(), "compaction.schedule");
  return std::unique_ptr<Compaction>(
      std::make_unique<CompactionImpl>(catalog, store, clock, random, options, *schedule));
}

}  // namespace arc
