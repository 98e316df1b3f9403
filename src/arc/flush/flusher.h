// Hot rows of tables into data files and Iceberg commits.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"
#include "arc/io/object_group.h"
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
  // Everything applied to different tables before the call, committed, or staged for CommitStaged: the tables share
  // the syncs and the pointers' transaction, but fail each for itself. The results are in the tables' order; zero
  // counts where nothing was hot. After an error the table's rows are hot as before and the files of the attempt are
  // removed, as far as the store lets us. kOverloaded: the place for staged files is at its limit.
  std::vector<Result<FlushCounts>> Flush(std::span<const std::shared_ptr<Table>> tables);
  // The table's staged runs uploaded and committed in LSN order, each with a commit of its own; what was committed
  // before an error stays so, the rest stays staged. Counts what was committed.
  Result<FlushCounts> CommitStaged(Table& table);

 private:
  using Turns = std::unordered_map<Uuid, std::weak_ptr<std::mutex>>;
  // One table's way through a flush.
  struct Part {
    Table* table = nullptr;
    Table::FlushInput input;
    std::vector<FlushedFile> files;
    Status status;
  };
  Status FlushTogether(std::span<Part> parts);
  Status WriteFiles(ObjectGroup& group, Part* part);
  Result<WrittenFile> WriteOne(ObjectGroup& group, const Schema& schema, const SortedRows& rows,
                               const std::function<std::string()>& next_key);
  void Commit(ObjectGroup& group, std::span<Part> parts);
  void Stage(ObjectGroup& group, std::span<Part> parts);
  Status CommitRun(Table& table, const StagedRun& run);
  void Discard(ObjectStore& store, const std::vector<FlushedFile>& files);
  std::shared_ptr<std::mutex> TurnOf(Turns* turns, const Uuid& table);

  Catalog& catalog_;
  StagedStore* const staging_;
  ObjectStore& store_;
  ObjectStore& files_;  // where data files are written
  const ParquetOptions parquet_;
  const std::function<Status(Lsn)> sync_log_;
  std::string lineage8_;
  std::mutex mutex_;
  Turns flush_turns_;
  Turns commit_turns_;
};

}  // namespace arc
