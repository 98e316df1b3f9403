#include "arc/query/query_engine.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <mutex>
#include <utility>

#include "arc/base/clock.h"
#include "arc/base/log.h"
#include "arc/base/thread.h"
#include "arc/query/bounded_memory.h"
#include "arc/query/deadlines.h"
#include "arc/query/place_queue.h"
#include "arc/query/process_memory.h"
#include "arc/query/session.h"

namespace arc {
namespace {

constexpr size_t kLoggedBytes = 2000;  // of a slow query's text
constexpr std::chrono::milliseconds kMemoryCheckPeriod{50};

double Milliseconds(int64_t nanos) { return static_cast<double>(nanos) / 1e6; }

// What engine and streams share; lives until the last of them is gone.
struct EngineCore {
  EngineCore(const QueryOptions& options, const CatalogView& catalog, ObjectStore& store)
      : options(options),
        catalog(catalog),
        store(store),
        limits(Database::LimitsOf(options)),
        places(options.pool_size, options.queue_limit) {
    sessions.resize(static_cast<size_t>(options.pool_size));
  }

  // Aggregates keep their states in C++ containers, which no allocator of DuckDB's sees. A container that is full moves
  // to twice its room in one step that nothing stops, so what they hold counts twice.
  void CheckMemory() {
    const int64_t held = ProcessMemoryBytes();
    const int64_t outside = held - DuckMemoryBytes();
    least_bytes = std::min(least_bytes, outside);
    const bool stopped = stopping_up_to != 0 && !deadlines.MemoryRunsShort(stopping_up_to);
    // What ended queries leave with their threads' allocators must not end those to come: they can use it again.
    if (stopped || places.active() == 0) base_bytes = outside;
    if (stopped) stopping_up_to = 0;
    if (stopping_up_to != 0 || places.active() == 0) return;
    base_bytes = std::min(base_bytes, outside);
    // Containers that use it again do not show; some of it counts as theirs.
    const int64_t hidden = std::min(base_bytes - least_bytes, limits.usual_bytes / 4);
    const int64_t limit =
        std::clamp(base_bytes + hidden + limits.least_share_bytes, limits.usual_bytes, limits.ceiling_bytes);
    if (held + (outside - base_bytes) + hidden <= limit) return;
    Log(LogLevel::kError, "query", "queries take too much memory and are stopped",
        {{"process_bytes", held}, {"limit_bytes", limit}});
    stopping_up_to = deadlines.newest();
    deadlines.MemoryRunsShort(stopping_up_to);
  }

  // A new instance, for the start and after one has declared itself unusable.
  Result<std::shared_ptr<Database>> OpenDatabase() {
    std::string folder = options.temp_folder;
    if (!folder.empty()) folder += "/" + std::to_string(++generation);
    // DuckDB's threads have the priority of the one that makes them.
    Result<std::shared_ptr<Database>> opened = Internal("not opened");
    Thread(
        "query-open", [&] { opened = Database::Open(options, folder, catalog, store); }, ThreadPriority::kYielding)
        .Join();
    return opened;
  }

  // The session of a place that the caller holds.
  Result<Session*> SessionAt(int place) {
    std::unique_ptr<Session>& session = sessions[static_cast<size_t>(place)];
    if (session) return session.get();
    std::shared_ptr<Database> current;
    {
      std::lock_guard lock(database_mutex);
      if (!database) {
        ARC_ASSIGN_OR_RETURN(database, OpenDatabase());
      }
      current = database;
    }
    ARC_ASSIGN_OR_RETURN(session, current->Connect());
    return session.get();
  }

  // Before the place is given back. Sessions on a broken instance fail and are dropped one by one.
  void DropIfBroken(int place) {
    std::unique_ptr<Session>& session = sessions[static_cast<size_t>(place)];
    if (!session || !session->broken()) return;
    Log(LogLevel::kError, "query", "the query engine broke down and is opened anew");
    session.reset();
    std::lock_guard lock(database_mutex);
    database.reset();
  }

  const QueryOptions options;
  const CatalogView& catalog;
  ObjectStore& store;
  const ProcessLimits limits;
  // CheckMemory's own.
  uint64_t stopping_up_to = 0;      // number of the newest query that is being stopped; 0: none is
  int64_t base_bytes = 0;           // held outside DuckDB's allocators when no query ran
  int64_t least_bytes = INT64_MAX;  // the same, at its least ever
  PlaceQueue places;
  std::vector<std::unique_ptr<Session>> sessions;  // by place; used by who holds the place
  std::mutex database_mutex;
  std::shared_ptr<Database> database;
  int generation = 0;
  Deadlines deadlines;

  std::mutex stats_mutex;
  QueryPoolStats stats;

  Ticker memory_check{"query-memory", kMemoryCheckPeriod, [this] { CheckMemory(); }};  // ends first
};

class PooledStream : public ResultStream, public Interruptible {
 public:
  PooledStream(std::shared_ptr<EngineCore> core, const QueryRequest& request, int place, Session* session,
               int64_t wait_nanos)
      : core_(std::move(core)), sql_(request.sql), on_stuck_(request.on_stuck), place_(place), session_(session) {
    stats_.wait_ms = Milliseconds(wait_nanos);
    started_nanos_ = SystemClock().MonotonicNanos();
  }
  ~PooledStream() override { Release(false); }

  // Cancelled and timed-out queries are told apart by who interrupted them.
  Status Start(const QueryRequest& request, std::chrono::milliseconds timeout, int64_t deadline_nanos) {
    timeout_ = timeout;
    stuck_at_nanos_ = deadline_nanos + std::chrono::nanoseconds(kStopGrace).count();
    core_->deadlines.Add(this, deadline_nanos);
    Result<std::shared_ptr<arrow::Schema>> schema = session_->Start(request);
    if (!schema.ok()) {
      Error error = Explain(std::move(schema).error());
      Release(true);
      return error;
    }
    schema_ = std::move(*schema);
    return {};
  }

  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() override {
    if (interrupted_ != Interrupted::kNo) {
      Release(true);
      return Explain({});
    }
    if (session_ == nullptr) return std::shared_ptr<arrow::RecordBatch>();
    Result<std::shared_ptr<arrow::RecordBatch>> batch = session_->Next();
    if (!batch.ok()) {
      Error error = Explain(std::move(batch).error());
      Release(true);
      return error;
    }
    if (*batch) {
      std::lock_guard lock(mutex_);
      stats_.rows += (*batch)->num_rows();
    } else {
      Release(false);
    }
    return batch;
  }

  void Cancel() override { Interrupt(Interrupted::kCancelled); }
  void OnDeadline() override {
    Interrupt(Interrupted::kTimedOut);
    if (!on_stuck_ || SystemClock().MonotonicNanos() < stuck_at_nanos_) return;
    Log(LogLevel::kWarning, "query", "a query goes on after its time is up", {{"sql", sql_.substr(0, kLoggedBytes)}});
    std::exchange(on_stuck_, nullptr)();
  }
  void OnMemoryShort() override { Interrupt(Interrupted::kMemoryShort); }

  QueryStats stats() const override {
    std::lock_guard lock(mutex_);
    QueryStats result = stats_;
    if (!released_) result.execution_ms = Milliseconds(SystemClock().MonotonicNanos() - started_nanos_);
    return result;
  }

 private:
  enum class Interrupted { kNo, kCancelled, kTimedOut, kMemoryShort };

  void Interrupt(Interrupted by) {
    // The lock keeps the place from going to another query in between.
    std::lock_guard lock(mutex_);
    if (released_) return;
    Interrupted none = Interrupted::kNo;
    interrupted_.compare_exchange_strong(none, by);
    session_->Interrupt();
  }

  Error Explain(Error error) const {
    switch (interrupted_) {
      case Interrupted::kNo: return error;
      case Interrupted::kCancelled: return MakeError(ErrorKind::kCancelled, "the query was cancelled");
      case Interrupted::kTimedOut:
        return MakeError(ErrorKind::kTimeout,
                         "the query did not end within " + std::to_string(timeout_.count()) + " ms");
      case Interrupted::kMemoryShort:
        return MakeError(ErrorKind::kOverloaded, "the queries that run take more memory than they may");
    }
    return error;
  }

  void Release(bool failed) {
    if (session_ == nullptr) return;
    core_->deadlines.Remove(this);
    double execution_ms = 0;
    {
      std::lock_guard lock(mutex_);
      released_ = true;
      execution_ms = stats_.execution_ms = Milliseconds(SystemClock().MonotonicNanos() - started_nanos_);
    }
    session_->Finish();
    session_ = nullptr;
    {
      std::lock_guard lock(core_->stats_mutex);
      ++(failed ? core_->stats.failed : core_->stats.executed);
      core_->stats.wait_ms_total += stats_.wait_ms;
      core_->stats.execution_ms_total += execution_ms;
    }
    core_->DropIfBroken(place_);
    core_->places.Release(place_);
    if (execution_ms >= static_cast<double>(core_->options.slow_query.count())) {
      Log(LogLevel::kWarning, "query", "slow query",
          {{"sql", sql_.substr(0, kLoggedBytes)},
           {"execution_ms", execution_ms},
           {"wait_ms", stats_.wait_ms},
           {"rows", stats_.rows}});
    }
  }

  const std::shared_ptr<EngineCore> core_;
  const std::string sql_;
  std::function<void()> on_stuck_;  // the watching thread's, once the query has been started
  int64_t stuck_at_nanos_ = 0;
  const int place_;
  int64_t started_nanos_ = 0;
  std::chrono::milliseconds timeout_{0};
  std::shared_ptr<arrow::Schema> schema_;
  std::atomic<Interrupted> interrupted_{Interrupted::kNo};
  Session* session_;  // null once released; the consumer's thread only
  mutable std::mutex mutex_;
  bool released_ = false;
  QueryStats stats_;
};

class PooledEngine : public QueryEngine {
 public:
  explicit PooledEngine(std::shared_ptr<EngineCore> core) : core_(std::move(core)) {}

  Result<std::unique_ptr<ResultStream>> Execute(const QueryRequest& request) override {
    if (!request.principal.read && !request.principal.admin) {
      return MakeError(ErrorKind::kPermissionDenied, "the token does not allow reading");
    }
    std::chrono::milliseconds timeout = request.timeout.count() > 0 ? request.timeout : core_->options.timeout;
    int64_t asked = SystemClock().MonotonicNanos();
    int64_t deadline = asked + std::chrono::nanoseconds(timeout).count();
    Result<int> place = core_->places.Acquire(request.priority, deadline);
    if (!place.ok()) {
      std::lock_guard lock(core_->stats_mutex);
      ++core_->stats.refused;
      return place.error();
    }
    int64_t waited = SystemClock().MonotonicNanos() - asked;
    Result<Session*> session = core_->SessionAt(*place);
    if (!session.ok()) {
      core_->places.Release(*place);
      return session.error();
    }
    auto stream = std::make_unique<PooledStream>(core_, request, *place, *session, waited);
    ARC_RETURN_IF_ERROR(stream->Start(request, timeout, deadline));
    return std::unique_ptr<ResultStream>(std::move(stream));
  }

  QueryPoolStats pool_stats() const override {
    std::lock_guard lock(core_->stats_mutex);
    QueryPoolStats result = core_->stats;
    result.pool_size = core_->options.pool_size;
    result.active = core_->places.active();
    result.queued = core_->places.queued();
    return result;
  }

 private:
  const std::shared_ptr<EngineCore> core_;
};

// Spill files of a process that died are nobody's any more.
Status EmptyFolder(const std::string& folder) {
  if (folder.empty()) return {};
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (!error) {
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
      std::filesystem::remove_all(entry.path(), error);
      if (error) break;
    }
  }
  if (error) return Unavailable("emptying the folder for spill files " + folder + ": " + error.message());
  return {};
}

}  // namespace

Result<std::unique_ptr<QueryEngine>> QueryEngine::Open(const QueryOptions& options, const CatalogView& catalog,
                                                       ObjectStore& store) {
  if (options.pool_size < 1) return InvalidArgument("the query pool needs at least one place");
  ARC_RETURN_IF_ERROR(EmptyFolder(options.temp_folder));
  auto core = std::make_shared<EngineCore>(options, catalog, store);
  ARC_ASSIGN_OR_RETURN(core->database, core->OpenDatabase());
  return std::unique_ptr<QueryEngine>(std::make_unique<PooledEngine>(std::move(core)));
}

}  // namespace arc
