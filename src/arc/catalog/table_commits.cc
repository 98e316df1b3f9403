#include "arc/catalog/table_commits.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "arc/catalog/committed_table.h"
#include "arc/iceberg/expiry_commit.h"
#include "arc/iceberg/load.h"

namespace arc {
namespace {

constexpr int64_t kMicrosPerMs = 1000;
constexpr int kCommitAttempts = 4;

AppendFile AppendOf(const FlushedFile& file) {
  const bool hour = file.partition == FlushedFile::Partition::kHour;
  return {file.file, hour ? PartitionKind::kHour : PartitionKind::kDay, file.value};
}

template <typename Files>
std::vector<std::shared_ptr<const FileEntry>> EntriesOf(const Files& files) {
  std::vector<std::shared_ptr<const FileEntry>> entries;
  for (const auto& file : files) entries.push_back(EntryOf(file.file));
  return entries;
}

Error OthersWereFirst() { return MakeError(ErrorKind::kConflict, "other writers kept committing first"); }

// The schema that files were written with, as the table has it by now: another engine may have renamed or dropped
// columns since.
Schema AsNow(const Schema& written, const Schema& current) {
  Schema schema;
  for (const auto& column : written.columns) {
    const int at = current.FindById(column.field_id);
    if (at >= 0) schema.columns.push_back(current.columns[static_cast<size_t>(at)]);
  }
  return schema;
}

}  // namespace

AppendPolicy TableCommits::Policy() const {
  AppendPolicy policy;
  policy.keep_metadata_files = history_.keep_metadata_files;
  policy.expiry = {history_.max_snapshots, history_.max_snapshot_age_ms,
                   history_.trusts_clock == nullptr || history_.trusts_clock()};
  return policy;
}

// Flushes

void TableCommits::Flush(ObjectGroup& group, std::span<FlushCommit> commits) {
  std::vector<const Table*> tables;
  for (const auto& commit : commits) tables.push_back(commit.table);
  const auto turn = parts_.turns.Of(tables);
  FlushAttempts open;
  for (auto& commit : commits) {
    Table& table = *commit.table;
    if (WasDropped(table)) {
      // Its rows are nobody's.
      for (const auto& file : commit.files) (void)group.Delete(file.file.key);
      continue;
    }
    const Schema schema = AsNow(*commit.schema, *table.Current()->schema);
    open.push_back({&commit, AppendRequestOf(table, schema, commit.files, commit.flushed), {&table, std::nullopt, {}}});
  }
  for (int round = 0; round < kCommitAttempts && !open.empty(); ++round) open = TryFlushes(group, std::move(open));
  for (auto& attempt : open) attempt.flush->outcome = OthersWereFirst();
}

AppendRequest TableCommits::AppendRequestOf(const Table& table, const Schema& schema,
                                            std::span<const FlushedFile> files, Lsn flushed) const {
  AppendRequest request;
  request.table = table.ref();
  request.schema = schema;
  for (const auto& file : files) request.files.push_back(AppendOf(file));
  request.set_properties[FlushedLsnProperty(parts_.lineage)] = std::to_string(flushed.value);
  request.now_ms = parts_.clock.WallMicros() / kMicrosPerMs;
  request.policy = Policy();
  return request;
}

// One round for all; those whose pointer has moved meanwhile come back, to be tried again on top of the other's commit.
TableCommits::FlushAttempts TableCommits::TryFlushes(ObjectGroup& group, FlushAttempts attempts) {
  FlushAttempts ready;
  for (auto& attempt : attempts) {
    attempt.flush->outcome = PrepareFlush(group, attempt.request, &attempt.prepared);
    if (attempt.flush->outcome.ok()) ready.push_back(std::move(attempt));
  }
  if (ready.empty()) return {};
  // No pointer may name what is not durable.
  if (auto synced = group.Sync(); !synced.ok()) {
    for (auto& attempt : ready) attempt.flush->outcome = synced.error();
    return {};
  }
  return SwapFlushes(std::move(ready));
}

Status TableCommits::PrepareFlush(ObjectStore& store, const AppendRequest& request, Prepared* prepared) {
  Table& table = *prepared->table;
  auto& location = prepared->location;
  ARC_ASSIGN_OR_RETURN(location, parts_.pointers.Load(table.ref().database, table.ref().name));
  std::optional<TableMetadata> current;
  if (location) {
    ARC_ASSIGN_OR_RETURN(current, ReadTableMetadata(parts_.store, *location));
    ARC_RETURN_IF_ERROR(LearnOutcome(table, *current));
    ARC_RETURN_IF_ERROR(Refresh(table, *location, *current));
  } else {
    ARC_RETURN_IF_ERROR(parts_.pointers.CreateNamespace(table.ref().database));  // pyiceberg looks for its row
  }
  ARC_ASSIGN_OR_RETURN(prepared->commit, PrepareAppend(store, location.value_or(""), current ? &*current : nullptr,
                                                       request, parts_.random));
  return {};
}

TableCommits::FlushAttempts TableCommits::SwapFlushes(FlushAttempts attempts) {
  std::vector<const Prepared*> prepared;
  for (const auto& attempt : attempts) prepared.push_back(&attempt.prepared);
  auto swapped = Swap(prepared);
  FlushAttempts lost;
  for (size_t i = 0; i < attempts.size(); ++i) {
    if (!swapped[i].ok()) {
      attempts[i].flush->outcome = std::move(swapped[i]).error();
    } else if (*swapped[i]) {
      NoteCommit(attempts[i].prepared);
      Table& table = *attempts[i].prepared.table;
      const auto& [_, schema, files, flushed, outcome] = *attempts[i].flush;
      table.CommitFlush(table.committed_files()->With(EntriesOf(files)), flushed);
    } else {
      lost.push_back(std::move(attempts[i]));
    }
  }
  return lost;
}

Status TableCommits::CommitColumns(Table& table) {
  const TableRef& ref = table.ref();
  ARC_ASSIGN_OR_RETURN(auto location, parts_.pointers.Load(ref.database, ref.name));
  if (!location) return {};
  ARC_ASSIGN_OR_RETURN(auto metadata, ReadTableMetadata(parts_.store, *location));
  const auto schema = table.Current()->schema;
  const auto known = [&](const Column& column) { return column.field_id <= metadata.last_column_id; };
  if (std::all_of(schema->columns.begin(), schema->columns.end(), known)) return {};
  const auto request = AppendRequestOf(table, *schema, {}, table.flushed());
  for (int attempt = 0; attempt < kCommitAttempts; ++attempt) {
    Prepared prepared{&table, std::nullopt, {}};
    ARC_RETURN_IF_ERROR(PrepareFlush(parts_.store, request, &prepared));
    ARC_ASSIGN_OR_RETURN(const bool won, Swap(prepared));
    if (!won) continue;
    NoteCommit(prepared);
    const auto known_files = table.committed_files();
    ARC_ASSIGN_OR_RETURN(auto now, ReadCommittedTable(parts_.store, prepared.commit.metadata, known_files.get()));
    table.Adopt(std::move(now));
    return {};
  }
  return OthersWereFirst();
}

// Replacements

Result<int64_t> TableCommits::Replace(Table& table, const FileReplacement& replacement) {
  auto replaced = [&] {
    const auto turn = parts_.turns.Of(table);
    return ReplaceInTurn(table, replacement, ReplaceRequestOf(table, replacement));
  }();
  if (!replaced.ok() && replaced.error().kind != ErrorKind::kUnknownOutcome) {
    std::vector<std::string> keys;
    for (const auto& file : replacement.added) keys.push_back(file.file.key);
    parts_.Remove(keys);
  }
  return replaced;
}

Result<int64_t> TableCommits::ReplaceInTurn(Table& table, const FileReplacement& replacement,
                                            const ReplaceRequest& request) {
  for (int attempt = 0; attempt < kCommitAttempts; ++attempt) {
    ARC_ASSIGN_OR_RETURN(const auto snapshot, TryReplace(table, replacement, request));
    if (snapshot) return *snapshot;  // else another writer was first: again on top of its commit
  }
  return OthersWereFirst();
}

ReplaceRequest TableCommits::ReplaceRequestOf(const Table& table, const FileReplacement& replacement) const {
  ReplaceRequest request;
  request.table = table.ref();
  for (const auto& file : replacement.removed) {
    request.removed.push_back({file->key, file->min_time, file->max_time});
  }
  for (const auto& [file, key] : replacement.moved) {
    request.removed.push_back({file->key, file->min_time, file->max_time, key});
  }
  for (const auto& file : replacement.added) request.added.push_back(AppendOf(file));
  request.same_rows = replacement.same_rows;
  request.policy = Policy();
  request.summary = replacement.summary;
  return request;
}

// One attempt; nothing when the pointer has moved meanwhile.
Result<std::optional<int64_t>> TableCommits::TryReplace(Table& table, const FileReplacement& replacement,
                                                        ReplaceRequest request) {
  request.now_ms = parts_.clock.WallMicros() / kMicrosPerMs;
  ARC_ASSIGN_OR_RETURN(const auto location, parts_.pointers.Load(table.ref().database, table.ref().name));
  if (!location || WasDropped(table)) return NotFound("the table is not there any more");
  ARC_ASSIGN_OR_RETURN(const auto current, LookAtCurrent(table, *location));
  Prepared prepared{&table, location, {}};
  ARC_ASSIGN_OR_RETURN(prepared.commit, PrepareReplace(parts_.store, *location, current, request, parts_.random));
  ARC_ASSIGN_OR_RETURN(const bool won, Swap(prepared));
  if (!won) return std::optional<int64_t>();
  // Before the commit's clean-up: it may have expired the last snapshot that had them.
  auto gone = replacement.removed;
  auto come = EntriesOf(replacement.added);
  for (const auto& [file, key] : replacement.moved) {
    gone.push_back(file);
    come.push_back(
        std::make_shared<const FileEntry>(FileEntry{key, file->bytes, file->rows, file->min_time, file->max_time}));
  }
  for (const auto& file : gone) parts_.retired.Add(file);
  NoteCommit(prepared);
  std::unordered_set<std::string_view> removed;
  for (const auto& file : gone) removed.insert(file->key);
  table.ReplaceFiles(table.committed_files()->Without(removed)->With(std::move(come)));
  return prepared.commit.snapshot_id;
}

// Expiry

Result<ExpiryOutcome> TableCommits::Expire(Table& table) {
  const auto turn = parts_.turns.Of(table);
  for (int attempt = 0; attempt < kCommitAttempts; ++attempt) {
    ARC_ASSIGN_OR_RETURN(const auto outcome, TryExpire(table));
    if (outcome) return *outcome;
  }
  return OthersWereFirst();
}

// One attempt; nothing when the pointer has moved meanwhile.
Result<std::optional<ExpiryOutcome>> TableCommits::TryExpire(Table& table) {
  ExpiryOutcome outcome;
  ARC_ASSIGN_OR_RETURN(const auto location, parts_.pointers.Load(table.ref().database, table.ref().name));
  if (!location || WasDropped(table)) return std::optional(outcome);
  ARC_ASSIGN_OR_RETURN(const auto current, LookAtCurrent(table, *location));
  const int64_t now_ms = parts_.clock.WallMicros() / kMicrosPerMs;
  ARC_ASSIGN_OR_RETURN(auto commit, PrepareExpiry(parts_.store, *location, current, Policy(), now_ms, parts_.random));
  if (!commit) {
    parts_.Remove(parts_.retired.Unread({}));
    return std::optional(outcome);
  }
  const Prepared prepared{&table, location, std::move(*commit)};
  ARC_ASSIGN_OR_RETURN(const bool won, Swap(prepared));
  if (!won) return std::optional<ExpiryOutcome>();
  NoteCommit(prepared);
  outcome.snapshots = current.snapshots.size() - prepared.commit.metadata.snapshots.size();
  outcome.objects = prepared.commit.obsolete_keys.size();
  return std::optional(outcome);
}

// What they share

// All in one transaction. Of each: false when its pointer had moved; after that, and after an error but
// kUnknownOutcome, what was prepared is gone.
std::vector<Result<bool>> TableCommits::Swap(std::span<const Prepared* const> prepared) {
  std::vector<PointerSwap> swaps;
  for (const auto* one : prepared) {
    swaps.push_back({one->table->ref().database, one->table->ref().name, one->location, one->commit.metadata_location});
  }
  const auto swapped = parts_.pointers.SwapAll(swaps);
  std::vector<Result<bool>> outcomes;
  for (size_t i = 0; i < prepared.size(); ++i) {
    outcomes.push_back(LookAfterSwap(*prepared[i], swapped, swapped.ok() && (*swapped)[i]));
  }
  return outcomes;
}

Result<bool> TableCommits::Swap(const Prepared& prepared) {
  const Prepared* const one = &prepared;
  return std::move(Swap(std::span(&one, 1)).front());
}

Result<bool> TableCommits::LookAfterSwap(const Prepared& prepared, const Result<std::vector<bool>>& swapped, bool won) {
  if (won) return true;
  auto now = parts_.pointers.Load(prepared.table->ref().database, prepared.table->ref().name);
  if (!now.ok()) {
    // Neither the swap nor a look at it answered. What was written must stay: it may be the table.
    const std::string why = swapped.ok() ? "the pointer has moved" : swapped.error().message;
    return MakeError(ErrorKind::kUnknownOutcome, why + "; " + now.error().message);
  }
  if (*now == prepared.commit.metadata_location) return true;
  parts_.Remove(prepared.commit.written_keys);
  if (!swapped.ok()) return swapped.error();
  return false;
}

// After a swap, which nothing can undo.
void TableCommits::NoteCommit(const Prepared& prepared) {
  const TableRef& ref = prepared.table->ref();
  parts_.tables.SetLocation(ref.id, prepared.commit.metadata_location);
  parts_.NoteVersion(ref, prepared.commit.metadata_location);
  parts_.Remove(parts_.retired.Unread(prepared.commit.obsolete_keys));
}

// What a commit that is no flush builds on, with what others committed published. kConflict when a flush whose answer
// was lost has to be learnt first: publishing its files here would show its rows twice, hot or staged as they are.
Result<TableMetadata> TableCommits::LookAtCurrent(Table& table, const std::string& location) {
  ARC_ASSIGN_OR_RETURN(auto current, ReadTableMetadata(parts_.store, location));
  ARC_ASSIGN_OR_RETURN(const Lsn flushed, FlushedLsn(current, parts_.lineage));
  if (flushed > table.flushed()) {
    return MakeError(ErrorKind::kConflict, "an earlier flush of unknown outcome has to be looked at first");
  }
  ARC_RETURN_IF_ERROR(Refresh(table, location, current));
  return current;
}

// A commit whose answer was lost shows itself by its property. Its rows leave the buffer now; the caller's files hold
// them too and must not be committed, so it is sent back to begin anew.
Status TableCommits::LearnOutcome(Table& table, const TableMetadata& current) {
  ARC_ASSIGN_OR_RETURN(Lsn flushed, FlushedLsn(current, parts_.lineage));
  if (flushed <= table.flushed()) return {};
  const auto before = table.committed_files();
  ARC_ASSIGN_OR_RETURN(auto committed, ReadCommittedFiles(parts_.store, current, before.get()));
  parts_.retired.AddGone(*before, *committed.files);
  table.SetUnreadable(committed.unreadable);
  table.CommitFlush(std::move(committed.files), flushed);
  return MakeError(ErrorKind::kConflict, "an earlier commit of unknown outcome turns out to have happened");
}

// Publishes the files of metadata that another process committed. Before ours: after a swap nothing may fail. What
// could not be read is looked at again: it may have come back.
Status TableCommits::Refresh(Table& table, const std::string& location, const TableMetadata& current) {
  if (parts_.tables.LocationOf(table.ref().id) == location && table.Current()->unreadable.empty()) return {};
  const auto before = table.committed_files();
  ARC_ASSIGN_OR_RETURN(auto committed, ReadCommittedFiles(parts_.store, current, before.get()));
  parts_.retired.AddGone(*before, *committed.files);
  table.SetUnreadable(committed.unreadable);
  table.ReplaceFiles(std::move(committed.files));
  parts_.tables.SetLocation(table.ref().id, location);
  return {};
}

}  // namespace arc
