#include <gmock/gmock.h>

#include "arc/http/router.h"
#include "arc/http/test_server.h"

namespace arc {
namespace {

using testing::HasSubstr;

class StatusRoutesTest : public ServerTest {};

TEST_F(StatusRoutesTest, PublicRoutesNeedNoToken) {
  for (const char* path : {"/", "/health", "/ready", "/api/v1/health", "/api/v1/ready"})
    EXPECT_EQ(Get(path, "").status, 200) << path;
  TestReply ping = Get("/ping", "");
  EXPECT_EQ(ping.status, 204);
  EXPECT_TRUE(ping.has("x-influxdb-version"));
  EXPECT_EQ(Ask("HEAD", "/ping", "", "", "").status, 204);
}

TEST_F(StatusRoutesTest, EveryOtherRouteNeedsOne) {
  Start();
  for (const Route& route : AllRoutes()) {
    if (route.permission == Permission::kPublic || route.rate_limited) continue;
    std::string path(route.pattern);
    for (size_t at; (at = path.find('{')) != std::string::npos;) path.replace(at, path.find('}') - at + 1, "1");
    EXPECT_EQ(Ask(std::string(MethodName(route.method)), path, "", "", "").status, 401) << path;
    EXPECT_EQ(Ask(std::string(MethodName(route.method)), path, "", "", "nonsense").status, 401) << path;
  }
}

TEST_F(StatusRoutesTest, ReadyTellsReasons) {
  engine.not_ready = {{"wal", "disk full"}};
  TestReply ready = Get("/ready", "");
  EXPECT_EQ(ready.status, 503);
  EXPECT_THAT(ready.body, HasSubstr("\"reasons\":{\"wal\":\"disk full\"}"));
  EXPECT_EQ(Get("/health", "").status, 200);
  EXPECT_THAT(Get("/health", "").body, HasSubstr("\"status\":\"degraded\""));
  EXPECT_EQ(Get("/write/health").status, 503);
}

TEST_F(StatusRoutesTest, ShowsTheLog) {
  for (const char* prefix : {"/api/wal", "/api/v1/wal"}) {
    std::string base(prefix);
    EXPECT_THAT(Get(base + "/status").body,
                HasSubstr(R"("next_lsn":44,"wal_durable_lsn":43,"duckdb_lsn":42,"iceberg_lsn":41)"));
    EXPECT_THAT(Get(base + "/stats").body, HasSubstr(R"("syncs":2,"rotations":0,"sync_avg_ms":0.25)"));
    EXPECT_THAT(Get(base + "/files").body,
                HasSubstr(R"({"name":"segment_21.arrow","state":"active","bytes":50,"first_lsn":21,"last_lsn":43})"));
    EXPECT_EQ(Get(base + "/health").status, 200);
    EXPECT_THAT(Ask("POST", base + "/cleanup?max_age_hours=2").body, HasSubstr("\"deleted\":3"));
    EXPECT_EQ(engine.fake_log.cleaned_ms, 2 * 3'600'000);
  }
  EXPECT_EQ(Ask("POST", "/api/wal/cleanup?max_age_hours=x").status, 400);
  EXPECT_EQ(Ask("POST", "/api/wal/cleanup", "", "", "reader").status, 403);
}

TEST_F(StatusRoutesTest, ALogThatRefusesIsUnhealthy) {
  engine.fake_log.poison = "sync failed";
  engine.fake_log.disk_full = true;
  TestReply reply = Get("/api/wal/health");
  EXPECT_EQ(reply.status, 503);
  EXPECT_THAT(reply.body, HasSubstr(R"("issues":["the log refuses writes: sync failed","the disk is full"])"));
}

TEST_F(StatusRoutesTest, ShowsBufferAndPool) {
  std::string buffer = Get("/api/monitoring/buffer").body;
  EXPECT_THAT(buffer, HasSubstr("\"total_records_buffered\":43000"));
  EXPECT_THAT(buffer, HasSubstr("\"current_buffer_sizes\":{\"default.cpu\":25000,\"default.memory\":18000},\"oldest_"
                                "buffer_age_seconds\":3.2"));
  for (const char* path : {"/api/monitoring/pool", "/metrics/query-pool"}) {
    EXPECT_THAT(
        Get(path).body,
        HasSubstr(
            R"("pool_size":3,"active_connections":1,"idle_connections":2,"queue_depth":0,"avg_wait_time_ms":2,"avg_execution_time_ms":10)"));
  }
}

TEST_F(StatusRoutesTest, MetricsAreWellFormed) {
  TestReply reply = Get("/metrics", "reader");
  EXPECT_EQ(reply.header("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  std::map<std::string, bool> families;
  std::string family;
  size_t at = 0;
  while (at < reply.body.size()) {
    size_t end = reply.body.find('\n', at);
    ASSERT_NE(end, std::string::npos);
    std::string line = reply.body.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("# TYPE ")) {
      family = line.substr(7, line.find(' ', 7) - 7);
      EXPECT_FALSE(families[family]) << family;
      families[family] = true;
    } else if (!line.starts_with("# HELP ")) {
      EXPECT_TRUE(line.starts_with(family)) << line;
      double value = 0;
      EXPECT_EQ(std::sscanf(line.c_str() + line.rfind(' '), "%lf", &value), 1) << line;
    }
  }
  for (const char* name : {"arc_ingest_latency_seconds", "arc_wal_lsn", "arc_buffer_bytes", "arc_flushes_total",
                           "arc_snapshots_expired_total", "arc_query_pool_size", "process_resident_memory_bytes",
                           "process_cpu_seconds_total"}) {
    EXPECT_TRUE(families[name]) << name;
  }
  EXPECT_THAT(reply.body, HasSubstr("arc_snapshots_expired_total 7\n"));
  EXPECT_THAT(reply.body, HasSubstr("arc_retention_files_total 11\n"));
  EXPECT_THAT(reply.body, HasSubstr("arc_ingest_latency_seconds_bucket{format=\"json\",le=\"+Inf\"} 0\n"));
}

TEST_F(StatusRoutesTest, ShowsTheSpec) { EXPECT_THAT(Get("/write/v2/msgpack/spec").body, HasSubstr("\"columns\"")); }

TEST(Routes, AreUniqueAndWellFormed) {
  std::set<std::pair<Method, std::string_view>> seen;
  for (const Route& route : AllRoutes()) {
    EXPECT_TRUE(seen.insert({route.method, route.pattern}).second) << route.pattern;
    EXPECT_TRUE(route.pattern.starts_with('/')) << route.pattern;
    EXPECT_NE(route.handler, nullptr);
    EXPECT_FALSE(route.summary.empty());
  }
}

}  // namespace
}  // namespace arc
