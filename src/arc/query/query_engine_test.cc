#include "arc/query/query_engine.h"

#include <arrow/type.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "arc/base/clock.h"
#include "arc/base/thread.h"
#include "arc/io/local_disk.h"
#include "arc/model/batch_for_test.h"
#include "arc/query/bounded_memory.h"
#include "arc/query/catalog_for_test.h"

namespace arc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int64_t kStart = 1'704'067'200'000'000;  // 2024-01-01
constexpr int64_t kSecond = 1'000'000;

class QueryEngineTest : public ::testing::Test {
 protected:
  QueryEngineTest() {
    folder_ =
        std::filesystem::path(::testing::TempDir()) / ("query_engine_test_" + Uuid::Random(SystemRandom()).ToString());
    std::filesystem::create_directories(folder_);
    store_ = *OpenLocalObjectStore(SystemDisk(), folder_ / "store");
    options_.threads = 2;
    options_.temp_folder = folder_ / "spill";
    options_.memory_limit_bytes = int64_t{1} << 30;
  }
  ~QueryEngineTest() override {
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  QueryEngine& engine() {
    if (!engine_) {
      auto opened = QueryEngine::Open(options_, catalog_, *store_);
      if (!opened.ok()) ADD_FAILURE() << opened.error().message;
      engine_ = std::move(*opened);
    }
    return *engine_;
  }

  Result<std::unique_ptr<ResultStream>> Execute(const std::string& sql) {
    QueryRequest request;
    request.sql = sql;
    request.principal = Principal::Admin("test");
    return engine().Execute(request);
  }

  Result<std::vector<std::string>> Run(const std::string& sql) {
    ARC_ASSIGN_OR_RETURN(std::unique_ptr<ResultStream> stream, Execute(sql));
    return RowsForTest(*stream);
  }

  std::vector<std::string> Rows(const std::string& sql) {
    Result<std::vector<std::string>> rows = Run(sql);
    EXPECT_TRUE(rows.ok()) << sql << ": " << (rows.ok() ? "" : rows.error().message);
    return rows.ok() ? *rows : std::vector<std::string>{};
  }

  Error Fails(const std::string& sql) {
    Result<std::vector<std::string>> rows = Run(sql);
    EXPECT_FALSE(rows.ok()) << sql;
    return rows.ok() ? Error{} : rows.error();
  }

  // `rows` rows of table default.cpu, one a second, in batches of `batch_rows`.
  void WriteCpu(int rows, int batch_rows = 500) {
    for (int first = 0; first < rows; first += batch_rows) {
      std::vector<int64_t> times;
      std::vector<std::optional<std::string>> hosts;
      std::vector<std::optional<double>> values;
      for (int i = first; i < std::min(rows, first + batch_rows); ++i) {
        times.push_back(kStart + i * kSecond);
        hosts.push_back("host_" + std::to_string(i % 10));
        values.push_back(i % 7 == 0 ? std::nullopt : std::optional<double>(i * 0.5));
      }
      catalog_.Write("default", "cpu", BatchForTest(times).Tags("host", hosts).Doubles("value", values).Done());
    }
  }

  std::filesystem::path folder_;
  std::unique_ptr<ObjectStore> store_;
  CatalogForTest catalog_;
  QueryOptions options_;
  std::unique_ptr<QueryEngine> engine_;
};

TEST_F(QueryEngineTest, ReadsWhatWasJustWritten) {
  WriteCpu(3);
  EXPECT_THAT(Rows("SELECT * FROM cpu ORDER BY time"),
              ElementsAre("2024-01-01 00:00:00.000000 | host_0 | NULL", "2024-01-01 00:00:01.000000 | host_1 | 0.5",
                          "2024-01-01 00:00:02.000000 | host_2 | 1"));
  WriteCpu(1);
  EXPECT_THAT(Rows("SELECT count(*) FROM cpu"), ElementsAre("4"));
}

TEST_F(QueryEngineTest, SchemaAndTypesOfTheResult) {
  WriteCpu(3);
  auto stream = *Execute("SELECT time, host, value, 1::UBIGINT AS u FROM cpu");
  EXPECT_EQ(stream->schema()->ToString(), "time: timestamp[us]\nhost: string\nvalue: double\nu: uint64");
}

TEST_F(QueryEngineTest, AQuerySeesOneVersionHoweverOftenItNamesTheTable) {
  WriteCpu(1000);
  std::atomic<bool> stop{false};
  Thread writer("writer", [&] {
    while (!stop) WriteCpu(7);
  });
  for (int i = 0; i < 200; ++i) {
    std::vector<std::string> rows = Rows(
        "SELECT (SELECT count(*) FROM cpu) - (SELECT count(time) FROM default.cpu),"
        " (SELECT count(host) FROM cpu) - (SELECT count(*) FROM cpu WHERE host IS NOT NULL)");
    EXPECT_THAT(rows, ElementsAre("0 | 0"));
  }
  stop = true;
}

TEST_F(QueryEngineTest, ResultsStreamAndThePlaceIsFreeAfterTheLastBatch) {
  WriteCpu(300'000, 10'000);
  auto stream = *Execute("SELECT * FROM cpu");
  EXPECT_EQ(engine().pool_stats().active, 1);
  auto first = *stream->Next();
  ASSERT_TRUE(first);
  EXPECT_LE(first->num_rows(), 2048);
  int64_t rows = first->num_rows();
  while (auto batch = *stream->Next()) {
    rows += batch->num_rows();
    EXPECT_LE(batch->num_rows(), 65536);
  }
  EXPECT_EQ(rows, 300'000);
  EXPECT_EQ(engine().pool_stats().active, 0);
  EXPECT_EQ(engine().pool_stats().executed, 1u);
  EXPECT_EQ(stream->stats().rows, 300'000);
  EXPECT_FALSE(*stream->Next());
}

TEST_F(QueryEngineTest, AnAbandonedStreamGivesBackPlaceAndVersions) {
  WriteCpu(300'000, 10'000);
  std::weak_ptr<const TableVersion> pinned = catalog_.TableOf("default", "cpu").Current();
  {
    auto stream = *Execute("SELECT * FROM cpu");
    ASSERT_TRUE(*stream->Next());
    WriteCpu(1);
    EXPECT_FALSE(pinned.expired());
  }
  EXPECT_TRUE(pinned.expired());
  EXPECT_EQ(engine().pool_stats().active, 0);
}

TEST_F(QueryEngineTest, VersionsAreDroppedAfterErrorsAndAfterTheEnd) {
  WriteCpu(10);
  std::weak_ptr<const TableVersion> pinned = catalog_.TableOf("default", "cpu").Current();
  EXPECT_EQ(Fails("SELECT error('x' || host) FROM cpu").kind, ErrorKind::kInvalidArgument);
  Rows("SELECT * FROM cpu");
  Fails("SELECT nosuch FROM cpu");
  WriteCpu(1);
  EXPECT_TRUE(pinned.expired());
}

TEST_F(QueryEngineTest, CancelInterruptsARunningQuery) {
  WriteCpu(50'000, 10'000);
  int64_t cancelled_at = 0;
  auto stream = Execute("SELECT a.value FROM cpu a, cpu b WHERE a.value + b.value = -1");
  ASSERT_TRUE(stream.ok()) << stream.error().message;
  Thread canceller("canceller", [&] {
    SystemClock().SleepFor(std::chrono::milliseconds(100));
    cancelled_at = SystemClock().MonotonicNanos();
    (*stream)->Cancel();
  });
  auto batch = (*stream)->Next();
  int64_t took = SystemClock().MonotonicNanos() - cancelled_at;
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().kind, ErrorKind::kCancelled);
  EXPECT_LT(took, 1'000'000'000);  // milliseconds on an idle machine
  EXPECT_EQ(engine().pool_stats().active, 0);
  EXPECT_EQ(engine().pool_stats().failed, 1u);
}

TEST_F(QueryEngineTest, CancelBetweenTwoBatches) {
  WriteCpu(300'000, 10'000);
  auto stream = *Execute("SELECT * FROM cpu");
  ASSERT_TRUE(*stream->Next());
  stream->Cancel();
  auto batch = stream->Next();
  ASSERT_FALSE(batch.ok());
  EXPECT_EQ(batch.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(engine().pool_stats().active, 0);
  // The interrupt does not reach the next query on the same connection.
  stream->Cancel();
  EXPECT_THAT(Rows("SELECT count(*) FROM cpu"), ElementsAre("300000"));
}

TEST_F(QueryEngineTest, TimeoutInterruptsAndIsNamed) {
  WriteCpu(50'000, 10'000);
  QueryRequest request;
  request.sql = "SELECT count(*) FROM cpu a, cpu b WHERE a.value + b.value = -1";
  request.principal = Principal::Admin("test");
  request.timeout = std::chrono::milliseconds(100);
  int64_t start = SystemClock().MonotonicNanos();
  auto stream = engine().Execute(request);
  Error error;
  if (stream.ok()) {
    auto batch = (*stream)->Next();
    ASSERT_FALSE(batch.ok());
    error = batch.error();
  } else {
    error = stream.error();
  }
  EXPECT_EQ(error.kind, ErrorKind::kTimeout);
  EXPECT_THAT(error.message, HasSubstr("100 ms"));
  EXPECT_LT(SystemClock().MonotonicNanos() - start, 15'000'000'000);
  stream = Execute("SELECT 1");
  EXPECT_TRUE(stream.ok());
}

TEST_F(QueryEngineTest, FullPoolQueuesThenRefuses) {
  options_.pool_size = 1;
  options_.queue_limit = 0;
  WriteCpu(300'000, 10'000);
  auto stream = *Execute("SELECT * FROM cpu");
  auto refused = Execute("SELECT 1");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kOverloaded);
  EXPECT_EQ(engine().pool_stats().refused, 1u);
  stream.reset();
  EXPECT_TRUE(Execute("SELECT 1").ok());
}

TEST_F(QueryEngineTest, ManyThreadsShareThePool) {
  options_.pool_size = 3;
  WriteCpu(20'000, 1'000);
  std::atomic<int> wrong{0};
  engine();
  {
    std::vector<Thread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back("reader", [&, i] {
        for (int round = 0; round < 20; ++round) {
          auto rows = Run("SELECT count(*) FROM cpu WHERE host = 'host_" + std::to_string(i) + "' AND value >= 0");
          if (!rows.ok() || rows->size() != 1) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(engine().pool_stats().executed, 160u);
  EXPECT_EQ(engine().pool_stats().active, 0);
}

TEST_F(QueryEngineTest, DatabasesThatATokenMayNotReadAreInvisible) {
  WriteCpu(3);
  catalog_.Write("secret", "plans", BatchForTest({kStart}).Doubles("x", {1.0}).Done());
  QueryRequest request;
  request.principal.read = true;
  request.principal.databases = {"default"};
  auto run = [&](const std::string& sql) -> Result<std::vector<std::string>> {
    request.sql = sql;
    ARC_ASSIGN_OR_RETURN(std::unique_ptr<ResultStream> stream, engine().Execute(request));
    return RowsForTest(*stream);
  };
  EXPECT_THAT(*run("SHOW DATABASES"), ElementsAre("default"));
  EXPECT_THAT(*run("SELECT DISTINCT table_schema FROM information_schema.tables WHERE table_catalog = 'arc'"),
              ElementsAre("default"));
  EXPECT_THAT(*run("SELECT schema_name FROM duckdb_schemas() WHERE database_name = 'arc'"), ElementsAre("default"));
  EXPECT_THAT(*run("SELECT count(*) FROM duckdb_columns() WHERE table_name = 'plans'"), ElementsAre("0"));
  for (const char* sql : {"SELECT * FROM secret.plans", "SELECT * FROM arc.secret.plans", "SHOW TABLES FROM secret",
                          "DESCRIBE secret.plans", "SELECT 1 WHERE EXISTS (FROM secret.plans)",
                          "SELECT * FROM pragma_table_info('secret.plans')"}) {
    auto rows = run(sql);
    ASSERT_FALSE(rows.ok()) << sql;
    EXPECT_THAT(rows.error().message, HasSubstr("does not exist")) << sql;
  }
  request.database = "secret";
  EXPECT_FALSE(run("SELECT * FROM plans").ok());
  request.principal.databases = {"default", "secret"};
  EXPECT_THAT(*run("SELECT x FROM plans"), ElementsAre("1"));
  request.principal.databases = {"default"};
  EXPECT_FALSE(run("SELECT x FROM plans").ok());
}

TEST_F(QueryEngineTest, ATokenWithoutReadIsRefused) {
  QueryRequest request;
  request.sql = "SELECT 1";
  request.principal.write = true;
  auto stream = engine().Execute(request);
  ASSERT_FALSE(stream.ok());
  EXPECT_EQ(stream.error().kind, ErrorKind::kPermissionDenied);
}

TEST_F(QueryEngineTest, LeftoversInTheSpillFolderAreRemovedAtStart) {
  std::filesystem::create_directories(folder_ / "spill" / "7");
  std::ofstream(folder_ / "spill" / "7" / "duckdb_temp.tmp") << "old";
  engine();
  EXPECT_FALSE(std::filesystem::exists(folder_ / "spill" / "7"));
}

TEST_F(QueryEngineTest, LargeSortsSpillAndStayWithinTheMemoryLimit) {
  options_.memory_limit_bytes = int64_t{100} << 20;
  auto rows =
      Run("SELECT count(*) FROM (SELECT range, hash(range) h, 'some text to fill memory ' || range FROM range(3000000)"
          " ORDER BY h)");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(*rows, ElementsAre("3000000"));
}

// Values under computation are outside of DuckDB's own memory limit.
TEST_F(QueryEngineTest, HugeValuesAreRefusedBeforeTheyTakeTheMemory) {
  options_.memory_limit_bytes = 256 << 20;
  const int64_t before = DuckMemoryBytes();
  for (const char* sql : {"SELECT sum(length(repeat('x', 10000000 + i))) FROM range(1000) t(i)",
                          "SELECT len(list_transform(range(2000000), x -> repeat('x', 1000)))",
                          "SELECT len(list(i)) FROM range(100000000) t(i)"}) {
    auto rows = Run(sql);
    ASSERT_FALSE(rows.ok()) << sql;
    EXPECT_EQ(rows.error().kind, ErrorKind::kOverloaded) << sql << ": " << rows.error().message;
    EXPECT_LT(DuckMemoryBytes(), before + (8 << 20)) << sql;
  }
  // Some allocators (the address sanitizer's) hold on to what is freed; the engine sees that while it is idle.
  SystemClock().SleepFor(std::chrono::milliseconds(200));
  EXPECT_THAT(Rows("SELECT length(repeat('x', 10000000))"), ElementsAre("10000000"));
}

TEST_F(QueryEngineTest, StreamsOutliveTheEngineObject) {
  WriteCpu(300'000, 10'000);
  auto stream = *Execute("SELECT * FROM cpu");
  engine_.reset();
  int64_t rows = 0;
  while (auto batch = *stream->Next()) rows += batch->num_rows();
  EXPECT_EQ(rows, 300'000);
}

TEST_F(QueryEngineTest, AStatementIsNotCutAtANul) {
  EXPECT_THAT(Fails(std::string("SELECT 1\0; SELECT 2", 19)).message, HasSubstr("NUL"));
}

TEST_F(QueryEngineTest, GarbageIsAnErrorNotACrash) {
  WriteCpu(10);
  const std::string seeds[] = {
      "SELECT host, avg(value) FROM default.cpu WHERE time > now() - INTERVAL '1 hour' GROUP BY host ORDER BY 1",
      "WITH a AS (SELECT * FROM cpu) SELECT * FROM a JOIN cpu USING (time) LIMIT 3",
      "PIVOT cpu ON host USING sum(value)",
      "SHOW TABLES FROM default",
      "DESCRIBE cpu",
      "SUMMARIZE default.cpu"};
  SeededRandom random(7);
  for (int round = 0; round < 400; ++round) {
    std::string sql = seeds[random.NextU64() % std::size(seeds)];
    for (uint64_t edits = random.NextU64() % 4 + 1; edits > 0; --edits) {
      size_t at = random.NextU64() % sql.size();
      switch (random.NextU64() % 3) {
        case 0: sql[at] = static_cast<char>(random.NextU64()); break;
        case 1: sql.erase(at, random.NextU64() % 5); break;
        default: sql.insert(at, sql.substr(random.NextU64() % sql.size(), random.NextU64() % 8)); break;
      }
      if (sql.empty()) sql = "x";
    }
    Result<std::vector<std::string>> rows = Run(sql);
    if (!rows.ok()) {
      EXPECT_NE(rows.error().kind, ErrorKind::kInternal) << sql << ": " << rows.error().message;
    }
  }
  EXPECT_EQ(engine().pool_stats().active, 0);
  EXPECT_THAT(Rows("SELECT count(*) FROM cpu"), ElementsAre("10"));
}

TEST_F(QueryEngineTest, DeepNestingIsAnErrorNotACrash) {
  std::string parentheses = "SELECT " + std::string(20'000, '(') + "1" + std::string(20'000, ')');
  std::string sums = "SELECT 1";
  std::string subqueries = "SELECT 1";
  for (int i = 0; i < 5'000; ++i) {
    sums += "+1";
    subqueries = "SELECT * FROM (" + subqueries + ")";
  }
  for (const std::string& sql : {parentheses, sums, subqueries}) {
    Result<std::vector<std::string>> rows = Run(sql);
    if (!rows.ok()) {
      EXPECT_NE(rows.error().kind, ErrorKind::kInternal) << rows.error().message.substr(0, 200);
    }
  }
  EXPECT_THAT(Rows("SELECT 1"), ElementsAre("1"));
}

TEST_F(QueryEngineTest, ErrorsShowTheLineAndNoStackTrace) {
  WriteCpu(1);
  Error error = Fails("SELECT valu FROM cpu");
  EXPECT_EQ(error.kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(error.message, HasSubstr("\"valu\" not found"));
  EXPECT_THAT(error.message, HasSubstr("LINE 1"));
  EXPECT_THAT(error.message, ::testing::Not(HasSubstr("Stack Trace")));
  EXPECT_EQ(Fails("SELEC 1").kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Fails("SELECT CAST('x' AS INTEGER)").kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Fails("").kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Fails("-- nothing").kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(Fails("SELECT 1; SELECT 2").kind, ErrorKind::kInvalidArgument);
  EXPECT_THAT(Rows("SELECT 1;"), ElementsAre("1"));
}

}  // namespace
}  // namespace arc
