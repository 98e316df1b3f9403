#include "arc/iceberg/schema_conversion.h"

#include <gtest/gtest.h>

#include "arc/iceberg/test_tables.h"

namespace arc {
namespace {

TableMetadata Empty() {
  TableMetadata metadata;
  metadata.schemas.push_back({});
  metadata.partition_specs.push_back({});
  return metadata;
}

Schema AllTypes() {
  Schema schema = TestSchema();
  schema.columns.push_back({"n", ColumnType::kInt64, ColumnRole::kField, 4, false});
  schema.columns.push_back({"u", ColumnType::kUInt64, ColumnRole::kField, 5, false});
  schema.columns.push_back({"b", ColumnType::kBool, ColumnRole::kField, 6, false});
  schema.columns.push_back({"s", ColumnType::kString, ColumnRole::kField, 7, false});
  schema.columns.push_back({"at", ColumnType::kTimestamp, ColumnRole::kField, 8, false});
  return schema;
}

IcebergField& Field(TableMetadata& metadata, int32_t id) {
  for (auto& schema : metadata.schemas) {
    if (schema.schema_id != metadata.current_schema_id) continue;
    for (auto& field : schema.fields) {
      if (field.id == id) return field;
    }
  }
  ADD_FAILURE() << "no field " << id;
  return metadata.schemas[0].fields[0];
}

TEST(SchemaConversion, EveryTypeAndRoleComesBack) {
  TableMetadata metadata = Empty();
  const Schema schema = AllTypes();
  ASSERT_TRUE(AdoptSchema(schema, &metadata).ok());
  EXPECT_EQ(metadata.last_column_id, 8);
  EXPECT_EQ(metadata.properties.at("arc.column-roles"), "1=time,2=tag");
  auto reparsed = ParseTableMetadata(TableMetadataJson(metadata));
  ASSERT_TRUE(reparsed.ok()) << reparsed.error().message;
  auto back = ToArcSchema(*reparsed);
  ASSERT_TRUE(back.ok()) << back.error().message;
  ASSERT_EQ(back->columns.size(), schema.columns.size());
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    EXPECT_EQ(back->columns[i].name, schema.columns[i].name);
    EXPECT_EQ(back->columns[i].type, schema.columns[i].type);
    EXPECT_EQ(back->columns[i].role, schema.columns[i].role);
    EXPECT_EQ(back->columns[i].field_id, schema.columns[i].field_id);
    EXPECT_TRUE(back->columns[i].type_fixed);
  }
}

TEST(SchemaConversion, NothingNewMakesNoNewSchema) {
  TableMetadata metadata = Empty();
  ASSERT_TRUE(AdoptSchema(AllTypes(), &metadata).ok());
  const size_t schemas = metadata.schemas.size();
  ASSERT_TRUE(AdoptSchema(AllTypes(), &metadata).ok());
  ASSERT_TRUE(AdoptSchema(TestSchema(), &metadata).ok());  // fewer columns: the others stay
  EXPECT_EQ(metadata.schemas.size(), schemas);
  EXPECT_EQ(metadata.current_schema().fields.size(), 8u);
  EXPECT_EQ(metadata.properties.at("arc.column-roles"), "1=time,2=tag");
}

TEST(SchemaConversion, TimeComesFirstWhereverItStands) {
  TableMetadata metadata = Empty();
  Schema schema = TestSchema();
  std::swap(schema.columns[0], schema.columns[2]);
  ASSERT_TRUE(AdoptSchema(schema, &metadata).ok());
  EXPECT_EQ(ToArcSchema(metadata)->columns[0].name, "time");
  Field(metadata, 1).name = "moment";  // renamed by somebody: the recorded role finds it
  EXPECT_EQ(TimeFieldId(metadata), 1);
  metadata.properties.clear();
  EXPECT_EQ(TimeFieldId(metadata), -1);
  EXPECT_EQ(ToArcSchema(metadata).error().kind, ErrorKind::kUnsupported);
}

TEST(SchemaConversion, ForeignColumns) {
  TableMetadata metadata = Empty();
  metadata.schemas[0].fields = {{1, "d", false, "date", {}},
                                {2, "i", false, "int", {}},
                                {3, "f", false, "float", {}},
                                {4, "time", true, "timestamp", {}},
                                {5, "dec", false, "decimal(9,2)", {}},
                                {6, "big", false, "decimal(20,0)", {}},
                                {7, "map", false, "{\"type\":\"map\"}", {}}};
  metadata.last_column_id = 9;
  auto schema = ToArcSchema(metadata);
  ASSERT_TRUE(schema.ok());
  std::string names;
  for (const auto& column : schema->columns) names += column.name + ":" + std::string(SqlTypeName(column.type)) + " ";
  EXPECT_EQ(names, "time:TIMESTAMP i:BIGINT f:DOUBLE big:UBIGINT ");
  // Written by Arc, the narrow ones become wide.
  ASSERT_TRUE(AdoptSchema(*schema, &metadata).ok());
  EXPECT_EQ(metadata.current_schema().FindById(2)->type, "long");
  EXPECT_EQ(metadata.current_schema().FindById(3)->type, "double");
  EXPECT_EQ(metadata.current_schema().FindById(7)->type, "{\"type\":\"map\"}");
  EXPECT_EQ(metadata.schemas[0].fields[1].type, "int");
}

TEST(SchemaConversion, BrokenRolesAreFields) {
  TableMetadata metadata = Empty();
  ASSERT_TRUE(AdoptSchema(TestSchema(), &metadata).ok());
  for (const char* roles : {"", ",,=", "2", "2=", "x=tag", "2=tagged", "99999999999=tag", "3=tag,1=tag"}) {
    metadata.properties["arc.column-roles"] = roles;
    auto schema = ToArcSchema(metadata);
    ASSERT_TRUE(schema.ok()) << roles;
    EXPECT_EQ(schema->columns[0].role, ColumnRole::kTime);
    EXPECT_EQ(schema->columns[1].role, ColumnRole::kField) << roles;
    EXPECT_EQ(schema->columns[2].role, ColumnRole::kField) << roles;  // a DOUBLE is never a tag
  }
}

TEST(SchemaConversion, ConflictsWithOtherWriters) {
  TableMetadata original = Empty();
  ASSERT_TRUE(AdoptSchema(TestSchema(), &original).ok());
  Schema wanted = TestSchema();
  wanted.columns.push_back({"load", ColumnType::kDouble, ColumnRole::kField, 4, false});
  const auto conflicts = [&](TableMetadata metadata) {
    const std::string before = TableMetadataJson(metadata);
    auto adopted = AdoptSchema(wanted, &metadata);
    return !adopted.ok() && adopted.error().kind == ErrorKind::kConflict && TableMetadataJson(metadata) == before;
  };
  EXPECT_FALSE(conflicts(original));
  TableMetadata metadata = original;  // they gave our id to a column of theirs
  metadata.schemas.back().fields.push_back({4, "theirs", false, "double", {}});
  metadata.last_column_id = 4;
  EXPECT_TRUE(conflicts(metadata));
  metadata.schemas.back().fields.pop_back();  // and dropped it again
  EXPECT_TRUE(conflicts(metadata));
  metadata = original;  // they added the column before us under another id
  metadata.schemas.back().fields.push_back({5, "load", false, "double", {}});
  metadata.last_column_id = 5;
  EXPECT_TRUE(conflicts(metadata));
  metadata = original;
  Field(metadata, 3).name = "renamed";
  EXPECT_TRUE(conflicts(metadata));
  metadata = original;
  Field(metadata, 3).type = "string";
  EXPECT_TRUE(conflicts(metadata));
  metadata = original;
  std::erase_if(metadata.schemas.back().fields, [](const IcebergField& field) { return field.id == 3; });
  EXPECT_TRUE(conflicts(metadata));
}

TEST(PartitionSpecs, AreFoundByShape) {
  TableMetadata metadata = Empty();
  metadata.partition_specs.clear();
  ASSERT_TRUE(AdoptSchema(TestSchema(), &metadata).ok());
  EXPECT_EQ(EnsureSpec(PartitionKind::kHour, &metadata), 0);
  EXPECT_EQ(EnsureSpec(PartitionKind::kDay, &metadata), 1);
  EXPECT_EQ(EnsureSpec(PartitionKind::kHour, &metadata), 0);
  EXPECT_EQ(metadata.last_partition_id, 1001);
  EXPECT_EQ(PartitionKindOf(metadata, 1), PartitionKind::kDay);
  metadata.partition_specs.push_back({7, {{2, 1002, "host", "identity", {}}}});
  metadata.partition_specs.push_back({8, {}});
  metadata.partition_specs.push_back({9, {{1, 1003, "h", "hour", {}}, {2, 1004, "host", "identity", {}}}});
  for (const int32_t id : {7, 8, 9, 10}) EXPECT_FALSE(PartitionKindOf(metadata, id).has_value());
  metadata.partition_specs.erase(metadata.partition_specs.begin());
  EXPECT_EQ(EnsureSpec(PartitionKind::kHour, &metadata), 10);
}

TEST(PartitionSpecs, GiveWayToColumnsOfTheirName) {
  TableMetadata metadata = Empty();
  metadata.partition_specs.clear();
  Schema schema = TestSchema();
  ASSERT_TRUE(AdoptSchema(schema, &metadata).ok());
  EnsureSpec(PartitionKind::kHour, &metadata);
  schema.columns.push_back({"Time_Hour", ColumnType::kDouble, ColumnRole::kField, 4, false});
  schema.columns.push_back({"time_day", ColumnType::kDouble, ColumnRole::kField, 5, false});
  ASSERT_TRUE(AdoptSchema(schema, &metadata).ok());
  EnsureSpec(PartitionKind::kDay, &metadata);
  EXPECT_EQ(metadata.partition_specs[0].fields[0].name, "time_hour_part");
  EXPECT_EQ(metadata.partition_specs[1].fields[0].name, "time_day_part");
}

}  // namespace
}  // namespace arc
