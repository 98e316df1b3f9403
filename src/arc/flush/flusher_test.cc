// Flushes of many tables together, on a disk whose power can go at every step between them.
#include "arc/flush/flusher.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "arc/catalog/pointer_store.h"
#include "arc/io/power_cut_disk.h"
#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;

// Lets a test act between the catalog's look at a pointer, after which it draws the commit's id, and its swap.
class HookedRandom : public RandomSource {
 public:
  void Fill(std::span<uint8_t> bytes) override {
    if (before_next) std::exchange(before_next, nullptr)();
    random_.Fill(bytes);
  }
  std::function<void()> before_next;

 private:
  SeededRandom random_{1};
};

// A catalog with its flusher, and tables with some rows in each.
class Lake {
 public:
  explicit Lake(PowerCutDisk& disk) : disk_(disk) {}

  Status Open() {
    ARC_ASSIGN_OR_RETURN(store_, OpenLocalObjectStore(disk_, "/data/arc"));
    ARC_ASSIGN_OR_RETURN(catalog_, Catalog::Open("/data/arc.db", disk_, *store_, clock_, random_, &budget_));
    ARC_RETURN_IF_ERROR(catalog_->UseLineage(lineage_));
    flusher_.emplace(*catalog_, *store_, nullptr, ParquetOptions(), [](Lsn) { return Status(); });
    flusher_->UseLineage(lineage_);
    return {};
  }

  // Rows of the LSNs from `lsn` on, one batch of `rows` a table, starting in hour `hour`.
  void Write(int tables, uint64_t lsn, int rows = 3, int64_t hour = 0) {
    for (int i = 0; i < tables; ++i) {
      auto table = *catalog_->GetOrCreate("db", "m" + std::to_string(i));
      std::vector<int64_t> times;
      std::vector<std::optional<int64_t>> ids;
      for (int row = 0; row < rows; ++row) {
        times.push_back(hour * kHourMicros + row);
        ids.push_back(static_cast<int64_t>(lsn) * 1000 + row);
      }
      auto aligned = *table->Align(BatchForTest(times).Ints("id", ids).Done());
      table->Apply(Lsn{lsn++}, aligned.batch, {});
    }
  }
  std::vector<std::shared_ptr<Table>> Tables() { return catalog_->Tables("db"); }
  std::vector<Result<FlushCounts>> Flush() { return flusher_->Flush(Tables()); }
  ObjectStore& store() { return *store_; }
  Catalog& catalog() { return *catalog_; }
  HookedRandom& random() { return random_; }

  // Of every committed data file: key -> content.
  std::map<std::string, std::string> DataFiles() {
    std::map<std::string, std::string> files;
    for (const auto& table : Tables()) {
      for (const auto& file : table->committed_files()->files()) {
        auto bytes = store_->ReadAll(file->key);
        files[file->key] = bytes.ok() ? *bytes : "unreadable: " + bytes.error().message;
      }
    }
    return files;
  }

 private:
  PowerCutDisk& disk_;
  ManualClock clock_{1'700'000'000'000'000};
  HookedRandom random_;
  ByteBudget budget_{1 << 30};
  Uuid lineage_ = *Uuid::Parse("11111111-2222-4333-8444-555555555555");
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<Catalog> catalog_;
  std::optional<Flusher> flusher_;
};

TEST(FlusherTest, TablesFlushedTogetherAreEachCommitted) {
  PowerCutDisk disk;
  {
    Lake lake(disk);
    ASSERT_TRUE(lake.Open().ok());
    lake.Write(5, 1);
    auto idle = *lake.catalog().GetOrCreate("db", "idle");
    auto ends = lake.Flush();
    ASSERT_EQ(ends.size(), 6u);
    auto tables = lake.Tables();
    for (size_t i = 0; i < tables.size(); ++i) {
      ASSERT_TRUE(ends[i].ok()) << ends[i].error().message;
      EXPECT_EQ(ends[i]->rows, tables[i] == idle ? 0 : 3);
      EXPECT_EQ(tables[i]->hot_rows(), 0u);
    }
    lake.Write(5, 6, 2, 1);
    for (const auto& end : lake.Flush()) ASSERT_TRUE(end.ok());
  }
  Lake again(disk);
  ASSERT_TRUE(again.Open().ok());
  auto tables = again.Tables();
  ASSERT_EQ(tables.size(), 5u);
  for (size_t i = 0; i < tables.size(); ++i) {
    EXPECT_EQ(tables[i]->flushed(), Lsn{6 + i});
    EXPECT_EQ(tables[i]->committed_files()->rows(), 5);
    EXPECT_EQ(tables[i]->committed_files()->files().size(), 2u);
  }
}

// Alone, a table of a known hour cost 15 syncs: of four files and the hint, each with its folder, and five of SQLite.
TEST(FlusherTest, ManyTablesShareTheirSyncs) {
  constexpr int kTables = 40;
  PowerCutDisk disk;
  Lake lake(disk);
  ASSERT_TRUE(lake.Open().ok());
  for (uint64_t lsn : {1u, 101u, 201u}) {
    lake.Write(kTables, lsn);
    const uint64_t before = disk.syncs();
    for (const auto& end : lake.Flush()) ASSERT_TRUE(end.ok());
    const uint64_t syncs = disk.syncs() - before;
    EXPECT_LE(syncs, lsn == 1 ? 20u : 10u);
  }
}

TEST(FlusherTest, ATableThatCannotBeCommittedHoldsUpNoOther) {
  PowerCutDisk disk;
  Lake lake(disk);
  ASSERT_TRUE(lake.Open().ok());
  lake.Write(4, 1);
  for (const auto& end : lake.Flush()) ASSERT_TRUE(end.ok());
  lake.Write(4, 5);
  auto pointers = *PointerStore::Open("/data/arc.db", disk);
  const std::string key = *lake.store().KeyOf(**pointers->Load("db", "m1"));
  const std::string metadata = *lake.store().ReadAll(key);
  ASSERT_TRUE(lake.store().PutOverwrite(key, "{").ok());
  const size_t objects = lake.store().List("db/m1/")->size();
  auto ends = lake.Flush();
  ASSERT_FALSE(ends[1].ok());
  EXPECT_EQ(ends[1].error().kind, ErrorKind::kCorruption);
  EXPECT_EQ(lake.Tables()[1]->hot_rows(), 3u);
  EXPECT_EQ(lake.store().List("db/m1/")->size(), objects);  // the attempt left nothing
  for (size_t i : {0u, 2u, 3u}) {
    EXPECT_TRUE(ends[i].ok());
    EXPECT_EQ(lake.Tables()[i]->committed_files()->rows(), 6);
  }
  ASSERT_TRUE(lake.store().PutOverwrite(key, metadata).ok());
  for (const auto& end : lake.Flush()) ASSERT_TRUE(end.ok());
  EXPECT_EQ(lake.Tables()[1]->committed_files()->rows(), 6);
}

TEST(FlusherTest, ACommitThatAnotherWriterWasFasterWithIsBuiltUpon) {
  PowerCutDisk disk;
  Lake lake(disk);
  ASSERT_TRUE(lake.Open().ok());
  lake.Write(3, 1);
  for (const auto& end : lake.Flush()) ASSERT_TRUE(end.ok());
  lake.Write(3, 4);
  auto pointers = *PointerStore::Open("/data/arc.db", disk);
  auto metadata = [&](const std::string& location) { return *lake.store().ReadAll(*lake.store().KeyOf(location)); };
  lake.random().before_next = [&] {
    const std::string location = **pointers->Load("db", "m0");
    std::string changed = metadata(location);
    changed.insert(changed.find('{', changed.find("\"properties\"")) + 1, "\"foreign\":\"yes\",");
    const std::string foreign = location.substr(0, location.rfind('/')) + "/00007-foreign.metadata.json";
    ASSERT_TRUE(lake.store().PutIfAbsent(*lake.store().KeyOf(foreign), changed).ok());
    ASSERT_TRUE(pointers->CompareAndSwap("db", "m0", location, foreign).ok());
  };
  for (const auto& end : lake.Flush()) ASSERT_TRUE(end.ok()) << end.error().message;
  EXPECT_FALSE(lake.random().before_next);  // it was faster
  for (const auto& table : lake.Tables()) EXPECT_EQ(table->committed_files()->rows(), 6);
  const std::string committed = **pointers->Load("db", "m0");
  EXPECT_NE(committed.find("/00008-"), std::string::npos) << committed;
  EXPECT_NE(metadata(committed).find("foreign"), std::string::npos);
  size_t metadata_files = 0;
  for (const auto& object : *lake.store().List("db/m0/metadata/")) {
    if (object.key.ends_with(".metadata.json")) ++metadata_files;
  }
  EXPECT_EQ(metadata_files, 3u);  // the first, the other writer's, the last: the attempt that lost left none
}

TEST(FlusherTest, AFullDiskKeepsTheRowsOfAllTables) {
  PowerCutDisk disk;
  Lake lake(disk);
  ASSERT_TRUE(lake.Open().ok());
  lake.Write(5, 1);
  disk.SetFreeBytes(4000);
  for (const auto& end : lake.Flush()) EXPECT_FALSE(end.ok());
  for (const auto& table : lake.Tables()) EXPECT_EQ(table->hot_rows(), 3u);
  disk.SetFreeBytes(std::nullopt);
  EXPECT_TRUE(lake.store().List("")->empty());
  for (const auto& end : lake.Flush()) EXPECT_TRUE(end.ok());
}

TEST(FlusherTest, AFailedSyncFailsTheGroupAndTheNextFlushTakesItUp) {
  PowerCutDisk disk;
  Lake lake(disk);
  ASSERT_TRUE(lake.Open().ok());
  lake.Write(5, 1);
  for (const auto& end : lake.Flush()) ASSERT_TRUE(end.ok());
  const size_t objects = lake.store().List("")->size();
  lake.Write(5, 6);
  for (bool of_names : {false, true}) {
    if (of_names) {
      disk.FailDirectorySyncs(1);
    } else {
      disk.FailSyncs(1);
    }
    for (const auto& end : lake.Flush()) EXPECT_FALSE(end.ok());
    EXPECT_EQ(lake.store().List("")->size(), objects);
    for (const auto& table : lake.Tables()) EXPECT_EQ(table->hot_rows(), 3u);
  }
  for (const auto& end : lake.Flush()) EXPECT_TRUE(end.ok());
  for (const auto& table : lake.Tables()) EXPECT_EQ(table->committed_files()->rows(), 6);
}

constexpr int kCutTables = 4;

// Two flushes of all tables; `before_second` is called between them. Whether the second was acknowledged.
bool FlushTwice(Lake& lake, const std::function<void()>& before_second) {
  EXPECT_TRUE(lake.Open().ok());
  lake.Write(kCutTables, 1);
  for (const auto& end : lake.Flush()) EXPECT_TRUE(end.ok());
  lake.Write(kCutTables, 101, 400);
  before_second();
  bool acknowledged = true;
  for (const auto& end : lake.Flush()) acknowledged = acknowledged && end.ok();
  return acknowledged;
}

// The data files of an undisturbed run.
const std::map<std::string, std::string>& ExpectedFiles() {
  static const auto kFiles = [] {
    PowerCutDisk disk;
    Lake lake(disk);
    EXPECT_TRUE(FlushTwice(lake, [] {}));
    return lake.DataFiles();
  }();
  return kFiles;
}

// What a restart finds after a cut in the second flush.
struct Found {
  std::set<Lsn> flushed;  // how far the tables are, counted from the first table's LSNs
  bool is_sound = true;   // what is committed can be read, and what was acknowledged is committed
  std::string where;
};

// nullopt: the flush has no so many operations.
std::optional<Found> CutInTheSecondFlush(uint64_t cut, uint64_t seed, const std::function<void(PowerCutDisk&)>& plant) {
  PowerCutDisk disk;
  bool acknowledged = false;
  {
    Lake lake(disk);
    acknowledged = FlushTwice(lake, [&] {
      plant(disk);
      disk.CutAfter(cut);
    });
    if (disk.power_is_on()) return std::nullopt;
  }
  Found found;
  found.where = "cut " + std::to_string(cut) + " at " + disk.last_operation();
  SeededRandom random(cut * 1000 + seed);
  disk.Restart(random);
  disk.IgnoreSync(false);
  disk.IgnoreDirectorySync(false);
  Lake lake(disk);
  if (auto opened = lake.Open(); !opened.ok()) {
    found.is_sound = false;  // a pointer names what is not there
    found.where += ": " + opened.error().message;
    return found;
  }
  for (const auto& table : lake.Tables()) {
    const auto number = static_cast<uint64_t>(std::stoi(table->ref().name.substr(1)));
    found.flushed.insert(Lsn{table->flushed().value - number});
  }
  for (const auto& [key, content] : lake.DataFiles()) {
    auto same = ExpectedFiles().find(key);
    if (same == ExpectedFiles().end() || same->second != content) found.is_sound = false;
  }
  if (acknowledged && found.flushed != std::set<Lsn>{Lsn{101}}) found.is_sound = false;
  return found;
}

TEST(FlusherPowerCuts, ACutBetweenAnyStepsOfAGroupLeavesItAllOrNone) {
  int before = 0;
  int after = 0;
  for (uint64_t cut = 1;; ++cut) {
    std::optional<Found> found;
    for (uint64_t seed = 0; seed < 3; ++seed) {
      found = CutInTheSecondFlush(cut, seed, [](PowerCutDisk&) {});
      if (!found) break;
      ASSERT_TRUE(found->is_sound) << found->where;
      ASSERT_EQ(found->flushed.size(), 1u) << found->where;  // one transaction for all pointers
      ASSERT_TRUE(found->flushed.contains(Lsn{1}) || found->flushed.contains(Lsn{101})) << found->where;
      ++(found->flushed.contains(Lsn{1}) ? before : after);
    }
    if (!found) break;
  }
  EXPECT_GT(before, 100);
  EXPECT_GT(after, 10);
}

TEST(FlusherPowerCuts, TheCheckNoticesMissingSyncs) {
  int content = 0;
  int names = 0;
  for (uint64_t cut = 1; cut < 200; cut += 3) {
    auto found = CutInTheSecondFlush(cut, cut, [](PowerCutDisk& disk) { disk.IgnoreSync(true); });
    if (found && !found->is_sound) ++content;
    found = CutInTheSecondFlush(cut, cut, [](PowerCutDisk& disk) { disk.IgnoreDirectorySync(true); });
    if (found && !found->is_sound) ++names;
  }
  EXPECT_GT(content, 0);
  EXPECT_GT(names, 0);
}

}  // namespace
}  // namespace arc
