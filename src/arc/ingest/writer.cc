#include "arc/ingest/writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace arc {
namespace {

constexpr size_t kMaxWaiting = 256;  // requests waiting for memory; more are refused at once

// The request is refused as a whole: says the first reason and how many more there are.
Error Refusal(const std::vector<RowError>& errors, uint64_t total, const std::string& position_name) {
  if (errors.empty()) return InvalidArgument("the request holds no rows");
  std::string more = total > 1 ? fmt::format(" ({} rows refused in all)", total) : "";
  return InvalidArgument(fmt::format("{} {}: {}{}", position_name, errors[0].position, errors[0].message, more));
}

// The first rows of a batch that is refused as a whole.
void NameRows(const std::string& measurement, const Batch& batch, const Error& error, std::vector<RowError>* errors) {
  const int64_t named = std::min<int64_t>(batch.rows, kNamedRefusals);
  for (int64_t row = 0; row < named; ++row) {
    errors->push_back({batch.PositionOf(row), fmt::format("{}: {}", measurement, error.message)});
  }
}

}  // namespace

// A request whose every question is answered but memory and durability.
struct Writer::Plan {
  std::vector<std::shared_ptr<Table>> tables;  // of each record
  std::vector<LogRecord> records;
  std::vector<ByteLease> leases;
  size_t applied = 0;
  int64_t bytes = 0;
  WriteOutcome outcome;
};

Writer::Writer(Catalog& catalog, WriteAheadLog& log, ByteBudget& budget, std::chrono::milliseconds wait,
               std::function<void()> on_pressure)
    : catalog_(catalog),
      log_(log),
      budget_(budget),
      wait_(wait),
      on_pressure_(std::move(on_pressure)),
      waiters_("ingest-wait", 4) {}

Writer::~Writer() = default;

void Writer::Write(WriteRequest request, const std::string& database, bool accept_partial, Done done) {
  auto plan = MakePlan(std::move(request), database, accept_partial);
  if (!plan.ok()) return done(std::move(plan).error());
  Reserve(std::move(*plan), std::move(done));
}

Result<std::shared_ptr<Writer::Plan>> Writer::MakePlan(WriteRequest&& request, const std::string& database,
                                                       bool accept_partial) {
  auto plan = std::make_shared<Plan>();
  std::vector<RowError> errors = std::move(request.errors);
  uint64_t refused = errors.size();
  if (!accept_partial) {
    if (!errors.empty()) return Refusal(errors, refused, request.position_name);
    // Nothing may be half-applied, not even a new column: look first, change afterwards.
    for (const auto& [measurement, batch] : request.batches) {
      auto table = catalog_.Find(database, measurement);
      if (table == nullptr) continue;
      ARC_ASSIGN_OR_RETURN(auto trial, table->TryAlign(batch));
      if (!trial.errors.empty()) return Refusal(trial.errors, trial.refused, request.position_name);
    }
  }
  for (auto& [measurement, batch] : request.batches) {
    auto placed = Place(database, measurement, batch);
    if (!placed.ok() && placed.error().kind != ErrorKind::kInvalidArgument) return std::move(placed).error();
    if (!placed.ok()) {
      // There can be no such measurement (its name, too many columns): its rows are refused, those of others taken.
      NameRows(measurement, batch, placed.error(), &errors);
      refused += static_cast<uint64_t>(batch.rows);
      continue;
    }
    AlignedBatch& aligned = placed->aligned;
    refused += aligned.refused;
    errors.insert(errors.end(), std::make_move_iterator(aligned.errors.begin()),
                  std::make_move_iterator(aligned.errors.end()));
    for (auto& notice : aligned.notices) plan->outcome.notices.push_back(measurement + ": " + std::move(notice));
    if (aligned.batch.rows == 0) continue;
    plan->bytes += aligned.batch.ByteSize();
    plan->outcome.rows += static_cast<uint64_t>(aligned.batch.rows);
    plan->records.push_back({LogRecord::Kind::kRows, placed->table->ref(), std::move(aligned.batch)});
    plan->tables.push_back(std::move(placed->table));
  }
  if (plan->bytes > budget_.limit_bytes()) {
    return MakeError(ErrorKind::kTooLarge,
                     fmt::format("the request's rows take {} bytes of memory, more than all rows together may ({}); "
                                 "send fewer at a time",
                                 plan->bytes, budget_.limit_bytes()));
  }
  std::stable_sort(errors.begin(), errors.end(),
                   [](const RowError& a, const RowError& b) { return a.position < b.position; });
  plan->outcome.errors_total = refused;
  if (plan->records.empty() || (!accept_partial && refused > 0)) {
    return Refusal(errors, refused, request.position_name);
  }
  if (errors.size() > kReportedErrors) errors.resize(kReportedErrors);
  plan->outcome.errors = std::move(errors);
  return plan;
}

Result<Writer::Placed> Writer::Place(const std::string& database, const std::string& measurement, const Batch& batch) {
  Placed placed;
  ARC_ASSIGN_OR_RETURN(placed.table, catalog_.GetOrCreate(database, measurement));
  ARC_ASSIGN_OR_RETURN(placed.aligned, placed.table->Align(batch));
  return placed;
}

void Writer::Reserve(std::shared_ptr<Plan> plan, Done done) {
  plan->leases.resize(plan->records.size());
  ByteLease whole;
  if (budget_.Acquire(plan->bytes, std::chrono::milliseconds(0), &whole)) {
    plan->leases[0] = std::move(whole);
    return Submit(std::move(plan), std::move(done));
  }
  on_pressure_();
  if (waiters_.queued() >= kMaxWaiting) {
    return done(MakeError(ErrorKind::kOverloaded, "the hot buffer is full and too many writers wait for it"));
  }
  waiters_.Post([this, plan = std::move(plan), done = std::move(done)]() mutable {
    ByteLease lease;
    if (!budget_.Acquire(plan->bytes, wait_, &lease)) {
      return done(MakeError(ErrorKind::kOverloaded,
                            fmt::format("the hot buffer is full ({} of {} bytes); flushing is under way",
                                        budget_.used_bytes(), budget_.limit_bytes())));
    }
    plan->leases[0] = std::move(lease);
    Submit(std::move(plan), std::move(done));
  });
}

void Writer::Submit(std::shared_ptr<Plan> plan, Done done) {
  std::vector<LogRecord> records = std::move(plan->records);
  // The log calls apply once a record, in the order given.
  auto apply = [plan](Lsn lsn, LogRecord&& record) {
    size_t at = plan->applied++;
    plan->tables[at]->Apply(lsn, record.batch, std::move(plan->leases[at]));
  };
  auto finish = [rows_written = rows_written_, plan, done = std::move(done)](Result<Lsn> lsn) {
    if (!lsn.ok()) return done(std::move(lsn).error());
    plan->outcome.lsn = *lsn;
    rows_written->fetch_add(plan->outcome.rows, std::memory_order_relaxed);
    done(std::move(plan->outcome));
  };
  log_.AppendAll(std::move(records), std::move(apply), std::move(finish));
}

Status ReplayRecord(Catalog& catalog, ByteBudget& budget, Lsn lsn, LogRecord&& record) {
  if (record.kind != LogRecord::Kind::kRows) {
    return MakeError(ErrorKind::kUnsupported, "the log holds a record of a newer Arc; start that version");
  }
  ARC_ASSIGN_OR_RETURN(auto table, catalog.Restore(record.table));
  if (table == nullptr || lsn <= table->flushed()) return {};
  ARC_ASSIGN_OR_RETURN(auto aligned, table->AlignLogged(record.batch));
  if (!aligned.errors.empty()) {
    return Corruption(fmt::format("row {} of LSN {} for {}.{} no longer fits its table: {}", aligned.errors[0].position,
                                  lsn.value, record.table.database, record.table.name, aligned.errors[0].message));
  }
  table->Apply(lsn, aligned.batch, budget.Force(aligned.batch.ByteSize()));
  return {};
}

}  // namespace arc
