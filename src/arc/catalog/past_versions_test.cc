#include "arc/catalog/past_versions.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "arc/base/byte_budget.h"
#include "arc/catalog/catalog.h"
#include "arc/catalog/commit_for_test.h"
#include "arc/iceberg/manifest.h"
#include "arc/iceberg/table_files.h"
#include "arc/io/forwarding_store.h"
#include "arc/io/object_group.h"
#include "arc/io/power_cut_disk.h"
#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kNow = 1'760'616'000'000'000;  // 2025-10-16 12:00:00 UTC

// Counts whole reads, and may have something happen before one.
class WatchedStore : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  Result<std::string> ReadAll(const std::string& key) override {
    ++reads;
    if (before_read) before_read(key);
    return ForwardingStore::ReadAll(key);
  }

  int reads = 0;
  std::function<void(const std::string&)> before_read;
};

// Table db.cpu with the snapshots that Commit made, a minute apart, one file each; `past_` looks through `watched_`.
class PastVersionsTest : public ::testing::Test {
 protected:
  PastVersionsTest() {
    EXPECT_TRUE(disk_.CreateDirectories("/data").ok());
    catalog_ = *Catalog::Open("/data/arc.db", disk_, *store_, clock_, random_, &budget_);
    EXPECT_TRUE(catalog_->UseLineage(Uuid::Random(random_)).ok());
    table_ = *catalog_->GetOrCreate("db", "cpu");
  }

  // A snapshot with one more file of this name; the snapshot's id.
  int64_t Commit(const std::string& name) {
    clock_.Advance(std::chrono::minutes(1));
    FlushedFile file;
    file.file.key = name;
    file.file.bytes = 4;
    file.file.rows = 10;
    file.file.max_time = 10;
    file.file.metrics[1] = {8, 10, 0, {}, std::string(8, '\0'), std::string("\x0a\0\0\0\0\0\0\0", 8)};
    EXPECT_TRUE(store_->PutIfAbsent(name, "rows").ok());
    const auto aligned = table_->Align(BatchForTest({1}).Ints("id", {1}).Done());
    table_->Apply(Lsn{++last_lsn_}, aligned->batch, {});
    EXPECT_TRUE(CommitForTest(*catalog_, *store_, *table_, table_->BeginFlush(), {file}).ok());
    return *(*catalog_->MetadataOf(*table_))->current_snapshot_id;
  }
  // The snapshot in which another engine has deleted a row by its position; its id.
  int64_t CommitForeignDeletes() {
    const auto metadata = *catalog_->MetadataOf(*table_);
    const Snapshot& parent = *metadata->current_snapshot();
    const int64_t id = parent.snapshot_id / 2 + 1;
    const int64_t sequence = metadata->last_sequence_number + 1;
    const Uuid sync = Uuid::Random(random_);
    ManifestWriter writer(metadata->current_schema(), metadata->partition_specs[0], id, sync);
    ManifestEntry entry;
    entry.file.content = 1;
    entry.file.path = "/lake/deletes.parquet";
    entry.file.format = "PARQUET";
    entry.file.partition = 0;
    entry.file.record_count = 1;
    EXPECT_TRUE(writer.Add(entry).ok());
    auto manifest = *writer.Finish(sequence);
    manifest.row.path = "/lake/deletes.avro";
    manifest.row.content = ManifestContent::kDeletes;
    EXPECT_TRUE(store_->PutIfAbsent("deletes.avro", manifest.bytes).ok());
    auto rows = *ReadManifestListAt(*store_, parent.manifest_list);
    rows.push_back(manifest.row);
    EXPECT_TRUE(
        store_->PutIfAbsent("list.avro", *WriteManifestList(rows, id, parent.snapshot_id, sequence, sync)).ok());
    TableChange change;
    change.table = {"db", "cpu"};
    change.requirements = "[]";
    change.updates = fmt::format(
        R"([{{"action":"add-snapshot","snapshot":{{"snapshot-id":{},"parent-snapshot-id":{},"sequence-number":{},)"
        R"("timestamp-ms":{},"manifest-list":"/lake/list.avro","schema-id":{},"summary":{{"operation":"delete"}}}}}},)"
        R"({{"action":"set-snapshot-ref","ref-name":"main","type":"branch","snapshot-id":{}}}])",
        id, parent.snapshot_id, sequence, parent.timestamp_ms + 1, metadata->current_schema_id, id);
    const auto committed = catalog_->iceberg().CommitTable(change);
    EXPECT_TRUE(committed.ok()) << committed.error().message;
    return id;
  }
  void Remove(const std::string& name) {
    FileReplacement removal;
    for (const auto& file : table_->committed_files()->files()) {
      if (file->key == name) removal.removed.push_back(file);
    }
    removal.same_rows = false;
    ASSERT_TRUE(catalog_->CommitReplace(*table_, removal).ok());
  }
  // Everything but the current snapshot goes.
  void ExpireHistory() {
    clock_.Advance(std::chrono::hours(24 * 6));
    ASSERT_TRUE(catalog_->ExpireSnapshots(*table_).ok());
  }
  static std::vector<std::string> Keys(const TableVersion& version) {
    std::vector<std::string> keys;
    for (const auto& file : version.files->files()) keys.push_back(file->key);
    std::sort(keys.begin(), keys.end());
    return keys;
  }

  PowerCutDisk disk_;
  ManualClock clock_{kNow};
  SeededRandom random_{1};
  ByteBudget budget_{1 << 30};
  std::unique_ptr<ObjectStore> store_ = *OpenLocalObjectStore(disk_, "/lake");
  std::unique_ptr<Catalog> catalog_;
  std::shared_ptr<Table> table_;
  uint64_t last_lsn_ = 0;

  WatchedStore watched_{*store_};
  std::unique_ptr<PointerStore> pointers_ = *PointerStore::Open("/data/arc.db", disk_);
  NamedTables tables_;
  CommitTurns turns_;
  RetiredFiles retired_;
  LakeParts parts_{*pointers_, watched_, clock_, random_, tables_, turns_, retired_, &budget_, {}};
  PastVersions past_{parts_};
};

TEST_F(PastVersionsTest, GivesFilesAndSchemaOfThenWithoutHotRows) {
  const int64_t first = Commit("f1");
  const auto wider = table_->Align(BatchForTest({2}).Ints("late", {2}).Done());
  table_->Apply(Lsn{++last_lsn_}, wider->batch, {});
  const int64_t second = Commit("f2");
  const auto hot = table_->Align(BatchForTest({3}).Ints("id", {3}).Done());
  table_->Apply(Lsn{++last_lsn_}, hot->batch, {});
  const auto then = past_.At(*table_, {first, {}, 0});
  ASSERT_TRUE(then.ok()) << then.error().message;
  EXPECT_THAT(Keys(**then), ElementsAre("f1"));
  EXPECT_EQ((*then)->schema->columns.size(), 2u);
  EXPECT_EQ((*then)->hot.rows, 0u);
  EXPECT_EQ((*then)->unreadable, "");
  const auto by_time = past_.At(*table_, {{}, {}, clock_.WallMicros()});
  ASSERT_TRUE(by_time.ok());
  EXPECT_THAT(Keys(**by_time), ElementsAre("f1", "f2"));
  EXPECT_EQ((*by_time)->schema->columns.size(), 3u);
  EXPECT_THAT(Keys(**past_.At(*table_, {second, {}, 0})), ElementsAre("f1", "f2"));
}

TEST_F(PastVersionsTest, ErrorsNameTheTableAndWhatThereIs) {
  const auto none = past_.At(*table_, {7, {}, 0});
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(none.error().message, HasSubstr("table db.cpu: there is no snapshot 7"));
  EXPECT_THAT(none.error().message, HasSubstr("nothing of it has been flushed yet"));
  EXPECT_EQ(*past_.Metadata(*table_), nullptr);
  Commit("f1");
  const auto early = past_.At(*table_, {{}, {}, kNow});
  ASSERT_FALSE(early.ok());
  EXPECT_EQ(early.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(early.error().message, HasSubstr("no snapshot is as old as 2025-10-16 12:00:00.000: the earliest is"));
}

TEST_F(PastVersionsTest, ASnapshotIsReadOnce) {
  const int64_t first = Commit("f1");
  Commit("f2");
  ASSERT_TRUE(past_.At(*table_, {first, {}, 0}).ok());
  watched_.reads = 0;
  const auto again = past_.At(*table_, {first, {}, 0});
  ASSERT_TRUE(again.ok());
  EXPECT_THAT(Keys(**again), ElementsAre("f1"));
  EXPECT_EQ(watched_.reads, 1);  // the metadata file
}

TEST_F(PastVersionsTest, WhatIsKeptIsBounded) {
  std::vector<int64_t> ids;
  for (int i = 0; i < 20; ++i) ids.push_back(Commit("f" + std::to_string(i)));
  PastVersions small(parts_, 4096);
  for (const int64_t id : ids) {
    ASSERT_TRUE(small.At(*table_, {id, {}, 0}).ok());
    EXPECT_LE(small.cached_bytes(), 4096u);
    EXPECT_GT(small.cached_bytes(), 0u);
  }
  watched_.reads = 0;
  ASSERT_TRUE(small.At(*table_, {ids.back(), {}, 0}).ok());
  EXPECT_EQ(watched_.reads, 1);
  ASSERT_TRUE(small.At(*table_, {ids.front(), {}, 0}).ok());  // went to make room
  EXPECT_GT(watched_.reads, 2);
  PastVersions none(parts_, 0);
  ASSERT_TRUE(none.At(*table_, {ids.back(), {}, 0}).ok());
  EXPECT_EQ(none.cached_bytes(), 0u);
}

// Each state is judged by itself: another engine's row-level deletes make theirs unreadable, and no other.
TEST_F(PastVersionsTest, AStateWithRowLevelDeletesIsUnreadable) {
  const int64_t first = Commit("f1");
  const int64_t deleting = CommitForeignDeletes();
  const auto then = past_.At(*table_, {deleting, {}, 0});
  ASSERT_TRUE(then.ok()) << then.error().message;
  EXPECT_THAT((*then)->unreadable, HasSubstr("row-level deletes in /lake/deletes.parquet"));
  EXPECT_THAT(table_->Current()->unreadable, HasSubstr("row-level deletes"));
  const auto before = past_.At(*table_, {first, {}, 0});
  ASSERT_TRUE(before.ok()) << before.error().message;
  EXPECT_EQ((*before)->unreadable, "");
  EXPECT_THAT(Keys(**before), ElementsAre("f1"));
}

// Through the catalog, whose commits ask the same RetiredFiles.
TEST_F(PastVersionsTest, FilesOfAnOldSnapshotStayWhileAVersionIsHeld) {
  const int64_t first = Commit("f1");
  Commit("f2");
  Remove("f1");
  auto one = catalog_->VersionAt(*table_, {first, {}, 0});
  auto other = catalog_->VersionAt(*table_, {first, {}, 0});
  ASSERT_TRUE(one.ok() && other.ok());
  ExpireHistory();
  EXPECT_FALSE(catalog_->VersionAt(*table_, {first, {}, 0}).ok());
  EXPECT_TRUE(store_->ReadAll("f1").ok());
  const auto unneeded = catalog_->Unneeded(*table_, {{"f1", 4, 1}});
  ASSERT_TRUE(unneeded.ok()) << unneeded.error().message;
  EXPECT_TRUE(unneeded->empty());
  *one = nullptr;
  ASSERT_TRUE(catalog_->ExpireSnapshots(*table_).ok());
  EXPECT_TRUE(store_->ReadAll("f1").ok());
  *other = nullptr;
  ASSERT_TRUE(catalog_->ExpireSnapshots(*table_).ok());
  EXPECT_FALSE(store_->ReadAll("f1").ok());
}

// A file that is live when an old snapshot is read, and leaves the table afterwards: it has two kinds of readers.
TEST_F(PastVersionsTest, AFileThatIsLiveNowAndGoesLaterStaysForBothKindsOfReaders) {
  const int64_t first = Commit("f1");
  Commit("f2");
  auto past = catalog_->VersionAt(*table_, {first, {}, 0});
  ASSERT_TRUE(past.ok());
  auto pinned = table_->Current();
  Remove("f1");
  ExpireHistory();
  EXPECT_TRUE(store_->ReadAll("f1").ok());
  pinned.reset();
  ASSERT_TRUE(catalog_->ExpireSnapshots(*table_).ok());
  EXPECT_TRUE(store_->ReadAll("f1").ok());
  *past = nullptr;
  ASSERT_TRUE(catalog_->ExpireSnapshots(*table_).ok());
  EXPECT_FALSE(store_->ReadAll("f1").ok());
}

// The snapshot expires after it was chosen: either its files are held, or the query is told.
TEST_F(PastVersionsTest, ASnapshotThatExpiresWhileItIsReadIsRefused) {
  const int64_t first = Commit("f1");
  Commit("f2");
  Remove("f1");
  bool expired = false;
  watched_.before_read = [&](const std::string& key) {
    if (expired || !key.ends_with(".avro")) return;
    expired = true;
    ExpireHistory();
  };
  const auto refused = past_.At(*table_, {first, {}, 0});
  ASSERT_TRUE(expired);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(refused.error().message, HasSubstr("has expired just now"));
}

// The same where nothing has to be read of it any more: its files went before they could be held.
TEST_F(PastVersionsTest, AKeptSnapshotThatHasExpiredIsRefused) {
  const int64_t first = Commit("f1");
  Commit("f2");
  Remove("f1");
  ASSERT_TRUE(past_.At(*table_, {first, {}, 0}).ok());
  bool expired = false;
  watched_.before_read = [&](const std::string& key) {
    if (expired || !key.ends_with(".metadata.json")) return;
    expired = true;
    ExpireHistory();
  };
  const auto refused = past_.At(*table_, {first, {}, 0});
  ASSERT_TRUE(expired);
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("has expired just now"));
  EXPECT_FALSE(store_->ReadAll("f1").ok());
}

TEST_F(PastVersionsTest, OtherCommitsMeanwhileDoNotMatter) {
  const int64_t first = Commit("f1");
  bool committed = false;
  watched_.before_read = [&](const std::string& key) {
    if (committed || !key.ends_with(".avro")) return;
    committed = true;
    Commit("f2");
  };
  const auto then = past_.At(*table_, {first, {}, 0});
  ASSERT_TRUE(then.ok()) << then.error().message;
  EXPECT_TRUE(committed);
  EXPECT_THAT(Keys(**then), ElementsAre("f1"));
}

}  // namespace
}  // namespace arc
