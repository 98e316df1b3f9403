// DELETE: rows that a condition is true for leave a table, in one commit.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"
#include "arc/catalog/row_matches.h"
#include "arc/io/object_store.h"
#include "arc/parquet/data_file.h"

namespace arc {

struct DeletionOutcome {
  int64_t rows = 0;                    // deleted
  int64_t files_dropped = 0;           // all of whose rows match
  int64_t files_rewritten = 0;         // that hold other rows too
  int64_t bytes = 0;                   // of both
  int64_t bytes_written = 0;           // of what the rewritten ones became
  std::optional<int64_t> snapshot_id;  // none when nothing was deleted
  Lsn through;                         // rows up to here were looked at, later ones stay
};

struct DeletionStats {
  uint64_t completed = 0;  // dry runs are not counted
  uint64_t failed = 0;
  uint64_t rows = 0;
  uint64_t files_dropped = 0;
  uint64_t files_rewritten = 0;
  uint64_t bytes = 0;
  uint64_t bytes_written = 0;
};

struct DeletionOptions {
  ParquetOptions parquet;
  int64_t target_bytes = 512 << 20;  // of a file written
  int64_t memory_bytes = 256 << 20;  // for rewriting
};

// Thread-safe. Files are rewritten for one deletion at a time, which bounds the memory; others wait.
class RowDeletion {
 public:
  using Cancelled = std::function<bool()>;  // may be empty
  // The rows that go, of the version's files; called again when another writer took one of the files out meanwhile.
  using Find = std::function<Result<std::vector<RowMatches>>(const std::shared_ptr<const TableVersion>&)>;
  // Returns when everything applied to the table before the call is in committed files.
  using CommitRows = std::function<Status(const std::shared_ptr<Table>&)>;

  // References outlive it.
  RowDeletion(Catalog& catalog, ObjectStore& store, RandomSource& random, DeletionOptions options,
              CommitRows commit_rows)
      : catalog_(catalog),
        store_(store),
        random_(random),
        options_(std::move(options)),
        commit_rows_(std::move(commit_rows)) {}

  // What Run would do now.
  Result<DeletionOutcome> Plan(const std::shared_ptr<Table>& table, const Find& find);
  // Every row acknowledged before the call is looked at; of rows that come during it, a prefix may be. Files all of
  // whose rows match leave the table as they are, others are written anew without the rows, in the same partition and
  // order. One snapshot swaps them: each query sees the table before or after it. Killed at any moment, the table has
  // all of the rows or none of them deleted, and at most objects stay behind that no table names. After an error
  // nothing is deleted, unless it is kUnknownOutcome: then it may have happened. kUnsupported or kCorruption naming the
  // file that cannot be rewritten; kConflict when other writers kept taking files out first.
  Result<DeletionOutcome> Run(const std::shared_ptr<Table>& table, const Find& find, const Cancelled& is_cancelled);
  DeletionStats stats() const;

 private:
  struct Plans;
  Result<Plans> FindRows(const std::shared_ptr<Table>& table, const Find& find);
  Result<DeletionOutcome> Delete(const std::shared_ptr<Table>& table, const Find& find, const Cancelled& is_cancelled);
  Result<std::vector<FlushedFile>> Rewrite(const Table& table, const std::vector<RowMatches>& matches,
                                           const Cancelled& is_cancelled);
  Status RewriteOne(const Table& table, const Schema& schema, const RowMatches& matches, const Uuid& job, int* number,
                    const Cancelled& is_cancelled, std::vector<FlushedFile>* written);
  Status TakeTurn(const Cancelled& is_cancelled);
  void EndTurn();

  Catalog& catalog_;
  ObjectStore& store_;
  RandomSource& random_;
  const DeletionOptions options_;
  const CommitRows commit_rows_;
  mutable std::mutex mutex_;
  std::condition_variable turn_ended_;
  bool rewriting_ = false;
  DeletionStats stats_;
};

}  // namespace arc
