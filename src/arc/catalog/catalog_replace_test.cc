// Replacing live files: with flushes and foreign commits in between, and with readers of the files that go.
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "arc/base/byte_budget.h"
#include "arc/base/thread.h"
#include "arc/catalog/catalog.h"
#include "arc/catalog/commit_for_test.h"
#include "arc/catalog/pointer_store.h"
#include "arc/iceberg/load.h"
#include "arc/iceberg/replace.h"
#include "arc/io/power_cut_disk.h"
#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;

class CatalogReplace : public ::testing::Test {
 protected:
  CatalogReplace() {
    EXPECT_TRUE(disk_.CreateDirectories("/data").ok());
    store_ = *OpenLocalObjectStore(disk_, "/lake");
    Reopen();
    table_ = *catalog_->GetOrCreate("db", "cpu");
  }

  void Reopen() {
    table_.reset();
    catalog_.reset();
    auto catalog = Catalog::Open("/data/arc.db", disk_, *store_, clock_, random_, &budget_);
    ASSERT_TRUE(catalog.ok()) << catalog.error().message;
    catalog_ = std::move(*catalog);
    ASSERT_TRUE(catalog_->UseLineage(lineage_).ok());
    table_ = catalog_->Find("db", "cpu");
  }

  FlushedFile File(const std::string& key, int64_t hour, int64_t rows = 10) {
    EXPECT_TRUE(store_->PutIfAbsent(key, "rows").ok());
    FlushedFile file;
    file.value = hour;
    file.file.key = key;
    file.file.bytes = 4;
    file.file.rows = rows;
    file.file.min_time = hour * kHourMicros;
    file.file.max_time = hour * kHourMicros + rows;
    file.file.metrics[1] = {8, rows, 0, {}, Little(file.file.min_time), Little(file.file.max_time)};
    return file;
  }
  static std::string Little(int64_t value) {
    std::string bytes;
    for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i)));
    return bytes;
  }
  // A row becomes hot and then the file; the row's content does not matter here.
  Status Flush(const FlushedFile& file) {
    const Lsn lsn{++last_lsn_};
    auto aligned = table_->Align(BatchForTest({file.file.min_time}).Ints("id", {1}).Done());
    table_->Apply(lsn, aligned->batch, {});
    auto input = table_->BeginFlush();
    return CommitForTest(*catalog_, *store_, *table_, input, {file});
  }
  FileReplacement Replacement(const std::vector<std::string>& removed, std::vector<FlushedFile> added) {
    FileReplacement replacement;
    for (const auto& key : removed) replacement.removed.push_back(EntryOfKey(key));
    replacement.added = std::move(added);
    return replacement;
  }
  std::shared_ptr<const FileEntry> EntryOfKey(const std::string& key) {
    for (const auto& file : table_->committed_files()->files()) {
      if (file->key == key) return file;
    }
    ADD_FAILURE() << key << " is not there";
    return nullptr;
  }
  std::set<std::string> Keys() {
    std::set<std::string> keys;
    for (const auto& file : table_->Current()->files->files()) EXPECT_TRUE(keys.insert(file->key).second);
    return keys;
  }
  std::set<std::string> KeysInLake() {
    auto pointers = PointerStore::Open("/data/arc.db", disk_);
    auto loaded = LoadTable(*store_, **(*pointers)->Load("db", "cpu"));
    EXPECT_TRUE(loaded.ok()) << loaded.error().message;
    std::set<std::string> keys;
    for (const auto& file : loaded->files) keys.insert(file.key);
    return keys;
  }
  bool IsNeeded(const std::string& key) {
    const auto unneeded = catalog_->Unneeded(*table_, {{key, 4, 1}});
    EXPECT_TRUE(unneeded.ok()) << unneeded.error().message;
    return unneeded->empty();
  }
  // What another engine's rewrite does.
  void CommitForeign(const std::string& removed, const FlushedFile& added) {
    auto pointers = *PointerStore::Open("/data/arc.db", disk_);
    const auto location = **pointers->Load("db", "cpu");
    auto metadata = *ReadTableMetadata(*store_, location);
    ReplaceRequest request;
    request.table = table_->ref();
    const auto entry = EntryOfKey(removed);
    request.removed = {{removed, entry->min_time, entry->max_time}};
    request.added = {{added.file, PartitionKind::kHour, added.value}};
    auto prepared = PrepareReplace(*store_, location, metadata, request, random_);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
    ASSERT_TRUE(pointers->CompareAndSwap("db", "cpu", location, prepared->metadata_location).ok());
  }

  PowerCutDisk disk_;
  ManualClock clock_{1'700'000'000'000'000};
  SeededRandom random_{1};
  ByteBudget budget_{1 << 30};
  Uuid lineage_ = Uuid::Random(random_);
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<Catalog> catalog_;
  std::shared_ptr<Table> table_;
  uint64_t last_lsn_ = 0;
};

TEST_F(CatalogReplace, SwapsFilesInOneVersionAndOldVersionsStay) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Flush(File("f" + std::to_string(i), 5)).ok());
  const auto aligned = table_->Align(BatchForTest({7}).Ints("id", {2}).Done());
  table_->Apply({++last_lsn_}, aligned->batch, {});
  const auto pinned = table_->Current();
  ASSERT_TRUE(catalog_->CommitReplace(*table_, Replacement({"f0", "f2"}, {File("c", 5, 20)})).ok());
  EXPECT_EQ(Keys(), (std::set<std::string>{"f1", "c"}));
  EXPECT_EQ(KeysInLake(), Keys());
  EXPECT_EQ(table_->Current()->files->rows(), 30);
  EXPECT_EQ(table_->Current()->hot.rows, 1u);
  EXPECT_EQ(table_->flushed(), Lsn{3});
  EXPECT_EQ(pinned->files->files().size(), 3u);
  EXPECT_TRUE(store_->ReadAll("f0").ok());
  ASSERT_TRUE(Flush(File("f4", 6)).ok());
  Reopen();
  EXPECT_EQ(Keys(), (std::set<std::string>{"f1", "c", "f4"}));
  EXPECT_EQ(table_->flushed(), Lsn{5});
}

TEST_F(CatalogReplace, AnInputThatIsGoneFailsAndTheNewFilesGo) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Flush(File("f" + std::to_string(i), 5)).ok());
  const auto stale = Replacement({"f0", "f1"}, {File("late", 5, 20)});
  ASSERT_TRUE(catalog_->CommitReplace(*table_, Replacement({"f0", "f2"}, {File("c", 5, 20)})).ok());
  auto replaced = catalog_->CommitReplace(*table_, stale);
  ASSERT_FALSE(replaced.ok());
  EXPECT_EQ(replaced.error().kind, ErrorKind::kNotFound);
  EXPECT_FALSE(store_->ReadAll("late").ok());
  EXPECT_EQ(Keys(), (std::set<std::string>{"f1", "c"}));
  EXPECT_EQ(KeysInLake(), Keys());
}

TEST_F(CatalogReplace, ForeignCommitsAreSeenAndBuiltUpon) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Flush(File("f" + std::to_string(i), 5)).ok());
  CommitForeign("f3", File("spark", 5));
  EXPECT_TRUE(Keys().contains("f3"));  // nobody told us yet
  const auto shared = EntryOfKey("f2");
  const auto stale = Replacement({"f3"}, {File("x", 5)});
  EXPECT_EQ(catalog_->CommitReplace(*table_, stale).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(Keys(), (std::set<std::string>{"f0", "f1", "f2", "spark"}));  // who tries again sees why
  ASSERT_TRUE(catalog_->CommitReplace(*table_, Replacement({"f0", "f1"}, {File("c", 5, 20)})).ok());
  EXPECT_EQ(Keys(), (std::set<std::string>{"f2", "spark", "c"}));
  EXPECT_EQ(KeysInLake(), Keys());
  EXPECT_EQ(EntryOfKey("f2"), shared);  // versions share the entries: that is how readers are known
}

TEST_F(CatalogReplace, AFlushOfUnknownOutcomeIsLearntByItsFlusherFirst) {
  ASSERT_TRUE(Flush(File("f0", 5)).ok());
  ASSERT_TRUE(Flush(File("f1", 5)).ok());
  const auto before = table_->committed_files();
  // A commit that happened although this process was not told: another catalog makes it.
  {
    auto other = *Catalog::Open("/data/arc.db", disk_, *store_, clock_, random_, &budget_);
    ASSERT_TRUE(other->UseLineage(lineage_).ok());
    auto table = other->Find("db", "cpu");
    auto aligned = table->Align(BatchForTest({1}).Ints("id", {1}).Done());
    table->Apply({3}, aligned->batch, {});
    auto input = table->BeginFlush();
    ASSERT_TRUE(CommitForTest(*other, *store_, *table, input, {File("unknown", 5)}).ok());
  }
  auto aligned = table_->Align(BatchForTest({1}).Ints("id", {1}).Done());
  table_->Apply({3}, aligned->batch, {});
  auto replaced = catalog_->CommitReplace(*table_, Replacement({"f0", "f1"}, {File("c", 5, 20)}));
  ASSERT_FALSE(replaced.ok());
  EXPECT_EQ(replaced.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(table_->committed_files(), before);
  auto input = table_->BeginFlush();
  EXPECT_FALSE(CommitForTest(*catalog_, *store_, *table_, input, {File("again", 5)}).ok());
  EXPECT_EQ(Keys(), (std::set<std::string>{"f0", "f1", "unknown"}));
  ASSERT_TRUE(catalog_->CommitReplace(*table_, Replacement({"f0", "f1"}, {File("c2", 5, 20)})).ok());
  EXPECT_EQ(Keys(), (std::set<std::string>{"unknown", "c2"}));
}

TEST_F(CatalogReplace, FilesThatAQueryReadsOutliveTheirSnapshot) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Flush(File("f" + std::to_string(i), 5)).ok());
  ASSERT_TRUE(catalog_->CommitReplace(*table_, Replacement({"f0", "f1"}, {File("c", 5, 20)})).ok());
  auto pinned = table_->Current();
  ASSERT_TRUE(catalog_->CommitReplace(*table_, Replacement({"f2", "f3"}, {File("d", 5, 20)})).ok());
  for (int i = 0; i < 115; ++i) ASSERT_TRUE(Flush(File("g" + std::to_string(i), 6)).ok());
  EXPECT_FALSE(store_->ReadAll("f0").ok());  // dead by count of snapshots, and nobody reads it
  EXPECT_TRUE(store_->ReadAll("f2").ok());
  EXPECT_TRUE(store_->ReadAll("f3").ok());
  pinned.reset();
  ASSERT_TRUE(Flush(File("last", 6)).ok());
  EXPECT_FALSE(store_->ReadAll("f2").ok());
  EXPECT_FALSE(store_->ReadAll("f3").ok());
  EXPECT_TRUE(store_->ReadAll("d").ok());
}

// The commit that takes the files out expires every snapshot before it: they were deleted at once, under the query.
TEST_F(CatalogReplace, FilesThatAQueryReadsOutliveACommitThatExpiresAllHistory) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Flush(File("f" + std::to_string(i), 5)).ok());
  auto pinned = table_->Current();
  clock_.Advance(std::chrono::hours(24 * 6));
  auto removal = Replacement({"f0", "f1"}, {});
  removal.same_rows = false;
  ASSERT_TRUE(catalog_->CommitReplace(*table_, removal).ok());
  removal = {};
  EXPECT_TRUE(store_->ReadAll("f0").ok());
  EXPECT_TRUE(IsNeeded("f0"));
  pinned.reset();
  ASSERT_TRUE(catalog_->ExpireSnapshots(*table_).ok());
  EXPECT_FALSE(store_->ReadAll("f0").ok());
  EXPECT_FALSE(store_->ReadAll("f1").ok());
  EXPECT_EQ(Keys(), (std::set<std::string>{"f2"}));
}

TEST_F(CatalogReplace, FilesThatAnotherEngineReplacedOutliveTheirSnapshotToo) {
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(Flush(File("f" + std::to_string(i), 5)).ok());
  auto pinned = table_->Current();
  CommitForeign("f1", File("spark", 5));
  clock_.Advance(std::chrono::hours(24 * 6));
  ASSERT_GT(catalog_->ExpireSnapshots(*table_)->snapshots, 0u);  // the very commit that hears of it
  EXPECT_EQ(Keys(), (std::set<std::string>{"f0", "f2", "spark"}));
  EXPECT_TRUE(store_->ReadAll("f1").ok());
  pinned.reset();
  ASSERT_TRUE(Flush(File("last", 6)).ok());
  EXPECT_FALSE(store_->ReadAll("f1").ok());
}

// The files of the flush were once deleted: its commit had won, but it was answered with the error of the read after
// it.
TEST_F(CatalogReplace, AForeignCommitThatCannotBeReadCostsNoRows) {
  ASSERT_TRUE(Flush(File("f0", 5)).ok());
  ASSERT_TRUE(Flush(File("f1", 5)).ok());
  std::set<std::string> before;
  for (const auto& object : *store_->List("db/cpu/metadata/")) before.insert(object.key);
  CommitForeign("f1", File("spark", 5));
  std::map<std::string, std::string> lost;
  for (const auto& object : *store_->List("db/cpu/metadata/")) {
    if (object.key.find("-m") == std::string::npos || before.contains(object.key)) continue;
    lost[object.key] = *store_->ReadAll(object.key);
    ASSERT_TRUE(store_->Delete(object.key).ok());
  }
  ASSERT_FALSE(lost.empty());
  ASSERT_TRUE(Flush(File("mine", 6)).ok());
  EXPECT_NE(table_->Current()->unreadable, "");  // rather than without what another engine wrote
  EXPECT_TRUE(store_->ReadAll("mine").ok());
  for (const auto& [key, bytes] : lost) ASSERT_TRUE(store_->PutIfAbsent(key, bytes).ok());
  ASSERT_TRUE(Flush(File("next", 6)).ok());  // looks again
  EXPECT_EQ(table_->Current()->unreadable, "");
  EXPECT_EQ(Keys(), (std::set<std::string>{"f0", "spark", "mine", "next"}));
  EXPECT_EQ(KeysInLake(), Keys());
  EXPECT_EQ(table_->flushed(), Lsn{4});
}

TEST_F(CatalogReplace, AnIdleTablesHistoryExpiresWithACommitOfItsOwn) {
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(Flush(File("f" + std::to_string(i), 5)).ok());
  auto pinned = table_->Current();
  ASSERT_TRUE(catalog_->CommitReplace(*table_, Replacement({"f0", "f1"}, {File("c", 5, 20)})).ok());
  EXPECT_EQ(catalog_->ExpireSnapshots(*table_)->snapshots, 0u);
  clock_.Advance(std::chrono::hours(24 * 6));
  EXPECT_TRUE(IsNeeded("f0"));
  const auto expired = catalog_->ExpireSnapshots(*table_);
  ASSERT_TRUE(expired.ok()) << expired.error().message;
  EXPECT_EQ(expired->snapshots, 4u);
  EXPECT_TRUE(store_->ReadAll("f0").ok());  // dead, but read
  EXPECT_TRUE(IsNeeded("f0"));
  pinned.reset();
  EXPECT_FALSE(IsNeeded("f0"));
  EXPECT_EQ(catalog_->ExpireSnapshots(*table_)->snapshots, 0u);
  EXPECT_FALSE(store_->ReadAll("f0").ok());
  EXPECT_FALSE(store_->ReadAll("f1").ok());
  EXPECT_EQ(Keys(), (std::set<std::string>{"f2", "f3", "c"}));
  EXPECT_EQ(KeysInLake(), Keys());
  ASSERT_TRUE(Flush(File("later", 6)).ok());
  Reopen();
  EXPECT_EQ(Keys(), (std::set<std::string>{"f2", "f3", "c", "later"}));
  EXPECT_NEAR(static_cast<double>(catalog_->last_commit_micros() - clock_.WallMicros()), 0, 10'000);
}

TEST_F(CatalogReplace, FlushesAndReplacementsInTurnsLoseNothing) {
  constexpr int kFlushes = 60;
  int64_t most_rows = 0;
  std::vector<FlushedFile> files;
  std::vector<FlushedFile> merged;
  for (int i = 0; i < kFlushes; ++i) files.push_back(File("f" + std::to_string(i), 5));
  for (int i = 0; i < kFlushes; ++i) merged.push_back(File("c" + std::to_string(i), 5, 20));
  std::atomic<bool> done{false};
  Thread flusher("flush", [&] {
    for (const auto& file : files) ASSERT_TRUE(Flush(file).ok());
    done = true;
  });
  size_t replaced = 0;
  while (!done) {
    const auto committed = table_->committed_files();
    FileReplacement replacement;
    for (const auto& file : committed->files()) {
      if (file->rows == 10 && replacement.removed.size() < 2) replacement.removed.push_back(file);
    }
    if (replacement.removed.size() < 2) continue;
    replacement.added = {merged[replaced++]};
    ASSERT_TRUE(catalog_->CommitReplace(*table_, replacement).ok());
    const int64_t rows = table_->Current()->files->rows();
    EXPECT_GE(rows, most_rows);  // what was published never goes back
    most_rows = rows;
  }
  flusher.Join();
  EXPECT_EQ(table_->Current()->files->rows(), 10 * kFlushes);
  EXPECT_EQ(Keys().size(), kFlushes - replaced);
  EXPECT_EQ(KeysInLake(), Keys());
}

}  // namespace
}  // namespace arc
