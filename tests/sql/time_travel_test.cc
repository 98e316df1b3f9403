// Time travel and metadata tables over a real catalog: files in time_travel/ are case files in which {s1}, {s2} and
// {s3} stand for the ids of the snapshots of lake.cpu.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <regex>

#include "arc/base/byte_budget.h"
#include "arc/catalog/catalog.h"
#include "arc/catalog/commit_for_test.h"
#include "arc/decode/line_protocol.h"
#include "arc/io/local_disk.h"
#include "arc/io/object_group.h"
#include "arc/parquet/data_file.h"
#include "arc/query/catalog_for_test.h"
#include "sql_case.h"

namespace arc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr int64_t kNoonMicros = 1'760'616'000'000'000;  // 2025-10-16 12:00:00 UTC

class TravelLake {
 public:
  TravelLake() {
    folder_ = std::filesystem::path(::testing::TempDir()) / ("arc_travel_" + Uuid::Random(SystemRandom()).ToString());
    std::filesystem::create_directories(folder_);
    store_ = *OpenLocalObjectStore(SystemDisk(), folder_ / "store");
    catalog_ = *Catalog::Open(folder_ / "arc.db", SystemDisk(), *store_, clock_, random_, &budget_);
    ARC_CHECK(catalog_->UseLineage(Uuid::Random(random_)).ok());
    Fill();
    QueryOptions options;
    options.threads = 2;
    options.memory_limit_bytes = int64_t{1} << 30;
    options.temp_folder = folder_ / "spill";
    engine_ = *QueryEngine::Open(options, *catalog_, *store_);
  }
  ~TravelLake() {
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  Result<std::unique_ptr<ResultStream>> Start(const std::string& sql) {
    QueryRequest request;
    request.sql = sql;
    request.database = "lake";
    request.principal = Principal::Admin("test");
    return engine_->Execute(request);
  }
  Result<std::vector<std::string>> Run(const QueryRequest& request) {
    ARC_ASSIGN_OR_RETURN(std::unique_ptr<ResultStream> stream, engine_->Execute(request));
    return RowsForTest(*stream);
  }
  Result<std::vector<std::string>> Run(const std::string& sql) {
    ARC_ASSIGN_OR_RETURN(std::unique_ptr<ResultStream> stream, Start(sql));
    return RowsForTest(*stream);
  }
  // The text with the ids of snapshots in place of their names.
  std::string WithIds(std::string text) const {
    for (const auto& [name, id] : ids_) {
      for (size_t at = text.find(name); at != std::string::npos; at = text.find(name)) {
        text.replace(at, name.size(), std::to_string(id));
      }
    }
    return text;
  }

  void Write(const std::string& database, const std::string& lines) {
    LineProtocolOptions options;
    options.precision = TimePrecision::kSeconds;
    Result<WriteRequest> request = DecodeLineProtocol(lines, options);
    ARC_CHECK(request.ok() && request->errors.empty());
    for (const auto& part : request->batches) {
      const auto table = *catalog_->GetOrCreate(database, part.measurement);
      const auto aligned = table->Align(part.batch);
      ARC_CHECK(aligned.ok() && aligned->errors.empty());
      table->Apply(Lsn{++last_lsn_}, aligned->batch, budget_.Force(aligned->batch.ByteSize()));
    }
  }
  // One file for each hour; the keys.
  std::vector<std::string> Flush(const std::string& database, const std::string& name) {
    const auto table = catalog_->Find(database, name);
    const Table::FlushInput input = table->BeginFlush();
    std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
    for (const ChunkView& chunk : input.chunks) batches.push_back(*ToRecordBatch(chunk, *input.schema));
    std::vector<FlushedFile> files;
    std::vector<std::string> keys;
    const auto hours = *SplitByTime(batches, kHourMicros);
    for (const auto& [hour, rows] : hours) {
      keys.push_back(TableFolder(table->ref()) + "/" + std::to_string(++files_) + ".parquet");
      files.push_back({*WriteDataFile(*store_, keys.back(), *input.schema, rows, ParquetOptions()),
                       FlushedFile::Partition::kHour, hour});
    }
    ARC_CHECK(CommitForTest(*catalog_, *store_, *table, input, files).ok());
    return keys;
  }
  void Remove(const std::string& database, const std::string& name, const std::string& key) {
    const auto table = catalog_->Find(database, name);
    FileReplacement removal;
    for (const auto& file : table->committed_files()->files()) {
      if (file->key == key) removal.removed.push_back(file);
    }
    removal.same_rows = false;
    ARC_CHECK(catalog_->CommitReplace(*table, removal).ok());
  }
  void Expire(const std::string& database, const std::string& name) {
    ARC_CHECK(catalog_->ExpireSnapshots(*catalog_->Find(database, name)).ok());
  }
  ManualClock& clock() { return clock_; }
  ObjectStore& store() { return *store_; }
  const std::string& removed_key() const { return removed_key_; }

 private:
  void NoteSnapshot(const std::string& name) {
    ids_[name] = *(*catalog_->MetadataOf(*catalog_->Find("lake", "cpu")))->current_snapshot_id;
    clock_.Advance(std::chrono::minutes(1));
  }
  void Fill() {
    Write("lake",
          "cpu,host=a usage=1 1760608800\n"
          "cpu,host=b usage=2 1760610600\n"
          "cpu,host=a usage=3 1760612400\n");
    removed_key_ = Flush("lake", "cpu").front();
    NoteSnapshot("{s1}");
    Write("lake", "cpu,host=a usage=4,cores=8i 1760614200\n");
    Flush("lake", "cpu");
    NoteSnapshot("{s2}");
    Remove("lake", "cpu", removed_key_);
    NoteSnapshot("{s3}");
    Write("lake", "cpu,host=z usage=9,extra=true 1760615100\n");
    Write("lake", "mem,host=a free=1 1760615100\n");
    Write("lake", "odd$name,host=a free=1 1760615100\n");
    Write("secret", "cpu,host=s usage=99 1760608800\n");
    Flush("secret", "cpu");
  }

  std::filesystem::path folder_;
  ManualClock clock_{kNoonMicros};
  SeededRandom random_{7};
  ByteBudget budget_{int64_t{1} << 30};
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<QueryEngine> engine_;
  std::map<std::string, int64_t> ids_;
  std::string removed_key_;
  uint64_t last_lsn_ = 0;
  int files_ = 0;
};

TEST(TimeTravel, Cases) {
  TravelLake lake;
  const std::vector<std::string> files = SqlCaseFiles(std::string(SQL_TEST_DIR) + "/time_travel");
  ASSERT_FALSE(files.empty());
  for (const auto& file : files) {
    Result<std::vector<SqlCase>> cases = ReadSqlCases(file);
    ASSERT_TRUE(cases.ok()) << cases.error().message;
    for (SqlCase& test : *cases) {
      test.sql = lake.WithIds(test.sql);
      for (auto& line : test.expected) line = lake.WithIds(line);
      CheckSqlCase(test, file + ":" + std::to_string(test.line) + "\n",
                   [&](const QueryRequest& request) { return lake.Run(request); });
    }
  }
}

TEST(TimeTravel, PrunesByTimeAndShowsIt) {
  TravelLake lake;
  const auto plan =
      lake.Run(lake.WithIds("EXPLAIN SELECT sum(usage) FROM cpu AT (VERSION => {s2}) WHERE time < "
                            "TIMESTAMP '2025-10-16 11:00:00'"));
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  // The plan is drawn in boxes, which may break lines.
  EXPECT_TRUE(std::regex_search((*plan)[0], std::regex("Files:[^0-9]*1 of 3"))) << (*plan)[0];
  EXPECT_TRUE(std::regex_search((*plan)[0], std::regex("Hot Rows:[^0-9]*0 of 0"))) << (*plan)[0];
}

TEST(TimeTravel, FilesStayWhileAQueryReadsThem) {
  TravelLake lake;
  const std::string sql = lake.WithIds("SELECT host, usage FROM cpu AT (VERSION => {s1}) ORDER BY usage");
  auto stream = lake.Start(sql);
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  lake.clock().Advance(std::chrono::hours(24 * 6));
  lake.Flush("lake", "cpu");
  lake.Expire("lake", "cpu");
  EXPECT_TRUE(lake.store().Open(lake.removed_key()).ok());
  const auto refused = lake.Run(sql);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("expired"));
  const auto rows = RowsForTest(**stream);
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(*rows, ElementsAre("a | 1", "b | 2", "a | 3"));
  stream->reset();
  lake.Expire("lake", "cpu");
  EXPECT_FALSE(lake.store().Open(lake.removed_key()).ok());
}

}  // namespace
}  // namespace arc
