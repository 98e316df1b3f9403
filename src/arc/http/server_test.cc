// Connections: framing, pipelining, limits, slowness, draining.
#include "arc/http/server.h"

#include <gmock/gmock.h>

#include "arc/http/test_server.h"

namespace arc {
namespace {

using testing::HasSubstr;

const std::string kLine = "cpu,host=a value=1 1000000000\n";

TEST_F(ServerTest, KeepsTheConnectionForTheNextRequest) {
  Start();
  TestClient client(server->port());
  for (int i = 0; i < 3; ++i) {
    client.Send(TestRequest("POST", "/write", kLine));
    EXPECT_EQ(client.Receive().status, 204);
  }
}

TEST_F(ServerTest, TakesARequestInSingleBytes) {
  Start();
  TestClient client(server->port());
  for (char c : TestRequest("POST", "/write", kLine)) {
    ASSERT_TRUE(client.Send({&c, 1}));
  }
  EXPECT_EQ(client.Receive().status, 204);
}

TEST_F(ServerTest, AnswersPipelinedRequestsInOrder) {
  Start();
  TestClient client(server->port());
  std::string all;
  for (int i = 0; i < 50; ++i) {
    all += TestRequest("POST", "/write", kLine, "x-request-id: w" + std::to_string(i) + "\r\n");
    all += TestRequest("GET", "/ping", "", "x-request-id: p" + std::to_string(i) + "\r\n");
  }
  client.Send(all);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(client.Receive().header("x-request-id"), "w" + std::to_string(i));
    EXPECT_EQ(client.Receive().header("x-request-id"), "p" + std::to_string(i));
  }
}

TEST_F(ServerTest, SkipsALineBreakTooManyBetweenRequests) {
  Start();
  TestClient client(server->port());
  client.Send(TestRequest("POST", "/write", kLine) + "\r\n" + TestRequest("GET", "/ping"));
  EXPECT_EQ(client.Receive().status, 204);
  EXPECT_EQ(client.Receive().status, 204);
}

TEST_F(ServerTest, TakesALargeBodyThatComesInPieces) {
  std::atomic<int64_t> rows{0};
  engine.on_write = [&](const WriteRequest& request, const WriteOptions&) -> Result<WriteOutcome> {
    for (const auto& table : request.batches) rows += table.batch.rows;
    return WriteOutcome{.lsn = {1}, .rows = static_cast<uint64_t>(rows.load()), .errors = {}, .notices = {}};
  };
  Start();
  std::string body;
  for (int i = 0; i < 100'000; ++i)
    body += "cpu,host=a value=" + std::to_string(i) + " " + std::to_string(i + 1) + "000\n";
  TestClient client(server->port());
  std::string request = TestRequest("POST", "/write", body);
  for (size_t at = 0; at < request.size(); at += 70'001) ASSERT_TRUE(client.Send(request.substr(at, 70'001)));
  EXPECT_EQ(client.Receive().status, 204);
  EXPECT_EQ(rows, 100'000);
}

TEST_F(ServerTest, TakesChunkedBodies) {
  Start();
  TestClient client(server->port());
  std::string head = "POST /write HTTP/1.1\r\nx-api-key: writer\r\nTransfer-Encoding: chunked\r\n\r\n";
  client.Send(head + "A;name=\"v\"\r\ncpu value=\r\n");
  client.Send("2\r\n1\n\r\n0\r\nTrailer: x\r\n\r\n" + TestRequest("GET", "/ping"));
  EXPECT_EQ(client.Receive().status, 204);
  EXPECT_EQ(client.Receive().status, 204);  // the pipelined ping
  std::string large;
  for (int i = 0; i < 20'000; ++i) large += "cpu value=" + std::to_string(i) + "\n";
  char size[16];
  std::snprintf(size, sizeof size, "%zx\r\n", large.size());
  client.Send(head + size + large + "\r\n0\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 204);
}

TEST_F(ServerTest, RefusesMalformedChunks) {
  Start();
  for (const char* chunks :
       {"zz\r\n", "\r\n", "5\nabc", "3\r\nabcd\r\n", "ffffffffffffffffff\r\n", "-1\r\n", "0x1\r\n"}) {
    TestClient client(server->port());
    client.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nTransfer-Encoding: chunked\r\n\r\n" +
                std::string(chunks));
    TestReply reply = client.Receive();
    EXPECT_EQ(reply.status, 400) << chunks << reply.body;
    EXPECT_TRUE(client.Closed());
  }
}

TEST_F(ServerTest, RefusesAmbiguousFraming) {
  Start();
  {
    TestClient client(server->port());
    client.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n");
    EXPECT_EQ(client.Receive().status, 501);
    EXPECT_TRUE(client.Closed());
  }
  for (const char* fields :
       {"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 3\r\nContent-Length: 4\r\n",
        "Content-Length: -1\r\n", "Content-Length: 1x\r\n"}) {
    TestClient client(server->port());
    client.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\n" + std::string(fields) + "\r\nabc");
    EXPECT_EQ(client.Receive().status, 400) << fields;
    EXPECT_TRUE(client.Closed());
  }
}

TEST_F(ServerTest, RefusesWhatIsNotHttp) {
  Start();
  for (const char* bytes :
       {"\x16\x03\x01\x02", "GET / HTTP/3.0\r\n\r\n", "GET\r\n\r\n", "POST /write HTTP/1.1\r\nbad header\r\n\r\n"}) {
    TestClient client(server->port());
    client.Send(std::string(bytes) + "\r\n\r\n");
    EXPECT_EQ(client.Receive().status, 400) << bytes;
    EXPECT_TRUE(client.Closed());
  }
}

TEST_F(ServerTest, RefusesHugeHeaders) {
  Start();
  TestClient client(server->port());
  client.Send("GET / HTTP/1.1\r\nX: " + std::string(40'000, 'a') + "\r\n\r\n");
  EXPECT_EQ(client.Receive().status, 431);
  TestClient many(server->port());
  std::string fields;
  for (int i = 0; i < 200; ++i) fields += "A" + std::to_string(i) + ": 1\r\n";
  many.Send("GET / HTTP/1.1\r\n" + fields + "\r\n");
  EXPECT_EQ(many.Receive().status, 431);
}

TEST_F(ServerTest, RefusesBodiesOverTheLimit) {
  options.max_body_bytes = 1000;
  Start();
  TestReply reply = Ask("POST", "/write", std::string(1001, 'x'));
  EXPECT_EQ(reply.status, 413);
  EXPECT_THAT(reply.body, HasSubstr("request too large"));
  TestClient declared(server->port());
  declared.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nContent-Length: 99999999999\r\n\r\n");
  EXPECT_EQ(declared.Receive().status, 413);
  EXPECT_TRUE(declared.Closed());
  TestClient chunked(server->port());
  chunked.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
               std::string(2000, 'x'));
  EXPECT_EQ(chunked.Receive().status, 413);
  // While the client still sends a large body it can read why it is refused.
  TestClient sending(server->port());
  sending.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nContent-Length: 2000000\r\n\r\n");
  sending.Send(std::string(1'000'000, 'x'));
  EXPECT_EQ(sending.Receive().status, 413);
}

TEST_F(ServerTest, KeepsTheConnectionWhenASmallBodyIsRefused) {
  Start();
  TestClient client(server->port());
  client.Send(TestRequest("POST", "/nowhere", std::string(100'000, 'x')));
  EXPECT_EQ(client.Receive().status, 404);
  client.Send(TestRequest("GET", "/ping"));
  EXPECT_EQ(client.Receive().status, 204);
}

TEST_F(ServerTest, SaysContinueOnlyToWhatItWillTake) {
  options.max_body_bytes = 100;
  Start();
  TestClient good(server->port());
  good.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nExpect: 100-continue\r\nContent-Length: " +
            std::to_string(kLine.size()) + "\r\n\r\n");
  ASSERT_TRUE(good.Fill(std::chrono::seconds(10)));
  good.Send(kLine);
  EXPECT_EQ(good.Receive().status, 204);
  EXPECT_TRUE(good.saw_continue());
  TestClient large(server->port());
  large.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nExpect: 100-continue\r\nContent-Length: 101\r\n\r\n");
  EXPECT_EQ(large.Receive().status, 413);
  EXPECT_FALSE(large.saw_continue());
  TestClient unknown(server->port());
  unknown.Send("POST /write HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 10\r\n\r\n");
  EXPECT_EQ(unknown.Receive().status, 401);
  EXPECT_FALSE(unknown.saw_continue());
  TestClient odd(server->port());
  odd.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nExpect: miracles\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(odd.Receive().status, 417);
}

TEST_F(ServerTest, BoundsTheBodiesInFlight) {
  options.body_budget_bytes = 200'000;
  Start();
  TestClient holder(server->port());
  holder.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nContent-Length: 150000\r\n\r\ncpu ");
  ASSERT_TRUE(Eventually([&] { return Get("/metrics").body.find("arc_http_body_bytes 0\n") == std::string::npos; }));
  TestReply reply = Ask("POST", "/write", std::string(140'000, '\n'));
  EXPECT_EQ(reply.status, 503);
  EXPECT_TRUE(reply.has("retry-after"));
  holder.Close();
  EXPECT_TRUE(Eventually([&] { return Ask("POST", "/write", std::string(140'000, '\n')).status == 204; }));
}

TEST_F(ServerTest, AnswersAClientThatHalfCloses) {
  Start();
  TestClient client(server->port());
  client.Send(TestRequest("POST", "/write", kLine));
  client.HalfClose();
  EXPECT_EQ(client.Receive().status, 204);
  EXPECT_TRUE(client.Closed());
  TestClient cut(server->port());
  cut.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nContent-Length: 100\r\n\r\ncpu");
  cut.HalfClose();
  EXPECT_EQ(cut.Receive().status, 400);
}

TEST_F(ServerTest, SurvivesClientsThatReset) {
  Start();
  for (int i = 0; i < 20; ++i) {
    TestClient client(server->port());
    client.Send(TestRequest("POST", "/write", kLine).substr(0, static_cast<size_t>(10 * i)));
    client.Reset();
  }
  EXPECT_EQ(Get("/ping").status, 204);
}

TEST_F(ServerTest, CutsSlowHeadersAndBodies) {
  options.header_timeout = options.body_timeout = std::chrono::milliseconds(200);
  Start();
  TestClient header(server->port());
  header.Send("GET / HTTP/1.1\r\nHost: ");
  TestClient body(server->port());
  body.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nContent-Length: 100\r\n\r\ncpu");
  TestClient chunked(server->port());
  chunked.Send("POST /write HTTP/1.1\r\nx-api-key: writer\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
  EXPECT_EQ(header.Receive().status, 408);
  EXPECT_EQ(body.Receive().status, 408);
  EXPECT_EQ(chunked.Receive().status, 408);
  EXPECT_TRUE(header.Closed());
  EXPECT_TRUE(body.Closed());
}

TEST_F(ServerTest, DrippingDoesNotProlongAHeader) {
  options.header_timeout = std::chrono::milliseconds(300);
  Start();
  TestClient client(server->port());
  bool open = true;
  int sent = 0;
  for (; open && sent < 200; ++sent) {
    open = client.Send("G");
    open = open && !client.Closed(std::chrono::milliseconds(20));
  }
  EXPECT_LT(sent, 200);
}

TEST_F(ServerTest, ClosesIdleConnections) {
  options.idle_timeout = std::chrono::milliseconds(200);
  Start();
  TestClient client(server->port());
  client.Send(TestRequest("GET", "/ping"));
  EXPECT_EQ(client.Receive().status, 204);
  EXPECT_TRUE(client.Closed());
}

TEST_F(ServerTest, RefusesConnectionsOverTheLimit) {
  options.max_connections = 2;
  Start();
  TestClient one(server->port());
  TestClient two(server->port());
  one.Send(TestRequest("GET", "/ping"));
  two.Send(TestRequest("GET", "/ping"));
  EXPECT_EQ(one.Receive().status, 204);
  EXPECT_EQ(two.Receive().status, 204);
  TestClient three(server->port());
  TestReply reply = three.Receive();
  EXPECT_EQ(reply.status, 503);
  EXPECT_TRUE(reply.complete);
  one.Close();
  EXPECT_TRUE(Eventually([&] { return Get("/ping").status == 204; }));
}

TEST_F(ServerTest, ServesHttp10) {
  Start();
  TestClient client(server->port());
  client.Send("GET /health HTTP/1.0\r\n\r\n");
  TestReply reply = client.Receive();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("connection"), "close");
  EXPECT_TRUE(client.Closed());
  TestClient kept(server->port());
  kept.Send("GET /health HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(kept.Receive().header("connection"), "keep-alive");
}

TEST_F(ServerTest, GivesAndKeepsRequestIds) {
  Start();
  EXPECT_EQ(Ask("GET", "/ping", "", "x-request-id: abc-123\r\n").header("x-request-id"), "abc-123");
  TestReply odd = Ask("GET", "/ping", "", "x-request-id: a b\"c\r\n");
  EXPECT_EQ(odd.header("x-request-id").size(), 16u);
  EXPECT_NE(odd.header("x-request-id"), Get("/ping").header("x-request-id"));
}

TEST_F(ServerTest, KnowsPathsAndMethods) {
  TestReply nowhere = Get("/nowhere");
  EXPECT_EQ(nowhere.status, 404);
  EXPECT_THAT(nowhere.body, HasSubstr("\"success\":false"));
  TestReply wrong = Ask("DELETE", "/write");
  EXPECT_EQ(wrong.status, 405);
  EXPECT_EQ(wrong.header("allow"), "POST");
  EXPECT_EQ(Ask("GET", "/health/").status, 200);
  TestReply head = Ask("HEAD", "/health");
  EXPECT_EQ(head.status, 200);
  EXPECT_NE(head.header("content-length"), "0");
  EXPECT_EQ(Ask("BREW", "/health").status, 405);
}

TEST_F(ServerTest, SpeaksCors) {
  Start();
  TestReply simple = Ask("GET", "/health", "", "Origin: https://a.example\r\n");
  EXPECT_EQ(simple.header("access-control-allow-origin"), "*");
  EXPECT_FALSE(simple.has("access-control-allow-credentials"));
  EXPECT_FALSE(Get("/health").has("access-control-allow-origin"));
  TestReply preflight = Ask("OPTIONS", "/api/v1/query", "",
                            "Origin: https://a.example\r\nAccess-Control-Request-Method: POST\r\n"
                            "Access-Control-Request-Headers: x-api-key\r\n",
                            "");
  EXPECT_EQ(preflight.status, 204);
  EXPECT_THAT(preflight.header("access-control-allow-methods"), HasSubstr("POST"));
  EXPECT_EQ(preflight.header("access-control-allow-headers"), "x-api-key");
}

TEST_F(ServerTest, CorsCanBeRestricted) {
  options.cors_origins = {"https://good.example"};
  Start();
  TestReply good = Ask("GET", "/health", "", "Origin: https://good.example\r\n");
  EXPECT_EQ(good.header("access-control-allow-origin"), "https://good.example");
  EXPECT_EQ(good.header("vary"), "Origin");
  EXPECT_FALSE(Ask("GET", "/health", "", "Origin: https://evil.example\r\n").has("access-control-allow-origin"));
}

TEST_F(ServerTest, DrainsWhatRunsAndRefusesWhatComes) {
  std::mutex mutex;
  std::condition_variable wake;
  bool entered = false;
  bool release = false;
  engine.on_write = [&](const WriteRequest&, const WriteOptions&) -> Result<WriteOutcome> {
    std::unique_lock lock(mutex);
    entered = true;
    wake.notify_all();
    wake.wait(lock, [&] { return release; });
    return WriteOutcome{.lsn = {9}, .rows = 1, .errors = {}, .notices = {}};
  };
  Start();
  TestClient idle(server->port());
  idle.Send(TestRequest("GET", "/ping"));
  EXPECT_EQ(idle.Receive().status, 204);
  TestClient busy(server->port());
  busy.Send(TestRequest("POST", "/write", kLine));
  {
    std::unique_lock lock(mutex);
    wake.wait(lock, [&] { return entered; });
  }
  Thread stopper("stopper", [&] { server->Stop(std::chrono::seconds(30)); });
  EXPECT_TRUE(idle.Closed());
  {
    std::lock_guard lock(mutex);
    release = true;
  }
  wake.notify_all();
  TestReply reply = busy.Receive();
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.header("x-arc-lsn"), "9");
  EXPECT_EQ(reply.header("connection"), "close");
  stopper.Join();
}

TEST_F(ServerTest, AWriteAcknowledgedAfterTheServerIsGoneHarmsNobody) {
  std::function<void(Result<WriteOutcome>)> late;
  std::atomic<bool> held{false};
  struct LateEngine : FakeEngine {
    std::function<void(Result<WriteOutcome>)>* late = nullptr;
    std::atomic<bool>* held = nullptr;
    void Write(WriteRequest, const WriteOptions&, std::function<void(Result<WriteOutcome>)> done) override {
      *late = std::move(done);
      *held = true;
    }
  } slow;
  slow.late = &late;
  slow.held = &held;
  options.header_timeout = std::chrono::milliseconds(100);
  auto started = HttpServer::Start(options, slow);
  ASSERT_TRUE(started.ok());
  TestClient client((*started)->port());
  client.Send(TestRequest("POST", "/write", kLine));
  ASSERT_TRUE(Eventually([&] { return held.load(); }));
  (*started)->Stop(std::chrono::milliseconds(0));
  (*started).reset();
  late(WriteOutcome{});
  late = nullptr;
}

TEST_F(ServerTest, ManyClientsAtOnce) {
  Start();
  std::atomic<int> good{0};
  {
    std::vector<Thread> clients;
    for (int c = 0; c < 8; ++c) {
      clients.emplace_back("client", [&] {
        TestClient client(server->port());
        for (int i = 0; i < 100; ++i) {
          client.Send(TestRequest("POST", "/write", kLine));
          if (client.Receive().status == 204) ++good;
        }
      });
    }
  }
  EXPECT_EQ(good, 800);
}

TEST(HttpServerStart, SaysWhyItCannotListen) {
  FakeEngine engine;
  HttpOptions options;
  options.host = "127.0.0.1";
  options.port = 0;
  auto first = HttpServer::Start(options, engine);
  ASSERT_TRUE(first.ok());
  options.host = "256.1.1.1";
  auto bad_host = HttpServer::Start(options, engine);
  ASSERT_FALSE(bad_host.ok());
  EXPECT_THAT(bad_host.error().message, HasSubstr("256.1.1.1"));
  options.host = "127.0.0.1";
  options.max_body_bytes = 0;
  EXPECT_FALSE(HttpServer::Start(options, engine).ok());
}

}  // namespace
}  // namespace arc
