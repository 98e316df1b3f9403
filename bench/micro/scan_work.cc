#include "micro/scan_work.h"

#include <cstdio>
#include <memory>
#include <string>
#include <utility>

#include "arc/base/check.h"
#include "arc/query/catalog_for_test.h"
#include "arc/query/query_engine.h"
#include "machine/process.h"
#include "work/input.h"

namespace arc::bench {
namespace {

constexpr int kBatches = 256;
constexpr int64_t kHourMicros = 3'600'000'000;
constexpr int64_t kPlannedFiles = 100'000;

// `archive`, a file an hour: none of them exists, so that queries of it can only be planned.
std::vector<std::shared_ptr<const FileEntry>> FilesOfArchive() {
  std::vector<std::shared_ptr<const FileEntry>> files;
  for (int64_t hour = 0; hour < kPlannedFiles; ++hour) {
    const std::string key = "default/archive/" + std::to_string(hour) + ".parquet";
    files.push_back(std::make_shared<FileEntry>(
        FileEntry{key, 1 << 20, 100'000, hour * kHourMicros, (hour + 1) * kHourMicros - 1}));
  }
  return files;
}

class TestDatabase {
 public:
  TestDatabase() {
    for (const Batch& batch : BatchesOf(Shape::kSmall, kBatches)) catalog_.Write("default", "cpu", batch);
    Schema schema;
    schema.columns.push_back({"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, false});
    schema.columns.push_back({"usage", ColumnType::kDouble, ColumnRole::kField, 2, false});
    catalog_.AddFiles("default", "archive", std::move(schema), FilesOfArchive());
    auto folder = TemporaryFolder::Make("");
    ARC_CHECK(folder.ok());
    folder_ = std::make_unique<TemporaryFolder>(std::move(folder).value());
    auto store = OpenLocalObjectStore(SystemDisk(), folder_->path());
    ARC_CHECK(store.ok());
    store_ = std::move(store).value();
    QueryOptions options;
    options.threads = 1;
    auto engine = QueryEngine::Open(options, catalog_, *store_);
    ARC_CHECK(engine.ok());
    engine_ = std::move(engine).value();
  }
  void Run(const std::string& sql, int64_t rows) {
    QueryRequest request;
    request.sql = sql;
    request.principal = Principal::Admin("bench");
    auto stream = engine_->Execute(request);
    ARC_CHECK(stream.ok());
    int64_t found = 0;
    while (true) {
      auto batch = (*stream)->Next();
      ARC_CHECK(batch.ok());
      if (*batch == nullptr) break;
      found += (*batch)->num_rows();
    }
    ARC_CHECK(found == rows);
  }

 private:
  CatalogForTest catalog_;
  std::unique_ptr<TemporaryFolder> folder_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<QueryEngine> engine_;
};

}  // namespace

std::vector<Work> ScanWork() {
  struct Query {
    const char* name;
    const char* sql;
    int64_t rows;
    int64_t of;  // rows that it reads; 1 for a plan
  };
  constexpr int64_t kRows = int64_t{kBatches} * kBatchRows;
  constexpr Query kQueries[] = {
      {"scan/sum", "SELECT sum(usage_idle) FROM cpu", 1, kRows},
      {"scan/avg_by_host", "SELECT host, avg(usage_idle) FROM cpu GROUP BY host", 100, kRows},
      {"scan/one_host", "SELECT sum(usage_idle) FROM cpu WHERE host = 'host_77'", 1, kRows},
      {"scan/all_rows", "SELECT * FROM cpu", kRows, kRows},
      {"plan/one_hour_of_100000_files",
       "EXPLAIN SELECT avg(usage) FROM archive WHERE time >= '1975-01-01 00:00' AND time < '1975-01-01 01:00'", 1, 1},
      {"plan/all_of_100000_files", "EXPLAIN SELECT avg(usage) FROM archive", 1, 1},
  };
  std::vector<Work> all;
  for (const Query& query : kQueries) {
    const auto prepare = [query] {
      return [query, database = std::make_shared<TestDatabase>()] { database->Run(query.sql, query.rows); };
    };
    all.push_back({query.name, query.of, prepare});
  }
  return all;
}

}  // namespace arc::bench
