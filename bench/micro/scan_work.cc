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

class HotDatabase {
 public:
  HotDatabase() {
    for (const Batch& batch : BatchesOf(Shape::kSmall, kBatches)) catalog_.Write("default", "cpu", batch);
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
  };
  constexpr int64_t kRows = int64_t{kBatches} * kBatchRows;
  constexpr Query kQueries[] = {
      {"scan/sum", "SELECT sum(usage_idle) FROM cpu", 1},
      {"scan/avg_by_host", "SELECT host, avg(usage_idle) FROM cpu GROUP BY host", 100},
      {"scan/one_host", "SELECT sum(usage_idle) FROM cpu WHERE host = 'host_77'", 1},
      {"scan/all_rows", "SELECT * FROM cpu", kRows},
  };
  std::vector<Work> all;
  for (const Query& query : kQueries) {
    const auto prepare = [query] {
      return [query, database = std::make_shared<HotDatabase>()] { database->Run(query.sql, query.rows); };
    };
    all.push_back({query.name, kRows, prepare});
  }
  return all;
}

}  // namespace arc::bench
