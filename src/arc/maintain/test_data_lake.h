// A lake of one table with real data files, on a disk that can lose its power.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/base/clock.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"
#include "arc/catalog/commit_for_test.h"
#include "arc/io/power_cut_disk.h"
#include "arc/model/batch_for_test.h"
#include "arc/parquet/data_file.h"
#include "arc/parquet/sorted_file.h"

namespace arc {

// What outlives a power cut, and what is made anew after it.
class DataLake {
 public:
  static constexpr int64_t kHourMicros = 3'600'000'000;

  explicit DataLake(uint64_t seed) : random_(seed), lineage_(Uuid::Random(random_)) {
    EXPECT_TRUE(disk_.CreateDirectories("/data").ok());
    Open();
  }

  void Open() {
    const auto opened = TryOpen();
    ASSERT_TRUE(opened.ok()) << opened.error().message;
  }
  Status TryOpen() {
    table_.reset();
    catalog_.reset();
    ARC_ASSIGN_OR_RETURN(store_, OpenLocalObjectStore(disk_, "/lake"));
    ARC_RETURN_IF_ERROR(store_->CleanTemporaries());
    ARC_ASSIGN_OR_RETURN(catalog_, Catalog::Open("/data/arc.db", disk_, *store_, clock_, random_, &budget_));
    ARC_RETURN_IF_ERROR(catalog_->UseLineage(lineage_));
    ARC_ASSIGN_OR_RETURN(table_, catalog_->GetOrCreate("db", "cpu"));
    return {};
  }
  void Restart() {
    disk_.Restart(random_);
    Open();
  }

  // Ids first to first + rows - 1, a second apart, of hour 10.
  void Write(int64_t first, int rows) {
    std::vector<int64_t> times;
    std::vector<std::optional<int64_t>> ids;
    std::vector<std::optional<std::string>> hosts;
    for (int64_t id = first; id < first + rows; ++id) {
      times.push_back(10 * kHourMicros + id * 1'000'000);
      ids.push_back(id);
      hosts.push_back("host" + std::to_string(id % 7));
    }
    auto aligned = table_->Align(BatchForTest(times).Tags("host", hosts).Ints("id", ids).Done());
    table_->Apply({table_->Current()->applied.value + 1}, aligned->batch, {});
  }
  // What was written, as one file "in<name>".
  Status FlushWritten(int64_t name) {
    auto input = table_->BeginFlush();
    ARC_ASSIGN_OR_RETURN(auto hot, ToRecordBatch(input.chunks[0], *input.schema));
    ARC_ASSIGN_OR_RETURN(auto sorted, SortedRows::Of({hot}));
    ARC_ASSIGN_OR_RETURN(auto written, WriteDataFile(*store_, "in" + std::to_string(name), *input.schema, sorted, {}));
    return CommitForTest(*catalog_, *store_, *table_, input, {{written, FlushedFile::Partition::kHour, 10}});
  }
  void Flush(int64_t first, int rows) {
    Write(first, rows);
    const auto flushed = FlushWritten(first);
    ASSERT_TRUE(flushed.ok()) << flushed.error().message;
  }

  // The ids in the files of a version; each file must be readable.
  std::multiset<int64_t> Ids(const TableVersion& version) {
    auto ids = TryIds(version);
    EXPECT_TRUE(ids.ok()) << ids.error().message;
    return ids.ok() ? *ids : std::multiset<int64_t>();
  }
  std::multiset<int64_t> Ids() { return Ids(*table_->Current()); }
  Result<std::multiset<int64_t>> TryIds(const TableVersion& version) {
    std::multiset<int64_t> all;
    for (const auto& entry : version.files->files()) {
      ARC_ASSIGN_OR_RETURN(const auto ids, IdsOf(*entry, *version.schema));
      all.insert(ids.begin(), ids.end());
    }
    return all;
  }
  // By their row numbers.
  Result<std::vector<int64_t>> IdsOf(const FileEntry& entry, const Schema& schema) {
    std::vector<int64_t> ids;
    ARC_ASSIGN_OR_RETURN(const auto file, SortedFile::Open(*store_, entry.key, entry.bytes, entry.rows, schema));
    while (true) {
      ARC_ASSIGN_OR_RETURN(const auto batch, file->Next());
      if (batch == nullptr) return ids;
      const auto* values = batch->GetColumnByName("id")->data()->GetValues<int64_t>(1);
      ids.insert(ids.end(), values, values + batch->num_rows());
    }
  }
  size_t Files() { return table_->Current()->files->files().size(); }

  PowerCutDisk disk_;
  ManualClock clock_{1'700'000'000'000'000};
  SeededRandom random_;
  ByteBudget budget_{1 << 30};
  const Uuid lineage_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<Catalog> catalog_;
  std::shared_ptr<Table> table_;
};

}  // namespace arc
