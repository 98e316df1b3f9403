#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/reader.h>
#include <gmock/gmock.h>

#include "arc/http/test_server.h"

namespace arc {
namespace {

using testing::HasSubstr;

std::shared_ptr<arrow::RecordBatch> Numbers(int64_t from, int64_t rows) {
  arrow::Int64Builder n;
  arrow::StringBuilder s;
  for (int64_t i = 0; i < rows; ++i) {
    (void)n.Append(from + i);
    (void)s.Append("row " + std::to_string(from + i));
  }
  auto schema = arrow::schema({arrow::field("n", arrow::int64()), arrow::field("s", arrow::utf8())});
  return arrow::RecordBatch::Make(schema, rows, {n.Finish().ValueOrDie(), s.Finish().ValueOrDie()});
}

FakeStream::Plan PlanOf(std::vector<std::shared_ptr<arrow::RecordBatch>> batches) {
  FakeStream::Plan plan;
  plan.schema = batches.empty() ? arrow::schema({arrow::field("n", arrow::int64())}) : batches[0]->schema();
  plan.batches = std::move(batches);
  return plan;
}

class QueryRoutesTest : public ServerTest {
 protected:
  QueryRoutesTest() {
    engine.on_query = [](const QueryRequest&) -> Result<FakeStream::Plan> { return PlanOf({Numbers(1, 2)}); };
  }
  TestReply Sql(const std::string& path, const std::string& body = R"({"sql":"SELECT 1"})",
                const std::string& token = "reader") {
    return Ask("POST", path, body, "Content-Type: application/json\r\n", token);
  }
};

TEST_F(QueryRoutesTest, AnswersInTheShapeThatClientsRead) {
  for (const char* path : {"/query", "/api/v1/query"}) {
    TestReply reply = Sql(path, R"({"sql":"SELECT n, s","limit":10000,"format":"json"})");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.header("content-type"), "application/json");
    EXPECT_TRUE(reply.has("content-length"));
    EXPECT_THAT(reply.body,
                testing::StartsWith(R"({"columns":["n","s"],"data":[[1,"row 1"],[2,"row 2"]],"row_count":2,)"
                                    R"("execution_time_ms":12.25,"wait_ms":1.5,)"));
    EXPECT_THAT(reply.body, HasSubstr("\"timestamp\":\""));
    EXPECT_THAT(reply.body, testing::EndsWith("\"success\":true}"));
  }
}

TEST_F(QueryRoutesTest, PassesOnWhatTheBodySays) {
  Sql("/query",
      R"({"sql":"SELECT 1","database":"acme","timeout_ms":1500,"priority":"HIGH","limit":null,"other":[1,{"a":2}]})",
      "tenant");
  QueryRequest query = engine.last_query();
  EXPECT_EQ(query.sql, "SELECT 1");
  EXPECT_EQ(query.database, "acme");
  EXPECT_EQ(query.timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(query.priority, QueryPriority::kHigh);
  EXPECT_EQ(query.principal.name, "tenant");
  Ask("POST", "/query", R"({"sql":"SELECT 'é\n\u0041'"})", "x-arc-database: production\r\n");
  EXPECT_EQ(engine.last_query().database, "production");
  EXPECT_EQ(engine.last_query().sql, "SELECT 'é\nA'");
}

TEST_F(QueryRoutesTest, TakesJsonThatIsCalledAForm) {
  TestReply reply =
      Ask("POST", "/query", "\n {\"sql\":\"SELECT 1\"}", "Content-Type: application/x-www-form-urlencoded\r\n");
  EXPECT_EQ(reply.status, 200) << reply.body;
}

TEST_F(QueryRoutesTest, RefusesBadBodies) {
  for (const char* body : {"", "{", "[]", "1", "{\"sql\":1}", "{}", "{\"sql\":\"\"}", "{\"sql\":\"x\",\"limit\":-1}",
                           "{\"sql\":\"x\",\"limit\":\"a\"}", "{\"sql\":\"x\",\"format\":\"xml\"}",
                           "{\"sql\":\"x\",\"priority\":\"urgent\"}", "{\"sql\":\"x\"} trailing", "{\"sql\":\"x\",}",
                           "{\"sql\":\"x\",\"timeout_ms\":1.5}"}) {
    TestReply reply = Sql("/query", body);
    EXPECT_EQ(reply.status, 400) << body << reply.body;
    EXPECT_THAT(reply.body, HasSubstr("\"success\":false,\"error\":\""));
  }
}

TEST_F(QueryRoutesTest, MapsTheEnginesErrors) {
  for (const auto& [kind, status] : {std::pair{ErrorKind::kInvalidArgument, 400},
                                     {ErrorKind::kPermissionDenied, 403},
                                     {ErrorKind::kOverloaded, 503},
                                     {ErrorKind::kTimeout, 504},
                                     {ErrorKind::kInternal, 500}}) {
    engine.on_query = [kind = kind](const QueryRequest&) -> Result<FakeStream::Plan> {
      return MakeError(kind, "Binder Error: no such \"thing\"");
    };
    server.reset();
    TestReply reply = Sql("/api/v1/query");
    EXPECT_EQ(reply.status, status);
    EXPECT_THAT(reply.body, HasSubstr(R"(Binder Error: no such \"thing\")"));
    EXPECT_EQ(Sql("/query/arrow").status, status);
    EXPECT_EQ(Sql("/query/stream").status, status);
  }
}

TEST_F(QueryRoutesTest, AnErrorBeforeTheFirstChunkIsAnErrorStatus) {
  engine.on_query = [](const QueryRequest&) -> Result<FakeStream::Plan> {
    auto plan = PlanOf({Numbers(1, 10)});
    plan.error = MakeError(ErrorKind::kInvalidArgument, "division by zero");
    return plan;
  };
  TestReply reply = Sql("/query");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("division by zero"));
}

TEST_F(QueryRoutesTest, StreamsLargeResults) {
  std::atomic<int> alive{0};
  engine.on_query = [&](const QueryRequest&) -> Result<FakeStream::Plan> {
    auto plan = PlanOf({Numbers(0, 50'000)});
    plan.repeat = 4;
    plan.alive = &alive;
    return plan;
  };
  Start();
  TestClient client(server->port());
  client.Send(TestRequest("POST", "/query", R"({"sql":"x"})"));
  TestReply reply = client.Receive();
  EXPECT_EQ(reply.header("transfer-encoding"), "chunked");
  ASSERT_TRUE(reply.complete);
  EXPECT_EQ(std::count(reply.body.begin(), reply.body.end(), '['), 200'000 + 2);
  EXPECT_THAT(reply.body.substr(reply.body.size() - 300), HasSubstr("\"row_count\":200000"));
  EXPECT_THAT(reply.body, testing::EndsWith("\"success\":true}"));
  EXPECT_EQ(alive, 0);
  client.Send(TestRequest("GET", "/ping"));  // the connection lives on
  EXPECT_EQ(client.Receive().status, 204);
}

TEST_F(QueryRoutesTest, StreamsToHttp10UntilTheEnd) {
  engine.on_query = [](const QueryRequest&) -> Result<FakeStream::Plan> { return PlanOf({Numbers(0, 50'000)}); };
  Start();
  TestClient client(server->port());
  std::string body = R"({"sql":"x"})";
  client.Send("POST /query HTTP/1.0\r\nx-api-key: reader\r\nContent-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
  TestReply reply = client.Receive();
  EXPECT_FALSE(reply.has("transfer-encoding"));
  EXPECT_THAT(reply.body, testing::EndsWith("\"success\":true}"));
}

TEST_F(QueryRoutesTest, AnErrorInTheMiddleStandsAtTheEndOfTheJson) {
  engine.on_query = [](const QueryRequest&) -> Result<FakeStream::Plan> {
    auto plan = PlanOf({Numbers(0, 50'000)});
    plan.repeat = 4;
    plan.error = MakeError(ErrorKind::kTimeout, "the query took too long");
    return plan;
  };
  TestReply reply = Sql("/query");
  EXPECT_EQ(reply.status, 200);
  EXPECT_TRUE(reply.complete);
  EXPECT_THAT(reply.body, testing::EndsWith(R"("success":false,"error":"the query took too long","kind":"timeout"})"));
  EXPECT_THAT(reply.body, HasSubstr("],\"row_count\":200000,"));
  // Arrow and CSV cannot say it: the answer must not look whole.
  EXPECT_FALSE(Sql("/query/arrow").complete);
  EXPECT_FALSE(Sql("/query/stream").complete);
}

TEST_F(QueryRoutesTest, HonoursTheLimit) {
  std::atomic<int64_t> handed_out{0};
  engine.on_query = [&](const QueryRequest&) -> Result<FakeStream::Plan> {
    auto plan = PlanOf({Numbers(0, 1000)});
    plan.repeat = 1'000'000;
    plan.handed_out = &handed_out;
    return plan;
  };
  TestReply reply = Sql("/query", R"({"sql":"x","limit":1500})");
  EXPECT_THAT(reply.body, HasSubstr("\"row_count\":1500,"));
  EXPECT_EQ(std::count(reply.body.begin(), reply.body.end(), '['), 1500 + 2);
  EXPECT_EQ(handed_out, 2);
  EXPECT_THAT(Sql("/query", R"({"sql":"x","limit":0})").body, HasSubstr("\"data\":[],\"row_count\":0,"));
}

TEST_F(QueryRoutesTest, AnswersArrow) {
  engine.on_query = [](const QueryRequest&) -> Result<FakeStream::Plan> {
    auto plan = PlanOf({Numbers(0, 30'000), Numbers(30'000, 30'000)});
    plan.repeat = 2;
    return plan;
  };
  for (const char* path : {"/query/arrow", "/api/v1/query/arrow"}) {
    TestReply reply = Sql(path);
    EXPECT_EQ(reply.header("content-type"), "application/vnd.apache.arrow.stream");
    auto reader = arrow::ipc::RecordBatchStreamReader::Open(
        std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(reply.body)));
    ASSERT_TRUE(reader.ok()) << reader.status().ToString();
    auto table = (*reader)->ToTable();
    ASSERT_TRUE(table.ok()) << table.status().ToString();
    EXPECT_EQ((*table)->num_rows(), 120'000);
    EXPECT_EQ((*table)->schema()->field_names(), (std::vector<std::string>{"n", "s"}));
  }
}

TEST_F(QueryRoutesTest, AnswersEmptyResults) {
  engine.on_query = [](const QueryRequest&) -> Result<FakeStream::Plan> { return PlanOf({}); };
  EXPECT_THAT(Sql("/query").body, HasSubstr("{\"columns\":[\"n\"],\"data\":[],\"row_count\":0,"));
  EXPECT_EQ(Sql("/query/stream").body, "n\r\n");
  TestReply reply = Sql("/query/arrow");
  auto reader = arrow::ipc::RecordBatchStreamReader::Open(
      std::make_shared<arrow::io::BufferReader>(arrow::Buffer::FromString(reply.body)));
  ASSERT_TRUE(reader.ok());
  EXPECT_EQ((*(*reader)->ToTable())->num_rows(), 0);
}

TEST_F(QueryRoutesTest, AnswersCsvAndOtherFormatsByName) {
  EXPECT_EQ(Sql("/query/stream").body, "n,s\r\n1,row 1\r\n2,row 2\r\n");
  EXPECT_EQ(Sql("/query", R"({"sql":"x","format":"csv"})").body, "n,s\r\n1,row 1\r\n2,row 2\r\n");
  EXPECT_EQ(Sql("/query", R"({"sql":"x","format":"arrow"})").header("content-type"),
            "application/vnd.apache.arrow.stream");
}

TEST_F(QueryRoutesTest, ADisconnectCancelsTheQueryThatRuns) {
  std::atomic<int> cancelled{0};
  std::atomic<int> alive{0};
  engine.on_query = [&](const QueryRequest&) -> Result<FakeStream::Plan> {
    auto plan = PlanOf({Numbers(0, 10)});
    plan.hang = true;
    plan.cancelled = &cancelled;
    plan.alive = &alive;
    return plan;
  };
  Start();
  for (bool reset : {false, true}) {
    cancelled = 0;
    TestClient client(server->port());
    client.Send(TestRequest("POST", "/query", R"({"sql":"x"})"));
    ASSERT_TRUE(Eventually([&] { return alive == 1; }));
    if (reset) {
      client.Reset();
    } else {
      client.Close();
    }
    EXPECT_TRUE(Eventually([&] { return cancelled == 1 && alive == 0; }));
  }
}

TEST_F(QueryRoutesTest, AStalledReaderIsCutAndItsQueryEnds) {
  std::atomic<int> cancelled{0};
  std::atomic<int> alive{0};
  engine.on_query = [&](const QueryRequest&) -> Result<FakeStream::Plan> {
    auto plan = PlanOf({Numbers(0, 10'000)});
    plan.repeat = 1'000'000'000;
    plan.cancelled = &cancelled;
    plan.alive = &alive;
    return plan;
  };
  options.write_timeout = std::chrono::milliseconds(300);
  options.min_bytes_per_second = 1 << 30;
  Start();
  TestClient client(server->port(), 4096);
  client.Send(TestRequest("POST", "/query", R"({"sql":"x"})"));
  ASSERT_TRUE(Eventually([&] { return alive == 1; }));
  EXPECT_TRUE(Eventually([&] { return cancelled >= 1 && alive == 0; }));
  EXPECT_FALSE(client.Receive().complete);
}

TEST_F(QueryRoutesTest, AReaderThatStopsHoldsOnlyAFewChunks) {
  std::atomic<int64_t> handed_out{0};
  engine.on_query = [&](const QueryRequest&) -> Result<FakeStream::Plan> {
    auto plan = PlanOf({Numbers(0, 10'000)});
    plan.repeat = 1'000'000'000;
    plan.handed_out = &handed_out;
    return plan;
  };
  Start();
  TestClient client(server->port(), 4096);
  client.Send(TestRequest("POST", "/query", R"({"sql":"x"})"));
  ASSERT_TRUE(Eventually([&] { return handed_out > 3; }));
  int64_t before = -1;
  auto stands_still = [&] {
    before = handed_out;
    SystemClock().SleepFor(std::chrono::milliseconds(500));
    return handed_out == before;
  };
  EXPECT_TRUE(Eventually(stands_still));
  EXPECT_LT(before, 300);  // some chunks and the kernel's buffers
  client.Close();
}

TEST_F(QueryRoutesTest, WhatIsPipelinedBehindAQueryIsServedAfterIt) {
  engine.on_query = [](const QueryRequest&) -> Result<FakeStream::Plan> { return PlanOf({Numbers(0, 100'000)}); };
  Start();
  TestClient client(server->port());
  std::string query = TestRequest("POST", "/query", R"({"sql":"x"})");
  client.Send(query + query + TestRequest("GET", "/health"));
  EXPECT_TRUE(client.Receive().complete);
  EXPECT_TRUE(client.Receive().complete);
  EXPECT_THAT(client.Receive().body, HasSubstr("healthy"));
  // Arriving while the first still runs.
  client.Send(query);
  client.Send(TestRequest("GET", "/health"));
  EXPECT_TRUE(client.Receive().complete);
  EXPECT_THAT(client.Receive().body, HasSubstr("healthy"));
}

TEST_F(QueryRoutesTest, RefusesQueriesWhenAllThreadsWait) {
  std::mutex mutex;
  std::condition_variable wake;
  bool release = false;
  std::atomic<int> waiting{0};
  engine.on_query = [&](const QueryRequest&) -> Result<FakeStream::Plan> {
    ++waiting;
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return release; });
    return PlanOf({Numbers(0, 1)});
  };
  options.query_threads = 2;
  Start();
  TestClient one(server->port());
  TestClient two(server->port());
  one.Send(TestRequest("POST", "/query", R"({"sql":"x"})"));
  two.Send(TestRequest("POST", "/query", R"({"sql":"x"})"));
  ASSERT_TRUE(Eventually([&] { return waiting == 2; }));
  TestReply refused = Sql("/query");
  EXPECT_EQ(refused.status, 503);
  EXPECT_TRUE(refused.has("retry-after"));
  {
    std::lock_guard lock(mutex);
    release = true;
  }
  wake.notify_all();
  EXPECT_EQ(one.Receive().status, 200);
  EXPECT_EQ(two.Receive().status, 200);
}

TEST_F(QueryRoutesTest, AQueryThatCannotBeStoppedIsAnsweredAllTheSame) {
  std::atomic<bool> called{false};
  std::atomic<bool> release{false};
  std::atomic<int> alive{0};
  std::function<void()> on_stuck;
  engine.on_query = [&](const QueryRequest& request) -> Result<FakeStream::Plan> {
    on_stuck = request.on_stuck;
    called = true;
    while (!release) SystemClock().SleepFor(std::chrono::milliseconds(1));
    auto plan = PlanOf({Numbers(0, 10)});
    plan.alive = &alive;
    return plan;
  };
  Start();
  TestClient client(server->port());
  client.Send(TestRequest("POST", "/query", R"({"sql":"x"})"));
  ASSERT_TRUE(Eventually([&] { return called.load(); }));
  std::exchange(on_stuck, nullptr)();
  TestReply reply = client.Receive();
  EXPECT_EQ(reply.status, 504);
  EXPECT_THAT(reply.body, HasSubstr("still being stopped"));
  client.Send(TestRequest("GET", "/health"));
  EXPECT_EQ(client.Receive().status, 200);
  release = true;
  EXPECT_TRUE(Eventually([&] { return alive == 0; }));
}

TEST_F(QueryRoutesTest, AStreamThatCannotBeStoppedIsCut) {
  std::atomic<bool> release{false};
  std::atomic<int> alive{0};
  std::atomic<int64_t> handed_out{0};
  std::function<void()> on_stuck;
  engine.on_query = [&](const QueryRequest& request) -> Result<FakeStream::Plan> {
    on_stuck = request.on_stuck;
    auto plan = PlanOf({Numbers(0, 20'000)});
    plan.release = &release;
    plan.handed_out = &handed_out;
    plan.alive = &alive;
    return plan;
  };
  Start();
  TestClient client(server->port());
  client.Send(TestRequest("POST", "/query", R"({"sql":"x"})"));
  ASSERT_TRUE(Eventually([&] { return handed_out == 1; }));
  auto cut = [&] {
    std::exchange(on_stuck, nullptr)();
    return client.Receive();
  };
  // Once the piece is out that the only batch fills.
  SystemClock().SleepFor(std::chrono::milliseconds(300));
  EXPECT_FALSE(cut().complete);
  EXPECT_EQ(alive, 1);
  release = true;
  EXPECT_TRUE(Eventually([&] { return alive == 0; }));
}

TEST_F(QueryRoutesTest, StoppingTheServerCancelsItsQueries) {
  std::atomic<int> alive{0};
  engine.on_query = [&](const QueryRequest&) -> Result<FakeStream::Plan> {
    auto plan = PlanOf({Numbers(0, 10)});
    plan.hang = true;
    plan.alive = &alive;
    return plan;
  };
  Start();
  TestClient client(server->port());
  client.Send(TestRequest("POST", "/query", R"({"sql":"x"})"));
  ASSERT_TRUE(Eventually([&] { return alive == 1; }));
  server->Stop(std::chrono::milliseconds(50));
  EXPECT_EQ(alive, 0);
}

TEST_F(QueryRoutesTest, NeedsTheRightToRead) {
  EXPECT_EQ(Sql("/query", R"({"sql":"x"})", "writer").status, 403);
  EXPECT_EQ(Sql("/query/arrow", R"({"sql":"x"})", "writer").status, 403);
  EXPECT_EQ(Sql("/query", R"({"sql":"x"})", "").status, 401);
}

TEST_F(QueryRoutesTest, InfluxClientsMayCreateDatabases) {
  Start();
  TestReply reply = Ask("POST", "/query", "q=CREATE+DATABASE+%22tele+graf%22",
                        "Content-Type: application/x-www-form-urlencoded\r\n", "writer");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(reply.body, R"({"results":[{"statement_id":0}]})");
  EXPECT_EQ(Ask("POST", "/query?q=create%20database%20plain;", "", "", "writer").status, 200);
  EXPECT_EQ(Ask("GET", "/api/v1/query?q=CREATE%20DATABASE%20more%20WITH%20DURATION%203d", "", "", "writer").status,
            200);
  EXPECT_EQ(engine.created(), (std::vector<std::string>{"tele graf", "plain", "more"}));
  for (const char* q : {"SHOW%20DATABASES", "CREATE%20DATABASE", "CREATE%20DATABASE%20a%20b", "CREATEDATABASE%20x",
                        "CREATE%20DATABASE%20%22open"}) {
    TestReply refused = Get(std::string("/query?q=") + q);
    EXPECT_EQ(refused.status, 400) << q;
    EXPECT_THAT(refused.body, testing::StartsWith("{\"error\":\"error parsing query: "));
  }
  EXPECT_EQ(Get("/query").status, 400);
  EXPECT_EQ(Get("/query?q=CREATE%20DATABASE%20x", "reader").status, 403);
  EXPECT_EQ(Get("/query?q=CREATE%20DATABASE%20other", "tenant").status, 403);
}

class MeasurementTest : public QueryRoutesTest {
 protected:
  MeasurementTest() {
    Schema schema;
    schema.columns = {{.name = "time", .type = ColumnType::kTimestamp, .role = ColumnRole::kTime, .field_id = 1}};
    TableRef ref{.id = {}, .database = "default", .name = "cpu \"x\""};
    engine.fake_catalog.tables = {
        std::make_shared<Table>(ref, &budget, SystemClock(), schema, std::make_shared<FileIndex>(), Lsn{})};
  }
  ~MeasurementTest() override { engine.fake_catalog.tables.clear(); }
  ByteBudget budget{1 << 20};
};

TEST_F(MeasurementTest, ListsWhatTheTokenMayRead) {
  EXPECT_THAT(Get("/measurements").body, HasSubstr(R"({"database":"default","measurement":"cpu \"x\""})"));
  EXPECT_THAT(Get("/api/v1/measurements?database=acme").body, HasSubstr("\"measurements\":[],\"count\":0"));
  EXPECT_THAT(Get("/measurements", "tenant").body, HasSubstr("\"count\":0"));
}

TEST_F(MeasurementTest, ReadsOne) {
  TestReply reply = Get("/query/cpu%20%22x%22?limit=5&from=2025-01-15T14:00:00%2B01:00&to=1736953200", "reader");
  EXPECT_EQ(reply.status, 200) << reply.body;
  EXPECT_EQ(engine.last_query().sql,
            "SELECT * FROM \"default\".\"cpu \"\"x\"\"\" WHERE time >= TIMESTAMP '2025-01-15T13:00:00' AND time < "
            "TIMESTAMP '2025-01-15T15:00:00' ORDER BY time DESC LIMIT 5");
  EXPECT_EQ(Get("/query/cpu%20%22x%22/csv", "reader").body, "n,s\r\n1,row 1\r\n2,row 2\r\n");
  EXPECT_EQ(engine.last_query().sql, "SELECT * FROM \"default\".\"cpu \"\"x\"\"\" ORDER BY time DESC LIMIT 1000");
  EXPECT_EQ(Get("/query/absent").status, 404);
  EXPECT_EQ(Get("/query/cpu%20%22x%22", "tenant").status, 404);
  EXPECT_EQ(Get("/query/cpu%20%22x%22?limit=many").status, 400);
  EXPECT_EQ(Get("/query/cpu%20%22x%22?from=yesterday").status, 400);
}

}  // namespace
}  // namespace arc
