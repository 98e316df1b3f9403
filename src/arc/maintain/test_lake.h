// A lake of tables whose data files are names only, for tests of what moves and removes files without reading them.
#pragma once

#include <atomic>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "arc/base/byte_budget.h"
#include "arc/base/check.h"
#include "arc/base/clock.h"
#include "arc/base/uuid.h"
#include "arc/catalog/catalog.h"
#include "arc/catalog/commit_for_test.h"
#include "arc/io/power_cut_disk.h"
#include "arc/io/test_outage_store.h"
#include "arc/io/tiered_store.h"
#include "arc/model/batch_for_test.h"

namespace arc {

class TestLake {
 public:
  static constexpr int64_t kHourMicros = 3'600'000'000;
  static constexpr int64_t kNowHour = 472'222;  // of the clock at the start

  explicit TestLake(HistoryPolicy policy = {}) : history(std::move(policy)) {}

  // False when the disk does not let it; what was open before is closed.
  bool Open() {
    catalog.reset();
    store.reset();
    auto opened = OpenLocalObjectStore(disk, "/lake");
    if (!opened.ok() || !disk.CreateDirectories("/data").ok()) return false;
    store = std::move(*opened);
    if (cold_outage != nullptr && !AddColdStore()) return false;
    auto loaded = Catalog::Open("/data/arc.db", disk, *store, clock, random, &budget, history);
    if (!loaded.ok()) return false;
    catalog = std::move(*loaded);
    return catalog->UseLineage(lineage).ok();
  }
  // From the next Open on: "/cold" is the cold store, away while told so.
  std::shared_ptr<std::atomic<bool>> cold_outage;
  // The data file "<db>/<table>/<name>" of ten rows in that hour, as a flush commits it.
  Status Flush(const std::string& database, const std::string& table_name, const std::string& name, int64_t hour) {
    ARC_ASSIGN_OR_RETURN(auto table, catalog->GetOrCreate(database, table_name));
    FlushedFile file = File(database + "/" + table_name + "/" + name, hour, hour);
    ARC_RETURN_IF_ERROR(store->PutIfAbsent(file.file.key, "rows"));
    return Commit(*table, file);
  }
  Status Commit(Table& table, const FlushedFile& file) {
    auto aligned = table.Align(BatchForTest({file.file.min_time}).Ints("id", {1}).Done());
    table.Apply(Lsn{++last_lsn}, aligned->batch, {});
    auto input = table.BeginFlush();
    return CommitForTest(*catalog, *store, table, input, {file});
  }
  static FlushedFile File(const std::string& key, int64_t from_hour, int64_t to_hour) {
    FlushedFile file;
    file.partition = from_hour == to_hour ? FlushedFile::Partition::kHour : FlushedFile::Partition::kDay;
    file.value = from_hour == to_hour ? from_hour : from_hour / 24;
    file.file.key = key;
    file.file.bytes = 4;
    file.file.rows = 10;
    file.file.min_time = from_hour * kHourMicros;
    file.file.max_time = to_hour * kHourMicros + 10;
    file.file.metrics[1] = {8, 10, 0, {}, Little(file.file.min_time), Little(file.file.max_time)};
    return file;
  }
  // Keys of the committed files, without the table's folder.
  std::set<std::string> Files(const std::string& database, const std::string& table_name) {
    std::set<std::string> names;
    const auto table = catalog->Find(database, table_name);
    if (table == nullptr) return names;
    for (const auto& file : table->committed_files()->files()) {
      names.insert(file->key.substr(file->key.rfind('/') + 1));
    }
    return names;
  }
  std::set<std::string> Objects() {
    std::set<std::string> keys;
    const auto objects = store->List("");
    ARC_CHECK(objects.ok());
    for (const auto& object : *objects) keys.insert(object.key);
    return keys;
  }

  HistoryPolicy history;
  PowerCutDisk disk;
  ManualClock clock{kNowHour * kHourMicros};
  SeededRandom random{1};
  ByteBudget budget{1 << 30};
  Uuid lineage = Uuid::Random(random);
  std::unique_ptr<ObjectStore> store;
  std::unique_ptr<Catalog> catalog;
  uint64_t last_lsn = 0;

 private:
  bool AddColdStore() {
    auto cold = OpenLocalObjectStore(disk, "/cold");
    if (!cold.ok()) return false;
    auto tiered = TieredStore::Of(std::move(store), std::make_unique<OutageStore>(std::move(*cold), cold_outage));
    if (!tiered.ok()) return false;
    store = std::move(*tiered);
    return true;
  }
  static std::string Little(int64_t value) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
    return bytes;
  }
};

}  // namespace arc
