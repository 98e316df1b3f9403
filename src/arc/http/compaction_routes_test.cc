#include <gmock/gmock.h>

#include "arc/http/test_server.h"

namespace arc {
namespace {

using testing::HasSubstr;

class CompactionRoutesTest : public ServerTest {};

TEST_F(CompactionRoutesTest, ShowsWhatTheReferenceNames) {
  for (const char* prefix : {"/api/compaction", "/api/v1/compaction"}) {
    const std::string base(prefix);
    const std::string status = Get(base + "/status").body;
    EXPECT_THAT(status, HasSubstr(R"("schedule":"5 * * * *","next_run":"2025-10-16T15:05:00Z")"));
    EXPECT_THAT(status, HasSubstr(R"("active_jobs":1,"queued_jobs":0,"max_concurrent_jobs":2,"min_files":10)"));
    EXPECT_THAT(status, HasSubstr(R"("min_age_hours":1,"target_file_size_mb":512,"compression":"zstd")"));
    const std::string stats = Get(base + "/stats").body;
    EXPECT_THAT(stats, HasSubstr(R"("total_jobs_completed":1,"total_jobs_failed":1,"total_files_compacted":15)"));
    EXPECT_THAT(stats, HasSubstr(R"("total_bytes_saved":400)"));
    EXPECT_THAT(stats, HasSubstr(R"("recent_jobs":[{"job_id":"j1")"));
    EXPECT_THAT(Get(base + "/candidates").body,
                HasSubstr(R"({"candidates":[{"database":"systems","measurement":"cpu","partition_path":)"
                          R"("cpu/2025/10/16/14","tier":"hourly","file_count":15,"total_bytes":1000,"rows":5000}])"));
    EXPECT_THAT(Get(base + "/jobs").body,
                HasSubstr(R"("job_id":"j2","status":"running","database":"systems","measurement":"cpu")"));
    const std::string history = Get(base + "/history").body;
    EXPECT_THAT(history, HasSubstr(R"("files_compacted":15,"files_written":1,"bytes_before":1000,"bytes_after":600,)"
                                   R"("compression_ratio":0.4)"));
    EXPECT_THAT(history, HasSubstr(R"("started_at":"2025-10-16T14:05:12Z")"));
    EXPECT_THAT(history, HasSubstr(R"("error":"disk full","files_left":[{"file":"cpu/bad.parquet","error":)"
                                   R"("a page's checksum is wrong","damaged":true}])"));
  }
  EXPECT_THAT(Get("/metrics").body, HasSubstr("arc_compaction_files_in_total 15"));
}

TEST_F(CompactionRoutesTest, TriggerIsForAdministrators) {
  EXPECT_EQ(Ask("POST", "/api/compaction/trigger", "", "", "reader").status, 403);
  EXPECT_EQ(engine.fake_compaction.triggered, "");
  EXPECT_THAT(Ask("POST", "/api/compaction/trigger").body, HasSubstr("\"jobs_started\":1"));
  EXPECT_EQ(engine.fake_compaction.triggered, ".");
  EXPECT_EQ(Ask("POST", "/api/v1/compaction/trigger?database=systems&measurement=cpu").status, 200);
  EXPECT_EQ(engine.fake_compaction.triggered, "systems.cpu");
}

}  // namespace
}  // namespace arc
