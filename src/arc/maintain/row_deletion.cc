#include "arc/maintain/row_deletion.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "arc/base/log.h"
#include "arc/flush/file_name.h"
#include "arc/io/cold_key.h"
#include "arc/maintain/compactor.h"
#include "arc/parquet/merge.h"
#include "arc/parquet/row_order.h"

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr int64_t kDayMicros = 24 * kHourMicros;
constexpr int kAttempts = 8;
constexpr std::chrono::milliseconds kCancelPeriod{100};

struct Partition {
  FlushedFile::Partition kind;
  int64_t value;
};

// That of the rows of a file, whichever the file itself is in.
Result<Partition> PartitionOf(const FileEntry& file) {
  for (const auto& [kind, micros] :
       {std::pair(FlushedFile::Partition::kHour, kHourMicros), std::pair(FlushedFile::Partition::kDay, kDayMicros)}) {
    const int64_t value = BucketOf(file.min_time, micros);
    if (value == BucketOf(file.max_time, micros)) return Partition{kind, value};
  }
  return MakeError(ErrorKind::kUnsupported,
                   "data file " + file.key + " of another writer has rows of several days and cannot be rewritten");
}

// The committed files alone, and through which LSN they hold everything.
std::shared_ptr<const TableVersion> CommittedVersion(const Table& table) {
  auto version = std::make_shared<TableVersion>();
  const auto current = table.Current();
  version->schema = current->schema;
  version->number = current->number;
  version->unreadable = current->unreadable;
  version->unwritable = current->unwritable;
  do {
    version->applied = table.flushed();
    version->files = table.committed_files();
  } while (table.flushed() != version->applied);
  return version;
}

DeletionOutcome OutcomeOf(const std::vector<RowMatches>& matches, Lsn through) {
  DeletionOutcome outcome;
  outcome.through = through;
  for (const auto& match : matches) {
    outcome.rows += match.rows;
    outcome.bytes += match.file->bytes;
    ++(match.all() ? outcome.files_dropped : outcome.files_rewritten);
  }
  return outcome;
}

bool IsCancelled(const RowDeletion::Cancelled& is_cancelled) { return is_cancelled && is_cancelled(); }

Error WasCancelled() { return MakeError(ErrorKind::kCancelled, "the deletion was cancelled; nothing was deleted"); }

void Remove(ObjectStore& store, const std::vector<FlushedFile>& files) {
  for (const auto& file : files) (void)store.Delete(file.file.key);  // best effort: what stays is an orphan
}

}  // namespace

struct RowDeletion::Plans {
  std::vector<RowMatches> matches;
  DeletionOutcome outcome;
};

Result<DeletionOutcome> RowDeletion::Plan(const std::shared_ptr<Table>& table, const Find& find) {
  ARC_ASSIGN_OR_RETURN(const auto plans, FindRows(table, find));
  return plans.outcome;
}

Result<DeletionOutcome> RowDeletion::Run(const std::shared_ptr<Table>& table, const Find& find,
                                         const Cancelled& is_cancelled) {
  auto outcome = Delete(table, find, is_cancelled);
  {
    std::lock_guard lock(mutex_);
    ++(outcome.ok() ? stats_.completed : stats_.failed);
    if (!outcome.ok()) return outcome;
    stats_.rows += static_cast<uint64_t>(outcome->rows);
    stats_.files_dropped += static_cast<uint64_t>(outcome->files_dropped);
    stats_.files_rewritten += static_cast<uint64_t>(outcome->files_rewritten);
    stats_.bytes += static_cast<uint64_t>(outcome->bytes);
    stats_.bytes_written += static_cast<uint64_t>(outcome->bytes_written);
  }
  const TableRef& ref = table->ref();
  Log(LogLevel::kInfo, "delete", "rows were deleted",
      {{"table", ref.database + "." + ref.name},
       {"rows", outcome->rows},
       {"files_dropped", outcome->files_dropped},
       {"files_rewritten", outcome->files_rewritten},
       {"through_lsn", outcome->through.value}});
  return outcome;
}

DeletionStats RowDeletion::stats() const {
  std::lock_guard lock(mutex_);
  return stats_;
}

Result<RowDeletion::Plans> RowDeletion::FindRows(const std::shared_ptr<Table>& table, const Find& find) {
  ARC_RETURN_IF_ERROR(commit_rows_(table));
  const auto version = CommittedVersion(*table);
  for (const auto& reason : {version->unreadable, version->unwritable}) {
    if (!reason.empty()) {
      return MakeError(ErrorKind::kUnsupported, "rows of this table cannot be deleted here: " + reason);
    }
  }
  Plans plans;
  ARC_ASSIGN_OR_RETURN(plans.matches, find(version));
  plans.outcome = OutcomeOf(plans.matches, version->applied);
  return plans;
}

Result<DeletionOutcome> RowDeletion::Delete(const std::shared_ptr<Table>& table, const Find& find,
                                            const Cancelled& is_cancelled) {
  std::optional<Error> lost;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    ARC_ASSIGN_OR_RETURN(auto plans, FindRows(table, find));
    if (plans.matches.empty()) return plans.outcome;
    FileReplacement replacement;
    replacement.same_rows = false;
    ARC_ASSIGN_OR_RETURN(replacement.added, Rewrite(*table, plans.matches, is_cancelled));
    for (auto& match : plans.matches) replacement.removed.push_back(std::move(match.file));
    for (const auto& file : replacement.added) plans.outcome.bytes_written += file.file.bytes;
    if (IsCancelled(is_cancelled)) {
      Remove(store_, replacement.added);
      return WasCancelled();
    }
    auto snapshot = catalog_.CommitReplace(*table, replacement);
    if (snapshot.ok()) {
      plans.outcome.snapshot_id = *snapshot;
      return plans.outcome;
    }
    // A merge or another engine took one of the files out, or a flush has to be learnt of first: the rows are looked
    // for anew.
    lost = std::move(snapshot).error();
    if (lost->kind != ErrorKind::kNotFound && lost->kind != ErrorKind::kConflict) break;
  }
  return *std::move(lost);
}

// What the files with other rows become.
Result<std::vector<FlushedFile>> RowDeletion::Rewrite(const Table& table, const std::vector<RowMatches>& matches,
                                                      const Cancelled& is_cancelled) {
  std::vector<FlushedFile> written;
  if (std::all_of(matches.begin(), matches.end(), [](const RowMatches& match) { return match.all(); })) return written;
  ARC_RETURN_IF_ERROR(TakeTurn(is_cancelled));
  const Schema schema = FileColumns(*table.Current()->schema);
  const Uuid job = Uuid::Random(random_);
  int number = 0;
  Status rewritten;
  for (const auto& match : matches) {
    if (match.all()) continue;
    rewritten = RewriteOne(table, schema, match, job, &number, is_cancelled, &written);
    if (!rewritten.ok()) break;
  }
  EndTurn();
  if (rewritten.ok()) return written;
  Remove(store_, written);
  if (IsCancelled(is_cancelled)) return WasCancelled();
  return WithContext(std::move(rewritten).error(), "nothing was deleted");
}

Status RowDeletion::RewriteOne(const Table& table, const Schema& schema, const RowMatches& matches, const Uuid& job,
                               int* number, const Cancelled& is_cancelled, std::vector<FlushedFile>* written) {
  const FileEntry& file = *matches.file;
  ARC_ASSIGN_OR_RETURN(const Partition partition, PartitionOf(file));
  MergeOptions options{options_.parquet, options_.target_bytes, is_cancelled};
  options.parquet.row_group_rows = MergeGroupRows(schema.columns.size(), options_.memory_bytes);
  // Into the store where the file is: what is cold stays so, and the hot store need not have room for it.
  const auto next_key = [&](int64_t first_time) {
    std::string key = RewrittenFileKey(table.ref(), partition.kind, partition.value, first_time, job, (*number)++);
    return IsColdKey(file.key) ? ColdKey(key) : key;
  };
  const MergeInput input{file.key, file.bytes, file.rows, file.min_time, &matches.set};
  std::vector<MergeRefusal> refused;
  ARC_ASSIGN_OR_RETURN(auto outputs, MergeDataFiles(store_, schema, {&input, 1}, options, next_key, &refused));
  int64_t rows = 0;
  for (auto& output : outputs) {
    rows += output.rows;
    written->push_back({std::move(output), partition.kind, partition.value});
  }
  if (rows == file.rows - matches.rows) return {};
  return Internal("data file " + file.key + " of " + std::to_string(file.rows) + " rows was written anew with " +
                  std::to_string(rows) + " instead of " + std::to_string(file.rows - matches.rows));
}

Status RowDeletion::TakeTurn(const Cancelled& is_cancelled) {
  std::unique_lock lock(mutex_);
  while (rewriting_) {
    turn_ended_.wait_for(lock, kCancelPeriod);
    if (IsCancelled(is_cancelled)) return WasCancelled();
  }
  rewriting_ = true;
  return {};
}

void RowDeletion::EndTurn() {
  {
    std::lock_guard lock(mutex_);
    rewriting_ = false;
  }
  turn_ended_.notify_one();
}

}  // namespace arc
