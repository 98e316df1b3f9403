#include "arc/catalog/table_commits.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "arc/base/log.h"
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

// The turns of several tables, taken in the one order that keeps two groups from waiting for each other.
std::vector<std::unique_lock<std::mutex>> TakeTurns(std::span<FlushCommit> commits) {
  std::vector<Table*> tables;
  for (const auto& commit : commits) tables.push_back(commit.table);
  std::sort(tables.begin(), tables.end(), [](const Table* a, const Table* b) { return a->ref().id < b->ref().id; });
  std::vector<std::unique_lock<std::mutex>> turns;
  for (Table* table : tables) turns.emplace_back(table->commit_turn());
  return turns;
}

}  // namespace

Result<std::shared_ptr<const FileIndex>> TableCommits::ReadAtStart(const TableRef& ref, const std::string& location,
                                                                   const TableMetadata& metadata) {
  LocationOf(ref.id) = location;
  return ReadIndex(ref, metadata, nullptr);
}

AppendPolicy TableCommits::Policy() const {
  AppendPolicy policy;
  policy.keep_metadata_files = history_.keep_metadata_files;
  policy.expiry = {history_.max_snapshots, history_.max_snapshot_age_ms,
                   history_.trusts_clock == nullptr || history_.trusts_clock()};
  return policy;
}

// Flushes

void TableCommits::Flush(ObjectGroup& group, std::span<FlushCommit> commits) {
  const auto turns = TakeTurns(commits);
  FlushAttempts open;
  for (auto& commit : commits) {
    open.push_back({&commit, AppendRequestOf(commit), {commit.table, std::nullopt, {}}});
  }
  for (int round = 0; round < kCommitAttempts && !open.empty(); ++round) open = TryFlushes(group, std::move(open));
  for (auto& attempt : open) attempt.flush->outcome = OthersWereFirst();
}

AppendRequest TableCommits::AppendRequestOf(const FlushCommit& commit) const {
  AppendRequest request;
  request.table = commit.table->ref();
  request.schema = *commit.schema;
  for (const auto& file : commit.files) request.files.push_back(AppendOf(file));
  request.set_properties[FlushedLsnProperty(lineage_)] = std::to_string(commit.flushed.value);
  request.now_ms = clock_.WallMicros() / kMicrosPerMs;
  request.policy = Policy();
  return request;
}

// One round for all; those whose pointer has moved meanwhile come back, to be tried again on top of the other's commit.
TableCommits::FlushAttempts TableCommits::TryFlushes(ObjectGroup& group, FlushAttempts attempts) {
  FlushAttempts ready;
  for (auto& attempt : attempts) {
    attempt.flush->outcome = PrepareFlush(group, &attempt);
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

Status TableCommits::PrepareFlush(ObjectGroup& group, FlushAttempt* attempt) {
  Table& table = *attempt->flush->table;
  auto& [_, location, commit] = attempt->prepared;
  ARC_ASSIGN_OR_RETURN(location, pointers_.Load(table.ref().database, table.ref().name));
  std::optional<TableMetadata> current;
  if (location) {
    ARC_ASSIGN_OR_RETURN(current, ReadTableMetadata(store_, *location));
    ARC_RETURN_IF_ERROR(LearnOutcome(table, *current));
  } else {
    ARC_RETURN_IF_ERROR(pointers_.CreateNamespace(table.ref().database));  // pyiceberg looks for its row
  }
  ARC_ASSIGN_OR_RETURN(commit, PrepareAppend(group, location.value_or(""), current ? &*current : nullptr,
                                             attempt->request, random_));
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
      attempts[i].flush->outcome = PublishFlush(attempts[i]);
    } else {
      lost.push_back(std::move(attempts[i]));
    }
  }
  return lost;
}

// After a swap, which nothing can undo.
Status TableCommits::PublishFlush(const FlushAttempt& attempt) {
  Table& table = *attempt.flush->table;
  ARC_ASSIGN_OR_RETURN(auto index, NoteCommit(attempt.prepared));
  if (index == nullptr) index = table.committed_files()->With(EntriesOf(attempt.flush->files));
  table.CommitFlush(std::move(index), attempt.flush->flushed);
  return {};
}

// Replacements

Status TableCommits::Replace(Table& table, const FileReplacement& replacement) {
  Status replaced;
  {
    std::lock_guard turn(table.commit_turn());
    replaced = ReplaceInTurn(table, replacement, ReplaceRequestOf(table, replacement));
  }
  if (!replaced.ok() && replaced.error().kind != ErrorKind::kUnknownOutcome) {
    std::vector<std::string> keys;
    for (const auto& file : replacement.added) keys.push_back(file.file.key);
    Remove(keys);
  }
  return replaced;
}

Status TableCommits::ReplaceInTurn(Table& table, const FileReplacement& replacement, const ReplaceRequest& request) {
  for (int attempt = 0; attempt < kCommitAttempts; ++attempt) {
    ARC_ASSIGN_OR_RETURN(const bool won, TryReplace(table, replacement, request));
    if (won) return {};  // else another writer was first: again on top of its commit
  }
  return OthersWereFirst();
}

ReplaceRequest TableCommits::ReplaceRequestOf(const Table& table, const FileReplacement& replacement) const {
  ReplaceRequest request;
  request.table = table.ref();
  for (const auto& file : replacement.removed) {
    request.removed.push_back({file->key, file->min_time, file->max_time});
  }
  for (const auto& file : replacement.added) request.added.push_back(AppendOf(file));
  request.same_rows = replacement.same_rows;
  request.policy = Policy();
  request.summary = replacement.summary;
  return request;
}

// One attempt; false when the pointer has moved meanwhile.
Result<bool> TableCommits::TryReplace(Table& table, const FileReplacement& replacement, ReplaceRequest request) {
  request.now_ms = clock_.WallMicros() / kMicrosPerMs;
  ARC_ASSIGN_OR_RETURN(auto location, pointers_.Load(table.ref().database, table.ref().name));
  if (!location) return NotFound("the table is not there any more");
  ARC_ASSIGN_OR_RETURN(const auto current, ReadTableMetadata(store_, *location));
  ARC_RETURN_IF_ERROR(CheckFlushed(table, current));
  auto commit = PrepareReplace(store_, *location, current, request, random_);
  if (!commit.ok()) {
    // Who looks again must see what others committed, also where nothing of ours follows.
    if (commit.error().kind == ErrorKind::kNotFound) ARC_RETURN_IF_ERROR(Refresh(table, *location, current));
    return std::move(commit).error();
  }
  const Prepared prepared{&table, location, std::move(*commit)};
  ARC_ASSIGN_OR_RETURN(const bool won, Swap(prepared));
  if (!won) return false;
  // Before the commit's clean-up: it may have expired the last snapshot that had them.
  for (const auto& file : replacement.removed) retired_.Add(file);
  ARC_ASSIGN_OR_RETURN(auto index, NoteCommit(prepared));
  if (index == nullptr) {
    std::unordered_set<std::string_view> removed;
    for (const auto& file : replacement.removed) removed.insert(file->key);
    index = table.committed_files()->Without(removed)->With(EntriesOf(replacement.added));
  }
  table.ReplaceFiles(std::move(index));
  return true;
}

// Expiry

Result<ExpiryOutcome> TableCommits::Expire(Table& table) {
  std::lock_guard turn(table.commit_turn());
  for (int attempt = 0; attempt < kCommitAttempts; ++attempt) {
    ARC_ASSIGN_OR_RETURN(const auto outcome, TryExpire(table));
    if (outcome) return *outcome;
  }
  return OthersWereFirst();
}

// One attempt; nothing when the pointer has moved meanwhile.
Result<std::optional<ExpiryOutcome>> TableCommits::TryExpire(Table& table) {
  ExpiryOutcome outcome;
  ARC_ASSIGN_OR_RETURN(auto location, pointers_.Load(table.ref().database, table.ref().name));
  if (!location) return std::optional(outcome);
  ARC_ASSIGN_OR_RETURN(const auto current, ReadTableMetadata(store_, *location));
  ARC_RETURN_IF_ERROR(CheckFlushed(table, current));
  const int64_t now_ms = clock_.WallMicros() / kMicrosPerMs;
  ARC_ASSIGN_OR_RETURN(auto commit, PrepareExpiry(store_, *location, current, Policy(), now_ms, random_));
  if (!commit) {
    Remove(retired_.Unread({}));
    return std::optional(outcome);
  }
  const Prepared prepared{&table, location, std::move(*commit)};
  ARC_ASSIGN_OR_RETURN(const bool won, Swap(prepared));
  if (!won) return std::optional<ExpiryOutcome>();
  ARC_ASSIGN_OR_RETURN(auto index, NoteCommit(prepared));
  if (index != nullptr) table.ReplaceFiles(std::move(index));
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
    swaps.push_back(
        {one->table->ref().database, one->table->ref().name, one->location, one->commit.metadata_location});
  }
  const auto swapped = pointers_.SwapAll(swaps);
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
  auto now = pointers_.Load(prepared.table->ref().database, prepared.table->ref().name);
  if (!now.ok()) {
    // Neither the swap nor a look at it answered. What was written must stay: it may be the table.
    const std::string why = swapped.ok() ? "the pointer has moved" : swapped.error().message;
    return MakeError(ErrorKind::kUnknownOutcome, why + "; " + now.error().message);
  }
  if (*now == prepared.commit.metadata_location) return true;
  Remove(prepared.commit.written_keys);
  if (!swapped.ok()) return swapped.error();
  return false;
}

// After a swap. The files of the table when the commit came after one that was not ours, so that our index does not
// know them; else null. kUnknownOutcome when they cannot be read.
Result<std::shared_ptr<const FileIndex>> TableCommits::NoteCommit(const Prepared& prepared) {
  const TableRef& ref = prepared.table->ref();
  std::string& known = LocationOf(ref.id);
  std::shared_ptr<const FileIndex> index;
  if (known != prepared.location.value_or("")) {
    auto read = ReadIndex(ref, prepared.commit.metadata, prepared.table->committed_files().get());
    // The commit has happened and must not be undone, though we cannot see the table as it is now: the next flush
    // learns it from the property.
    if (!read.ok()) return MakeError(ErrorKind::kUnknownOutcome, read.error().message);
    index = std::move(*read);
  }
  known = prepared.commit.metadata_location;
  if (auto hint = WriteVersionHint(store_, prepared.commit.metadata_location); !hint.ok()) {
    Log(LogLevel::kWarning, "catalog", "version-hint.text was not written",
        {{"table", ref.database + "." + ref.name}, {"error", hint.error().message}});
  }
  Remove(retired_.Unread(prepared.commit.obsolete_keys));
  return index;
}

// Publishing the files of a flush whose answer was lost would show its rows twice: they are hot or staged still.
Status TableCommits::CheckFlushed(const Table& table, const TableMetadata& current) const {
  ARC_ASSIGN_OR_RETURN(const Lsn flushed, FlushedLsn(current, lineage_));
  if (flushed <= table.flushed()) return {};
  return MakeError(ErrorKind::kConflict, "an earlier flush of unknown outcome has to be looked at first");
}

// A commit whose answer was lost shows itself by its property. Its rows leave the buffer now; the caller's files hold
// them too and must not be committed, so it is sent back to begin anew.
Status TableCommits::LearnOutcome(Table& table, const TableMetadata& current) {
  ARC_ASSIGN_OR_RETURN(Lsn flushed, FlushedLsn(current, lineage_));
  if (flushed <= table.flushed()) return {};
  ARC_ASSIGN_OR_RETURN(auto index, ReadIndex(table.ref(), current, table.committed_files().get()));
  table.CommitFlush(std::move(index), flushed);
  return MakeError(ErrorKind::kConflict, "an earlier commit of unknown outcome turns out to have happened");
}

// Publishes the files of metadata that another writer committed.
Status TableCommits::Refresh(Table& table, const std::string& location, const TableMetadata& current) {
  std::string& known = LocationOf(table.ref().id);
  if (known == location) return {};
  ARC_ASSIGN_OR_RETURN(auto index, ReadIndex(table.ref(), current, table.committed_files().get()));
  table.ReplaceFiles(std::move(index));
  known = location;
  return {};
}

// Entries that `known` (may be null) has already are shared, as RetiredFiles needs it; those that are live no more are
// retired.
Result<std::shared_ptr<const FileIndex>> TableCommits::ReadIndex(const TableRef& ref, const TableMetadata& metadata,
                                                                 const FileIndex* known) {
  ARC_ASSIGN_OR_RETURN(auto live, ReadLiveFiles(store_, metadata));
  std::unordered_map<std::string_view, std::shared_ptr<const FileEntry>> entries;
  if (known != nullptr) {
    for (const auto& file : known->files()) entries.emplace(file->key, file);
  }
  std::vector<std::shared_ptr<const FileEntry>> files;
  files.reserve(live.size());
  for (const auto& file : live) {
    if (file.key.empty()) {
      return MakeError(ErrorKind::kUnsupported, fmt::format("table {}.{} has the data file {} outside the storage root",
                                                            ref.database, ref.name, file.uri));
    }
    if (auto same = entries.extract(file.key)) {
      files.push_back(std::move(same.mapped()));
    } else {
      files.push_back(
          std::make_shared<const FileEntry>(FileEntry{file.key, file.bytes, file.rows, file.min_time, file.max_time}));
    }
  }
  for (const auto& [key, file] : entries) retired_.Add(file);
  return std::make_shared<const FileIndex>(std::move(files));
}

std::string& TableCommits::LocationOf(const Uuid& table) {
  std::lock_guard lock(mutex_);
  return locations_[table];  // stable, and used in its table's commit turn only
}

// Best effort: what stays is an orphan, not an error.
void TableCommits::Remove(const std::vector<std::string>& keys) {
  for (const auto& key : keys) {
    if (auto status = store_.Delete(key); !status.ok()) {
      Log(LogLevel::kWarning, "catalog", "an obsolete object was not removed",
          {{"key", key}, {"error", status.error().message}});
    }
  }
}

}  // namespace arc
