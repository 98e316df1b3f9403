// The write story: a decoded request becomes aligned batches, log records, and rows that readers see.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/base/result.h"
#include "arc/base/thread.h"
#include "arc/catalog/catalog.h"
#include "arc/model/batch.h"
#include "arc/model/lsn.h"
#include "arc/wal/log.h"

namespace arc {

struct WriteOutcome {
  Lsn lsn;                           // of the request's last batch; 0 when no row was taken
  uint64_t rows = 0;                 // taken
  std::vector<RowError> errors;      // refused rows by position, at most kReportedErrors of them
  uint64_t errors_total = 0;         // refused rows
  std::vector<std::string> notices;  // columns stored under another name
};

inline constexpr size_t kReportedErrors = 100;

// Thread-safe. Everything about a request is settled before it gets an LSN: names, schema, types, memory; afterwards
// only the log itself can fail.
class Writer {
 public:
  using Done = std::function<void(Result<WriteOutcome>)>;

  // A request that finds the budget full waits up to `wait` on a thread of the writer's own, then gets kOverloaded.
  // `on_pressure` is called (from any thread) when a request has to wait. References outlive the writer.
  Writer(Catalog& catalog, WriteAheadLog& log, ByteBudget& budget, std::chrono::milliseconds wait,
         std::function<void()> on_pressure);
  ~Writer();

  // Returns without waiting for disk or memory. `done` is called once: from another thread when the rows are durable
  // and visible, or from any thread when the request is refused. kInvalidArgument carries "row/line N: …" when no row
  // could be taken. Without `accept_partial` one bad row refuses the request. kTooLarge when the rows alone would fill
  // more than the budget.
  void Write(WriteRequest request, const std::string& database, bool accept_partial, Done done);
  uint64_t rows_written() const { return rows_written_->load(std::memory_order_relaxed); }

 private:
  struct Plan;
  // A batch as its table takes it.
  struct Placed {
    std::shared_ptr<Table> table;
    AlignedBatch aligned;
  };
  Result<Placed> Place(const std::string& database, const std::string& measurement, const Batch& batch);
  Result<std::shared_ptr<Plan>> MakePlan(WriteRequest&& request, const std::string& database, bool accept_partial);
  void Reserve(std::shared_ptr<Plan> plan, Done done);
  void Submit(std::shared_ptr<Plan> plan, Done done);

  Catalog& catalog_;
  WriteAheadLog& log_;
  ByteBudget& budget_;
  const std::chrono::milliseconds wait_;
  const std::function<void()> on_pressure_;
  // Shared with what the log still has to answer when the writer goes.
  const std::shared_ptr<std::atomic<uint64_t>> rows_written_ = std::make_shared<std::atomic<uint64_t>>(0);
  Executor waiters_;
};

// Brings a logged record back into its table at start: makes the table if needed, skips what it has flushed.
Status ReplayRecord(Catalog& catalog, ByteBudget& budget, Lsn lsn, LogRecord&& record);

}  // namespace arc
