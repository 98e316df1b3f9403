// From prepared files to a table's new committed state: commits that Arc itself makes.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "arc/base/result.h"
#include "arc/catalog/catalog.h"
#include "arc/catalog/lake_parts.h"
#include "arc/catalog/table.h"
#include "arc/iceberg/append.h"
#include "arc/iceberg/replace.h"
#include "arc/io/object_group.h"

namespace arc {

// Thread-safe: commits of one table follow each other by its turn.
class TableCommits {
 public:
  TableCommits(const LakeParts& parts, HistoryPolicy history) : parts_(parts), history_(std::move(history)) {}

  // As Catalog's CommitFlushes, CommitReplace and ExpireSnapshots.
  void Flush(ObjectGroup& group, std::span<FlushCommit> commits);
  Result<int64_t> Replace(Table& table, const FileReplacement& replacement);
  Result<ExpiryOutcome> Expire(Table& table);

  // Columns that only this process knows become the table's. In the table's turn, with its schema held.
  Status CommitColumns(Table& table);

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
  AppendRequest AppendRequestOf(const Table& table, const Schema& schema, std::span<const FlushedFile> files,
                                Lsn flushed) const;
  FlushAttempts TryFlushes(ObjectGroup& group, FlushAttempts attempts);
  Status PrepareFlush(ObjectStore& store, const AppendRequest& request, Prepared* prepared);
  FlushAttempts SwapFlushes(FlushAttempts attempts);
  Result<int64_t> ReplaceInTurn(Table& table, const FileReplacement& replacement, const ReplaceRequest& request);
  ReplaceRequest ReplaceRequestOf(const Table& table, const FileReplacement& replacement) const;
  Result<std::optional<int64_t>> TryReplace(Table& table, const FileReplacement& replacement, ReplaceRequest request);
  Result<std::optional<ExpiryOutcome>> TryExpire(Table& table);

  bool WasDropped(const Table& table) const { return parts_.tables.FindById(table.ref().id).get() != &table; }
  std::vector<Result<bool>> Swap(std::span<const Prepared* const> prepared);
  Result<bool> Swap(const Prepared& prepared);
  Result<bool> LookAfterSwap(const Prepared& prepared, const Result<std::vector<bool>>& swapped, bool won);
  void NoteCommit(const Prepared& prepared);
  Result<TableMetadata> LookAtCurrent(Table& table, const std::string& location);
  Status LearnOutcome(Table& table, const TableMetadata& current);
  Status Refresh(Table& table, const std::string& location, const TableMetadata& current);

  const LakeParts& parts_;
  const HistoryPolicy history_;
};

}  // namespace arc
