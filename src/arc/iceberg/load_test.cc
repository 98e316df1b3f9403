#include "arc/iceberg/load.h"

#include <gtest/gtest.h>

#include <limits>

#include "arc/base/clock.h"
#include "arc/iceberg/compression.h"
#include "arc/iceberg/table_files.h"
#include "arc/iceberg/test_tables.h"

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;

LiveDataFile LoadOne(AppendFile file) {
  MemoryStore store;
  TestTable table(&store);
  EXPECT_TRUE(table.Append(table.Request({std::move(file)})).ok());
  auto files = ReadLiveFiles(store, table.metadata);
  EXPECT_TRUE(files.ok() && files->size() == 1);
  return (*files)[0];
}

TEST(Load, TimesComeFromBoundsThenFromThePartition) {
  AppendFile file = TestFile("a", -7);
  EXPECT_EQ(LoadOne(file).min_time, -7 * kHourMicros + 5);
  EXPECT_EQ(LoadOne(file).max_time, -7 * kHourMicros + 1'000'000);
  file.file.metrics[1].upper.reset();
  EXPECT_EQ(LoadOne(file).min_time, -7 * kHourMicros);
  EXPECT_EQ(LoadOne(file).max_time, -6 * kHourMicros - 1);
  file.file.metrics[1].upper = "short";
  EXPECT_EQ(LoadOne(file).max_time, -6 * kHourMicros - 1);
  file.file.metrics[1].lower = LittleEndian(9);
  file.file.metrics[1].upper = LittleEndian(8);  // nonsense
  EXPECT_EQ(LoadOne(file).min_time, -7 * kHourMicros);
  file.file.metrics.clear();
  EXPECT_EQ(LoadOne(file).min_time, -7 * kHourMicros);
}

TEST(Load, UnknownPlacementIsEverything) {
  MemoryStore store;
  TestTable table(&store);
  AppendFile file = TestFile("a", 3);
  file.file.metrics.clear();
  ASSERT_TRUE(table.Append(table.Request({file})).ok());
  table.metadata.partition_specs[0].fields[0].transform = "bucket[16]";
  auto files = ReadLiveFiles(store, table.metadata);
  ASSERT_TRUE(files.ok());
  EXPECT_FALSE((*files)[0].partition_kind.has_value());
  EXPECT_EQ((*files)[0].min_time, std::numeric_limits<int64_t>::min());
  EXPECT_EQ((*files)[0].max_time, std::numeric_limits<int64_t>::max());
}

TEST(Load, FilesOutsideTheRootKeepTheirUri) {
  MemoryStore store;
  TestTable table(&store);
  ASSERT_TRUE(table.Append(table.Request({TestFile("a", 3)})).ok());
  auto rows = *ReadManifestListAt(store, table.metadata.current_snapshot()->manifest_list);
  ManifestWriter writer(table.metadata.current_schema(), table.metadata.partition_specs[0], 9, Uuid{});
  ManifestEntry entry;
  entry.file.path = "s3://bucket/far/away.parquet";
  entry.file.format = "ORC";
  entry.file.partition = 3;
  ASSERT_TRUE(writer.Add(entry).ok());
  store.objects[*store.KeyOf(rows[0].path)] = writer.Finish(1)->bytes;
  auto files = ReadLiveFiles(store, table.metadata);
  ASSERT_TRUE(files.ok()) << files.error().message;
  EXPECT_EQ((*files)[0].key, "");
  EXPECT_EQ((*files)[0].uri, "s3://bucket/far/away.parquet");
  EXPECT_EQ((*files)[0].format, "ORC");
}

TEST(Load, RowLevelDeletesAreRefusedUnlessEmpty) {
  MemoryStore store;
  TestTable table(&store);
  ASSERT_TRUE(table.Append(table.Request({TestFile("a", 3)})).ok());
  const std::string list_key = *store.KeyOf(table.metadata.current_snapshot()->manifest_list);
  auto rows = *ReadManifestListAt(store, table.metadata.current_snapshot()->manifest_list);
  const auto with_deletes = [&](EntryStatus status) {
    ManifestWriter writer(table.metadata.current_schema(), table.metadata.partition_specs[0], 9, Uuid{});
    ManifestEntry entry;
    entry.status = status;
    entry.file.content = 1;
    entry.file.path = "/lake/deletes.parquet";
    entry.file.format = "PARQUET";
    EXPECT_TRUE(writer.Add(entry).ok());
    auto finished = writer.Finish(1);
    finished->row.path = "/lake/deletes.avro";
    finished->row.content = ManifestContent::kDeletes;
    store.objects["deletes.avro"] = finished->bytes;
    auto all = rows;
    all.push_back(finished->row);
    store.objects[list_key] = *WriteManifestList(all, 1, std::nullopt, 1, Uuid{});
    return ReadLiveFiles(store, table.metadata);
  };
  EXPECT_EQ(with_deletes(EntryStatus::kDeleted)->size(), 1u);
  auto refused = with_deletes(EntryStatus::kAdded);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnsupported);
  EXPECT_NE(refused.error().message.find("deletes.parquet"), std::string::npos);
}

TEST(Load, GzippedMetadata) {
  MemoryStore store;
  TestTable table(&store);
  ASSERT_TRUE(table.Append(table.Request({TestFile("a", 3)})).ok());
  BlockCompression gzip(BlockCodec::kGzip);
  store.objects["x.gz.metadata.json"] = std::string(*gzip.Compress(TableMetadataJson(table.metadata)));
  auto metadata = ReadTableMetadata(store, "/lake/x.gz.metadata.json");
  ASSERT_TRUE(metadata.ok()) << metadata.error().message;
  EXPECT_EQ(metadata->table_uuid, table.ref.id);
  store.objects["x.gz.metadata.json"].resize(100);
  EXPECT_FALSE(ReadTableMetadata(store, "/lake/x.gz.metadata.json").ok());
}

TEST(Load, MissingAndForeignPlaces) {
  MemoryStore store;
  EXPECT_EQ(LoadTable(store, "/lake/none").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(LoadTable(store, "s3://other/x").error().kind, ErrorKind::kInvalidArgument);
  store.objects["x"] = "{}";
  auto bad = LoadTable(store, "/lake/x");
  EXPECT_EQ(bad.error().kind, ErrorKind::kCorruption);
  EXPECT_NE(bad.error().message.find("/lake/x"), std::string::npos);
}

// A hundred thousand files load within half a second in a release build; the figure is printed, the bound is loose
// because the machine may be busy. Unoptimized builds take a tenth of them.
TEST(Load, HundredThousandFiles) {
#ifdef NDEBUG
  constexpr int kCommits = 10;
#else
  constexpr int kCommits = 1;
#endif
  MemoryStore store;
  TestTable table(&store);
  for (int c = 0; c < kCommits; ++c) {
    std::vector<AppendFile> files;
    for (int i = 0; i < 10'000; ++i) {
      AppendFile file = TestFile("db/cpu/2026/01/02/03/cpu_20260102_030405_100000_0a1b2c3d-" + std::to_string(c) + "-" +
                                     std::to_string(i) + ".parquet",
                                 i);
      for (int32_t id = 4; id <= 12; ++id)
        file.file.metrics[id] = {900, 10, 0, 0, LittleEndian(i), LittleEndian(i + 9)};
      files.push_back(std::move(file));
    }
    ASSERT_TRUE(table.Append(table.Request(std::move(files))).ok());
  }
  const int64_t start = SystemClock().MonotonicNanos();
  auto loaded = LoadTable(store, table.location);
  const double seconds = static_cast<double>(SystemClock().MonotonicNanos() - start) / 1e9;
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->files.size(), 10'000u * kCommits);
  RecordProperty("seconds", std::to_string(seconds));
  printf("%zu files of 12 columns loaded in %.3f s\n", loaded->files.size(), seconds);
  EXPECT_LT(seconds, 30);
}

}  // namespace
}  // namespace arc
