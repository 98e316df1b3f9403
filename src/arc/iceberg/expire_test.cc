#include "arc/iceberg/expire.h"

#include <gtest/gtest.h>

#include "arc/iceberg/table_files.h"
#include "arc/iceberg/test_tables.h"

namespace arc {
namespace {

constexpr int64_t kDayMs = 86'400'000;

// Everything that some snapshot of the metadata needs: the model that expiry is checked against. Keeps what it read, as
// manifests never change.
class Model {
 public:
  explicit Model(MemoryStore& store) : store_(store) {}

  std::set<std::string> Reachable(const TableMetadata& metadata) {
    std::set<std::string> keys;
    for (const auto& snapshot : metadata.snapshots) {
      keys.insert(*store_.KeyOf(snapshot.manifest_list));
      for (const auto& row : Rows(snapshot.manifest_list)) {
        keys.insert(*store_.KeyOf(row.path));
        const auto& live = LiveIn(row);
        keys.insert(live.begin(), live.end());
      }
    }
    for (const auto& file : metadata.statistics) keys.insert(*store_.KeyOf(file.path));
    for (const auto& entry : metadata.metadata_log) keys.insert(*store_.KeyOf(entry.metadata_file));
    return keys;
  }

 private:
  const std::vector<ManifestFile>& Rows(const std::string& uri) {
    auto [found, added] = rows_.try_emplace(uri);
    if (added) {
      auto rows = ReadManifestListAt(store_, uri);
      EXPECT_TRUE(rows.ok()) << rows.error().message;
      found->second = *rows;
    }
    return found->second;
  }

  const std::set<std::string>& LiveIn(const ManifestFile& row) {
    auto [found, added] = live_.try_emplace(row.path);
    if (added) {
      auto& keys = found->second;
      const std::string bytes = store_.objects.at(*store_.KeyOf(row.path));
      auto read = ReadManifest(bytes, row, {}, [&](const ManifestEntry& entry) -> Status {
        if (entry.status != EntryStatus::kDeleted) keys.insert(*store_.KeyOf(entry.file.path));
        return {};
      });
      EXPECT_TRUE(read.ok()) << read.error().message;
    }
    return found->second;
  }

  MemoryStore& store_;
  std::map<std::string, std::vector<ManifestFile>> rows_;
  std::map<std::string, std::set<std::string>> live_;
};

// What another engine's "DELETE FROM … " does to whole files: a new snapshot in which `victim` is DELETED, its manifest
// rewritten.
void DeleteFile(TestTable& table, const std::string& victim) {
  TableMetadata& metadata = table.metadata;
  const auto parent = *metadata.current_snapshot();
  auto rows = *ReadManifestListAt(*table.store, parent.manifest_list);
  Snapshot snapshot = parent;
  snapshot.snapshot_id = static_cast<int64_t>(table.random.NextU64() >> 2) + 1;
  snapshot.parent_snapshot_id = parent.snapshot_id;
  snapshot.sequence_number = ++metadata.last_sequence_number;
  snapshot.timestamp_ms = ++metadata.last_updated_ms;
  snapshot.summary = {{"operation", "delete"}};
  std::vector<ManifestFile> kept;
  for (const auto& row : rows) {
    if (row.added_files + row.existing_files == 0) continue;
    ManifestWriter writer(metadata.current_schema(), *metadata.FindSpec(row.spec_id), snapshot.snapshot_id, Uuid{});
    bool found = false;
    const std::string bytes = table.store->objects.at(*table.store->KeyOf(row.path));
    auto read = ReadManifest(bytes, row, {}, [&](const ManifestEntry& entry) -> Status {
      if (entry.status == EntryStatus::kDeleted) return {};
      ManifestEntry copy = entry;
      copy.status = EntryStatus::kExisting;
      if (entry.file.path == "/lake/" + victim) {
        found = true;
        copy.status = EntryStatus::kDeleted;
        copy.snapshot_id = snapshot.snapshot_id;
      }
      return writer.Add(copy);
    });
    ASSERT_TRUE(read.ok());
    if (!found) {
      kept.push_back(row);
      continue;
    }
    auto finished = writer.Finish(snapshot.sequence_number);
    finished->row.path = "/lake/db/cpu/metadata/del-" + std::to_string(snapshot.snapshot_id) + ".avro";
    table.store->objects[*table.store->KeyOf(finished->row.path)] = finished->bytes;
    kept.push_back(finished->row);
  }
  snapshot.manifest_list = "/lake/db/cpu/metadata/dellist-" + std::to_string(snapshot.snapshot_id) + ".avro";
  table.store->objects[*table.store->KeyOf(snapshot.manifest_list)] =
      *WriteManifestList(kept, snapshot.snapshot_id, parent.snapshot_id, snapshot.sequence_number, Uuid{});
  metadata.current_snapshot_id = snapshot.snapshot_id;
  metadata.refs["main"].snapshot_id = snapshot.snapshot_id;
  metadata.snapshot_log.push_back({snapshot.timestamp_ms, snapshot.snapshot_id});
  metadata.snapshots.push_back(std::move(snapshot));
}

void Fill(TestTable& table, int commits, int max_snapshots = 0) {
  for (int i = 0; i < commits; ++i) {
    table.now_ms += 1000;
    const std::string key = "f" + std::to_string(table.metadata.last_sequence_number);
    table.store->objects[key] = "data";
    AppendRequest request = table.Request({TestFile(key, i)});
    request.policy.expiry.max_snapshots = max_snapshots;
    request.policy.manifest_merge_count = 6;
    ASSERT_TRUE(table.Append(request).ok());
  }
}

TEST(Expire, BoundsTheCount) {
  MemoryStore store;
  TestTable table(&store);
  for (int i = 0; i < 50; ++i) {
    Fill(table, 1, 20);
    EXPECT_LE(table.metadata.snapshots.size(), 20u);
    EXPECT_EQ(table.metadata.snapshot_log.size(), table.metadata.snapshots.size());
    EXPECT_EQ(table.metadata.snapshot_log.back().snapshot_id, table.metadata.current_snapshot_id);
  }
  EXPECT_GE(table.metadata.snapshots.size(), 18u);
  // Exactly what is reachable is left, beside the metadata files.
  const auto reachable = Model(store).Reachable(table.metadata);
  for (const auto& [key, bytes] : store.objects) {
    EXPECT_TRUE(reachable.contains(key) || "/lake/" + key == table.location) << key;
  }
}

TEST(Expire, ByAge) {
  MemoryStore store;
  TestTable table(&store);
  Fill(table, 10);
  table.now_ms += 5 * kDayMs;
  AppendRequest request = table.Request({TestFile("late", 1)});
  ASSERT_TRUE(table.Append(request).ok());
  EXPECT_EQ(table.metadata.snapshots.size(), 11u);  // older than the age, but not by a tenth
  table.now_ms += kDayMs;
  request = table.Request({});
  ASSERT_TRUE(table.Append(request).ok());
  EXPECT_EQ(table.metadata.snapshots.size(), 1u);
  table.now_ms += 50 * kDayMs;
  ASSERT_TRUE(table.Append(table.Request({})).ok());
  EXPECT_EQ(table.metadata.snapshots.size(), 1u);  // the current one is never too old
  EXPECT_EQ(ReadLiveFiles(store, table.metadata)->size(), 11u);
}

TEST(Expire, KeepsWhatTagsAndBranchesNeed) {
  MemoryStore store;
  TestTable table(&store);
  Fill(table, 12);
  const auto ids = table.metadata.snapshots;
  table.metadata.refs["tagged"].snapshot_id = ids[2].snapshot_id;
  table.metadata.refs["tagged"].type = "tag";
  table.metadata.refs["branch"].snapshot_id = ids[6].snapshot_id;
  ASSERT_TRUE(ExpireSnapshots(store, {2, 0}, table.now_ms, {}, &table.metadata).size() > 0);
  std::set<int64_t> left;
  for (const auto& snapshot : table.metadata.snapshots) left.insert(snapshot.snapshot_id);
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(left.contains(ids[i].snapshot_id), i <= 6 || i >= 10) << i;
  EXPECT_EQ(table.metadata.snapshot_log.size(), 2u);  // no holes in the history
}

TEST(Expire, ObeysTheBranchsOwnRetentionAndGcSwitch) {
  MemoryStore store;
  TestTable table(&store);
  Fill(table, 12);
  TableMetadata kept = table.metadata;
  kept.properties["gc.enabled"] = "false";
  EXPECT_TRUE(ExpireSnapshots(store, {2, 1}, table.now_ms + kDayMs, {}, &kept).empty());
  EXPECT_EQ(kept.snapshots.size(), 12u);
  kept = table.metadata;
  kept.refs["main"].min_snapshots_to_keep = 7;
  kept.refs["main"].max_snapshot_age_ms = 1;
  ExpireSnapshots(store, {2, 0}, table.now_ms + kDayMs, {}, &kept);
  EXPECT_EQ(kept.snapshots.size(), 7u);
  kept = table.metadata;
  kept.refs["main"].max_snapshot_age_ms = 10 * kDayMs;
  ExpireSnapshots(store, {2, 1}, table.now_ms + kDayMs, {}, &kept);
  EXPECT_EQ(kept.snapshots.size(), 12u);
}

TEST(Expire, ReturnsFilesThatExpiredSnapshotsDeleted) {
  MemoryStore store;
  TestTable table(&store);
  Fill(table, 4);
  DeleteFile(table, "f1");
  TableMetadata early = table.metadata;
  auto none = ExpireSnapshots(store, {4, 0}, table.now_ms, {}, &early);
  EXPECT_EQ(std::count(none.begin(), none.end(), "/lake/f1"), 0);  // an older snapshot still reads it
  Fill(table, 3);
  const auto gone = ExpireSnapshots(store, {2, 0}, table.now_ms, {}, &table.metadata);
  EXPECT_EQ(std::count(gone.begin(), gone.end(), "/lake/f1"), 1);
  EXPECT_EQ(std::count(gone.begin(), gone.end(), "/lake/f0"), 0);
}

// A table that nothing is written to after a delete: its current snapshot never expires.
TEST(Expire, ReturnsWhatASnapshotDeletedOnceAllBeforeItExpired) {
  MemoryStore store;
  TestTable table(&store);
  Fill(table, 4);
  DeleteFile(table, "f1");
  TableMetadata tagged = table.metadata;
  tagged.refs["tagged"].snapshot_id = tagged.snapshots[2].snapshot_id;
  tagged.refs["tagged"].type = "tag";
  EXPECT_TRUE(AnySnapshotExpires({1, 0}, table.now_ms, tagged));
  auto gone = ExpireSnapshots(store, {1, 0}, table.now_ms, {}, &tagged);
  EXPECT_EQ(std::count(gone.begin(), gone.end(), "/lake/f1"), 0);  // the tag reads it
  EXPECT_FALSE(AnySnapshotExpires({1, 0, false}, table.now_ms, table.metadata));
  EXPECT_TRUE(ExpireSnapshots(store, {1, 0, false}, table.now_ms, {}, &table.metadata).empty());
  EXPECT_EQ(table.metadata.snapshots.size(), 5u);
  gone = ExpireSnapshots(store, {1, 0}, table.now_ms, {}, &table.metadata);
  EXPECT_EQ(std::count(gone.begin(), gone.end(), "/lake/f1"), 1);
  EXPECT_EQ(std::count(gone.begin(), gone.end(), "/lake/f0"), 0);
  EXPECT_FALSE(AnySnapshotExpires({1, 0}, table.now_ms, table.metadata));
}

TEST(Expire, UnreadableHistoryNeverCostsLiveObjects) {
  MemoryStore store;
  TestTable table(&store);
  Fill(table, 8);
  DeleteFile(table, "f3");
  Fill(table, 8);
  const auto objects = store.objects;
  for (const auto& [key, bytes] : objects) {
    if (key.find(".avro") == std::string::npos) continue;
    store.objects = objects;
    TableMetadata after = table.metadata;
    const auto full = ExpireSnapshots(store, {3, 0}, table.now_ms, {}, &after);
    const auto reachable = Model(store).Reachable(after);
    store.objects.erase(key);
    after = table.metadata;
    for (const auto& uri : ExpireSnapshots(store, {3, 0}, table.now_ms, {}, &after)) {
      EXPECT_FALSE(reachable.contains(*store.KeyOf(uri))) << uri << " without " << key;
    }
  }
}

TEST(Expire, StatisticsAndSchemasGoWithTheirSnapshots) {
  MemoryStore store;
  TestTable table(&store);
  for (int i = 0; i < 6; ++i) {
    table.schema.columns.push_back({"c" + std::to_string(i), ColumnType::kBool, ColumnRole::kField, 4 + i, false});
    Fill(table, 1);
    const int64_t id = *table.metadata.current_snapshot_id;
    const std::string path = "/lake/stats-" + std::to_string(i / 2);
    table.metadata.statistics.push_back(
        {id, path, R"({"snapshot-id":)" + std::to_string(id) + R"(,"statistics-path":")" + path + "\"}"});
  }
  EXPECT_EQ(table.metadata.schemas.size(), 6u);
  const auto gone = ExpireSnapshots(store, {3, 0}, table.now_ms, {}, &table.metadata);
  EXPECT_EQ(table.metadata.statistics.size(), 3u);
  EXPECT_EQ(std::count(gone.begin(), gone.end(), "/lake/stats-0"), 1);
  EXPECT_EQ(std::count(gone.begin(), gone.end(), "/lake/stats-1"), 0);  // shared with one that stays
  EXPECT_EQ(table.metadata.schemas.size(), 3u);
  EXPECT_TRUE(ParseTableMetadata(TableMetadataJson(table.metadata)).ok());
}

// Random histories: appends of any size, foreign deletes, tags set and dropped, commits that lose, the clock moving
// anyhow. After each win the obsolete objects are really deleted; whatever the metadata names must still be there.
TEST(Expire, NothingLiveIsEverObsolete) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    MemoryStore store;
    TestTable table(&store, seed);
    SeededRandom random(seed * 977);
    Model model(store);
    std::set<std::string> live;
    int next = 0;
    for (int step = 0; step < 60; ++step) {
      const uint64_t dice = random.NextU64() % 20;
      table.now_ms += static_cast<int64_t>(random.NextU64() % (dice == 0 ? 3 * kDayMs : 60'000)) - 10'000;
      if (dice == 1 && !live.empty()) {
        const std::string victim =
            *std::next(live.begin(), static_cast<std::ptrdiff_t>(random.NextU64() % live.size()));
        DeleteFile(table, victim);
        live.erase(victim);
        continue;
      }
      if (dice == 2 && table.metadata.current_snapshot_id) {
        table.metadata.refs["t" + std::to_string(random.NextU64() % 2)] = {
            *table.metadata.current_snapshot_id, "tag", {}, {}, {}};
        continue;
      }
      if (dice == 3) table.metadata.refs.erase("t0");
      std::vector<AppendFile> files;
      for (uint64_t i = 0; i < random.NextU64() % 4; ++i) {
        const std::string key = "data/" + std::to_string(next++);
        store.objects[key] = "data";
        files.push_back(TestFile(key, next, 5, next % 3 == 0 ? PartitionKind::kDay : PartitionKind::kHour));
      }
      AppendRequest request = table.Request(files);
      request.policy = {3 + static_cast<int>(random.NextU64() % 5), 4000, 3, {5, 2 * kDayMs}};
      auto prepared = table.Prepare(request);
      ASSERT_TRUE(prepared.ok()) << prepared.error().message;
      if (dice == 4) {  // somebody else won
        for (const auto& key : prepared->written_keys) store.objects.erase(key);
        continue;
      }
      for (const auto& file : files) live.insert(file.file.key);
      table.Win(std::move(*prepared));
      for (const auto& key : model.Reachable(table.metadata)) ASSERT_TRUE(store.objects.contains(key)) << key;
      auto loaded = LoadTable(store, table.location);
      ASSERT_TRUE(loaded.ok()) << loaded.error().message;
      std::set<std::string> found;
      for (const auto& file : loaded->files) found.insert(file.key);
      ASSERT_EQ(found, live);
    }
  }
}

}  // namespace
}  // namespace arc
