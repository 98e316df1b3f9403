// One table's hot rows into data files and an Iceberg commit.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"
#include "arc/io/object_store.h"
#include "arc/io/staged_store.h"
#include "arc/parquet/data_file.h"

namespace arc {

// A flush that would open more hours than this writes days instead (a file spanning hours has no hour tuple).
inline constexpr size_t kMaxHoursPerFlush = 64;

struct FlushCounts {
  int64_t rows = 0;
  int64_t bytes = 0;
  int files = 0;
};

// Thread-safe; flushes of one table follow each other, and so do its commits.
class Flusher {
 public:
  // `sync_log(lsn)` makes the log durable through `lsn` before its rows are committed, in every sync mode. With
  // `staging` (not null: it wraps the remote store) flushes write there and commits are a step of their own.
  Flusher(Catalog& catalog, ObjectStore& store, StagedStore* staging, ParquetOptions parquet,
          std::function<Status(Lsn)> sync_log);

  // The lineage whose LSNs name the data files; set before the first flush.
  void UseLineage(const Uuid& lineage) { lineage8_ = lineage.ToString().substr(0, 8); }

  bool stages() const { return staging_ != nullptr; }
  // Everything applied to the table before the call, committed, or staged for CommitStaged. Zero counts when nothing
  // was hot. After an error the rows are hot as before and the files of the attempt are removed, as far as the store
  // lets us. kOverloaded: the place for staged files is at its limit.
  Result<FlushCounts> Flush(Table& table);
  // The table's staged runs uploaded and committed in LSN order, each with a commit of its own; what was committed
  // before an error stays so, the rest stays staged. Counts what was committed.
  Result<FlushCounts> CommitStaged(Table& table);

 private:
  using Turns = std::unordered_map<Uuid, std::weak_ptr<std::mutex>>;
  Status Commit(Table& table, const Schema& schema, const std::vector<FlushedFile>& files, Lsn last);
  Status CommitRun(Table& table, const StagedRun& run);
  void Discard(const std::vector<FlushedFile>& files);
  Result<std::vector<FlushedFile>> WriteFiles(const Table& table, const Table::FlushInput& input);
  Result<WrittenFile> WriteOne(const Schema& schema, const SortedRows& rows,
                               const std::function<std::string()>& next_key);
  std::shared_ptr<std::mutex> TurnOf(Turns* turns, const Uuid& table);

  Catalog& catalog_;
  StagedStore* const staging_;
  ObjectStore& files_;  // where data files are written
  const ParquetOptions parquet_;
  const std::function<Status(Lsn)> sync_log_;
  std::string lineage8_;
  std::mutex mutex_;
  Turns flush_turns_;
  Turns commit_turns_;
};

}  // namespace arc
