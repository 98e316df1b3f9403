#include "arc/iceberg/metadata_change.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arc/iceberg/json_value.h"

namespace arc {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kNow = 1'760'000'000'000;

Uuid SomeUuid() { return *Uuid::Parse("00000000-0000-4000-8000-000000000001"); }

Json Parsed(const std::string& text) {
  auto json = ParseJson(text, "test");
  EXPECT_TRUE(json.ok()) << text;
  return json.ok() ? *json : Json();
}

constexpr const char* kSchema = R"({"type":"struct","schema-id":7,"identifier-field-ids":[20],"fields":[
  {"id":10,"name":"time","required":false,"type":"timestamp","doc":"when"},
  {"id":20,"name":"id","required":true,"type":"long"},
  {"id":30,"name":"place","required":false,"type":{"type":"struct","fields":[
    {"id":31,"name":"lat","required":false,"type":"double"}]}},
  {"id":40,"name":"tags","required":false,
   "type":{"type":"map","key-id":41,"key":"string","value-id":42,"value":"int","value-required":false}}]})";

MetadataFile NewTable(std::map<std::string, std::string> properties = {}) {
  CreateTableRequest request;
  request.table = "t";
  request.schema = kSchema;
  request.partition_spec = R"({"spec-id":3,"fields":[
    {"source-id":10,"field-id":77,"name":"time_day","transform":"day"}]})";
  request.write_order = R"({"order-id":9,"fields":[
    {"source-id":20,"transform":"identity","direction":"asc","null-order":"nulls-first"}]})";
  request.properties = std::move(properties);
  auto json = NewTableMetadata(request, "/lake/db/t", SomeUuid(), kNow);
  EXPECT_TRUE(json.ok()) << json.error().message;
  return {"/lake/db/t/metadata/00000-a.metadata.json", json.ok() ? *json : ""};
}

TableChange Change(const std::string& updates, const std::string& requirements = "[]") {
  TableChange change;
  change.updates = updates;
  change.requirements = requirements;
  return change;
}

Result<ChangedMetadata> Apply(const MetadataFile& base, const std::string& updates,
                              const std::string& requirements = "[]") {
  return ChangeMetadata(&base, Change(updates, requirements), Uuid{}, "", kNow + 1000);
}

// The table after the updates, which must succeed.
MetadataFile After(const MetadataFile& base, const std::string& updates) {
  auto changed = Apply(base, updates);
  EXPECT_TRUE(changed.ok()) << changed.error().message;
  if (!changed.ok()) return base;
  return {"/lake/db/t/metadata/00001-b.metadata.json", changed->json};
}

std::string AddSnapshot(int64_t id, int64_t sequence, const std::string& more = "") {
  return R"({"action":"add-snapshot","snapshot":{"snapshot-id":)" + std::to_string(id) + R"(,"sequence-number":)" +
         std::to_string(sequence) + R"(,"timestamp-ms":)" + std::to_string(kNow + 500 + sequence) +
         R"(,"manifest-list":"/lake/x.avro","summary":{"operation":"append"},"schema-id":0)" + more + "}}";
}

std::string SetMain(int64_t id) {
  return R"({"action":"set-snapshot-ref","ref-name":"main","type":"branch","snapshot-id":)" + std::to_string(id) + "}";
}

TEST(NewTable, FieldIdsAreGivenAnewOuterBeforeInner) {
  const Json json = Parsed(NewTable().json);
  const Json& fields = json["schemas"][0]["fields"];
  EXPECT_EQ(fields[0]["id"], 1);
  EXPECT_EQ(fields[0]["doc"], "when");
  EXPECT_EQ(fields[2]["id"], 3);
  EXPECT_EQ(fields[3]["id"], 4);
  EXPECT_EQ(fields[2]["type"]["fields"][0]["id"], 5);
  EXPECT_EQ(fields[3]["type"]["key-id"], 6);
  EXPECT_EQ(fields[3]["type"]["value-id"], 7);
  EXPECT_EQ(json["last-column-id"], 7);
  EXPECT_EQ(json["schemas"][0]["identifier-field-ids"], Json::array({2}));
  EXPECT_EQ(json["schemas"][0]["schema-id"], 0);
  EXPECT_EQ(json["partition-specs"][0], Parsed(R"({"spec-id":0,"fields":[
    {"source-id":1,"field-id":1000,"name":"time_day","transform":"day"}]})"));
  EXPECT_EQ(json["last-partition-id"], 1000);
  EXPECT_EQ(json["sort-orders"][0]["order-id"], 1);
  EXPECT_EQ(json["sort-orders"][0]["fields"][0]["source-id"], 2);
  EXPECT_EQ(json["default-sort-order-id"], 1);
  EXPECT_EQ(json["format-version"], 2);
  EXPECT_EQ(json["table-uuid"], SomeUuid().ToString());
}

TEST(NewTable, FormatVersionIsAPropertyThatIsObeyedAndNotKept) {
  const Json first = Parsed(NewTable({{"format-version", "1"}, {"owner", "me"}}).json);
  EXPECT_EQ(first["format-version"], 1);
  EXPECT_EQ(first["properties"], Parsed(R"({"owner":"me"})"));
  EXPECT_EQ(first["schema"], first["schemas"][0]);
  EXPECT_EQ(first["partition-spec"], first["partition-specs"][0]["fields"]);
  const Json third = Parsed(NewTable({{"format-version", "3"}}).json);
  EXPECT_EQ(third["next-row-id"], 0);
  CreateTableRequest request;
  request.schema = kSchema;
  request.properties = {{"format-version", "4"}};
  EXPECT_EQ(NewTableMetadata(request, "/l", SomeUuid(), kNow).error().kind, ErrorKind::kUnsupported);
}

TEST(NewTable, WhatCannotBeIsRefused) {
  const auto refusal = [](const std::string& schema, const std::string& spec = "") {
    CreateTableRequest request;
    request.schema = schema;
    request.partition_spec = spec;
    auto made = NewTableMetadata(request, "/l", SomeUuid(), kNow);
    EXPECT_FALSE(made.ok());
    return made.ok() ? Error{} : made.error();
  };
  EXPECT_THAT(refusal("[").message, HasSubstr("not JSON"));
  EXPECT_THAT(refusal(R"({"type":"struct"})").message, HasSubstr("fields"));
  EXPECT_THAT(refusal(R"({"fields":[{"id":1,"name":"a","required":true,"type":"int"},
                                    {"id":1,"name":"b","required":true,"type":"int"}]})")
                  .message,
              HasSubstr("same id"));
  EXPECT_THAT(refusal(R"({"fields":[{"id":1,"name":"v","required":true,"type":"variant"}]})").message,
              HasSubstr("variant is not supported until v3"));
  EXPECT_THAT(refusal(R"({"fields":[{"id":1,"name":"v","required":true}]})").message, HasSubstr("no type"));
  EXPECT_THAT(refusal(kSchema, R"({"fields":[{"source-id":99,"name":"p","transform":"identity"}]})").message,
              HasSubstr("Cannot find source column"));
  EXPECT_THAT(refusal(kSchema, R"({"fields":[{"source-id":20,"name":"time","transform":"bucket[4]"}]})").message,
              HasSubstr("exists in schema"));
  CreateTableRequest own;
  own.schema = kSchema;
  own.properties = {{"arc.flushed-lsn.x", "9"}};
  EXPECT_EQ(NewTableMetadata(own, "/l", SomeUuid(), kNow).error().kind, ErrorKind::kInvalidArgument);
}

TEST(ChangeMetadata, MembersNobodyKnowsStay) {
  MetadataFile base = NewTable();
  Json document = Parsed(base.json);
  document["x-vendor"] = {{"deep", {1, 2.5, nullptr}}};
  document["schemas"][0]["fields"][1]["x-note"] = "kept";
  base.json = PrintJson(document);
  const Json after = Parsed(After(base, R"([{"action":"set-properties","updates":{"a":"b"}}])").json);
  EXPECT_EQ(after["x-vendor"], document["x-vendor"]);
  EXPECT_EQ(after["schemas"], document["schemas"]);
  EXPECT_EQ(after["properties"], Parsed(R"({"a":"b"})"));
  EXPECT_EQ(after["last-updated-ms"], kNow + 1000);
  EXPECT_EQ(after["metadata-log"][0]["metadata-file"], base.location);
  EXPECT_EQ(after["metadata-log"][0]["timestamp-ms"], kNow);
}

TEST(ChangeMetadata, NothingNewChangesNothing) {
  const MetadataFile base = NewTable({{"a", "b"}});
  auto changed = Apply(base, R"([{"action":"set-properties","updates":{"a":"b"}},
                                 {"action":"set-current-schema","schema-id":0}])");
  ASSERT_TRUE(changed.ok()) << changed.error().message;
  EXPECT_FALSE(changed->changed);
  EXPECT_EQ(changed->json, base.json);
}

TEST(ChangeMetadata, RequirementsThatFailAreConflicts) {
  const MetadataFile base = After(NewTable(), "[" + AddSnapshot(5, 1) + "," + SetMain(5) + "]");
  const auto error = [&](const std::string& requirement) {
    auto changed = Apply(base, "[]", "[" + requirement + "]");
    EXPECT_FALSE(changed.ok()) << requirement;
    return changed.ok() ? Error{} : changed.error();
  };
  const auto holds = [&](const std::string& requirement) { return Apply(base, "[]", "[" + requirement + "]").ok(); };
  EXPECT_EQ(error(R"({"type":"assert-create"})").kind, ErrorKind::kAlreadyExists);
  EXPECT_THAT(error(R"({"type":"assert-table-uuid","uuid":"00000000-0000-4000-8000-000000000002"})").message,
              StartsWith("Requirement failed: UUID does not match"));
  EXPECT_THAT(error(R"({"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":6})").message,
              HasSubstr("branch main has changed: expected id 6 != 5"));
  EXPECT_THAT(error(R"({"type":"assert-ref-snapshot-id","ref":"main","snapshot-id":null})").message,
              HasSubstr("was created concurrently"));
  EXPECT_THAT(error(R"({"type":"assert-ref-snapshot-id","ref":"dev","snapshot-id":5})").message,
              HasSubstr("is missing"));
  EXPECT_EQ(error(R"({"type":"assert-last-assigned-field-id","last-assigned-field-id":6})").kind, ErrorKind::kConflict);
  EXPECT_EQ(error(R"({"type":"assert-current-schema-id","current-schema-id":1})").kind, ErrorKind::kConflict);
  EXPECT_EQ(error(R"({"type":"assert-last-assigned-partition-id","last-assigned-partition-id":1})").kind,
            ErrorKind::kConflict);
  EXPECT_EQ(error(R"({"type":"assert-default-spec-id","default-spec-id":1})").kind, ErrorKind::kConflict);
  EXPECT_EQ(error(R"({"type":"assert-default-sort-order-id","default-sort-order-id":0})").kind, ErrorKind::kConflict);
  EXPECT_EQ(error(R"({"type":"assert-weather"})").kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(error("5").kind, ErrorKind::kInvalidArgument);
  EXPECT_TRUE(holds(R"({"type":"assert-ref-snapshot-id","ref":"dev","snapshot-id":null})"));
  EXPECT_TRUE(holds(R"({"type":"assert-table-uuid","uuid":"00000000-0000-4000-8000-000000000001"})"));
  EXPECT_TRUE(holds(R"({"type":"assert-last-assigned-field-id","last-assigned-field-id":7})"));
}

TEST(ChangeMetadata, SchemasAreReusedOrNumberedOnAndMinusOneIsTheLast) {
  MetadataFile base = NewTable();
  Json schema = Parsed(base.json)["schemas"][0];
  schema["fields"].push_back(Parsed(R"({"id":8,"name":"new","required":false,"type":"list<int>"})"));
  schema["fields"].back()["type"] =
      Parsed(R"({"type":"list","element-id":9,"element":"int","element-required":false})");
  const std::string add = R"({"action":"add-schema","schema":)" + PrintJson(schema) + "}";
  base = After(base, "[" + add + R"(,{"action":"set-current-schema","schema-id":-1}])");
  Json document = Parsed(base.json);
  EXPECT_EQ(document["current-schema-id"], 1);
  EXPECT_EQ(document["last-column-id"], 9);
  ASSERT_EQ(document["schemas"].size(), 2u);

  base = After(base, "[" + add + R"(,{"action":"set-current-schema","schema-id":0},
                                     {"action":"remove-schemas","schema-ids":[1]}])");
  document = Parsed(base.json);
  EXPECT_EQ(document["schemas"].size(), 1u);
  EXPECT_EQ(document["last-column-id"], 9);  // never goes back
  EXPECT_FALSE(Apply(base, R"([{"action":"remove-schemas","schema-ids":[0]}])").ok());
  EXPECT_FALSE(Apply(base, R"([{"action":"set-current-schema","schema-id":4}])").ok());
  EXPECT_FALSE(Apply(base, R"([{"action":"set-current-schema","schema-id":-1}])").ok());
}

TEST(ChangeMetadata, SpecsAndOrders) {
  MetadataFile base = NewTable();
  base = After(base, R"([
    {"action":"add-spec","spec":{"spec-id":-7,"fields":[{"source-id":2,"name":"id_b","transform":"bucket[16]"}]}},
    {"action":"set-default-spec","spec-id":-1},
    {"action":"add-sort-order","sort-order":{"order-id":0,"fields":[]}},
    {"action":"set-default-sort-order","sort-order-id":-1}])");
  Json document = Parsed(base.json);
  EXPECT_EQ(document["default-spec-id"], 1);
  EXPECT_EQ(document["partition-specs"][1]["fields"][0]["field-id"], 1001);
  EXPECT_EQ(document["last-partition-id"], 1001);
  EXPECT_EQ(document["default-sort-order-id"], 0);
  // The same fields again are the same spec.
  base = After(base, R"([
    {"action":"add-spec","spec":{"fields":[{"source-id":1,"field-id":1000,"name":"time_day","transform":"day"}]}},
    {"action":"set-default-spec","spec-id":-1},{"action":"remove-partition-specs","spec-ids":[1]}])");
  document = Parsed(base.json);
  EXPECT_EQ(document["default-spec-id"], 0);
  EXPECT_EQ(document["partition-specs"].size(), 1u);
  EXPECT_FALSE(Apply(base, R"([{"action":"remove-partition-specs","spec-ids":[0]}])").ok());
  EXPECT_FALSE(Apply(base, R"([{"action":"set-default-sort-order","sort-order-id":5}])").ok());
}

TEST(ChangeMetadata, SnapshotsAreAddedPointedAtAndRemoved) {
  MetadataFile base = After(NewTable(), "[" + AddSnapshot(5, 1) + "," + SetMain(5) + "]");
  Json document = Parsed(base.json);
  EXPECT_EQ(document["current-snapshot-id"], 5);
  EXPECT_EQ(document["last-sequence-number"], 1);
  EXPECT_EQ(document["snapshot-log"], Json::array({{{"snapshot-id", 5}, {"timestamp-ms", kNow + 501}}}));

  // A snapshot that was current within one change only never was.
  base = After(base, "[" + AddSnapshot(6, 2, R"(,"parent-snapshot-id":5)") + "," + SetMain(6) + "," +
                         AddSnapshot(7, 3, R"(,"parent-snapshot-id":6)") + "," + SetMain(7) + "]");
  document = Parsed(base.json);
  EXPECT_EQ(document["snapshots"].size(), 3u);
  ASSERT_EQ(document["snapshot-log"].size(), 2u);
  EXPECT_EQ(document["snapshot-log"][1]["snapshot-id"], 7);

  base = After(base, R"([{"action":"set-snapshot-ref","ref-name":"old","type":"tag","snapshot-id":5,
                          "max-ref-age-ms":1000},
                         {"action":"set-statistics","snapshot-id":5,"statistics":{"snapshot-id":5,
                          "statistics-path":"/lake/s.puffin","file-size-in-bytes":4}},
                         {"action":"remove-snapshots","snapshot-ids":[5]}])");
  document = Parsed(base.json);
  EXPECT_EQ(document["snapshots"].size(), 2u);
  EXPECT_TRUE(document["statistics"].empty());
  EXPECT_FALSE(document["refs"].contains("old"));
  EXPECT_EQ(document["snapshot-log"].size(), 1u);  // no gap in history
  EXPECT_EQ(Parsed(After(base, R"([{"action":"remove-snapshot-ref","ref-name":"main"}])").json)["current-snapshot-id"],
            -1);
}

TEST(ChangeMetadata, SnapshotsMadeForOlderMetadataMayBeMadeAgain) {
  const MetadataFile base = After(NewTable(), "[" + AddSnapshot(5, 3) + "," + SetMain(5) + "]");
  const auto kind = [&](const MetadataFile& table, const std::string& update) {
    auto changed = Apply(table, "[" + update + "]");
    EXPECT_FALSE(changed.ok());
    return changed.ok() ? ErrorKind::kInternal : changed.error().kind;
  };
  EXPECT_EQ(kind(base, AddSnapshot(6, 3, R"(,"parent-snapshot-id":5)")), ErrorKind::kConflict);
  EXPECT_EQ(kind(base, AddSnapshot(5, 4)), ErrorKind::kInvalidArgument);  // the id is taken
  EXPECT_EQ(kind(base, SetMain(9)), ErrorKind::kInvalidArgument);
  const MetadataFile third = NewTable({{"format-version", "3"}});
  EXPECT_EQ(kind(third, AddSnapshot(6, 1)), ErrorKind::kInvalidArgument);  // no first-row-id
  const MetadataFile rows = After(third, "[" + AddSnapshot(6, 1, R"(,"first-row-id":0,"added-rows":10)") + "]");
  EXPECT_EQ(Parsed(rows.json)["next-row-id"], 10);
  EXPECT_EQ(kind(rows, AddSnapshot(7, 2, R"(,"first-row-id":4,"added-rows":1)")), ErrorKind::kConflict);
}

TEST(ChangeMetadata, VersionsOnlyGrow) {
  const MetadataFile first = NewTable({{"format-version", "1"}});
  const Json second = Parsed(After(first, R"([{"action":"upgrade-format-version","format-version":2}])").json);
  EXPECT_EQ(second["format-version"], 2);
  EXPECT_FALSE(second.contains("schema"));
  EXPECT_FALSE(second.contains("partition-spec"));
  const MetadataFile table = NewTable();
  EXPECT_EQ(Apply(table, R"([{"action":"upgrade-format-version","format-version":1}])").error().kind,
            ErrorKind::kInvalidArgument);
  EXPECT_EQ(Apply(table, R"([{"action":"upgrade-format-version","format-version":9}])").error().kind,
            ErrorKind::kUnsupported);
}

TEST(ChangeMetadata, ArcsOwnPropertiesAndTheUuidStay) {
  MetadataFile base = NewTable();
  Json document = Parsed(base.json);
  document["properties"]["arc.column-roles"] = "1=time";
  base.json = PrintJson(document);
  EXPECT_FALSE(Apply(base, R"([{"action":"set-properties","updates":{"arc.column-roles":"2=time"}}])").ok());
  EXPECT_FALSE(Apply(base, R"([{"action":"remove-properties","removals":["arc.column-roles"]}])").ok());
  EXPECT_TRUE(Apply(base, R"([{"action":"set-properties","updates":{"arc.column-roles":"1=time"}}])").ok());
  EXPECT_FALSE(Apply(base, R"([{"action":"assign-uuid","uuid":"00000000-0000-4000-8000-000000000002"}])").ok());
}

TEST(ChangeMetadata, ATableIsMadeByUpdatesAlone) {
  const Json schema = Parsed(NewTable().json)["schemas"][0];
  TableChange change = Change(R"([
    {"action":"assign-uuid","uuid":"00000000-0000-4000-8000-000000000009"},
    {"action":"upgrade-format-version","format-version":2},
    {"action":"add-schema","last-column-id":7,"schema":)" +
                                  PrintJson(schema) + R"(},
    {"action":"set-current-schema","schema-id":-1},
    {"action":"add-spec","spec":{"spec-id":0,"fields":[]}},{"action":"set-default-spec","spec-id":-1},
    {"action":"add-sort-order","sort-order":{"order-id":0,"fields":[]}},
    {"action":"set-default-sort-order","sort-order-id":-1},
    {"action":"set-location","location":"/lake/elsewhere/"},)" +
                                  AddSnapshot(5, 1) + "," + SetMain(5) + "]",
                              R"([{"type":"assert-create"}])");
  EXPECT_TRUE(*IsCreation(change));
  EXPECT_TRUE(*AddsSchema(change));
  auto made = ChangeMetadata(nullptr, change, SomeUuid(), "/lake/db/t", kNow);
  ASSERT_TRUE(made.ok()) << made.error().message;
  const Json document = Parsed(made->json);
  EXPECT_EQ(document["table-uuid"], "00000000-0000-4000-8000-000000000009");
  EXPECT_EQ(document["location"], "/lake/elsewhere");
  EXPECT_EQ(document["current-schema-id"], 0);
  EXPECT_TRUE(document["metadata-log"].empty());
  change.updates = "[]";
  EXPECT_EQ(ChangeMetadata(nullptr, change, SomeUuid(), "/l", kNow).error().kind, ErrorKind::kInvalidArgument);
}

TEST(ChangeMetadata, TheLogOfMetadataFilesIsKeptAsThePropertiesSay) {
  MetadataFile table =
      NewTable({{"write.metadata.previous-versions-max", "2"}, {"write.metadata.delete-after-commit.enabled", "true"}});
  std::vector<std::string> dropped;
  for (int i = 0; i < 4; ++i) {
    auto changed = Apply(table, R"([{"action":"set-properties","updates":{"n":")" + std::to_string(i) + R"("}}])");
    ASSERT_TRUE(changed.ok());
    dropped.insert(dropped.end(), changed->dropped_files.begin(), changed->dropped_files.end());
    table = {"/lake/" + std::to_string(i), changed->json};
  }
  EXPECT_EQ(dropped, (std::vector<std::string>{"/lake/db/t/metadata/00000-a.metadata.json", "/lake/0"}));
  EXPECT_EQ(Parsed(table.json)["metadata-log"].size(), 2u);
}

TEST(ChangeMetadata, MalformedUpdatesAreTheClientsMistake) {
  const MetadataFile table = NewTable();
  for (const char* updates : {"[5]", "[{}]", R"([{"action":"dance"}])", R"([{"action":"add-schema"}])",
                              R"([{"action":"add-snapshot","snapshot":{"snapshot-id":"x"}}])",
                              R"([{"action":"set-snapshot-ref","ref-name":"main","type":"tag","snapshot-id":1}])",
                              R"([{"action":"set-properties","updates":{"a":1}}])",
                              R"([{"action":"add-spec","spec":{"fields":[{"source-id":1.5}]}}])",
                              R"([{"action":"remove-snapshots","snapshot-ids":["a"]}])"}) {
    auto changed = Apply(table, updates);
    ASSERT_FALSE(changed.ok()) << updates;
    EXPECT_EQ(changed.error().kind, ErrorKind::kInvalidArgument) << updates;
  }
}

TEST(WithoutHistory, OnlySnapshotsThatARefNamesStay) {
  const MetadataFile base =
      After(NewTable(), "[" + AddSnapshot(5, 1) + "," + SetMain(5) + "," +
                            AddSnapshot(6, 2, R"(,"parent-snapshot-id":5)") + "," + SetMain(6) + "]");
  auto json = WithoutHistory(base.json);
  ASSERT_TRUE(json.ok());
  const Json document = Parsed(*json);
  ASSERT_EQ(document["snapshots"].size(), 1u);
  EXPECT_EQ(document["snapshots"][0]["snapshot-id"], 6);
}

TEST(ReadFacts, OldDocumentsAreCompletedAndBrokenOnesRefused) {
  auto facts = ReadFacts(R"({"format-version":1,"location":"/l","last-updated-ms":1,"last-column-id":1,
    "schema":{"type":"struct","fields":[{"id":1,"name":"a","required":true,"type":"int"}]},"partition-spec":[]})");
  ASSERT_TRUE(facts.ok()) << facts.error().message;
  EXPECT_EQ(facts->format_version, 1);
  EXPECT_EQ(facts->location, "/l");
  EXPECT_EQ(ReadFacts("{}").error().kind, ErrorKind::kCorruption);
  EXPECT_EQ(ReadFacts(R"({"format-version":7})").error().kind, ErrorKind::kUnsupported);
  Json document = Parsed(NewTable().json);
  document["current-snapshot-id"] = 9;
  EXPECT_EQ(ReadFacts(PrintJson(document)).error().kind, ErrorKind::kCorruption);
}

}  // namespace
}  // namespace arc
