#include "arc/iceberg/table_metadata.h"

#include <gtest/gtest.h>

#include "arc/iceberg/json_value.h"
#include "arc/iceberg/test_tables.h"

namespace arc {
namespace {

// What Spark leaves behind: nested columns, tags, statistics, things Arc never heard of.
constexpr std::string_view kForeign = R"({
  "format-version": 2, "table-uuid": "9C12D441-03FE-4693-9A96-A0705DDF69C1", "location": "s3://bucket/test/location",
  "last-sequence-number": 34, "last-updated-ms": 1602638573590, "last-column-id": 9, "future-member": {"a": [1, 2.5]},
  "current-schema-id": 1,
  "schemas": [
    {"type": "struct", "schema-id": 0, "fields": [{"id": 1, "name": "x", "required": true, "type": "long"}]},
    {"type": "struct", "schema-id": 1, "identifier-field-ids": [1, 2], "fields": [
      {"id": 1, "name": "x", "required": true, "type": "long"},
      {"id": 2, "name": "time", "required": true, "type": "timestamp", "doc": "when"},
      {"id": 3, "name": "tags", "required": false, "type": {"type": "map", "key-id": 4, "key": "string",
        "value-id": 5, "value": "string", "value-required": true}}]}],
  "default-spec-id": 0, "last-partition-id": 1000,
  "partition-specs": [{"spec-id": 0, "fields": [
    {"name": "x", "transform": "identity", "source-id": 1, "field-id": 1000, "source-ids": [1]}]}],
  "default-sort-order-id": 3,
  "sort-orders": [{"order-id": 3, "fields": [
    {"transform": "identity", "source-id": 2, "direction": "asc", "null-order": "nulls-first"}]}],
  "properties": {"owner": "spark", "arc.flushed-lsn.00000000-0000-0000-0000-000000000001": "17"},
  "current-snapshot-id": 3055729675574597004,
  "snapshots": [
    {"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770, "sequence-number": 0,
     "summary": {"operation": "append"}, "manifest-list": "s3://a/b/1.avro"},
    {"snapshot-id": 3055729675574597004, "parent-snapshot-id": 3051729675574597004, "timestamp-ms": 1555100955770,
     "sequence-number": 1, "summary": {"operation": "overwrite", "x": "y"}, "manifest-list": "s3://a/b/2.avro",
     "schema-id": 1, "key-id": "k7"}],
  "snapshot-log": [{"snapshot-id": 3051729675574597004, "timestamp-ms": 1515100955770},
                   {"snapshot-id": 3055729675574597004, "timestamp-ms": 1555100955770}],
  "metadata-log": [{"metadata-file": "s3://bucket/v1.json", "timestamp-ms": 1515100}],
  "refs": {"main": {"snapshot-id": 3055729675574597004, "type": "branch", "max-snapshot-age-ms": 5},
           "audit": {"snapshot-id": 3051729675574597004, "type": "tag", "max-ref-age-ms": 10000000}},
  "statistics": [{"snapshot-id": 3055729675574597004, "statistics-path": "s3://a/b/stats.puffin",
                  "file-size-in-bytes": 413, "blob-metadata": [{"type": "ndv"}]}],
  "partition-statistics": [{"snapshot-id": 3055729675574597004, "statistics-path": "s3://a/b/p.parquet",
                            "file-size-in-bytes": 43}]
})";

TEST(TableMetadata, ReadsAnotherWritersTable) {
  auto metadata = ParseTableMetadata(kForeign);
  ASSERT_TRUE(metadata.ok()) << metadata.error().message;
  EXPECT_EQ(metadata->table_uuid.ToString(), "9c12d441-03fe-4693-9a96-a0705ddf69c1");
  EXPECT_EQ(metadata->last_sequence_number, 34);
  EXPECT_EQ(metadata->current_schema().fields.size(), 3u);
  EXPECT_EQ(metadata->current_schema().identifier_field_ids, (std::vector<int32_t>{1, 2}));
  EXPECT_TRUE(metadata->current_schema().FindByName("time")->required);
  EXPECT_EQ(metadata->FindSpec(0)->fields[0].transform, "identity");
  EXPECT_EQ(metadata->FindSpec(1), nullptr);
  EXPECT_EQ(metadata->current_snapshot()->manifest_list, "s3://a/b/2.avro");
  EXPECT_EQ(metadata->current_snapshot()->parent_snapshot_id, 3051729675574597004);
  EXPECT_EQ(metadata->refs.at("main").max_snapshot_age_ms, 5);
  EXPECT_EQ(metadata->statistics[0].path, "s3://a/b/stats.puffin");
}

TEST(TableMetadata, LosesNothingInARoundTrip) {
  auto metadata = ParseTableMetadata(kForeign);
  ASSERT_TRUE(metadata.ok());
  Json before = Json::parse(kForeign);
  before["table-uuid"] = metadata->table_uuid.ToString();
  const Json after = Json::parse(TableMetadataJson(*metadata));
  EXPECT_EQ(after, before) << Json::diff(before, after).dump(1);
  auto again = ParseTableMetadata(TableMetadataJson(*metadata));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(TableMetadataJson(*again), TableMetadataJson(*metadata));
}

TEST(TableMetadata, EveryRequiredMemberIsMissed) {
  const Json good = Json::parse(kForeign);
  for (const char* name : {"format-version", "table-uuid", "location", "last-sequence-number", "last-updated-ms",
                           "last-column-id", "schemas", "current-schema-id", "partition-specs", "default-spec-id",
                           "sort-orders", "default-sort-order-id", "snapshots"}) {
    Json bad = good;
    bad.erase(name);
    auto parsed = ParseTableMetadata(bad.dump());
    ASSERT_FALSE(parsed.ok()) << name;
    EXPECT_EQ(parsed.error().kind, ErrorKind::kCorruption) << name;
    for (const Json& wrong : {Json("text"), Json(1.5), Json(7), Json(true), Json::array({Json("x")})}) {
      bad[name] = wrong;
      (void)ParseTableMetadata(bad.dump());
    }
  }
}

TEST(TableMetadata, RefusesInconsistency) {
  const auto with = [](const char* pointer, const Json& value) {
    Json bad = Json::parse(kForeign);
    bad[Json::json_pointer(pointer)] = value;
    return ParseTableMetadata(bad.dump());
  };
  EXPECT_FALSE(with("/current-schema-id", 5).ok());
  EXPECT_FALSE(with("/default-spec-id", 5).ok());
  EXPECT_FALSE(with("/current-snapshot-id", 5).ok());
  EXPECT_FALSE(with("/schemas/0/schema-id", 1).ok());
  EXPECT_FALSE(with("/schemas/1/fields/0/id", 2).ok());
  EXPECT_FALSE(with("/snapshots/0/snapshot-id", 3055729675574597004).ok());
  EXPECT_FALSE(with("/last-sequence-number", INT64_MAX).ok());
  EXPECT_FALSE(with("/last-updated-ms", -1).ok());
  EXPECT_FALSE(with("/last-column-id", int64_t{1} << 40).ok());
  EXPECT_FALSE(with("/properties/owner", 7).ok());
  EXPECT_FALSE(with("/table-uuid", "no").ok());
  EXPECT_TRUE(with("/current-snapshot-id", -1).ok());
  EXPECT_FALSE(with("/current-snapshot-id", -1)->current_snapshot_id.has_value());
  EXPECT_FALSE(with("/current-snapshot-id", nullptr)->current_snapshot_id.has_value());
}

TEST(TableMetadata, OtherVersionsAreUnsupported) {
  for (const int version : {1, 3, 4}) {
    Json other = Json::parse(kForeign);
    other["format-version"] = version;
    auto parsed = ParseTableMetadata(other.dump());
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().kind, ErrorKind::kUnsupported);
  }
}

TEST(TableMetadata, BadJson) {
  for (const char* bad : {"", "{", "[]", "null", "{\"format-version\":2}", "\xff"}) {
    auto parsed = ParseTableMetadata(bad);
    ASSERT_FALSE(parsed.ok()) << bad;
  }
  EXPECT_FALSE(ParseTableMetadata(std::string(1'000'000, '[')).ok());
  std::string deep = "{\"format-version\":2,\"x\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  EXPECT_FALSE(ParseTableMetadata(deep).ok());
}

TEST(FlushedLsn, ReadsTheProperty) {
  auto metadata = ParseTableMetadata(kForeign);
  const Uuid lineage = *Uuid::Parse("00000000-0000-0000-0000-000000000001");
  EXPECT_EQ(FlushedLsn(*metadata, lineage)->value, 17u);
  EXPECT_EQ(FlushedLsn(*metadata, Uuid{})->value, 0u);
  for (const char* bad : {"", "x", "17 ", "-1", "18446744073709551616"}) {
    metadata->properties[FlushedLsnProperty(lineage)] = bad;
    auto lsn = FlushedLsn(*metadata, lineage);
    ASSERT_FALSE(lsn.ok()) << bad;
    EXPECT_EQ(lsn.error().kind, ErrorKind::kCorruption);
  }
}

}  // namespace
}  // namespace arc
