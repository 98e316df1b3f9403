#include "arc/iceberg/manifest.h"

#include <gtest/gtest.h>

#include "arc/iceberg/manifest_schema.h"
#include "arc/iceberg/test_tables.h"

namespace arc {
namespace {

const PartitionSpec kHour{0, {{1, 1000, "time_hour", "hour", {}}}};
const PartitionSpec kDay{1, {{1, 1001, "time_day", "day", {}}}};
const IcebergSchema kTable{0, {{1, "time", false, "timestamp", {}}}, {}};

ManifestEntry FullEntry(int32_t partition) {
  ManifestEntry entry;
  entry.status = EntryStatus::kExisting;
  entry.snapshot_id = 5;
  entry.sequence_number = 2;
  entry.file_sequence_number = 3;
  entry.file.path = "/lake/db/m/a.parquet";
  entry.file.format = "PARQUET";
  entry.file.partition = partition;
  entry.file.record_count = 12;
  entry.file.file_size_in_bytes = 3456;
  entry.file.column_sizes = {{1, 10}, {9, 20}};
  entry.file.value_counts = {{1, 12}};
  entry.file.null_value_counts = {{1, 0}};
  entry.file.nan_value_counts = {{9, 4}};
  entry.file.lower_bounds = {{1, LittleEndian(7)}, {9, std::string("\0x", 2)}};
  entry.file.upper_bounds = {{1, LittleEndian(8)}};
  entry.file.key_metadata = "secret";
  entry.file.split_offsets = {4, 400};
  entry.file.sort_order_id = 0;
  return entry;
}

std::vector<ManifestEntry> ReadAll(std::string_view bytes, const ManifestFile& row,
                                   ManifestProjection projection = {}) {
  std::vector<ManifestEntry> entries;
  auto read = ReadManifest(bytes, row, projection, [&](const ManifestEntry& entry) -> Status {
    entries.push_back(entry);
    return {};
  });
  EXPECT_TRUE(read.ok()) << read.error().message;
  return entries;
}

void ExpectSame(const ManifestEntry& a, const ManifestEntry& b) {
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.snapshot_id, b.snapshot_id);
  EXPECT_EQ(a.sequence_number, b.sequence_number);
  EXPECT_EQ(a.file_sequence_number, b.file_sequence_number);
  EXPECT_EQ(a.file.path, b.file.path);
  EXPECT_EQ(a.file.format, b.file.format);
  EXPECT_EQ(a.file.partition, b.file.partition);
  EXPECT_EQ(a.file.record_count, b.file.record_count);
  EXPECT_EQ(a.file.file_size_in_bytes, b.file.file_size_in_bytes);
  EXPECT_EQ(a.file.column_sizes, b.file.column_sizes);
  EXPECT_EQ(a.file.value_counts, b.file.value_counts);
  EXPECT_EQ(a.file.null_value_counts, b.file.null_value_counts);
  EXPECT_EQ(a.file.nan_value_counts, b.file.nan_value_counts);
  EXPECT_EQ(a.file.lower_bounds, b.file.lower_bounds);
  EXPECT_EQ(a.file.upper_bounds, b.file.upper_bounds);
  EXPECT_EQ(a.file.key_metadata, b.file.key_metadata);
  EXPECT_EQ(a.file.split_offsets, b.file.split_offsets);
  EXPECT_EQ(a.file.sort_order_id, b.file.sort_order_id);
}

TEST(Manifest, RoundTripsEverything) {
  for (const auto& spec : {kHour, kDay}) {
    ManifestWriter writer(kTable, spec, 99, Uuid{});
    ManifestEntry full = FullEntry(-3);
    ManifestEntry bare;
    bare.status = EntryStatus::kDeleted;
    bare.snapshot_id = 1;
    bare.sequence_number = 1;
    bare.file_sequence_number = 1;
    bare.file.path = "/x";
    bare.file.format = "PARQUET";
    ASSERT_TRUE(writer.Add(full).ok());
    ASSERT_TRUE(writer.Add(bare).ok());
    auto finished = writer.Finish(40);
    ASSERT_TRUE(finished.ok());
    const ManifestFile& row = finished->row;
    EXPECT_EQ(row.length, static_cast<int64_t>(finished->bytes.size()));
    EXPECT_EQ(row.spec_id, spec.spec_id);
    EXPECT_EQ(row.existing_files, 1);
    EXPECT_EQ(row.existing_rows, 12);
    EXPECT_EQ(row.deleted_files, 1);
    EXPECT_EQ(row.added_files, 0);
    EXPECT_EQ(row.sequence_number, 40);
    EXPECT_EQ(row.min_sequence_number, 2);
    ASSERT_EQ(row.partitions->size(), 1u);
    EXPECT_TRUE((*row.partitions)[0].contains_null);
    EXPECT_EQ((*row.partitions)[0].lower_bound, std::string("\xfd\xff\xff\xff"));
    const auto entries = ReadAll(finished->bytes, row);
    ASSERT_EQ(entries.size(), 2u);
    ExpectSame(entries[0], full);
    ExpectSame(entries[1], bare);
  }
}

TEST(Manifest, AddedEntriesInheritSequenceNumbers) {
  ManifestWriter writer(kTable, kHour, 99, Uuid{});
  ManifestEntry entry = FullEntry(1);
  entry.status = EntryStatus::kAdded;
  entry.snapshot_id.reset();
  entry.sequence_number.reset();
  entry.file_sequence_number.reset();
  ASSERT_TRUE(writer.Add(entry).ok());
  auto finished = writer.Finish(41);
  ASSERT_TRUE(finished.ok());
  EXPECT_EQ(finished->row.min_sequence_number, 41);
  const auto entries = ReadAll(finished->bytes, finished->row);
  EXPECT_EQ(entries[0].snapshot_id, 99);
  EXPECT_EQ(entries[0].sequence_number, 41);
  EXPECT_EQ(entries[0].file_sequence_number, 41);
}

TEST(Manifest, ProjectionKeepsOneColumnsBounds) {
  ManifestWriter writer(kTable, kHour, 99, Uuid{});
  ASSERT_TRUE(writer.Add(FullEntry(1)).ok());
  auto finished = writer.Finish(1);
  const auto entries = ReadAll(finished->bytes, finished->row, {false, 1});
  EXPECT_TRUE(entries[0].file.column_sizes.empty());
  ASSERT_EQ(entries[0].file.lower_bounds.size(), 1u);
  EXPECT_EQ(entries[0].file.lower_bounds[0].second, LittleEndian(7));
  EXPECT_TRUE(ReadAll(finished->bytes, finished->row, {false, -1})[0].file.lower_bounds.empty());
}

TEST(Manifest, ReadsWhatPyicebergWrites) {
  for (const char* name :
       {"pyiceberg-manifest.avro", "manifest-null.avro", "manifest-snappy.avro", "manifest-zstandard.avro"}) {
    const std::string bytes = ReadTestData(name);
    ManifestFile row;
    row.sequence_number = 3;
    row.added_snapshot_id = 77;
    const auto entries = ReadAll(bytes, row);
    ASSERT_EQ(entries.size(), 2u) << name;
    EXPECT_EQ(entries[0].status, EntryStatus::kAdded);
    EXPECT_EQ(entries[0].snapshot_id, 77);
    EXPECT_EQ(entries[0].sequence_number, 3);
    EXPECT_EQ(entries[1].file.path, "s3://lake/db/m/f11.parquet");
    EXPECT_EQ(entries[1].file.format, "PARQUET");
    EXPECT_EQ(entries[1].file.partition, 11);
    EXPECT_EQ(entries[1].file.record_count, 5);
    EXPECT_EQ(entries[1].file.file_size_in_bytes, 1011);
    EXPECT_EQ(entries[1].file.column_sizes.size(), 3u);
    EXPECT_EQ(entries[1].file.nan_value_counts, (std::vector<std::pair<int32_t, int64_t>>{{3, 2}}));
    EXPECT_EQ(entries[1].file.lower_bounds[0].second, LittleEndian(11 * 3'600'000'000LL + 1));
    EXPECT_EQ(entries[1].file.split_offsets, std::vector<int64_t>{4});
  }
  auto list = ReadManifestList(ReadTestData("pyiceberg-manifest-list.avro"));
  ASSERT_TRUE(list.ok()) << list.error().message;
  ASSERT_EQ(list->size(), 1u);
  const ManifestFile& row = (*list)[0];
  EXPECT_EQ(row.path, "s3://lake/db/m/metadata/m0.avro");
  EXPECT_EQ(row.sequence_number, 3);
  EXPECT_EQ(row.min_sequence_number, 3);
  EXPECT_EQ(row.added_snapshot_id, 77);
  EXPECT_EQ(row.added_files, 2);
  EXPECT_EQ(row.added_rows, 10);
  EXPECT_TRUE(row.counts_known);
  ASSERT_TRUE(row.partitions && row.partitions->size() == 1);
  EXPECT_EQ((*row.partitions)[0].lower_bound, std::string("\x0a\0\0\0", 4));
  EXPECT_EQ((*row.partitions)[0].upper_bound, std::string("\x0b\0\0\0", 4));
}

// Another order of fields, none of the optional ones, no field ids, unknown members of every kind between.
TEST(Manifest, ReadsByTheWritersSchema) {
  constexpr std::string_view schema =
      R"({"type":"record","name":"manifest_entry","namespace":"n.s","fields":[)"
      R"({"name":"extra","type":{"type":"map","values":["null","float"]}},)"
      R"({"name":"data_file","type":{"type":"record","name":"f","fields":[)"
      R"({"name":"file_size_in_bytes","type":"int"},{"name":"unknown","type":["null",{"type":"array","items":"string"}]},)"
      R"({"name":"partition","type":{"type":"record","name":"p","fields":[{"name":"a","type":"string"},)"
      R"({"name":"b","type":"int"}]}},{"name":"record_count","type":["long","null"]},)"
      R"({"name":"file_path","type":"string"}]}},{"name":"status","type":"int"}]})";
  AvroFileWriter writer(schema, {}, Uuid{});
  AvroEncoder& out = writer.encoder();
  out.Long(1);
  out.Bytes("k");
  out.Null();
  out.Long(0);
  out.Long(500);
  out.Present();
  out.Long(1);
  out.Bytes("item");
  out.Long(0);
  out.Bytes("eu");
  out.Long(6);
  out.Long(0);  // first branch: long
  out.Long(44);
  out.Bytes("hdfs://x/y.parquet");
  out.Long(1);
  ASSERT_TRUE(writer.EndRecord().ok());
  ManifestFile row;
  row.sequence_number = 8;
  const auto entries = ReadAll(*writer.Finish(), row);
  ASSERT_EQ(entries.size(), 1u);
  EXPECT_EQ(entries[0].status, EntryStatus::kAdded);
  EXPECT_EQ(entries[0].sequence_number, 8);
  EXPECT_EQ(entries[0].file.path, "hdfs://x/y.parquet");
  EXPECT_EQ(entries[0].file.record_count, 44);
  EXPECT_EQ(entries[0].file.file_size_in_bytes, 500);
  EXPECT_EQ(entries[0].file.partition, std::nullopt);
}

TEST(Manifest, RefusesWhatIsNoManifest) {
  const auto ignore = [](const ManifestEntry&) -> Status { return {}; };
  for (const char* schema : {"\"int\"", R"({"type":"record","name":"r","fields":[]})",
                             R"({"type":"record","name":"r","fields":[{"name":"status","type":"int"}]})",
                             R"({"type":"record","name":"r","fields":[{"name":"status","type":"int"},)"
                             R"({"name":"data_file","type":"int"}]})"}) {
    AvroFileWriter writer(schema, {}, Uuid{});
    auto read = ReadManifest(*writer.Finish(), {}, {}, ignore);
    ASSERT_FALSE(read.ok()) << schema;
    EXPECT_EQ(read.error().kind, ErrorKind::kCorruption);
  }
}

TEST(Manifest, DamageNeverCrashes) {
  ManifestWriter writer(kTable, kHour, 99, Uuid{});
  ASSERT_TRUE(writer.Add(FullEntry(1)).ok());
  std::string bytes = writer.Finish(1)->bytes;
  const std::string list = ReadTestData("pyiceberg-manifest-list.avro");
  SeededRandom random(3);
  const auto ignore = [](const ManifestEntry&) -> Status { return {}; };
  for (int round = 0; round < 400; ++round) {
    std::string damaged = round % 2 == 0 ? bytes : list;
    for (int i = 0; i < 1 + round % 4; ++i)
      damaged[random.NextU64() % damaged.size()] = static_cast<char>(random.NextU64());
    (void)ReadManifest(damaged, {}, {}, ignore);
    (void)ReadManifestList(damaged);
  }
}

TEST(ManifestList, RoundTrips) {
  ManifestFile row;
  row.path = "/lake/m.avro";
  row.length = 321;
  row.spec_id = 4;
  row.content = ManifestContent::kDeletes;
  row.sequence_number = 9;
  row.min_sequence_number = 2;
  row.added_snapshot_id = INT64_MAX;
  row.added_files = 1;
  row.existing_files = 2;
  row.deleted_files = 3;
  row.added_rows = 10;
  row.existing_rows = 20;
  row.deleted_rows = 30;
  row.partitions = std::vector<PartitionSummary>{{true, false, "a", {}}, {false, {}, {}, "b"}};
  row.key_metadata = "k";
  ManifestFile bare;
  bare.path = "/y";
  ManifestFile unpartitioned;
  unpartitioned.path = "/z";
  unpartitioned.partitions.emplace();
  auto bytes = WriteManifestList({row, bare, unpartitioned}, 5, std::nullopt, 9, Uuid{});
  ASSERT_TRUE(bytes.ok());
  auto rows = ReadManifestList(*bytes);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  ASSERT_EQ(rows->size(), 3u);
  const ManifestFile& back = (*rows)[0];
  EXPECT_EQ(back.path, row.path);
  EXPECT_EQ(back.length, 321);
  EXPECT_EQ(back.spec_id, 4);
  EXPECT_EQ(back.content, ManifestContent::kDeletes);
  EXPECT_EQ(back.min_sequence_number, 2);
  EXPECT_EQ(back.added_snapshot_id, INT64_MAX);
  EXPECT_EQ(back.added_files + back.existing_files * 10 + back.deleted_files * 100, 321);
  EXPECT_EQ(back.added_rows + back.existing_rows + back.deleted_rows, 60);
  ASSERT_EQ(back.partitions->size(), 2u);
  EXPECT_EQ((*back.partitions)[0].contains_nan, false);
  EXPECT_EQ((*back.partitions)[0].upper_bound, std::nullopt);
  EXPECT_EQ((*back.partitions)[1].contains_nan, std::nullopt);
  EXPECT_EQ((*back.partitions)[1].upper_bound, "b");
  EXPECT_EQ(back.key_metadata, "k");
  EXPECT_FALSE((*rows)[1].partitions.has_value());
  EXPECT_TRUE((*rows)[2].partitions.has_value());
  auto reader = AvroFileReader::Open(*bytes);
  EXPECT_EQ(reader->header("parent-snapshot-id"), "null");
  EXPECT_EQ(reader->header("format-version"), "2");
}

TEST(ManifestSchema, PartitionNamesBecomeAvroNames) {
  EXPECT_NE(ManifestEntryAvroSchema("1 hour-é", 1000, false).find("\"_1_x20hour_x2D_xC3_xA9\""), std::string::npos);
  EXPECT_TRUE(AvroSchema::Parse(ManifestEntryAvroSchema("time_day", 1001, true)).ok());
}

}  // namespace
}  // namespace arc
