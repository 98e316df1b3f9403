#include "arc/catalog/maintenance_store.h"

#include <charconv>
#include <utility>

#include "arc/catalog/sqlite_database.h"

namespace arc {
namespace {

constexpr const char* kCreateStatements[] = {
    "CREATE TABLE IF NOT EXISTS retention_policies ("
    "id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, database_name TEXT NOT NULL, "
    "measurement TEXT NOT NULL, retention_days INTEGER NOT NULL, buffer_days INTEGER NOT NULL, "
    "active INTEGER NOT NULL, created_micros INTEGER NOT NULL, updated_micros INTEGER NOT NULL)",
    "CREATE TABLE IF NOT EXISTS retention_executions ("
    "id INTEGER PRIMARY KEY AUTOINCREMENT, policy_id INTEGER NOT NULL, state TEXT NOT NULL, "
    "scheduled INTEGER NOT NULL, cutoff_micros INTEGER NOT NULL, started_micros INTEGER NOT NULL, "
    "finished_micros INTEGER NOT NULL, files INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, "
    "error TEXT NOT NULL)",
    "CREATE INDEX IF NOT EXISTS executions_by_policy ON retention_executions (policy_id, id)",
    "CREATE TABLE IF NOT EXISTS clock (one INTEGER PRIMARY KEY CHECK (one = 1), seen_micros INTEGER NOT NULL, "
    "hold_ms INTEGER NOT NULL)",
};

constexpr const char* kPolicyColumns =
    "SELECT id, name, database_name, measurement, retention_days, buffer_days, active, created_micros, updated_micros "
    "FROM retention_policies";

constexpr std::pair<RetentionExecution::State, const char*> kStates[] = {
    {RetentionExecution::State::kRunning, "running"},
    {RetentionExecution::State::kCompleted, "completed"},
    {RetentionExecution::State::kFailed, "failed"},
    {RetentionExecution::State::kInterrupted, "interrupted"},
};

std::string NameOf(RetentionExecution::State state) {
  for (const auto& [value, name] : kStates) {
    if (value == state) return name;
  }
  return "interrupted";
}

RetentionExecution::State StateOf(const std::optional<std::string>& text) {
  for (const auto& [value, name] : kStates) {
    if (text == name) return value;
  }
  return RetentionExecution::State::kInterrupted;
}

int64_t Number(const std::optional<std::string>& text) {
  int64_t value = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), value);
  return value;
}

RetentionPolicy PolicyOf(SqliteDatabase::Row row) {
  RetentionPolicy policy;
  policy.id = Number(row[0]);
  policy.name = row[1].value_or("");
  policy.database = row[2].value_or("");
  policy.measurement = row[3].value_or("");
  policy.retention_days = Number(row[4]);
  policy.buffer_days = Number(row[5]);
  policy.active = Number(row[6]) != 0;
  policy.created_micros = Number(row[7]);
  policy.updated_micros = Number(row[8]);
  return policy;
}

RetentionExecution ExecutionOf(SqliteDatabase::Row row) {
  RetentionExecution execution;
  execution.id = Number(row[0]);
  execution.policy_id = Number(row[1]);
  execution.state = StateOf(row[2]);
  execution.scheduled = Number(row[3]) != 0;
  execution.cutoff_micros = Number(row[4]);
  execution.started_micros = Number(row[5]);
  execution.finished_micros = Number(row[6]);
  execution.files = Number(row[7]);
  execution.rows = Number(row[8]);
  execution.bytes = Number(row[9]);
  execution.error = row[10].value_or("");
  return execution;
}

Error NoPolicy(int64_t id) { return NotFound("there is no retention policy " + std::to_string(id)); }

}  // namespace

MaintenanceStore::MaintenanceStore(std::unique_ptr<SqliteDatabase> sqlite, Clock& clock)
    : clock_(clock), sqlite_(std::move(sqlite)) {}
MaintenanceStore::~MaintenanceStore() = default;

Result<std::unique_ptr<MaintenanceStore>> MaintenanceStore::Open(const std::string& path, LocalDisk& disk,
                                                                 Clock& clock) {
  ARC_ASSIGN_OR_RETURN(auto sqlite, SqliteDatabase::Open(path, disk));
  std::unique_ptr<MaintenanceStore> store(new MaintenanceStore(std::move(sqlite), clock));
  ARC_RETURN_IF_ERROR(store->MakeTables());
  return store;
}

Status MaintenanceStore::MakeTables() {
  for (const char* statement : kCreateStatements) ARC_RETURN_IF_ERROR(sqlite_->Change(statement));
  ARC_RETURN_IF_ERROR(sqlite_->Change("UPDATE retention_executions SET state = 'interrupted' WHERE state = 'running'"));
  return {};
}

Result<std::vector<RetentionPolicy>> MaintenanceStore::Policies() {
  std::lock_guard lock(mutex_);
  ARC_ASSIGN_OR_RETURN(auto rows, sqlite_->Query((std::string(kPolicyColumns) + " ORDER BY id").c_str()));
  std::vector<RetentionPolicy> policies;
  for (auto& row : rows) policies.push_back(PolicyOf(std::move(row)));
  return policies;
}

Result<RetentionPolicy> MaintenanceStore::Policy(int64_t id) {
  std::lock_guard lock(mutex_);
  return PolicyLocked(id);
}

Result<RetentionPolicy> MaintenanceStore::PolicyLocked(int64_t id) {
  ARC_ASSIGN_OR_RETURN(auto rows,
                       sqlite_->Query((std::string(kPolicyColumns) + " WHERE id = ?").c_str(), {std::to_string(id)}));
  if (rows.empty()) return NoPolicy(id);
  return PolicyOf(std::move(rows[0]));
}

Status MaintenanceStore::CheckName(const RetentionPolicy& policy) {
  ARC_ASSIGN_OR_RETURN(const auto rows, sqlite_->Query("SELECT 1 FROM retention_policies WHERE name = ? AND id <> ?",
                                                       {policy.name, std::to_string(policy.id)}));
  if (rows.empty()) return {};
  return MakeError(ErrorKind::kAlreadyExists, "there is a retention policy \"" + policy.name + "\" already");
}

Result<RetentionPolicy> MaintenanceStore::AddPolicy(const RetentionPolicy& policy) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckName(policy));
  const std::string now = std::to_string(clock_.WallMicros());
  ARC_RETURN_IF_ERROR(sqlite_->Change(
      "INSERT INTO retention_policies (name, database_name, measurement, retention_days, buffer_days, active, "
      "created_micros, updated_micros) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      {policy.name, policy.database, policy.measurement, std::to_string(policy.retention_days),
       std::to_string(policy.buffer_days), policy.active ? "1" : "0", now, now}));
  ARC_ASSIGN_OR_RETURN(const int64_t id, LastId());
  return PolicyLocked(id);
}

Result<RetentionPolicy> MaintenanceStore::ChangePolicy(const RetentionPolicy& policy) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(CheckName(policy));
  ARC_ASSIGN_OR_RETURN(
      const int64_t changed,
      sqlite_->Change("UPDATE retention_policies SET name = ?, database_name = ?, measurement = ?, retention_days = ?, "
                      "buffer_days = ?, active = ?, updated_micros = ? WHERE id = ?",
                      {policy.name, policy.database, policy.measurement, std::to_string(policy.retention_days),
                       std::to_string(policy.buffer_days), policy.active ? "1" : "0",
                       std::to_string(clock_.WallMicros()), std::to_string(policy.id)}));
  if (changed == 0) return NoPolicy(policy.id);
  return PolicyLocked(policy.id);
}

Status MaintenanceStore::RemovePolicy(int64_t id) {
  std::lock_guard lock(mutex_);
  ARC_ASSIGN_OR_RETURN(const int64_t removed,
                       sqlite_->Change("DELETE FROM retention_policies WHERE id = ?", {std::to_string(id)}));
  if (removed == 0) return NoPolicy(id);
  ARC_RETURN_IF_ERROR(sqlite_->Change("DELETE FROM retention_executions WHERE policy_id = ?", {std::to_string(id)}));
  return {};
}

Result<int64_t> MaintenanceStore::BeginExecution(const RetentionExecution& execution) {
  std::lock_guard lock(mutex_);
  const std::string policy = std::to_string(execution.policy_id);
  ARC_RETURN_IF_ERROR(
      sqlite_->Change("INSERT INTO retention_executions (policy_id, state, scheduled, cutoff_micros, started_micros, "
                      "finished_micros, files, rows, bytes, error) VALUES (?, 'running', ?, ?, ?, 0, 0, 0, 0, '')",
                      {policy, execution.scheduled ? "1" : "0", std::to_string(execution.cutoff_micros),
                       std::to_string(clock_.WallMicros())}));
  ARC_ASSIGN_OR_RETURN(const int64_t id, LastId());
  ARC_RETURN_IF_ERROR(sqlite_->Change(
      "DELETE FROM retention_executions WHERE policy_id = ? AND id <= (SELECT id FROM retention_executions "
      "WHERE policy_id = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
      {policy, policy, std::to_string(kExecutionsKept)}));
  return id;
}

Result<int64_t> MaintenanceStore::LastId() {
  ARC_ASSIGN_OR_RETURN(const auto rows, sqlite_->Query("SELECT last_insert_rowid()"));
  return Number(rows[0][0]);
}

Status MaintenanceStore::EndExecution(const RetentionExecution& execution) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(
      sqlite_->Change("UPDATE retention_executions SET state = ?, finished_micros = ?, files = ?, rows = ?, bytes = ?, "
                      "error = ? WHERE id = ?",
                      {NameOf(execution.state), std::to_string(clock_.WallMicros()), std::to_string(execution.files),
                       std::to_string(execution.rows), std::to_string(execution.bytes), execution.error,
                       std::to_string(execution.id)}));
  return {};
}

Result<std::vector<RetentionExecution>> MaintenanceStore::Executions(int64_t policy_id, int limit) {
  std::lock_guard lock(mutex_);
  ARC_ASSIGN_OR_RETURN(
      auto rows,
      sqlite_->Query("SELECT id, policy_id, state, scheduled, cutoff_micros, started_micros, finished_micros, files, "
                     "rows, bytes, error FROM retention_executions WHERE policy_id = ? ORDER BY id DESC LIMIT ?",
                     {std::to_string(policy_id), std::to_string(limit)}));
  std::vector<RetentionExecution> executions;
  for (auto& row : rows) executions.push_back(ExecutionOf(std::move(row)));
  return executions;
}

Result<ClockRecord> MaintenanceStore::LastClock() {
  std::lock_guard lock(mutex_);
  ARC_ASSIGN_OR_RETURN(const auto rows, sqlite_->Query("SELECT seen_micros, hold_ms FROM clock"));
  if (rows.empty()) return ClockRecord();
  return ClockRecord{Number(rows[0][0]), Number(rows[0][1])};
}

Status MaintenanceStore::RecordClock(const ClockRecord& record) {
  std::lock_guard lock(mutex_);
  ARC_RETURN_IF_ERROR(sqlite_->Change("INSERT OR REPLACE INTO clock (one, seen_micros, hold_ms) VALUES (1, ?, ?)",
                                      {std::to_string(record.seen_micros), std::to_string(record.hold_ms)}));
  return {};
}

}  // namespace arc
