// Builds a table on disk for other engines to read: interop/check_readers.py makes the Parquet files and the plan, runs
// this test with ARC_ICEBERG_INTEROP set to the folder, and reads the result.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "arc/iceberg/append.h"
#include "arc/iceberg/json_value.h"
#include "arc/iceberg/load.h"
#include "arc/io/local_disk.h"

namespace arc {
namespace {

std::string FromHex(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  }
  return bytes;
}

Schema SchemaOf(const Json& columns) {
  Schema schema;
  for (const auto& column : columns) {
    schema.columns.push_back({column["name"], static_cast<ColumnType>(column["type"].get<int>()),
                              static_cast<ColumnRole>(column["role"].get<int>()), column["id"], false});
  }
  return schema;
}

AppendFile FileOf(const Json& json) {
  AppendFile append;
  append.kind = json["kind"] == "day" ? PartitionKind::kDay : PartitionKind::kHour;
  append.value = json["value"];
  WrittenFile& file = append.file;
  file.key = json["key"];
  file.bytes = json["bytes"];
  file.rows = json["rows"];
  file.min_time = json["min_time"];
  file.max_time = json["max_time"];
  for (const auto& m : json["metrics"]) {
    ColumnMetrics& metrics = file.metrics[m["id"]];
    metrics.bytes = m["bytes"];
    metrics.values = m["values"];
    metrics.nulls = m["nulls"];
    if (m.contains("nans")) metrics.nans = m["nans"].get<int64_t>();
    if (m.contains("lower")) metrics.lower = FromHex(m["lower"]);
    if (m.contains("upper")) metrics.upper = FromHex(m["upper"]);
  }
  file.split_offsets = {4};
  return append;
}

TEST(Interop, BuildsTableForOtherReaders) {
  const char* folder = std::getenv("ARC_ICEBERG_INTEROP");
  if (folder == nullptr) GTEST_SKIP() << "ARC_ICEBERG_INTEROP is not set";
  std::ifstream plan_file(std::string(folder) + "/plan.json");
  std::stringstream text;
  text << plan_file.rdbuf();
  auto plan = ParseJson(text.str(), "plan");
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  auto opened = OpenLocalObjectStore(SystemDisk(), folder);
  ASSERT_TRUE(opened.ok()) << opened.error().message;
  ObjectStore& store = **opened;

  AppendRequest request;
  request.table.id = Uuid::Random(SystemRandom());
  request.table.database = (*plan)["database"];
  request.table.name = (*plan)["measurement"];
  std::string location = (*plan).value("location", "");
  TableMetadata metadata;
  if (!location.empty()) {  // go on with a table that another engine has written to
    auto loaded = ReadTableMetadata(store, location);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    metadata = *loaded;
    request.table.id = metadata.table_uuid;
  }
  for (const auto& commit : (*plan)["commits"]) {
    request.schema = SchemaOf(commit["schema"]);
    request.files.clear();
    for (const auto& file : commit["files"]) request.files.push_back(FileOf(file));
    request.now_ms = commit["now_ms"];
    request.policy.manifest_merge_count = commit["merge_count"];
    request.policy.expiry.max_snapshots = commit.value("max_snapshots", 100);
    request.set_properties = commit["properties"];
    auto prepared = PrepareAppend(store, location, location.empty() ? nullptr : &metadata, request);
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
    location = prepared->metadata_location;
    metadata = prepared->metadata;
    for (const auto& key : prepared->obsolete_keys) ASSERT_TRUE(store.Delete(key).ok());
    ASSERT_TRUE(WriteVersionHint(store, location).ok());
  }
  auto loaded = LoadTable(store, location);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  Json result = {{"location", location}, {"files", Json::array()}};
  for (const auto& file : loaded->files) {
    result["files"].push_back({{"key", file.key},
                               {"uri", file.uri},
                               {"rows", file.rows},
                               {"min_time", file.min_time},
                               {"max_time", file.max_time},
                               {"sequence_number", file.sequence_number}});
  }
  std::ofstream(std::string(folder) + "/result.json") << PrintJson(result);
}

}  // namespace
}  // namespace arc
