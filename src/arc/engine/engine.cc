#include "arc/engine/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

#include "arc/base/log.h"
#include "arc/engine/catalog_rebuild.h"
#include "arc/engine/data_folder.h"
#include "arc/engine/lake_stores.h"
#include "arc/flush/flush_groups.h"
#include "arc/flush/flusher.h"
#include "arc/parquet/checked_store.h"

namespace arc {
namespace {

constexpr double kReplayFlushShare = 0.5;  // of the buffer's bound: replay flushes beyond it, to stay within memory

class EngineImpl : public Engine {
 public:
  EngineImpl(EngineOptions options, LocalDisk& disk, Clock& clock, RandomSource& random)
      : options_(std::move(options)),
        disk_(disk),
        clock_(clock),
        random_(random),
        budget_(options_.buffer_bytes),
        watch_(clock) {}

  ~EngineImpl() override { (void)Close(std::chrono::milliseconds(0)); }

  Status Start();

  void Write(WriteRequest request, const WriteOptions& options,
             std::function<void(Result<WriteOutcome>)> done) override;

  Result<WriteOutcome> WriteAndWait(WriteRequest request, const WriteOptions& options) override;

  Status CreateDatabase(const std::string& database) override { return catalog_->CreateDatabase(database); }
  Status Flush() override { return scheduler_->FlushAll(); }
  Result<std::unique_ptr<ResultStream>> Query(const QueryRequest& request) override {
    if (auto change = deletions_->Statement(request)) return change;
    return queries_->Execute(request);
  }

  Status FlushForIceberg(const IcebergTableName& name, int64_t max_staleness_ms) override;

  const CatalogView& catalog() const override { return *catalog_; }
  IcebergCatalog& iceberg() override { return catalog_->iceberg(); }
  TokenStore& tokens() override { return *tokens_; }
  WriteAheadLog& log() override { return *log_; }
  QueryEngine& queries() override { return *queries_; }
  ObjectStore& store() override { return stores_->store(); }
  Compaction& compaction() override { return *compaction_; }
  Tiering& tiering() override { return *tiering_; }
  Retention& retention() override { return *retention_; }
  Upkeep& upkeep() override { return *upkeep_; }
  Deletions& deletions() override { return *deletions_; }
  Status StartBackup(const std::string& target) override { return backups_->Start(target); }
  BackupStatus backup_status() const override { return backups_->status(); }
  BufferStats buffer_stats() const override;
  FlushStats flush_stats() const override { return scheduler_->stats(); }
  MaintenanceStats maintenance_stats() const override {
    return {upkeep_->stats(), retention_->stats(), row_deletion_->stats(), drops_->dropped()};
  }
  Readiness readiness() const override;
  Readiness impairments() const override;
  RemoteStats remote_stats() const override { return stores_->stats(); }
  const ReplayReport& replay_report() const override { return replay_report_; }
  Status Close(std::chrono::milliseconds limit) override;

 private:
  Status OpenCatalog();
  Status OpenLog();
  Status ReplayOne(Lsn lsn, LogRecord&& record);
  Status CommitRows(const std::shared_ptr<Table>& table);
  void MakeDeletions();
  Status StartTiering();

  const EngineOptions options_;
  LocalDisk& disk_;
  Clock& clock_;
  RandomSource& random_;
  ByteBudget budget_;
  std::unique_ptr<DiskLock> lock_;
  std::unique_ptr<LakeStores> stores_;
  ClockWatch watch_;
  std::unique_ptr<MaintenanceStore> maintenance_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<Flusher> flusher_;
  std::unique_ptr<WriteAheadLog> log_;
  std::unique_ptr<FlushScheduler> scheduler_;
  std::unique_ptr<Compaction> compaction_;
  std::unique_ptr<Tiering> tiering_;
  std::unique_ptr<Retention> retention_;
  std::unique_ptr<Upkeep> upkeep_;
  WriteGate gate_;
  std::unique_ptr<Writer> writer_;
  std::optional<CheckedStore> checked_store_;  // the store as queries read it
  std::unique_ptr<QueryEngine> queries_;
  std::unique_ptr<RowDeletion> row_deletion_;
  std::unique_ptr<TableDrops> drops_;
  std::unique_ptr<Deletions> deletions_;
  std::unique_ptr<TokenStore> tokens_;
  std::unique_ptr<BackupJob> backups_;
  ReplayReport replay_report_;
  std::mutex close_mutex_;
  bool closed_ = false;
};

Status EngineImpl::Start() {
  const std::string& folder = options_.data_folder;
  ARC_RETURN_IF_ERROR(disk_.CreateDirectories(folder));
  auto lock = disk_.Lock(folder + kDataFolderLock);
  if (!lock.ok()) {
    return WithContext(std::move(lock).error(), "another server uses the data folder " + folder);
  }
  lock_ = std::move(*lock);
  ARC_ASSIGN_OR_RETURN(const bool half_restored, disk_.Exists(folder + kRestoreMarker));
  if (half_restored) {
    return MakeError(ErrorKind::kInvalidArgument, "a backup was being restored into " + folder +
                                                      " and did not end; restore it into an empty folder");
  }
  ARC_ASSIGN_OR_RETURN(stores_, LakeStores::Open(options_, disk_, clock_));
  ARC_RETURN_IF_ERROR(OpenCatalog());
  ARC_RETURN_IF_ERROR(stores_->DropUnusedCopies());
  ParquetOptions parquet;
  parquet.compression = options_.compression;
  // During replay there is no log to sync: what it hands out is on disk already.
  flusher_ = std::make_unique<Flusher>(*catalog_, store(), stores_->staging(), parquet,
                                       [this](Lsn lsn) { return log_ ? log_->SyncThrough(lsn) : Status(); });
  ARC_RETURN_IF_ERROR(OpenLog());
  scheduler_ = std::make_unique<FlushScheduler>(*catalog_, *flusher_, *log_, budget_, clock_, options_.flush);
  retention_ = std::make_unique<Retention>(*catalog_, *maintenance_, watch_, clock_);
  upkeep_ = std::make_unique<Upkeep>(*catalog_, store(), *maintenance_, *retention_, watch_, clock_, options_.upkeep);
  upkeep_->Start();
  writer_ = std::make_unique<Writer>(*catalog_, *log_, budget_, std::chrono::milliseconds(options_.buffer_wait_ms),
                                     [this] { scheduler_->Wake(); });
  QueryOptions query = options_.query;
  if (query.temp_folder.empty()) query.temp_folder = folder + "/tmp";
  ARC_ASSIGN_OR_RETURN(queries_, QueryEngine::Open(query, *catalog_, checked_store_.emplace(store())));
  std::string tokens = disk_.is_system() ? folder + "/auth.db" : ":memory:";
  ARC_ASSIGN_OR_RETURN(tokens_, TokenStore::Open(tokens, clock_, random_));
  ARC_ASSIGN_OR_RETURN(compaction_, Compaction::Start(*catalog_, store(), clock_, random_, options_.compaction));
  ARC_RETURN_IF_ERROR(StartTiering());
  MakeDeletions();
  OpenBackupTarget open_target = options_.open_backup_target;
  if (!open_target) {
    open_target = [this](const std::string& target) { return OpenFolderTarget(disk_, target, true); };
  }
  backups_ = std::make_unique<BackupJob>(BackupJob::Parts{*catalog_, stores_->past_caches(), *scheduler_, *log_, gate_,
                                                          disk_, clock_, random_, folder, std::move(open_target)});
  return {};
}

// Files are rewritten as compaction writes them, in the memory of one of its jobs.
void EngineImpl::MakeDeletions() {
  const CompactionOptions& compaction = options_.compaction;
  DeletionOptions options;
  options.parquet.compression = compaction.compression;
  options.parquet.compression_level = compaction.compression_level;
  options.parquet.double_dictionaries = true;
  options.target_bytes = compaction.policy.target_bytes;
  options.memory_bytes = compaction.policy.memory_bytes / std::max(compaction.max_jobs, 1);
  row_deletion_ = std::make_unique<RowDeletion>(*catalog_, store(), random_, options,
                                                [this](const auto& table) { return CommitRows(table); });
  drops_ = std::make_unique<TableDrops>(*catalog_, clock_, random_);
  deletions_ = std::make_unique<Deletions>(*catalog_, *queries_, *row_deletion_, *drops_, clock_);
}

// What compaction is about to merge is left to it first.
Status EngineImpl::StartTiering() {
  TieringOptions options = options_.tiering;
  options.has_cold_store = stores_->cold() != nullptr;
  if (options_.compaction.enabled) options.compaction = options_.compaction.policy;
  if (options.compaction) options.compaction->memory_bytes /= std::max(options_.compaction.max_jobs, 1);
  ARC_ASSIGN_OR_RETURN(tiering_, Tiering::Start(*catalog_, store(), watch_, clock_, random_, options));
  return {};
}

Status EngineImpl::OpenCatalog() {
  const std::string& folder = options_.data_folder;
  ARC_ASSIGN_OR_RETURN(maintenance_, MaintenanceStore::Open(folder + "/maintenance.db", disk_, clock_));
  ARC_ASSIGN_OR_RETURN(const ClockRecord seen, maintenance_->LastClock());
  HistoryPolicy history = options_.history;
  history.trusts_clock = [this] { return watch_.IsTrusted(); };
  const std::string database_file = folder + kCatalogFile;
  if (options_.rebuild_catalog) ARC_RETURN_IF_ERROR(RebuildIfLost(database_file, disk_, store()));
  ARC_ASSIGN_OR_RETURN(catalog_, Catalog::Open(database_file, disk_, store(), clock_, random_, &budget_, history));
  watch_.Resume(seen.seen_micros != 0 ? seen.seen_micros : catalog_->last_commit_micros(), seen.hold_ms);
  return {};
}

Status EngineImpl::OpenLog() {
  LogOptions options = options_.log;
  if (options.folder.empty()) options.folder = options_.data_folder + "/wal";
  auto flushed_floor = [this](const Uuid& lineage) -> Result<Lsn> {
    flusher_->UseLineage(lineage);
    return catalog_->UseLineage(lineage);
  };
  auto replay = [this](Lsn lsn, LogRecord&& record) { return ReplayOne(lsn, std::move(record)); };
  ARC_ASSIGN_OR_RETURN(
      log_, WriteAheadLog::Open(disk_, clock_, random_, std::move(options), flushed_floor, replay, &replay_report_));
  if (replay_report_.records > 0 || replay_report_.cut_bytes > 0) {
    Log(LogLevel::kInfo, "engine", "log replayed",
        {{"segments", replay_report_.segments},
         {"records", replay_report_.records},
         {"rows", replay_report_.rows},
         {"cut_bytes", replay_report_.cut_bytes},
         {"cut_at", replay_report_.cut_at}});
  }
  return {};
}

Status EngineImpl::ReplayOne(Lsn lsn, LogRecord&& record) {
  ARC_RETURN_IF_ERROR(ReplayRecord(*catalog_, budget_, lsn, std::move(record)));
  auto bound = static_cast<int64_t>(kReplayFlushShare * static_cast<double>(budget_.limit_bytes()));
  if (budget_.used_bytes() <= bound) return {};
  for (const auto& group : GroupForFlush(catalog_->AllTables())) {
    for (const auto& flushed : flusher_->Flush(group)) {
      if (!flushed.ok()) return flushed.error();
    }
    if (!flusher_->stages()) continue;
    // The scheduler does not run yet, and the place for staged files is bounded too. What a store that is away does not
    // take stays staged.
    for (const auto& table : group) {
      if (!stores_->remote()->stats().down.empty()) break;
      auto committed = flusher_->CommitStaged(*table);
      if (!committed.ok() && stores_->remote()->stats().down.empty()) return std::move(committed).error();
    }
  }
  return {};
}

void EngineImpl::Write(WriteRequest request, const WriteOptions& options,
                       std::function<void(Result<WriteOutcome>)> done) {
  if (!options.principal.CanWrite(options.database)) {
    return done(MakeError(ErrorKind::kPermissionDenied,
                          fmt::format("this token may not write to database \"{}\"", options.database)));
  }
  const bool entered = gate_.Enter([&]() -> std::function<void()> {
    auto held = std::make_shared<WriteRequest>(std::move(request));
    return [this, held, options, done] { Write(std::move(*held), options, done); };
  });
  if (!entered) return;
  writer_->Write(std::move(request), options.database, options.accept_partial,
                 [this, done = std::move(done)](Result<WriteOutcome> outcome) {
                   gate_.Leave();
                   done(std::move(outcome));
                 });
}

Result<WriteOutcome> EngineImpl::WriteAndWait(WriteRequest request, const WriteOptions& options) {
  std::mutex mutex;
  std::condition_variable ready;
  std::optional<Result<WriteOutcome>> outcome;
  Write(std::move(request), options, [&](Result<WriteOutcome> result) {
    std::lock_guard lock(mutex);
    outcome.emplace(std::move(result));
    ready.notify_all();
  });
  std::unique_lock lock(mutex);
  ready.wait(lock, [&] { return outcome.has_value(); });
  return std::move(*outcome);
}

Status EngineImpl::FlushForIceberg(const IcebergTableName& name, int64_t max_staleness_ms) {
  auto table = catalog_->Find(name.database, name.table);
  if (table == nullptr || table->ref().database != name.database || table->ref().name != name.table) return {};
  if (table->first_unflushed().value == 0) return {};
  if (catalog_->IsCommitted(*table)) {
    if (max_staleness_ms < 0) return {};
    // Staged rows have waited for the store already.
    const int64_t age_nanos = clock_.MonotonicNanos() - table->hot_since_nanos();
    if (table->staged().empty() && age_nanos < max_staleness_ms * 1'000'000) return {};
  }
  return CommitRows(table);
}

// Everything applied to the table before the call.
Status EngineImpl::CommitRows(const std::shared_ptr<Table>& table) {
  if (table->first_unflushed().value == 0) return {};
  ARC_RETURN_IF_ERROR(flusher_->Flush({&table, 1})[0]);
  if (flusher_->stages()) ARC_RETURN_IF_ERROR(flusher_->CommitStaged(*table));
  return {};
}

BufferStats EngineImpl::buffer_stats() const {
  BufferStats stats;
  stats.used_bytes = budget_.used_bytes();
  stats.limit_bytes = budget_.limit_bytes();
  stats.rows_written = writer_->rows_written();
  FlushStats flush = scheduler_->stats();
  stats.flushes = flush.flushes;
  stats.flush_errors = flush.errors;
  int64_t now = clock_.MonotonicNanos();
  for (const auto& table : catalog_->AllTables()) {
    const HotState hot = table->hot();
    if (hot.rows == 0) continue;
    stats.rows_buffered += hot.rows;
    stats.rows_by_table[table->ref().database + "." + table->ref().name] = hot.rows;
    double age = static_cast<double>(now - hot.since_nanos) / 1e9;
    stats.oldest_age_seconds = std::max(stats.oldest_age_seconds, age);
  }
  return stats;
}

Readiness EngineImpl::readiness() const {
  Readiness reasons;
  if (auto poisoned = log_->poisoned(); !poisoned.empty()) {
    reasons["wal"] = poisoned;
  } else if (log_->full()) {
    reasons["wal"] = "the log's disk is full; writing resumes by itself when there is room";
  }
  if (auto error = scheduler_->stats().last_error; !error.empty()) reasons["flush"] = error;
  if (stores_->remote() != nullptr) {
    if (auto down = stores_->remote()->stats().down; !down.empty()) reasons["object_store"] = down;
  }
  return reasons;
}

Readiness EngineImpl::impairments() const {
  Readiness reasons;
  if (stores_->cold() == nullptr) return reasons;
  if (auto down = stores_->cold()->stats().down; !down.empty()) reasons["cold_store"] = down;
  return reasons;
}

Status EngineImpl::Close(std::chrono::milliseconds limit) {
  std::lock_guard lock(close_mutex_);
  if (std::exchange(closed_, true)) return {};
  if (backups_ != nullptr) backups_->Stop();  // first: it may hold up writers
  if (compaction_ != nullptr) compaction_->Stop();
  if (tiering_ != nullptr) tiering_->Stop();
  if (upkeep_ != nullptr) upkeep_->Stop();
  if (deletions_ != nullptr) deletions_->Stop();
  writer_.reset();  // requests that wait for memory are answered first
  Status flushed;
  if (scheduler_ != nullptr) {
    if (limit.count() > 0) flushed = scheduler_->FlushAll(clock_.MonotonicNanos() + limit.count() * 1'000'000);
    scheduler_->Stop();
  }
  queries_.reset();
  Status closed = log_ ? log_->Close() : Status();
  lock_.reset();
  return closed.ok() ? flushed : closed;
}

}  // namespace

std::string StorageRootOf(const EngineOptions& options) {
  return options.storage_root.empty() ? options.data_folder + "/arc" : options.storage_root;
}

Result<std::unique_ptr<Engine>> Engine::Open(EngineOptions options, LocalDisk& disk, Clock& clock,
                                             RandomSource& random) {
  auto engine = std::make_unique<EngineImpl>(std::move(options), disk, clock, random);
  ARC_RETURN_IF_ERROR(engine->Start());
  return std::unique_ptr<Engine>(std::move(engine));
}

}  // namespace arc
