#include "arc/engine/deletions.h"

#include <fmt/format.h>

#include <optional>
#include <utility>
#include <vector>

#include "arc/engine/change_stream.h"
#include "arc/query/change_statement.h"

namespace arc {
namespace {

using Kind = ChangeStatement::Kind;
using Row = ChangeStream::Row;

std::string NameOf(const DropOutcome& outcome) {
  return outcome.measurement.empty() ? "database " + outcome.database
                                     : "table " + outcome.database + "." + outcome.measurement;
}

Error NeedsConfirmation(const DropOutcome& outcome) {
  return MakeError(
      ErrorKind::kConflict,
      fmt::format(
          "{} with {} rows in {} files of {} bytes would be dropped, and nothing brings it back; to do it, send "
          "the statement again within {} minutes, with \"confirm\": \"{}\" beside it",
          NameOf(outcome), outcome.rows, outcome.files, outcome.bytes, TableDrops::kConfirmationMs / 60'000,
          outcome.confirmation));
}

double Milliseconds(int64_t nanos) { return static_cast<double>(nanos) / 1e6; }

}  // namespace

std::unique_ptr<ResultStream> Deletions::Statement(const QueryRequest& request) {
  const auto change = ParseChange(request.sql);
  if (!change) return nullptr;
  if (change->kind == Kind::kDelete && change->dry_run) {
    return std::make_unique<ChangeStream>(
        std::vector<std::string>{"rows_to_delete", "files_to_drop", "files_to_rewrite", "bytes"}, clock_,
        [this, request](CancelSwitch& cancel) -> Result<Row> {
          ARC_ASSIGN_OR_RETURN(const auto plan, Delete(request, /*dry_run=*/true, /*all_rows=*/true, cancel));
          return Row{plan.rows, plan.files_dropped, plan.files_rewritten, plan.bytes};
        });
  }
  if (change->kind == Kind::kDelete) {
    return std::make_unique<ChangeStream>(
        std::vector<std::string>{"rows_deleted", "files_dropped", "files_rewritten", "snapshot_id", "through_lsn",
                                 "duration_ms"},
        clock_, [this, request](CancelSwitch& cancel) -> Result<Row> {
          const int64_t started = clock_.MonotonicNanos();
          ARC_ASSIGN_OR_RETURN(const auto done, Delete(request, /*dry_run=*/false, /*all_rows=*/false, cancel));
          return Row{done.rows,
                     done.files_dropped,
                     done.files_rewritten,
                     done.snapshot_id,
                     static_cast<int64_t>(done.through.value),
                     static_cast<int64_t>(Milliseconds(clock_.MonotonicNanos() - started))};
        });
  }
  DropRequest drop{change->database, change->table, change->if_exists, request.confirmation, request.principal};
  if (change->kind == Kind::kDropTable && drop.database.empty()) drop.database = request.database;
  return std::make_unique<ChangeStream>(std::vector<std::string>{"tables_dropped", "rows", "files", "bytes"}, clock_,
                                        [this, drop = std::move(drop)](CancelSwitch&) -> Result<Row> {
                                          ARC_ASSIGN_OR_RETURN(const auto outcome, Drop(drop));
                                          if (!outcome.confirmation.empty()) return NeedsConfirmation(outcome);
                                          return Row{outcome.tables, outcome.rows, outcome.files, outcome.bytes};
                                        });
}

Status Deletions::Begin(CancelSwitch* cancel) {
  std::lock_guard lock(mutex_);
  if (stopped_) return Unavailable("the server is stopping");
  running_.insert(cancel);
  return {};
}

void Deletions::End(CancelSwitch* cancel) {
  // The last use of this object, which Stop may be waiting to destroy.
  std::lock_guard lock(mutex_);
  running_.erase(cancel);
  ended_.notify_all();
}

void Deletions::Stop() {
  std::unique_lock lock(mutex_);
  stopped_ = true;
  for (CancelSwitch* cancel : running_) cancel->Cancel();
  ended_.wait(lock, [this] { return running_.empty(); });
}

Result<DeletionOutcome> Deletions::Delete(const QueryRequest& request, bool dry_run, bool all_rows,
                                          CancelSwitch& cancel) {
  ARC_RETURN_IF_ERROR(Begin(&cancel));
  auto outcome = DeleteNow(request, dry_run, all_rows, cancel);
  End(&cancel);
  return outcome;
}

Result<DropOutcome> Deletions::Drop(const DropRequest& request) {
  CancelSwitch cannot_be_cancelled;
  ARC_RETURN_IF_ERROR(Begin(&cannot_be_cancelled));
  auto outcome = DropNow(request);
  End(&cannot_be_cancelled);
  return outcome;
}

Result<DeletionOutcome> Deletions::DeleteNow(const QueryRequest& request, bool dry_run, bool all_rows,
                                             CancelSwitch& cancel) {
  const auto change = ParseChange(request.sql);
  if (!change || change->kind != Kind::kDelete) {
    // The query engine says what is wrong with it.
    QueryRequest wrong = request;
    wrong.delete_target = nullptr;
    ARC_RETURN_IF_ERROR(queries_.Execute(wrong));
    return InvalidArgument("the statement is no DELETE");
  }
  if (change->all_rows && !all_rows) {
    return InvalidArgument("a DELETE without WHERE deletes all rows of the table: if that is wanted, say WHERE true");
  }
  const std::string& asked = change->database.empty() ? request.database : change->database;
  const std::string database = catalog_.FindDatabase(asked).value_or(asked);
  ARC_ASSIGN_OR_RETURN(const auto table, TableFor(database, change->table, request.principal));
  const auto find = [&](const std::shared_ptr<const TableVersion>& version) {
    return FindRows(queries_, request, version, cancel);
  };
  if (dry_run || change->dry_run) return rows_.Plan(table, find);
  return rows_.Run(table, find, [&cancel] { return cancel.cancelled(); });
}

// Reading is needed too: the counts of a condition tell what the rows hold.
Result<std::shared_ptr<Table>> Deletions::TableFor(const std::string& database, const std::string& table,
                                                   const Principal& principal) const {
  if (!principal.CanWrite(database) || !principal.CanRead(database)) {
    return MakeError(
        ErrorKind::kPermissionDenied,
        fmt::format("this token may not delete rows of database \"{}\": that needs to read and to write", database));
  }
  auto found = catalog_.Find(database, table);
  if (found != nullptr) return found;
  const std::string reason = catalog_.WhyUnreadable(database, table);
  if (!reason.empty()) {
    return MakeError(ErrorKind::kUnsupported, database + "." + table + " can be read by other engines only: " + reason);
  }
  return NotFound("there is no table " + database + "." + table);
}

Result<DropOutcome> Deletions::DropNow(const DropRequest& request) {
  if (!request.principal.admin) {
    return MakeError(ErrorKind::kPermissionDenied, "only an admin token may drop tables and databases");
  }
  auto outcome = request.measurement.empty()
                     ? drops_.DropDatabase(request.database, request.confirmation)
                     : drops_.DropTable(request.database, request.measurement, request.confirmation);
  const bool is_gone = !outcome.ok() && outcome.error().kind == ErrorKind::kNotFound;
  if (!is_gone || !request.if_exists) return outcome;
  return DropOutcome{.database = request.database, .measurement = request.measurement, .confirmation = {}};
}

}  // namespace arc
