#include "arc/iceberg/append.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "arc/iceberg/table_files.h"
#include "arc/iceberg/test_tables.h"

namespace arc {
namespace {

std::vector<ManifestFile> Manifests(TestTable& table) {
  auto rows = ReadManifestListAt(*table.store, table.metadata.current_snapshot()->manifest_list);
  EXPECT_TRUE(rows.ok()) << rows.error().message;
  return *rows;
}

std::set<std::string> LiveKeys(TestTable& table) {
  auto files = ReadLiveFiles(*table.store, table.metadata);
  EXPECT_TRUE(files.ok()) << files.error().message;
  std::set<std::string> keys;
  for (const auto& file : *files) keys.insert(file.key);
  EXPECT_EQ(keys.size(), files->size());
  return keys;
}

TEST(Append, MakesATable) {
  MemoryStore store;
  TestTable table(&store);
  AppendRequest request =
      table.Request({TestFile("a", 10), TestFile("b", 11), TestFile("c", 3, 7, PartitionKind::kDay)});
  request.set_properties = {{"arc.flushed-lsn.x", "5"}, {"color", "red"}};
  request.summary = {{"job", "flush"}};
  ASSERT_TRUE(table.Append(request).ok());
  EXPECT_TRUE(table.location.starts_with("/lake/db/cpu/metadata/00000-")) << table.location;
  auto loaded = LoadTable(store, table.location);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const TableMetadata& metadata = loaded->metadata;
  EXPECT_EQ(TableMetadataJson(metadata), TableMetadataJson(table.metadata));
  EXPECT_EQ(metadata.table_uuid, table.ref.id);
  EXPECT_EQ(metadata.location, "/lake/db/cpu");
  EXPECT_EQ(metadata.schemas.size(), 1u);
  EXPECT_EQ(metadata.current_schema_id, 0);
  EXPECT_EQ(metadata.default_spec_id, 0);
  EXPECT_EQ(metadata.partition_specs.size(), 2u);
  EXPECT_EQ(metadata.last_sequence_number, 1);
  EXPECT_EQ(metadata.last_updated_ms, table.now_ms);
  EXPECT_EQ(metadata.properties.at("color"), "red");
  EXPECT_EQ(metadata.refs.at("main").snapshot_id, metadata.current_snapshot_id);
  EXPECT_TRUE(metadata.metadata_log.empty());
  const Snapshot& snapshot = *metadata.current_snapshot();
  EXPECT_GT(snapshot.snapshot_id, 0);
  EXPECT_EQ(snapshot.schema_id, 0);
  EXPECT_FALSE(snapshot.parent_snapshot_id.has_value());
  const std::map<std::string, std::string> expected = {{"operation", "append"},
                                                       {"added-data-files", "3"},
                                                       {"added-records", "27"},
                                                       {"added-files-size", "3027"},
                                                       {"changed-partition-count", "3"},
                                                       {"total-data-files", "3"},
                                                       {"total-records", "27"},
                                                       {"total-files-size", "3027"},
                                                       {"total-delete-files", "0"},
                                                       {"total-position-deletes", "0"},
                                                       {"total-equality-deletes", "0"},
                                                       {"arc.flushed-lsn.x", "5"},
                                                       {"job", "flush"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(snapshot.summary.at(name), value) << name;
  ASSERT_EQ(loaded->files.size(), 3u);
  EXPECT_EQ(loaded->files[0].key, "a");
  EXPECT_EQ(loaded->files[0].min_time, 10 * 3'600'000'000LL + 5);
  EXPECT_EQ(loaded->files[0].partition_kind, PartitionKind::kHour);
  EXPECT_EQ(loaded->files[2].partition_kind, PartitionKind::kDay);
  EXPECT_EQ(loaded->files[2].partition_value, 3);
  EXPECT_EQ(loaded->files[2].rows, 7);
}

TEST(Append, WithoutFilesMakesNoSnapshot) {
  MemoryStore store;
  TestTable table(&store);
  ASSERT_TRUE(table.Append(table.Request({})).ok());
  EXPECT_FALSE(table.metadata.current_snapshot_id.has_value());
  EXPECT_EQ(store.objects.size(), 1u);
  auto loaded = LoadTable(store, table.location);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_TRUE(loaded->files.empty());
  ASSERT_TRUE(table.Append(table.Request({TestFile("a", 1)})).ok());
  const auto snapshot = table.metadata.current_snapshot_id;
  table.schema.columns.push_back({"new", ColumnType::kBool, ColumnRole::kField, 4, false});
  AppendRequest request = table.Request({});
  request.set_properties["p"] = "v";
  ASSERT_TRUE(table.Append(request).ok());
  EXPECT_EQ(table.metadata.current_snapshot_id, snapshot);
  EXPECT_EQ(table.metadata.last_sequence_number, 1);
  EXPECT_EQ(table.metadata.current_schema().fields.size(), 4u);
  EXPECT_EQ(table.metadata.properties.at("p"), "v");
  EXPECT_TRUE(table.location.find("/00002-") != std::string::npos) << table.location;
  EXPECT_EQ(LiveKeys(table), std::set<std::string>{"a"});
}

TEST(Append, GoesOnAndTotalsAddUp) {
  MemoryStore store;
  TestTable table(&store);
  std::set<std::string> keys;
  int64_t last_ms = 0;
  for (int i = 0; i < 20; ++i) {
    table.now_ms += i % 2 == 0 ? 1000 : -5000;  // the clock steps back: snapshots never do
    if (i == 7) table.schema.columns.push_back({"late", ColumnType::kInt64, ColumnRole::kField, 4, false});
    const std::string key = "f" + std::to_string(i);
    ASSERT_TRUE(table.Append(table.Request({TestFile(key, i / 3)})).ok());
    keys.insert(key);
    const Snapshot& snapshot = *table.metadata.current_snapshot();
    EXPECT_GT(snapshot.timestamp_ms, last_ms);
    last_ms = snapshot.timestamp_ms;
    EXPECT_EQ(table.metadata.last_updated_ms, last_ms);
    EXPECT_EQ(snapshot.sequence_number, i + 1);
    EXPECT_EQ(snapshot.summary.at("total-data-files"), std::to_string(i + 1));
    EXPECT_EQ(snapshot.summary.at("total-records"), std::to_string(10 * (i + 1)));
    EXPECT_EQ(snapshot.summary.at("total-files-size"), std::to_string(1010 * (i + 1)));
    EXPECT_EQ(snapshot.schema_id, i < 7 ? 0 : 1);
    EXPECT_EQ(LiveKeys(table), keys);
  }
  EXPECT_EQ(table.metadata.metadata_log.size(), 19u);
  for (size_t i = 1; i < 19; ++i) {
    EXPECT_GT(table.metadata.metadata_log[i].timestamp_ms, table.metadata.metadata_log[i - 1].timestamp_ms);
  }
}

TEST(Append, MergesManifestsAndKeepsSequenceNumbers) {
  MemoryStore store;
  TestTable table(&store);
  std::map<std::string, int64_t> sequence_of;
  std::map<std::string, int64_t> snapshot_of;
  size_t most = 0;
  for (int i = 0; i < 60; ++i) {
    const PartitionKind kind = i % 4 == 0 ? PartitionKind::kDay : PartitionKind::kHour;
    const std::string key = "f" + std::to_string(i);
    AppendRequest request = table.Request({TestFile(key, i, 10, kind)});
    request.policy.manifest_merge_count = 10;
    ASSERT_TRUE(table.Append(request).ok());
    sequence_of[key] = i + 1;
    snapshot_of["/lake/" + key] = *table.metadata.current_snapshot_id;
    most = std::max(most, Manifests(table).size());
  }
  EXPECT_LE(most, 21u);
  EXPECT_LT(Manifests(table).size(), 21u);
  auto files = ReadLiveFiles(store, table.metadata);
  ASSERT_TRUE(files.ok());
  ASSERT_EQ(files->size(), 60u);
  for (const auto& file : *files) EXPECT_EQ(file.sequence_number, sequence_of.at(file.key)) << file.key;
  for (const auto& row : Manifests(table)) {
    int64_t least = INT64_MAX;
    ManifestFile counted = row;
    counted.counts_known = false;
    std::vector<ManifestFile> rows{counted};
    ASSERT_TRUE(FillCounts(store, &rows).ok());
    EXPECT_EQ(rows[0].added_files, row.added_files);
    EXPECT_EQ(rows[0].existing_files, row.existing_files);
    EXPECT_EQ(rows[0].existing_rows, row.existing_rows);
    EXPECT_EQ(row.length, static_cast<int64_t>(store.objects.at(row.path.substr(6)).size()));
    auto read = ReadManifest(store.objects.at(row.path.substr(6)), row, {}, [&](const ManifestEntry& entry) -> Status {
      EXPECT_EQ(entry.snapshot_id, snapshot_of.at(entry.file.path));
      EXPECT_EQ(entry.status, row.added_files > 0 ? EntryStatus::kAdded : EntryStatus::kExisting);
      EXPECT_EQ(entry.file.column_sizes.size(), 3u);
      EXPECT_EQ(entry.file.split_offsets.size(), 2u);
      least = std::min(least, *entry.sequence_number);
      return {};
    });
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(row.min_sequence_number, least);
  }
}

TEST(Append, LargeManifestsAreSplitAndLeftAlone) {
  MemoryStore store;
  TestTable table(&store);
  std::vector<AppendFile> files;
  for (int i = 0; i < 3000; ++i) files.push_back(TestFile("f" + std::to_string(i), i));
  AppendRequest request = table.Request(files);
  request.policy.manifest_target_bytes = 20'000;
  request.policy.manifest_merge_count = 2;
  ASSERT_TRUE(table.Append(request).ok());
  const size_t split = Manifests(table).size();
  EXPECT_GT(split, 3u);
  std::set<std::string> before;
  for (const auto& row : Manifests(table)) {
    if (row.length >= 10'000) before.insert(row.path);
  }
  request.files = {TestFile("more", 1)};
  ASSERT_TRUE(table.Append(request).ok());
  std::set<std::string> after;
  for (const auto& row : Manifests(table)) after.insert(row.path);
  EXPECT_TRUE(std::includes(after.begin(), after.end(), before.begin(), before.end()));
  EXPECT_EQ(LiveKeys(table).size(), 3001u);
}

TEST(Append, RefusesRetriedFlush) {
  MemoryStore store;
  TestTable table(&store);
  AppendRequest request = table.Request({TestFile("a", 1)});
  request.set_properties["arc.flushed-lsn.x"] = "10";
  ASSERT_TRUE(table.Append(request).ok());
  const size_t objects = store.objects.size();
  for (const char* lsn : {"10", "9"}) {
    request.set_properties["arc.flushed-lsn.x"] = lsn;
    auto again = table.Prepare(request);
    ASSERT_FALSE(again.ok());
    EXPECT_EQ(again.error().kind, ErrorKind::kConflict);
  }
  request.set_properties["arc.flushed-lsn.x"] = "ten";
  EXPECT_EQ(table.Prepare(request).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(store.objects.size(), objects);
  request.files.clear();
  request.set_properties["arc.flushed-lsn.x"] = "10";
  EXPECT_TRUE(table.Append(request).ok());
  request.set_properties["arc.flushed-lsn.x"] = "11";
  EXPECT_TRUE(table.Append(request).ok());
}

TEST(Append, RefusesFilesOutsideTheirPartition) {
  MemoryStore store;
  TestTable table(&store);
  const auto refused = [&](AppendFile file) {
    auto prepared = table.Prepare(table.Request({std::move(file)}));
    return !prepared.ok() && prepared.error().kind == ErrorKind::kInvalidArgument;
  };
  AppendFile file = TestFile("a", 5);
  EXPECT_FALSE(refused(file));
  file.value = 6;
  EXPECT_TRUE(refused(file));
  file = TestFile("a", 5);
  file.file.max_time += 3'600'000'000;
  EXPECT_TRUE(refused(file));
  file.kind = PartitionKind::kDay;
  file.value = 0;
  EXPECT_FALSE(refused(file));
  file = TestFile("before 1970", -1);
  EXPECT_FALSE(refused(file));
  EXPECT_EQ(table.Prepare(table.Request({TestFile("a", 5), TestFile("a", 5)})).error().kind,
            ErrorKind::kInvalidArgument);
}

TEST(Append, RefusesAnotherTable) {
  MemoryStore store;
  TestTable table(&store);
  ASSERT_TRUE(table.Append(table.Request({})).ok());
  AppendRequest request = table.Request({TestFile("a", 1)});
  request.table.id = Uuid::Random(table.random);
  EXPECT_EQ(table.Prepare(request).error().kind, ErrorKind::kConflict);
}

TEST(Append, FailureLeavesNothingBehind) {
  MemoryStore store;
  TestTable table(&store);
  for (int i = 0; i < 9; ++i) ASSERT_TRUE(table.Append(table.Request({TestFile("f" + std::to_string(i), i)})).ok());
  const auto before = store.objects;
  AppendRequest request = table.Request({TestFile("x", 1), TestFile("y", 1, 5, PartitionKind::kDay)});
  request.policy.manifest_merge_count = 5;
  int failures = 0;
  for (int puts = 0;; ++puts) {
    store.puts_until_failure = puts;
    auto prepared = table.Prepare(request);
    if (prepared.ok()) {
      for (const auto& key : prepared->written_keys) EXPECT_TRUE(store.objects.erase(key) == 1) << key;
      EXPECT_EQ(store.objects, before);
      break;
    }
    ++failures;
    EXPECT_EQ(prepared.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(store.objects, before);
  }
  EXPECT_EQ(failures, 5);  // two manifests, one merged, the list, the metadata
}

TEST(Append, LostManifestIsAnErrorNotALoss) {
  MemoryStore store;
  TestTable table(&store);
  for (int i = 0; i < 6; ++i) ASSERT_TRUE(table.Append(table.Request({TestFile("f" + std::to_string(i), i)})).ok());
  store.objects.erase(Manifests(table)[2].path.substr(6));
  AppendRequest request = table.Request({TestFile("x", 1)});
  EXPECT_TRUE(table.Prepare(request).ok());  // an append alone does not read them
  request.policy.manifest_merge_count = 5;
  EXPECT_EQ(table.Prepare(request).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(LoadTable(store, table.location).error().kind, ErrorKind::kNotFound);
}

TEST(Append, OldMetadataFilesGo) {
  MemoryStore store;
  TestTable table(&store);
  std::vector<std::string> locations;
  for (int i = 0; i < 12; ++i) {
    AppendRequest request = table.Request({});
    request.policy.keep_metadata_files = 4;
    ASSERT_TRUE(table.Append(request).ok());
    locations.push_back(table.location);
  }
  EXPECT_EQ(table.metadata.metadata_log.size(), 4u);
  EXPECT_EQ(store.objects.size(), 5u);
  for (size_t i = 0; i < locations.size(); ++i) {
    EXPECT_EQ(store.objects.contains(locations[i].substr(6)), i >= 7) << i;
  }
  EXPECT_EQ(table.metadata.properties.at("write.metadata.previous-versions-max"), "4");
  AppendRequest request = table.Request({});
  request.policy.keep_metadata_files = 4;
  request.set_properties["write.metadata.delete-after-commit.enabled"] = "false";
  auto prepared = table.Prepare(request);
  ASSERT_TRUE(prepared.ok());
  EXPECT_TRUE(prepared->obsolete_keys.empty());
}

TEST(Append, NamesAreEncodedInKeys) {
  MemoryStore store;
  TestTable table(&store);
  table.ref.database = "my db";
  table.ref.name = "a/../b";
  ASSERT_TRUE(table.Append(table.Request({})).ok());
  EXPECT_TRUE(table.location.starts_with("/lake/" + TableKey(table.ref) + "/metadata/")) << table.location;
  EXPECT_EQ(TableKey(table.ref).find(' '), std::string::npos);
  AppendRequest request = table.Request({});
  TestTable second(&store, 2);
  request.table = second.ref;
  request.location_key = "elsewhere/x";
  auto prepared = PrepareAppend(store, "", nullptr, request, second.random);
  ASSERT_TRUE(prepared.ok());
  EXPECT_EQ(prepared->metadata.location, "/lake/elsewhere/x");
}

TEST(Append, VersionHintNamesTheFile) {
  MemoryStore store;
  TestTable table(&store);
  ASSERT_TRUE(table.Append(table.Request({})).ok());
  ASSERT_TRUE(WriteVersionHint(store, table.location).ok());
  const std::string hint = store.objects.at("db/cpu/metadata/version-hint.text");
  EXPECT_EQ("/lake/db/cpu/metadata/" + hint + ".metadata.json", table.location);
  EXPECT_FALSE(WriteVersionHint(store, "/lake/db/cpu/metadata/x").ok());
}

TEST(TableFiles, MetadataVersions) {
  const Uuid uuid;
  EXPECT_TRUE(MetadataFileName("", uuid).starts_with("00000-"));
  EXPECT_TRUE(MetadataFileName("/x/00041-y.metadata.json", uuid).starts_with("00042-"));
  EXPECT_TRUE(MetadataFileName("s3://x/99999-y.metadata.json", uuid).starts_with("100000-"));
  EXPECT_TRUE(MetadataFileName("/x/v3.metadata.json", uuid).starts_with("00000-"));
  EXPECT_TRUE(MetadataFileName("7-z", uuid).starts_with("00008-"));
}

}  // namespace
}  // namespace arc
