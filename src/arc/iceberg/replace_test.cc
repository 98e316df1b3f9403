#include "arc/iceberg/replace.h"

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

// Key -> sequence number.
std::map<std::string, int64_t> Live(TestTable& table) {
  auto files = ReadLiveFiles(*table.store, table.metadata);
  EXPECT_TRUE(files.ok()) << files.error().message;
  std::map<std::string, int64_t> live;
  for (const auto& file : *files) EXPECT_TRUE(live.emplace(file.key, file.sequence_number).second) << file.key;
  return live;
}

class Replace : public ::testing::Test {
 protected:
  // Files f0 to f<count-1>, one commit and one hour each.
  void Fill(int count) {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(table_.Append(table_.Request({File(i)})).ok());
  }
  static AppendFile File(int i) { return TestFile("f" + std::to_string(i), i); }

  MemoryStore store_;
  TestTable table_{&store_};
};

TEST_F(Replace, TakesFilesOutAndOthersInAndKeepsTheRest) {
  Fill(6);
  table_.metadata.properties["arc.flushed-lsn.x"] = "77";
  const auto before = table_.metadata;
  const auto manifests_before = Manifests(table_);
  ReplaceRequest request = table_.Replacement({File(1), File(2)}, {TestFile("day", 0, 20, PartitionKind::kDay)});
  request.summary["arc.job"] = "j1";
  ASSERT_TRUE(table_.Replace(request).ok());
  EXPECT_EQ(Live(table_), (std::map<std::string, int64_t>{{"f0", 1}, {"f3", 4}, {"f4", 5}, {"f5", 6}, {"day", 7}}));
  const Snapshot& snapshot = *table_.metadata.current_snapshot();
  EXPECT_EQ(snapshot.parent_snapshot_id, before.current_snapshot_id);
  const std::map<std::string, std::string> expected = {{"operation", "replace"},      {"added-data-files", "1"},
                                                       {"deleted-data-files", "2"},   {"added-records", "20"},
                                                       {"deleted-records", "20"},     {"total-data-files", "5"},
                                                       {"total-records", "60"},       {"arc.job", "j1"},
                                                       {"arc.flushed-lsn.x", "77"},   {"manifests-replaced", "2"},
                                                       {"manifests-kept", "4"},       {"manifests-created", "3"},
                                                       {"total-files-size", "5060"},  {"added-files-size", "1020"},
                                                       {"removed-files-size", "2020"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(snapshot.summary.at(name), value) << name;
  EXPECT_EQ(table_.metadata.properties, before.properties);
  // Only the manifests of f1 and f2 were written anew, and both say what the snapshot removed.
  std::set<std::string> paths;
  for (const auto& manifest : Manifests(table_)) paths.insert(manifest.path);
  int carried = 0;
  for (const auto& manifest : manifests_before) carried += static_cast<int>(paths.count(manifest.path));
  EXPECT_EQ(carried, 4);
  int deleted = 0;
  for (const auto& manifest : Manifests(table_)) {
    const auto bytes = store_.objects.at(manifest.path.substr(6));
    ASSERT_TRUE(ReadManifest(bytes, manifest, {}, [&](const ManifestEntry& entry) -> Status {
                  if (entry.status != EntryStatus::kDeleted) return {};
                  ++deleted;
                  EXPECT_EQ(entry.snapshot_id, snapshot.snapshot_id);
                  EXPECT_EQ(entry.sequence_number, entry.file.path == "/lake/f1" ? 2 : 3);
                  EXPECT_EQ(entry.file.column_sizes.size(), 3u);
                  return {};
                }).ok());
  }
  EXPECT_EQ(deleted, 2);
  // The files and everything of the older snapshot are still there for who reads it.
  auto old_files = ReadLiveFiles(store_, before);
  ASSERT_TRUE(old_files.ok());
  EXPECT_EQ(old_files->size(), 6u);
}

TEST_F(Replace, ARewrittenManifestKeepsWhatStaysInIt) {
  std::vector<AppendFile> files;
  for (int i = 0; i < 10; ++i) files.push_back(File(i));
  ASSERT_TRUE(table_.Append(table_.Request(files)).ok());
  ASSERT_TRUE(table_.Append(table_.Request({TestFile("late", 3)})).ok());
  const int64_t first = table_.metadata.snapshots[0].snapshot_id;
  ASSERT_TRUE(table_.Replace(table_.Replacement({File(3)}, {TestFile("c3", 3)})).ok());
  auto live = Live(table_);
  EXPECT_EQ(live.size(), 11u);
  EXPECT_EQ(live.at("f9"), 1);
  EXPECT_EQ(live.at("late"), 2);
  EXPECT_EQ(live.at("c3"), 3);
  for (const auto& manifest : Manifests(table_)) {
    if (manifest.existing_files == 0) continue;
    EXPECT_EQ(manifest.existing_files, 9);
    EXPECT_EQ(manifest.deleted_files, 1);
    EXPECT_EQ(manifest.min_sequence_number, 1);
    const auto bytes = store_.objects.at(manifest.path.substr(6));
    ASSERT_TRUE(ReadManifest(bytes, manifest, {}, [&](const ManifestEntry& entry) -> Status {
                  if (entry.status == EntryStatus::kExisting) {
                    EXPECT_EQ(entry.snapshot_id, first);
                  }
                  return {};
                }).ok());
  }
  // Once more on the rewritten one: the earlier removal is not told twice.
  ASSERT_TRUE(table_.Replace(table_.Replacement({File(4)}, {TestFile("c4", 4)})).ok());
  int deleted = 0;
  for (const auto& manifest : Manifests(table_)) deleted += static_cast<int>(manifest.deleted_files);
  EXPECT_EQ(deleted, 1);
  EXPECT_EQ(Live(table_).size(), 11u);
}

TEST_F(Replace, ACopyTakesAFilesPlaceAsTheManifestDescribesIt) {
  Fill(3);
  ASSERT_TRUE(table_.Append(table_.Request({TestFile("day", 1, 20, PartitionKind::kDay)})).ok());
  const auto entries = [&] {
    std::map<std::string, ManifestEntry> live;
    for (const auto& manifest : Manifests(table_)) {
      EXPECT_TRUE(ReadManifest(store_.objects.at(manifest.path.substr(6)), manifest, {},
                               [&](const ManifestEntry& entry) -> Status {
                                 if (entry.status != EntryStatus::kDeleted) live.emplace(entry.file.path, entry);
                                 return {};
                               })
                      .ok());
    }
    return live;
  };
  const auto before = entries();
  ReplaceRequest request = table_.Replacement({File(1), TestFile("day", 1, 20, PartitionKind::kDay)}, {});
  request.removed[0].moved_to = "cold/f1";
  request.removed[1].moved_to = "cold/day";
  ASSERT_TRUE(table_.Replace(request).ok());
  EXPECT_EQ(Live(table_), (std::map<std::string, int64_t>{{"f0", 1}, {"f2", 3}, {"cold/f1", 5}, {"cold/day", 5}}));
  const auto after = entries();
  for (const auto& [from, to] : {std::pair("/lake/f1", "/lake/cold/f1"), {"/lake/day", "/lake/cold/day"}}) {
    const ManifestDataFile& was = before.at(from).file;
    const ManifestDataFile& is = after.at(to).file;
    EXPECT_EQ(is.partition, was.partition);
    EXPECT_EQ(is.record_count, was.record_count);
    EXPECT_EQ(is.file_size_in_bytes, was.file_size_in_bytes);
    EXPECT_EQ(is.column_sizes, was.column_sizes);
    EXPECT_EQ(is.null_value_counts, was.null_value_counts);
    EXPECT_EQ(is.nan_value_counts, was.nan_value_counts);
    EXPECT_EQ(is.lower_bounds, was.lower_bounds);
    EXPECT_EQ(is.upper_bounds, was.upper_bounds);
    EXPECT_EQ(is.split_offsets, was.split_offsets);
    EXPECT_EQ(after.at(to).status, EntryStatus::kAdded);
  }
  const auto& summary = table_.metadata.current_snapshot()->summary;
  const std::map<std::string, std::string> expected = {
      {"operation", "replace"},  {"added-data-files", "2"}, {"deleted-data-files", "2"}, {"added-records", "30"},
      {"deleted-records", "30"}, {"total-records", "50"},   {"total-data-files", "4"},   {"added-files-size", "2030"}};
  for (const auto& [name, value] : expected) EXPECT_EQ(summary.at(name), value) << name;
}

TEST_F(Replace, ReadsOnlyManifestsOfTheFilesTimes) {
  Fill(50);
  store_.reads = 0;
  ASSERT_TRUE(
      table_.Replace(table_.Replacement({File(20), File(21)}, {TestFile("c", 0, 20, PartitionKind::kDay)})).ok());
  EXPECT_EQ(store_.reads, 3);  // the list and two manifests
}

TEST_F(Replace, RefusesWhatIsNotLive) {
  Fill(4);
  const auto before = store_.objects;
  auto prepared = table_.Prepare(table_.Replacement({File(1), TestFile("gone", 2)}, {TestFile("c", 1, 20)}));
  ASSERT_FALSE(prepared.ok());
  EXPECT_EQ(prepared.error().kind, ErrorKind::kNotFound);
  EXPECT_NE(prepared.error().message.find("gone"), std::string::npos);
  EXPECT_EQ(store_.objects, before);
  ASSERT_TRUE(table_.Replace(table_.Replacement({File(1)}, {TestFile("c1", 1)})).ok());
  EXPECT_EQ(table_.Prepare(table_.Replacement({File(1)}, {TestFile("d1", 1)})).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(table_.Prepare(table_.Replacement({File(2), File(2)}, {})).error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(Replace, RowsMustAddUpUnlessTheyAreToGo) {
  Fill(3);
  ReplaceRequest request = table_.Replacement({File(1), File(2)}, {TestFile("c", 1, 19)});
  EXPECT_EQ(table_.Prepare(request).error().kind, ErrorKind::kInvalidArgument);
  request.same_rows = false;
  ASSERT_TRUE(table_.Replace(request).ok());
  EXPECT_EQ(table_.metadata.current_snapshot()->summary.at("operation"), "overwrite");
  EXPECT_EQ(table_.metadata.current_snapshot()->summary.at("total-records"), "29");
  request = table_.Replacement({File(0)}, {});
  request.same_rows = false;
  ASSERT_TRUE(table_.Replace(request).ok());
  EXPECT_EQ(table_.metadata.current_snapshot()->summary.at("operation"), "delete");
  EXPECT_EQ(Live(table_), (std::map<std::string, int64_t>{{"c", 4}}));
  AppendFile outside = TestFile("x", 5, 19);
  outside.value = 6;
  EXPECT_EQ(table_.Prepare(table_.Replacement({TestFile("c", 1, 19)}, {outside})).error().kind,
            ErrorKind::kInvalidArgument);
}

TEST_F(Replace, FailureLeavesNothingBehind) {
  Fill(8);
  const auto before = store_.objects;
  ReplaceRequest request =
      table_.Replacement({File(1), File(2)}, {TestFile("x", 1), TestFile("y", 0, 10, PartitionKind::kDay)});
  request.policy.manifest_merge_count = 5;
  int failures = 0;
  for (int puts = 0;; ++puts) {
    store_.puts_until_failure = puts;
    auto prepared = table_.Prepare(request);
    if (prepared.ok()) {
      for (const auto& key : prepared->written_keys) EXPECT_EQ(store_.objects.erase(key), 1u) << key;
      EXPECT_EQ(store_.objects, before);
      break;
    }
    ++failures;
    EXPECT_EQ(prepared.error().kind, ErrorKind::kUnavailable);
    EXPECT_EQ(store_.objects, before);
  }
  EXPECT_EQ(failures, 7);  // two rewritten manifests, two added, one merged, the list, the metadata
}

TEST_F(Replace, RemovedFilesGoWhenTheirLastSnapshotExpires) {
  Fill(3);
  for (const char* key : {"f0", "f1", "f2", "c"}) store_.objects[key] = "rows";
  ASSERT_TRUE(table_.Replace(table_.Replacement({File(0), File(1)}, {TestFile("c", 0, 20)})).ok());
  EXPECT_TRUE(store_.objects.contains("f0"));
  for (int i = 10; i < 16; ++i) {
    AppendRequest request = table_.Request({File(i)});
    request.policy.expiry.max_snapshots = 2;
    request.policy.manifest_merge_count = 3;  // the manifests that told of the removal are merged meanwhile
    ASSERT_TRUE(table_.Append(request).ok());
  }
  EXPECT_FALSE(store_.objects.contains("f0"));
  EXPECT_FALSE(store_.objects.contains("f1"));
  EXPECT_TRUE(store_.objects.contains("f2"));
  EXPECT_TRUE(store_.objects.contains("c"));
  EXPECT_EQ(Live(table_).size(), 8u);
}

TEST_F(Replace, RefusesAnotherTable) {
  Fill(1);
  ReplaceRequest request = table_.Replacement({File(0)}, {TestFile("c", 0)});
  request.table.id = Uuid::Random(table_.random);
  EXPECT_EQ(table_.Prepare(request).error().kind, ErrorKind::kConflict);
}

}  // namespace
}  // namespace arc
