// One table as the running server knows it: schema, committed files and hot rows, published together.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "arc/buffer/table_buffer.h"
#include "arc/catalog/file_index.h"
#include "arc/model/batch.h"
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
};

// Thread-safe: Current() never blocks on writers; everything that changes the table is serialized by its own lock.
class Table {
 public:
  Table(TableRef ref, ByteBudget* budget, Schema schema);

  const TableRef& ref() const { return ref_; }
  std::shared_ptr<const TableVersion> Current() const { return current_.load(std::memory_order_acquire); }

  // The batch with its columns renamed and cast to this table's columns, adding columns to the schema (visible to
  // readers at once, as NULLs) as needed. Rows that cannot be taken are left out and told in `errors`; renamed columns
  // ("tag x is stored as x_tag") in `notices`. An aligned batch of 0 rows has no columns. Design section 4.
  Result<Batch> Align(const Batch& batch, std::vector<RowError>* errors, std::vector<std::string>* notices);

  // Publishes logged rows. LSNs ascend (the log calls in order); rows at or below flushed() are skipped.
  void Apply(Lsn lsn, const Batch& batch, ByteLease lease);

  // Seals what is hot for a flush and fixes the types of its columns. The views stay queryable until CommitFlush.
  struct FlushInput {
    std::shared_ptr<const Schema> schema;
    std::vector<ChunkView> chunks;
    Lsn first;
    Lsn last;  // every row of the table with an LSN up to here is in `chunks` or flushed before
  };
  FlushInput BeginFlush();
  // One swap: the new file set in, the chunks up to `flushed` out.
  void CommitFlush(std::shared_ptr<const FileIndex> files, Lsn flushed);

  Lsn flushed() const;
  // The oldest LSN that is hot or on its way through the log to here; 0 when nothing is pending.
  Lsn first_unflushed() const;
  int64_t hot_bytes() const;
  uint64_t hot_rows() const;
  // Monotonic nanoseconds at which the oldest hot row was applied; 0 when nothing is hot.
  int64_t hot_since_nanos() const;

 private:
  void Publish();  // under mutex_

  const TableRef ref_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Schema> schema_;
  std::shared_ptr<const FileIndex> files_;
  TableBuffer buffer_;
  Lsn flushed_;
  Lsn applied_;
  int64_t hot_since_nanos_ = 0;
  uint64_t version_number_ = 0;
  std::atomic<std::shared_ptr<const TableVersion>> current_;
};

}  // namespace arc
