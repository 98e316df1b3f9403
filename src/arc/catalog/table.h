// One table as the running server knows it: schema, committed files and hot rows, published together.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/buffer/table_buffer.h"
#include "arc/catalog/file_index.h"
#include "arc/model/batch.h"
#include "arc/model/data_file.h"
#include "arc/model/lsn.h"
#include "arc/model/schema.h"

namespace arc {

// What a query sees of a table. Immutable: a query pins it once and sees each row exactly once.
struct TableVersion {
  std::shared_ptr<const Schema> schema;
  std::shared_ptr<const FileIndex> files;
  HotRows hot;
  Lsn applied;          // of the newest hot or flushed row
  uint64_t number = 0;  // grows with every publish of this table
  // Why queries (new rows) are refused: other engines may make of a table what Arc cannot read (write). Empty: they are
  // not.
  std::string unreadable = {};
  std::string unwritable = {};
};

// What the committed metadata makes of a table, for readers and writers here.
struct CommittedTable {
  Schema schema;
  std::shared_ptr<const FileIndex> files;
  int32_t last_column_id = 0;  // no id up to here may be given to a new column
  std::string unreadable = {};
  std::string unwritable = {};
};

// A data file of a flush and the partition it belongs to.
struct FlushedFile {
  enum class Partition { kHour, kDay };
  WrittenFile file;
  Partition partition = Partition::kHour;
  int64_t value = 0;  // hours or days since 1970
};

std::shared_ptr<const FileEntry> EntryOf(const WrittenFile& file);

// What one flush made of hot rows, waiting on local disk for the object store and its commit. Immutable.
struct StagedRun {
  std::shared_ptr<const Schema> schema;
  std::vector<FlushedFile> files;
  Lsn first;
  Lsn last;  // every row up to here is in this run, an earlier one, or committed
};

// What of a table is in no committed file.
struct HotState {
  uint64_t rows = 0;        // in memory
  int64_t bytes = 0;        // that they take
  int64_t since_nanos = 0;  // monotonic time at which the oldest of them was applied; 0: there is none
  Lsn first;                // of the oldest of them; 0: there is none
  Lsn first_unflushed;      // of the oldest row in memory or staged; 0: there is none
};

// What Align made of a batch.
// Of the rows a batch is refused, so many are named: a message for each of millions would take gigabytes.
inline constexpr size_t kNamedRefusals = 100;

struct AlignedBatch {
  Batch batch;                       // rows == 0: nothing could be taken
  std::vector<RowError> errors;      // the first kNamedRefusals refused rows, by position
  uint64_t refused = 0;              // rows
  std::vector<std::string> notices;  // "tag x is stored as x_tag"
};

// Thread-safe: Current() never blocks on writers; everything that changes the table is serialized by its own lock.
class Table {
 public:
  // `schema` holds at least `time`; `files` may be null (none). Budget and clock outlive the table.
  Table(TableRef ref, ByteBudget* budget, Clock& clock, Schema schema, std::shared_ptr<const FileIndex> files,
        Lsn flushed);

  // The name may change under a lasting id; what was returned stays readable as long as the table.
  const TableRef& ref() const { return *ref_.load(std::memory_order_acquire); }
  void Rename(const std::string& database, const std::string& name);
  std::shared_ptr<const TableVersion> Current() const { return current_.load(std::memory_order_acquire); }

  // The batch with its columns renamed and cast to this table's columns, adding columns to the schema (visible to
  // readers at once, as NULLs) as needed. Rows that cannot be taken are left out and told in `errors`. The batch comes
  // back as it is when nothing has to change. Design section 4.
  Result<AlignedBatch> Align(const Batch& batch);
  // What Align would answer, without changing the table.
  Result<AlignedBatch> TryAlign(const Batch& batch) const;
  // Align for rows that are in the log: none is refused. A column that another engine has given another type since
  // takes no value of theirs; those go to a column of their own, named after the type too.
  Result<AlignedBatch> AlignLogged(const Batch& batch);

  // Publishes logged rows of an aligned batch. LSNs ascend (the log calls in order); rows at or below flushed() are
  // skipped.
  void Apply(Lsn lsn, const Batch& batch, ByteLease lease);

  // Seals what is hot for a flush and fixes the types of all columns. The views stay queryable until CommitFlush.
  struct FlushInput {
    std::shared_ptr<const Schema> schema;
    std::vector<ChunkView> chunks;  // in LSN order; empty: nothing to flush
    Lsn last;                       // every row with an LSN up to here is in `chunks` or was flushed before
  };
  FlushInput BeginFlush();
  // One swap: the run's files in, the chunks up to its last LSN out. Runs come in LSN order.
  void Stage(std::shared_ptr<const StagedRun> run);
  // Oldest first.
  std::vector<std::shared_ptr<const StagedRun>> staged() const;
  // One swap: the new set of committed files in, the chunks and runs up to `flushed` out.
  void CommitFlush(std::shared_ptr<const FileIndex> files, Lsn flushed);
  // One swap: another set of committed files; what is hot and staged stays.
  void ReplaceFiles(std::shared_ptr<const FileIndex> files);

  // No column is added while it is held: for commits that bring another schema. The types of all columns become fixed,
  // as BeginFlush makes them, so that the schema may be committed.
  std::unique_lock<std::mutex> HoldSchema();
  // Whether hot and staged rows would still mean the same under this schema: no column of theirs gets another type.
  bool CanAdopt(const Schema& schema) const;
  // One swap to what another engine has committed: columns by field id, those it dropped disappear, hot rows stay.
  // Where the schema grows with HoldSchema, so that columns which only this table knows are younger than
  // `last_column_id`.
  void Adopt(CommittedTable committed);
  // Queries and new rows are refused from now on, until Adopt; what is hot stays.
  void Refuse(const std::string& reason);
  // Queries are refused while `reason` is not empty.
  void SetUnreadable(const std::string& reason);

  Lsn flushed() const;
  std::shared_ptr<const FileIndex> committed_files() const;  // those of Current() without the staged
  HotState hot() const;
  Lsn first_unflushed() const { return hot().first_unflushed; }
  Lsn first_hot() const { return hot().first; }
  uint64_t hot_rows() const { return hot().rows; }
  int64_t hot_since_nanos() const { return hot().since_nanos; }

 private:
  void Publish();                                        // with mutex_ held
  Result<AlignedBatch> AlignLocked(const Batch& batch);  // with both mutexes held
  void FixTypes();                                       // with mutex_ held
  void ShowFiles();                                      // with mutex_ held: files_ from committed_ and staged_

  std::atomic<const TableRef*> ref_;
  std::vector<std::unique_ptr<const TableRef>> refs_;  // the last is the current one
  Clock& clock_;
  std::mutex growth_mutex_;  // before mutex_: held while the schema may grow
  mutable std::mutex mutex_;
  HotState hot_;  // of the version published last, kept beside the lock: the flush clock looks at every table's
  std::shared_ptr<const Schema> schema_;
  std::shared_ptr<const FileIndex> committed_;
  std::vector<std::shared_ptr<const StagedRun>> staged_;
  std::shared_ptr<const FileIndex> files_;  // committed and staged
  TableBuffer buffer_;
  Lsn flushed_;
  Lsn applied_;
  int64_t hot_since_nanos_ = 0;       // oldest row held
  int64_t unsealed_since_nanos_ = 0;  // oldest row applied after the last BeginFlush
  uint64_t version_number_ = 0;
  int32_t last_column_id_ = 0;  // of the committed metadata
  bool reshaped_ = false;       // another engine has renamed, dropped or retyped columns
  std::string unreadable_;
  std::string unwritable_;
  std::atomic<std::shared_ptr<const TableVersion>> current_;
};

}  // namespace arc
