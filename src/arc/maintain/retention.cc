#include "arc/maintain/retention.h"

#include <fmt/format.h>

#include <unordered_set>
#include <utility>

#include "arc/base/log.h"

namespace arc {
namespace {

constexpr int64_t kDayMicros = 86'400'000'000;
constexpr int kAttempts = 5;
constexpr size_t kMaxNameBytes = 255;

Status Check(const RetentionPolicy& policy) {
  if (policy.name.empty() || policy.name.size() > kMaxNameBytes) {
    return InvalidArgument("a retention policy has a name of 1 to 255 bytes");
  }
  if (policy.database.empty()) return InvalidArgument("a retention policy names its database");
  if (policy.retention_days < 1 || policy.retention_days > Retention::kMaxDays) {
    return InvalidArgument(fmt::format("retention_days must be 1 to {}", Retention::kMaxDays));
  }
  if (policy.buffer_days < 0 || policy.buffer_days > Retention::kMaxDays) {
    return InvalidArgument(fmt::format("buffer_days must be 0 to {}", Retention::kMaxDays));
  }
  return {};
}

// The files that go, and in `share` what they are.
std::vector<std::shared_ptr<const FileEntry>> OldFiles(const FileIndex& files, int64_t cutoff, RetentionShare* share) {
  std::vector<std::shared_ptr<const FileEntry>> old;
  for (const auto& file : files.files()) {
    if (file->min_time >= cutoff) break;  // sorted by it
    if (file->max_time >= cutoff) {
      ++share->straddling_files;
      continue;
    }
    ++share->files;
    share->rows += file->rows;
    share->bytes += file->bytes;
    old.push_back(file);
  }
  return old;
}

RetentionShare ShareOf(const Table& table) {
  RetentionShare share;
  share.database = table.ref().database;
  share.measurement = table.ref().name;
  return share;
}

void Add(const RetentionShare& share, RetentionShare* total) {
  total->files += share.files;
  total->rows += share.rows;
  total->bytes += share.bytes;
  total->straddling_files += share.straddling_files;
}

// One table's part. Another job may take a file out meanwhile (a merge, another engine): then it is looked at again.
Result<RetentionShare> DeleteFrom(Catalog& catalog, Table& table, const RetentionPolicy& policy, int64_t cutoff) {
  Status replaced;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    RetentionShare share = ShareOf(table);
    FileReplacement deletion;
    deletion.removed = OldFiles(*table.committed_files(), cutoff, &share);
    deletion.same_rows = false;
    deletion.summary["arc.retention-policy"] = policy.name;
    if (deletion.removed.empty()) return share;
    const auto committed = catalog.CommitReplace(table, deletion);
    if (committed.ok()) return share;
    replaced = committed.error();
    const ErrorKind kind = replaced.error().kind;
    if (kind != ErrorKind::kNotFound && kind != ErrorKind::kConflict) break;
  }
  return WithContext(std::move(replaced).error(), table.ref().database + "." + table.ref().name);
}

}  // namespace

Result<RetentionPolicy> Retention::Add(const RetentionPolicy& policy) {
  ARC_RETURN_IF_ERROR(Check(policy));
  return store_.AddPolicy(policy);
}

Result<RetentionPolicy> Retention::Change(const RetentionPolicy& policy) {
  ARC_RETURN_IF_ERROR(Check(policy));
  return store_.ChangePolicy(policy);
}

Result<RetentionOutcome> Retention::Plan(int64_t policy_id) {
  ARC_ASSIGN_OR_RETURN(const auto policy, store_.Policy(policy_id));
  return PlanPolicy(policy);
}

Result<RetentionOutcome> Retention::Run(int64_t policy_id) {
  std::lock_guard lock(run_mutex_);
  ARC_ASSIGN_OR_RETURN(const auto policy, store_.Policy(policy_id));
  return RunPolicy(policy, /*scheduled=*/false);
}

void Retention::RunScheduled() {
  std::lock_guard lock(run_mutex_);
  const auto policies = store_.Policies();
  if (!policies.ok()) {
    Log(LogLevel::kError, "retention", "policies cannot be read", {{"error", policies.error().message}});
    return;
  }
  for (const auto& policy : *policies) {
    if (!policy.active) continue;
    const auto outcome = RunPolicy(policy, /*scheduled=*/true);
    if (outcome.ok()) continue;
    Log(LogLevel::kError, "retention", "a policy was not carried out",
        {{"policy", policy.name}, {"error", outcome.error().message}});
  }
}

RetentionStats Retention::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

Result<RetentionOutcome> Retention::PlanPolicy(const RetentionPolicy& policy) {
  RetentionOutcome outcome;
  outcome.cutoff_micros = clock_.WallMicros() - (policy.retention_days + policy.buffer_days) * kDayMicros;
  ARC_ASSIGN_OR_RETURN(const auto tables, TablesOf(policy));
  for (const auto& table : tables) {
    RetentionShare share = ShareOf(*table);
    OldFiles(*table->committed_files(), outcome.cutoff_micros, &share);
    arc::Add(share, &outcome.total);
    if (share.files + share.straddling_files > 0) outcome.tables.push_back(std::move(share));
  }
  return outcome;
}

Result<RetentionOutcome> Retention::RunPolicy(const RetentionPolicy& policy, bool scheduled) {
  ARC_RETURN_IF_ERROR(CheckClock());
  ARC_ASSIGN_OR_RETURN(RetentionOutcome outcome, PlanPolicy(policy));
  if (scheduled && outcome.total.files == 0) return outcome;
  RetentionExecution execution;
  execution.policy_id = policy.id;
  execution.scheduled = scheduled;
  execution.cutoff_micros = outcome.cutoff_micros;
  ARC_ASSIGN_OR_RETURN(execution.id, store_.BeginExecution(execution));
  const Status deleted = Delete(policy, &outcome);
  outcome.execution_id = execution.id;
  execution.state = deleted.ok() ? RetentionExecution::State::kCompleted : RetentionExecution::State::kFailed;
  execution.files = outcome.total.files;
  execution.rows = outcome.total.rows;
  execution.bytes = outcome.total.bytes;
  if (!deleted.ok()) execution.error = deleted.error().message;
  {
    std::lock_guard lock(mutex_);
    ++(deleted.ok() ? stats_.runs : stats_.failed);
    stats_.files += static_cast<uint64_t>(outcome.total.files);
    stats_.rows += static_cast<uint64_t>(outcome.total.rows);
    stats_.bytes += static_cast<uint64_t>(outcome.total.bytes);
  }
  ARC_RETURN_IF_ERROR(store_.EndExecution(execution));
  if (!deleted.ok()) return deleted.error();
  Log(LogLevel::kInfo, "retention", "old files left their tables",
      {{"policy", policy.name}, {"files", execution.files}, {"rows", execution.rows}, {"bytes", execution.bytes}});
  return outcome;
}

// Tells in `outcome` what went, also after an error.
Status Retention::Delete(const RetentionPolicy& policy, RetentionOutcome* outcome) {
  outcome->tables.clear();
  outcome->total = {};
  ARC_ASSIGN_OR_RETURN(const auto tables, TablesOf(policy));
  for (const auto& table : tables) {
    ARC_ASSIGN_OR_RETURN(RetentionShare share, DeleteFrom(catalog_, *table, policy, outcome->cutoff_micros));
    arc::Add(share, &outcome->total);
    if (share.files + share.straddling_files > 0) outcome->tables.push_back(std::move(share));
  }
  return {};
}

// A database's policy leaves alone the measurements that have an active one of their own.
Result<std::vector<std::shared_ptr<Table>>> Retention::TablesOf(const RetentionPolicy& policy) {
  std::vector<std::shared_ptr<Table>> tables;
  if (!policy.measurement.empty()) {
    if (auto table = catalog_.Find(policy.database, policy.measurement)) tables.push_back(std::move(table));
    return tables;
  }
  ARC_ASSIGN_OR_RETURN(const auto policies, store_.Policies());
  std::unordered_set<const Table*> others;
  for (const auto& other : policies) {
    if (other.id == policy.id || !other.active || other.measurement.empty()) continue;
    if (const auto table = catalog_.Find(other.database, other.measurement)) others.insert(table.get());
  }
  tables = catalog_.Tables(policy.database);
  std::erase_if(tables, [&](const auto& table) { return others.contains(table.get()); });
  return tables;
}

Status Retention::CheckClock() {
  const int64_t hold_ms = watch_.HoldMs();
  if (hold_ms == 0) return {};
  return Unavailable(fmt::format(
      "the wall clock has leapt by more than 24 hours, or the server was off for so long: nothing is deleted by age "
      "for another {} minutes",
      hold_ms / 60'000 + 1));
}

}  // namespace arc
