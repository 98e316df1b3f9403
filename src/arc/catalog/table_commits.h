// From prepared files to a table's new committed state: the one place where pointers are swapped for tables that this
// process holds.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"
#include "arc/catalog/pointer_store.h"
#include "arc/catalog/retired_files.h"
#include "arc/catalog/table.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/replace.h"
#include "arc/io/object_group.h"
#include "arc/io/object_store.h"

namespace arc {

// Thread-safe: commits of one table follow each other by its commit_turn(). What is passed by reference outlives it.
class TableCommits {
 public:
  TableCommits(ObjectStore& store, Clock& clock, RandomSource& random, PointerStore& pointers, HistoryPolicy history)
      : store_(store), clock_(clock), random_(random), pointers_(pointers), history_(std::move(history)) {}

  // Before the first commit.
  void UseLineage(const Uuid& lineage) { lineage_ = lineage; }
  // The live files of `metadata`, which is at `location` and becomes what the table's commits build on.
  Result<std::shared_ptr<const FileIndex>> ReadAtStart(const TableRef& ref, const std::string& location,
                                                       const TableMetadata& metadata);

  // As Catalog's CommitFlushes, CommitReplace and ExpireSnapshots.
  void Flush(ObjectGroup& group, std::span<FlushCommit> commits);
  Status Replace(Table& table, const FileReplacement& replacement);
  Result<ExpiryOutcome> Expire(Table& table);

  const RetiredFiles& retired() const { return retired_; }

 private:
  // A commit on its way: what it builds on (nullopt: a new table) and what it would make of it.
  struct Prepared {
    Table* table = nullptr;
    std::optional<std::string> location;
    PreparedCommit commit;
  };
  struct FlushAttempt {
    FlushCommit* flush = nullptr;
    AppendRequest request;
    Prepared prepared;
  };
  using FlushAttempts = std::vector<FlushAttempt>;

  AppendPolicy Policy() const;
  AppendRequest AppendRequestOf(const FlushCommit& commit) const;
  FlushAttempts TryFlushes(ObjectGroup& group, FlushAttempts attempts);
  Status PrepareFlush(ObjectGroup& group, FlushAttempt* attempt);
  FlushAttempts SwapFlushes(FlushAttempts attempts);
  Status PublishFlush(const FlushAttempt& attempt);
  Status ReplaceInTurn(Table& table, const FileReplacement& replacement, const ReplaceRequest& request);
  ReplaceRequest ReplaceRequestOf(const Table& table, const FileReplacement& replacement) const;
  Result<bool> TryReplace(Table& table, const FileReplacement& replacement, ReplaceRequest request);
  Result<std::optional<ExpiryOutcome>> TryExpire(Table& table);

  std::vector<Result<bool>> Swap(std::span<const Prepared* const> prepared);
  Result<bool> Swap(const Prepared& prepared);
  Result<bool> LookAfterSwap(const Prepared& prepared, const Result<std::vector<bool>>& swapped, bool won);
  Result<std::shared_ptr<const FileIndex>> NoteCommit(const Prepared& prepared);
  Status CheckFlushed(const Table& table, const TableMetadata& current) const;
  Status LearnOutcome(Table& table, const TableMetadata& current);
  Status Refresh(Table& table, const std::string& location, const TableMetadata& current);
  Result<std::shared_ptr<const FileIndex>> ReadIndex(const TableRef& ref, const TableMetadata& metadata,
                                                     const FileIndex* known);
  std::string& LocationOf(const Uuid& table);
  void Remove(const std::vector<std::string>& keys);

  ObjectStore& store_;
  Clock& clock_;
  RandomSource& random_;
  PointerStore& pointers_;
  const HistoryPolicy history_;
  Uuid lineage_;
  std::mutex mutex_;
  std::unordered_map<Uuid, std::string> locations_;  // metadata that our file index stands for
  RetiredFiles retired_;
};

}  // namespace arc
