// An engine that does as the test says, behind the real interface. For tests only.
#pragma once

#include <arrow/api.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "arc/base/thread.h"
#include "arc/engine/engine.h"

namespace arc {

// Hands out prepared batches; may block in Next until cancelled.
class FakeStream : public ResultStream {
 public:
  struct Plan {
    std::shared_ptr<arrow::Schema> schema;
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    int64_t repeat = 1;                          // the batches, so often
    std::optional<Error> error;                  // after the batches
    bool hang = false;                           // after the batches, until Cancel
    const std::atomic<bool>* release = nullptr;  // after the batches, until it is set, whatever is cancelled
    std::atomic<int>* cancelled = nullptr;
    std::atomic<int>* alive = nullptr;
    std::atomic<int64_t>* handed_out = nullptr;
  };
  explicit FakeStream(Plan plan) : plan_(std::move(plan)) {
    if (plan_.alive != nullptr) ++*plan_.alive;
  }
  ~FakeStream() override {
    if (plan_.alive != nullptr) --*plan_.alive;
  }
  const std::shared_ptr<arrow::Schema>& schema() const override { return plan_.schema; }
  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    std::unique_lock lock(mutex_);
    if (cancelled_) return MakeError(ErrorKind::kCancelled, "cancelled");
    if (at_ < static_cast<int64_t>(plan_.batches.size()) * plan_.repeat) {
      auto batch = plan_.batches[static_cast<size_t>(at_++) % plan_.batches.size()];
      rows_ += batch->num_rows();
      if (plan_.handed_out != nullptr) ++*plan_.handed_out;
      return batch;
    }
    while (plan_.release != nullptr && !*plan_.release) SystemClock().SleepFor(std::chrono::milliseconds(1));
    if (plan_.hang) wake_.wait(lock, [this] { return cancelled_; });
    if (cancelled_) return MakeError(ErrorKind::kCancelled, "cancelled");
    if (plan_.error) return *plan_.error;
    return std::shared_ptr<arrow::RecordBatch>();
  }
  void Cancel() override {
    std::lock_guard lock(mutex_);
    cancelled_ = true;
    if (plan_.cancelled != nullptr) ++*plan_.cancelled;
    wake_.notify_all();
  }
  QueryStats stats() const override { return {.wait_ms = 1.5, .execution_ms = 12.25, .rows = rows_}; }

 private:
  const Plan plan_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool cancelled_ = false;
  int64_t at_ = 0;
  int64_t rows_ = 0;
};

class FakeTokens : public TokenStore {
 public:
  FakeTokens() {
    Add("admin-secret", 1, "root", true, true, true, {});
    Add("reader", 2, "reader", true, false, false, {});
    Add("writer", 3, "writer", false, true, false, {});
    Add("tenant", 4, "tenant", true, true, false, {"acme"});
  }
  bool empty() const override { return false; }
  Result<std::string> Create(const NewToken& token, std::optional<std::string> secret) override {
    std::lock_guard lock(mutex_);
    for (const auto& [key, info] : tokens_) {
      if (info.name == token.name) return MakeError(ErrorKind::kAlreadyExists, "there is a token of that name");
    }
    std::string made = secret.value_or("secret-" + std::to_string(next_));
    TokenInfo info;
    info.id = next_++;
    info.name = token.name;
    info.description = token.description;
    info.read = token.read;
    info.write = token.write;
    info.admin = token.admin;
    info.databases = token.databases;
    info.expires_at_micros = token.expires_at_micros;
    tokens_.emplace_back(made, info);
    return made;
  }
  Result<Principal> Authenticate(std::string_view secret) override {
    std::lock_guard lock(mutex_);
    for (const auto& [key, info] : tokens_) {
      if (key != secret || !info.enabled) continue;
      Principal principal;
      principal.token_id = info.id;
      principal.name = info.name;
      principal.read = info.read;
      principal.write = info.write;
      principal.admin = info.admin;
      principal.databases = info.databases;
      return principal;
    }
    return MakeError(ErrorKind::kUnauthenticated, "the token is unknown, expired or disabled");
  }
  Result<std::vector<TokenInfo>> List() override {
    std::lock_guard lock(mutex_);
    std::vector<TokenInfo> all;
    for (const auto& [key, info] : tokens_) all.push_back(info);
    return all;
  }
  Result<TokenInfo> Get(int64_t id) override {
    std::lock_guard lock(mutex_);
    auto* found = Find(id);
    if (found == nullptr) return NotFound("there is no token " + std::to_string(id));
    return found->second;
  }
  Status Update(int64_t id, const TokenChange& change) override {
    std::lock_guard lock(mutex_);
    auto* found = Find(id);
    if (found == nullptr) return NotFound("there is no token " + std::to_string(id));
    TokenInfo& info = found->second;
    if (change.name) info.name = *change.name;
    if (change.description) info.description = *change.description;
    if (change.read) info.read = *change.read;
    if (change.write) info.write = *change.write;
    if (change.admin) info.admin = *change.admin;
    if (change.databases) info.databases = *change.databases;
    if (change.enabled) info.enabled = *change.enabled;
    return {};
  }
  Status Revoke(int64_t id) override {
    std::lock_guard lock(mutex_);
    if (std::erase_if(tokens_, [id](const auto& one) { return one.second.id == id; }) > 0) return {};
    return NotFound("there is no token " + std::to_string(id));
  }
  Result<std::string> Rotate(int64_t id) override {
    std::lock_guard lock(mutex_);
    auto* found = Find(id);
    if (found == nullptr) return NotFound("there is no token " + std::to_string(id));
    found->first += "-rotated";
    return found->first;
  }

 private:
  void Add(const std::string& secret, int64_t id, const std::string& name, bool read, bool write, bool admin,
           std::vector<std::string> databases) {
    TokenInfo info;
    info.id = id;
    info.name = name;
    info.read = read;
    info.write = write;
    info.admin = admin;
    info.databases = std::move(databases);
    tokens_.emplace_back(secret, std::move(info));
  }
  std::pair<std::string, TokenInfo>* Find(int64_t id) {
    for (auto& one : tokens_) {
      if (one.second.id == id) return &one;
    }
    return nullptr;
  }
  std::mutex mutex_;
  std::vector<std::pair<std::string, TokenInfo>> tokens_;
  int64_t next_ = 10;
};

class FakeLog : public WriteAheadLog {
 public:
  void Append(LogRecord, Apply, Done) override { ARC_CHECK(false); }
  void AppendAll(std::vector<LogRecord>, Apply, Done) override { ARC_CHECK(false); }
  Status SyncThrough(Lsn) override { return {}; }
  Status SetFlushed(Lsn) override { return {}; }
  const Uuid& lineage() const override { return lineage_; }
  LogPositions positions() const override { return {{44}, {43}, {42}, {41}}; }
  LogStats stats() const override {
    LogStats stats;
    stats.groups = 2;
    stats.records = 6;
    stats.syncs = 2;
    stats.sync_micros_total = 500;
    return stats;
  }
  std::vector<SegmentInfo> segments() const override {
    return {{"segment_1.arrow", "sealed", 100, {1}, {20}}, {"segment_21.arrow", "active", 50, {21}, {43}}};
  }
  std::string poisoned() const override { return poison; }
  bool full() const override { return disk_full; }
  Result<int> CleanUp(int64_t older_than_ms) override {
    cleaned_ms = older_than_ms;
    return 3;
  }
  Status Close() override { return {}; }

  std::string poison;
  bool disk_full = false;
  std::atomic<int64_t> cleaned_ms{0};

 private:
  Uuid lineage_;
};

class FakeCatalog : public CatalogView {
 public:
  std::vector<std::string> Databases() const override { return {"acme", "default"}; }
  std::optional<std::string> FindDatabase(std::string_view name) const override {
    return name == "acme" || name == "default" ? std::optional<std::string>(name) : std::nullopt;
  }
  std::vector<std::shared_ptr<Table>> Tables(std::string_view database) const override {
    return database == "default" ? tables : std::vector<std::shared_ptr<Table>>();
  }
  std::shared_ptr<Table> Find(std::string_view database, std::string_view name) const override {
    for (const auto& table : Tables(database)) {
      if (table->ref().name == name) return table;
    }
    return nullptr;
  }
  std::vector<std::shared_ptr<Table>> tables;
};

class FakeCompaction : public Compaction {
 public:
  const CompactionOptions& options() const override { return fake_options; }
  std::vector<CompactionWork> Candidates() const override { return {work}; }
  int Trigger(const std::string& database, const std::string& measurement) override {
    triggered = database + "." + measurement;
    return 1;
  }
  std::vector<CompactionJob> Jobs() const override {
    CompactionJob running = Job("j2", CompactionJob::State::kRunning);
    running.started_micros = 1'760'623'500'000'000;
    return {running};
  }
  std::vector<CompactionJob> History() const override {
    CompactionJob completed = Job("j1", CompactionJob::State::kCompleted);
    completed.result = {15, 1, 1000, 600, 5000};
    completed.started_micros = completed.finished_micros = 1'760'623'512'000'000;
    CompactionJob failed = Job("j0", CompactionJob::State::kFailed);
    failed.error = "disk full";
    failed.left = {{"cpu/bad.parquet", Corruption("a page's checksum is wrong")}};
    return {completed, failed};
  }
  CompactionStats stats() const override {
    return {.cycles = 3,
            .completed = 1,
            .failed = 1,
            .files_before = 15,
            .files_after = 1,
            .bytes_before = 1000,
            .bytes_after = 600,
            .rows = 5000,
            .files_left = 1,
            .seconds = 2.5,
            .running = 1,
            .queued = 0};
  }
  std::optional<int64_t> next_run_micros() const override { return 1'760'627'100'000'000; }
  void Wait() override {}
  void Stop() override {}

  CompactionJob Job(const std::string& id, CompactionJob::State state) const {
    CompactionJob job;
    job.id = id;
    job.work = work;
    job.state = state;
    return job;
  }

  CompactionOptions fake_options;
  CompactionWork work{"systems", "cpu", "cpu/2025/10/16/14", "hourly", 15, 1000, 5000};
  std::string triggered;
};

class FakeTiering : public Tiering {
 public:
  FakeTiering() {
    fake_options.has_cold_store = fake_options.enabled = true;
    fake_options.exceptions = {{"lake", "", 7}};
    work.database = "lake";
    work.measurement = "cpu";
    work.hot_age_days = 7;
    work.cutoff_micros = 1'760'623'512'000'000;
    work.moving = {3, 300, 30};
    work.waiting = {10, 100, 10};
  }
  const TieringOptions& options() const override { return fake_options; }
  std::vector<TieringWork> Survey(const std::string&, const std::string&) const override { return {work}; }
  Result<int> Trigger(const std::string& database, const std::string& measurement) override {
    if (!fake_options.has_cold_store) return InvalidArgument("see tiering.backend");
    triggered = database + "." + measurement;
    return 1;
  }
  std::vector<TieringJob> Jobs() const override { return {}; }
  std::vector<TieringJob> History() const override {
    TieringJob failed;
    failed.id = "t0";
    failed.work = work;
    failed.state = TieringJob::State::kFailed;
    failed.moved = {2, 200, 20};
    failed.commits = 1;
    failed.left = {{"cpu/bad.parquet", Corruption("cut short")}};
    failed.error = "it is away";
    return {failed};
  }
  TieringStats stats() const override { return {.completed = 1, .files = 4, .bytes = 400, .rows = 40}; }
  std::optional<int64_t> next_run_micros() const override { return std::nullopt; }
  void Wait() override {}
  void Stop() override {}

  TieringOptions fake_options;
  TieringWork work;
  std::string triggered;
};

class FakeEngine : public Engine, public QueryEngine {
 public:
  using WriteHook = std::function<Result<WriteOutcome>(const WriteRequest&, const WriteOptions&)>;
  using QueryHook = std::function<Result<FakeStream::Plan>(const QueryRequest&)>;

  // Set before requests come. The writes run on a thread of their own, one after the other.
  WriteHook on_write = [](const WriteRequest& request, const WriteOptions&) -> Result<WriteOutcome> {
    WriteOutcome outcome;
    for (const auto& table : request.batches) outcome.rows += static_cast<uint64_t>(table.batch.rows);
    outcome.errors = request.errors;
    outcome.errors_total = request.errors.size();
    outcome.lsn = {outcome.rows > 0 ? 7u : 0u};
    return outcome;
  };
  QueryHook on_query;
  Result<bool> flush_result = true;
  Readiness not_ready;
  FakeLog fake_log;
  FakeTokens fake_tokens;
  FakeCatalog fake_catalog;
  FakeCompaction fake_compaction;
  FakeTiering fake_tiering;
  Readiness impaired;
  RemoteStats fake_remote;
  BackupStatus fake_backup;

  void Write(WriteRequest request, const WriteOptions& options,
             std::function<void(Result<WriteOutcome>)> done) override {
    auto held = std::make_shared<WriteRequest>(std::move(request));
    writers_.Post([this, held, options, done = std::move(done)] { done(on_write(*held, options)); });
  }
  Result<WriteOutcome> WriteAndWait(WriteRequest request, const WriteOptions& options) override {
    return on_write(request, options);
  }
  Status CreateDatabase(const std::string& database) override {
    std::lock_guard lock(mutex_);
    created_.push_back(database);
    return {};
  }
  std::vector<std::string> created() {
    std::lock_guard lock(mutex_);
    return created_;
  }
  Status Flush() override {
    if (flush_result.ok()) return {};
    return flush_result.error();
  }
  Result<std::unique_ptr<ResultStream>> Query(const QueryRequest& request) override { return Execute(request); }
  Result<std::unique_ptr<ResultStream>> Execute(const QueryRequest& request) override {
    {
      std::lock_guard lock(mutex_);
      last_query_ = request;
      last_query_.on_stuck = nullptr;  // it must not outlive the server
    }
    ARC_ASSIGN_OR_RETURN(FakeStream::Plan plan, on_query(request));
    return std::unique_ptr<ResultStream>(std::make_unique<FakeStream>(std::move(plan)));
  }
  QueryRequest last_query() {
    std::lock_guard lock(mutex_);
    return last_query_;
  }
  QueryPoolStats pool_stats() const override {
    QueryPoolStats stats;
    stats.pool_size = 3;
    stats.active = 1;
    stats.executed = 4;
    stats.wait_ms_total = 8;
    stats.execution_ms_total = 40;
    return stats;
  }
  Status FlushForIceberg(const IcebergTableName&, int64_t) override { return {}; }
  const CatalogView& catalog() const override { return fake_catalog; }
  IcebergCatalog& iceberg() override { ARC_CHECK(false); }
  TokenStore& tokens() override { return fake_tokens; }
  WriteAheadLog& log() override { return fake_log; }
  QueryEngine& queries() override { return *this; }
  ObjectStore& store() override { ARC_CHECK(false); }
  Compaction& compaction() override { return fake_compaction; }
  Tiering& tiering() override { return fake_tiering; }
  Retention& retention() override { ARC_CHECK(false); }
  Upkeep& upkeep() override { ARC_CHECK(false); }
  Deletions& deletions() override { ARC_CHECK(false); }
  Status StartBackup(const std::string& target) override {
    fake_backup.state = BackupStatus::State::kRunning;
    fake_backup.target = target;
    return {};
  }
  BackupStatus backup_status() const override { return fake_backup; }
  MaintenanceStats maintenance_stats() const override {
    MaintenanceStats stats;
    stats.upkeep.snapshots_expired = 7;
    stats.retention.files = 11;
    return stats;
  }
  BufferStats buffer_stats() const override {
    BufferStats stats;
    stats.rows_buffered = 43000;
    stats.rows_by_table = {{"default.cpu", 25000}, {"default.memory", 18000}};
    stats.oldest_age_seconds = 3.2;
    return stats;
  }
  FlushStats flush_stats() const override { return {}; }
  Readiness readiness() const override { return not_ready; }
  Readiness impairments() const override { return impaired; }
  RemoteStats remote_stats() const override { return fake_remote; }
  const ReplayReport& replay_report() const override { return replay_; }
  Status Close(std::chrono::milliseconds) override { return {}; }

 private:
  std::mutex mutex_;
  std::vector<std::string> created_;
  QueryRequest last_query_;
  ReplayReport replay_;
  Executor writers_{"fake-writer", 1};
};

}  // namespace arc
