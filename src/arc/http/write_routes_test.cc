#include <arrow/api.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <gmock/gmock.h>
#include <zlib.h>
#include <zstd.h>

#include "arc/http/test_server.h"

namespace arc {
namespace {

using testing::HasSubstr;

const std::string kLine = "cpu,host=a value=1 1700000000000000000\n";

std::string Gzip(const std::string& text) {
  z_stream stream{};
  deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, text.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string Zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

class WriteRoutesTest : public ServerTest {
 protected:
  WriteRoutesTest() {
    engine.on_write = [this](const WriteRequest& request, const WriteOptions& write_options) -> Result<WriteOutcome> {
      std::lock_guard lock(mutex);
      last = request;
      last_options = write_options;
      if (fail) return *fail;
      if (outcome) return *outcome;
      WriteOutcome made;
      for (const auto& table : request.batches) made.rows += static_cast<uint64_t>(table.batch.rows);
      made.errors = request.errors;
      made.errors_total = request.errors.size();
      made.lsn = {77};
      return made;
    };
  }
  int64_t LastTime() {
    std::lock_guard lock(mutex);
    return last.batches.empty() ? -1 : last.batches[0].batch.min_time;
  }
  std::string LastDatabase() {
    std::lock_guard lock(mutex);
    return last_options.database;
  }
  std::mutex mutex;
  WriteRequest last;
  WriteOptions last_options;
  std::optional<Error> fail;
  std::optional<WriteOutcome> outcome;
};

TEST_F(WriteRoutesTest, EveryLineProtocolPathTakesRows) {
  for (const char* path :
       {"/write", "/api/v1/write", "/api/v1/write/line-protocol", "/api/v2/write", "/api/v3/write_lp"}) {
    TestReply reply = Ask("POST", path, kLine);
    EXPECT_EQ(reply.status, 204) << path << reply.body;
    EXPECT_EQ(reply.header("x-arc-lsn"), "77");
    EXPECT_EQ(LastTime(), 1'700'000'000'000'000) << path;
  }
}

TEST_F(WriteRoutesTest, UnderstandsEveryPrecision) {
  struct Case {
    const char* target;
    int64_t micros;
  };
  for (const Case& one :
       {Case{"/write?precision=s", 1'700'000'000'000'000}, Case{"/api/v2/write?precision=s", 1'700'000'000'000'000},
        Case{"/api/v3/write_lp?precision=second", 1'700'000'000'000'000},
        Case{"/api/v3/write_lp", 1'700'000'000'000'000}, Case{"/write?precision=m", 102'000'000'000'000'000}}) {
    EXPECT_EQ(Ask("POST", one.target, "cpu value=1 1700000000\n").status, 204) << one.target;
    EXPECT_EQ(LastTime(), one.micros) << one.target;
  }
  for (const char* spelling :
       {"ns", "n", "us", "u", "%C2%B5", "ms", "h", "auto", "nanosecond", "microsecond", "millisecond"}) {
    TestReply reply = Ask("POST", std::string("/write?precision=") + spelling, "cpu value=1 1700\n");
    EXPECT_EQ(reply.status, 204) << spelling << reply.body;
  }
  EXPECT_EQ(Ask("POST", "/write?precision=weeks", kLine).status, 400);
}

TEST_F(WriteRoutesTest, TakesTheDatabaseFromHeaderAndQuery) {
  Ask("POST", "/write", kLine);
  EXPECT_EQ(LastDatabase(), "default");
  Ask("POST", "/write?db=my%20db", kLine);
  EXPECT_EQ(LastDatabase(), "my db");
  Ask("POST", "/api/v2/write?bucket=tele%2Fautogen&org=o", kLine);
  EXPECT_EQ(LastDatabase(), "tele");
  Ask("POST", "/write?db=a", kLine, "x-arc-database: b\r\n");
  EXPECT_EQ(LastDatabase(), "b");
}

TEST_F(WriteRoutesTest, TakesMsgpack) {
  // {"m":"cpu","t":1700000000000,"fields":{"v":1.5}}
  std::string body = std::string(
                         "\x83\xa1m\xa3"
                         "cpu\xa1t\xcf\x00\x00\x01\x8b\xcf\xe5\x68\x00\xa6"
                         "fields\x81\xa1v\xcb",
                         29) +
                     std::string("\x3f\xf8\x00\x00\x00\x00\x00\x00", 8);
  for (const char* path : {"/write/v2/msgpack", "/api/v2/msgpack", "/api/v1/write/msgpack"}) {
    TestReply reply = Ask("POST", path, body, "Content-Type: application/msgpack\r\n");
    EXPECT_EQ(reply.status, 204) << path << reply.body;
    EXPECT_EQ(LastTime(), 1'700'000'000'000'000) << path;
  }
  EXPECT_EQ(Ask("POST", "/write/v2/msgpack", "\xc1").status, 400);
}

TEST_F(WriteRoutesTest, TakesJson) {
  TestReply reply = Ask("POST", "/api/v1/write/json", R"({"m":"cpu","t":1700000000000,"fields":{"v":1.5}})");
  EXPECT_EQ(reply.status, 204) << reply.body;
  EXPECT_EQ(LastTime(), 1'700'000'000'000'000);
  EXPECT_EQ(Ask("POST", "/api/v1/write/json", "{").status, 400);
}

TEST_F(WriteRoutesTest, TakesCsv) {
  const std::string body = "when;host;v\n1700000000;a;1.5\n1700000001;b;x\n";
  for (const char* path : {"/write/csv", "/api/v1/write/csv"}) {
    TestReply reply =
        Ask("POST", std::string(path) + "?measurement=cpu&time_column=when&tags=host&delimiter=%3B&db=d", body);
    EXPECT_EQ(reply.status, 204) << path << reply.body;
    EXPECT_EQ(reply.header("x-arc-rows"), "2");
    EXPECT_EQ(LastTime(), 1'700'000'000'000'000) << path;
    EXPECT_EQ(LastDatabase(), "d");
  }
  EXPECT_EQ(
      Ask("POST", "/write/csv?measurement=cpu&columns=time,v&delimiter=tab&precision=ms", "1700000000000\t1\n").status,
      204);
  EXPECT_EQ(LastTime(), 1'700'000'000'000'000);
  EXPECT_THAT(Ask("POST", "/write/csv", body).body, HasSubstr("the parameter measurement is missing"));
  EXPECT_EQ(Ask("POST", "/write/csv?measurement=cpu&delimiter=%22", body).status, 400);
  EXPECT_EQ(Ask("POST", "/write/csv?measurement=cpu&tags=%22open", body).status, 400);
  TestReply partial = Ask("POST", "/write/csv?measurement=cpu", "time,v\n1,1\nnever,2\n3,3\n");
  EXPECT_EQ(partial.status, 400);
  EXPECT_THAT(partial.body, HasSubstr("partial write: line 3: column 'time'"));
  EXPECT_THAT(partial.body, HasSubstr("\"rows_written\":2,\"rows_refused\":1"));
}

TEST_F(WriteRoutesTest, TakesArrow) {
  auto schema = arrow::schema(
      {arrow::field("time", arrow::timestamp(arrow::TimeUnit::MILLI)), arrow::field("v", arrow::float64())});
  arrow::TimestampBuilder time(schema->field(0)->type(), arrow::default_memory_pool());
  arrow::DoubleBuilder value;
  ASSERT_TRUE(time.Append(1'700'000'000'000).ok() && value.Append(1.5).ok());
  auto rows = arrow::RecordBatch::Make(schema, 1, {time.Finish().ValueOrDie(), value.Finish().ValueOrDie()});
  auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto writer = arrow::ipc::MakeStreamWriter(sink, schema).ValueOrDie();
  ASSERT_TRUE(writer->WriteRecordBatch(*rows).ok() && writer->Close().ok());
  const std::string body = sink->Finish().ValueOrDie()->ToString();
  for (const char* path : {"/write/arrow", "/api/v1/write/arrow"}) {
    TestReply reply = Ask("POST", std::string(path) + "?measurement=cpu", Zstd(body), "Content-Encoding: zstd\r\n");
    EXPECT_EQ(reply.status, 204) << path << reply.body;
    EXPECT_EQ(reply.header("x-arc-lsn"), "77");
    EXPECT_EQ(LastTime(), 1'700'000'000'000'000) << path;
  }
  EXPECT_EQ(Ask("POST", "/write/arrow?measurement=cpu", "no stream").status, 400);
  EXPECT_EQ(Ask("POST", "/write/arrow", body).status, 400);
}

TEST_F(WriteRoutesTest, ReportsPartialWritesAndKeepsTheGoodRows) {
  TestReply reply = Ask("POST", "/write", "cpu value=1\nbad line here\ncpu value=2\n");
  EXPECT_EQ(reply.status, 400);
  EXPECT_THAT(reply.body, HasSubstr("\"error\":\"partial write: line 2: "));
  EXPECT_THAT(reply.body, HasSubstr("\"code\":\"invalid\""));
  EXPECT_THAT(reply.body, HasSubstr("\"rows_written\":2,\"rows_refused\":1"));
  EXPECT_THAT(reply.body, HasSubstr("\"errors\":[{\"line\":2,\"message\":"));
  EXPECT_EQ(reply.header("x-arc-lsn"), "77");
  TestReply three = Ask("POST", "/api/v3/write_lp?accept_partial=false&db=x", "cpu value=1\nbad line here\n");
  EXPECT_THAT(three.body, HasSubstr("\"data\":[{\"line_number\":2"));
  std::lock_guard lock(mutex);
  EXPECT_FALSE(last_options.accept_partial);
}

TEST_F(WriteRoutesTest, TellsRenamedColumns) {
  outcome = WriteOutcome{.lsn = {5}, .rows = 1, .errors = {}, .notices = {"tag a is stored as a_tag", "x\r\nEvil: 1"}};
  TestReply reply = Ask("POST", "/write", kLine);
  EXPECT_EQ(reply.status, 204);
  EXPECT_EQ(reply.header("x-arc-notice"), "tag a is stored as a_tag; x??Evil: 1");
  EXPECT_FALSE(reply.has("evil"));
}

TEST_F(WriteRoutesTest, MapsEngineErrors) {
  struct Case {
    ErrorKind kind;
    int status;
    bool retry;
  };
  for (const Case& one : {Case{ErrorKind::kOverloaded, 503, true}, Case{ErrorKind::kDiskFull, 503, true},
                          Case{ErrorKind::kUnavailable, 503, true}, Case{ErrorKind::kUnknownOutcome, 500, false},
                          Case{ErrorKind::kInvalidArgument, 400, false}, Case{ErrorKind::kPermissionDenied, 403, false},
                          Case{ErrorKind::kInternal, 500, false}, Case{ErrorKind::kTooLarge, 413, false}}) {
    {
      std::lock_guard lock(mutex);
      fail = MakeError(one.kind, "no");
    }
    TestReply reply = Ask("POST", "/write", kLine);
    EXPECT_EQ(reply.status, one.status) << ErrorKindName(one.kind);
    EXPECT_EQ(reply.has("retry-after"), one.retry) << ErrorKindName(one.kind);
    bool said = reply.body.find("unknown_outcome: ") != std::string::npos;
    EXPECT_EQ(said, one.kind == ErrorKind::kUnknownOutcome);
  }
}

TEST_F(WriteRoutesTest, DecompressesGzipAndZstd) {
  std::string body;
  for (int i = 0; i < 5000; ++i) body += kLine;
  for (const auto& [encoding, bytes] : {std::pair<std::string, std::string>{"gzip", Gzip(body)},
                                        {"zstd", Zstd(body)},
                                        {"GZIP", Gzip(body)},
                                        {"gzip", Gzip(kLine) + Gzip(kLine)},
                                        {"identity", kLine},
                                        {"zstd", Zstd("") + Zstd(kLine)}}) {
    TestReply reply = Ask("POST", "/write", bytes, "Content-Encoding: " + encoding + "\r\n");
    EXPECT_EQ(reply.status, 204) << encoding << reply.body;
  }
  for (const char* encoding : {"br", "deflate", "gzip, zstd"}) {
    EXPECT_EQ(Ask("POST", "/write", kLine, std::string("Content-Encoding: ") + encoding + "\r\n").status, 415)
        << encoding;
  }
}

TEST_F(WriteRoutesTest, RefusesDamagedCompression) {
  std::string gzip = Gzip(kLine);
  std::string zstd = Zstd(kLine);
  std::string flipped = gzip;
  flipped[flipped.size() - 6] ^= 1;  // the checksum
  for (const auto& [encoding, bytes] : {std::pair<std::string, std::string>{"gzip", kLine},
                                        {"gzip", gzip.substr(0, gzip.size() / 2)},
                                        {"gzip", flipped},
                                        {"gzip", gzip + "trailing"},
                                        {"zstd", kLine},
                                        {"zstd", zstd.substr(0, zstd.size() - 2)},
                                        {"zstd", zstd + "trailing"}}) {
    TestReply reply = Ask("POST", "/write", bytes, "Content-Encoding: " + encoding + "\r\n");
    EXPECT_EQ(reply.status, 400) << encoding << " " << reply.body;
    EXPECT_THAT(reply.body, HasSubstr(encoding));
  }
}

TEST_F(WriteRoutesTest, RefusesBombs) {
  options.max_decoded_body_bytes = 64 << 20;
  std::string zeros(100 << 20, '\0');
  for (const auto& [encoding, bytes] :
       {std::pair<std::string, std::string>{"gzip", Gzip(zeros)}, {"zstd", Zstd(zeros)}}) {
    TestReply reply = Ask("POST", "/write", bytes, "Content-Encoding: " + encoding + "\r\n");
    EXPECT_EQ(reply.status, 413) << encoding << reply.body;
  }
  std::string many(20 << 20, '\n');  // within the size, beyond the ratio
  EXPECT_EQ(Ask("POST", "/write", Gzip(many), "Content-Encoding: gzip\r\n").status, 413);
  EXPECT_THAT(Get("/metrics").body, HasSubstr("arc_http_body_bytes 0\n"));
}

TEST_F(WriteRoutesTest, AnEmptyBodyIsNothingToDo) {
  TestReply reply = Ask("POST", "/write", "");
  EXPECT_EQ(reply.status, 204);
  EXPECT_FALSE(reply.has("x-arc-lsn"));
}

TEST_F(WriteRoutesTest, FindsTheTokenWhereverClientsPutIt) {
  Start();
  auto ask = [&](const std::string& fields, const std::string& query = "") {
    return Ask("POST", "/write" + query, kLine, fields, "").status;
  };
  EXPECT_EQ(ask("Authorization: Bearer writer\r\n"), 204);
  EXPECT_EQ(ask("authorization: bearer   writer\r\n"), 204);
  EXPECT_EQ(ask("Authorization: Token writer\r\n"), 204);
  EXPECT_EQ(ask("x-api-key: writer\r\n"), 204);
  EXPECT_EQ(ask("X-API-Key: writer\r\n"), 204);
  EXPECT_EQ(ask("Authorization: Basic OndyaXRlcg==\r\n"), 204);      // ":writer"
  EXPECT_EQ(ask("Authorization: Basic dXNlcjp3cml0ZXI=\r\n"), 204);  // "user:writer"
  EXPECT_EQ(ask("Authorization: Basic d3JpdGVyOg==\r\n"), 204);      // "writer:"
  EXPECT_EQ(ask("", "?u=any&p=writer"), 204);
  EXPECT_EQ(ask(""), 401);
  EXPECT_EQ(ask("Authorization: Bearer wrong\r\n"), 401);
  EXPECT_EQ(ask("Authorization: Basic !!!\r\n"), 401);
  EXPECT_EQ(ask("Authorization: Bearer\r\n"), 401);
  TestReply refused = Ask("POST", "/write", kLine, "", "");
  EXPECT_EQ(refused.header("www-authenticate"), "Bearer realm=\"arc\"");
  EXPECT_THAT(refused.body, HasSubstr("\"code\":\"unauthorized\""));
}

TEST_F(WriteRoutesTest, ChecksPermissions) {
  EXPECT_EQ(Ask("POST", "/write", kLine, "", "reader").status, 403);
  EXPECT_EQ(Ask("POST", "/write?db=acme", kLine, "", "tenant").status, 204);
  EXPECT_EQ(Ask("POST", "/write?db=other", kLine, "", "tenant").status, 403);
  EXPECT_EQ(Ask("POST", "/write", kLine, "", "tenant").status, 403);
}

TEST_F(WriteRoutesTest, AuthenticationCanBeOff) {
  options.auth_enabled = false;
  EXPECT_EQ(Ask("POST", "/write", kLine, "", "").status, 204);
  EXPECT_EQ(Ask("GET", "/auth/tokens", "", "", "").status, 200);
}

TEST_F(WriteRoutesTest, Flushes) {
  TestReply reply = Ask("POST", "/write/flush");
  EXPECT_EQ(reply.status, 200);
  EXPECT_THAT(reply.body, HasSubstr("\"success\":true"));
  engine.flush_result = Unavailable("the store is down");
  TestReply failed = Ask("POST", "/api/v1/write/flush");
  EXPECT_EQ(failed.status, 503);
  EXPECT_THAT(failed.body, HasSubstr("the store is down"));
}

TEST_F(WriteRoutesTest, CountsWhatCameIn) {
  Ask("POST", "/write", kLine + "bad line here\n");
  TestReply stats = Get("/write/stats");
  EXPECT_THAT(stats.body,
              HasSubstr("\"line_protocol\":{\"requests\":1,\"records\":1,\"records_refused\":1,\"errors\":1"));
  EXPECT_THAT(Get("/write/v2/msgpack/stats").body, HasSubstr("\"requests\":0"));
  std::string metrics = Get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("arc_ingest_rows_total{format=\"line_protocol\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("arc_ingest_latency_seconds_count{format=\"line_protocol\"} 1\n"));
}

}  // namespace
}  // namespace arc
