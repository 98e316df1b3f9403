#include <gmock/gmock.h>

#include "arc/http/test_server.h"

namespace arc {
namespace {

using testing::HasSubstr;
using testing::Not;

class TieringRoutesTest : public ServerTest {};

TEST_F(TieringRoutesTest, ShowsSettingsJobsAndWhatIsToMove) {
  for (const std::string base : {"/api/tiering", "/api/v1/tiering"}) {
    const std::string status = Get(base + "/status").body;
    EXPECT_THAT(status,
                HasSubstr(R"("cold_store":true,"enabled":true,"cold_store_error":null,"schedule":"30 2 * * *")"));
    EXPECT_THAT(status, HasSubstr(R"("hot_age_days":30,"hot_age_exceptions":[{"database":"lake","measurement":null,)"
                                  R"("hot_age_days":7}])"));
    EXPECT_THAT(status, HasSubstr(R"("total_files_moved":4,"total_bytes_moved":400,"total_rows_moved":40)"));
    EXPECT_THAT(Get(base + "/candidates").body,
                HasSubstr(R"({"tables":[{"database":"lake","measurement":"cpu","hot_age_days":7,)"
                          R"("cutoff_date":"2025-10-16T14:05:12Z","to_move":{"files":3,"bytes":300,"rows":30},)"
                          R"("waiting_for_compaction":{"files":10,"bytes":100,"rows":10},)"));
    EXPECT_THAT(Get(base + "/jobs").body, HasSubstr(R"({"jobs":[],"count":0})"));
    const std::string history = Get(base + "/history").body;
    EXPECT_THAT(history, HasSubstr(R"("moved":{"files":2,"bytes":200,"rows":20},"commits":1,"error":"it is away",)"
                                   R"("files_left":[{"file":"cpu/bad.parquet","error":"cut short"}])"));
  }
  const std::string metrics = Get("/metrics").body;
  EXPECT_THAT(metrics, HasSubstr("arc_tiering_files_total 4"));
  EXPECT_THAT(metrics, Not(HasSubstr("arc_cold_store_up")));
}

TEST_F(TieringRoutesTest, TriggerIsForAdministratorsAndNeedsAColdStore) {
  EXPECT_EQ(Ask("POST", "/api/tiering/trigger", "", "", "reader").status, 403);
  EXPECT_EQ(engine.fake_tiering.triggered, "");
  EXPECT_THAT(Ask("POST", "/api/tiering/trigger?database=lake&measurement=cpu").body, HasSubstr("\"jobs_started\":1"));
  EXPECT_EQ(engine.fake_tiering.triggered, "lake.cpu");
  engine.fake_tiering.fake_options.has_cold_store = false;
  const auto refused = Ask("POST", "/api/v1/tiering/trigger");
  EXPECT_EQ(refused.status, 400);
  EXPECT_THAT(refused.body, HasSubstr("tiering.backend"));
}

TEST_F(TieringRoutesTest, AColdStoreThatIsAwayDegradesHealthAndTakesNoTraffic) {
  engine.impaired = {{"cold_store", "nobody answers"}};
  EXPECT_THAT(Get("/health", "").body, HasSubstr("\"status\":\"degraded\""));
  EXPECT_THAT(Get("/health", "").body, HasSubstr("\"cold_store\":\"nobody answers\""));
  EXPECT_EQ(Get("/ready", "").status, 200);
  engine.fake_remote.cold = StoreStats{.requests = 5, .errors = 2, .down = "nobody answers"};
  EXPECT_THAT(Get("/metrics").body, HasSubstr("arc_cold_store_up 0"));
  EXPECT_THAT(Get("/api/tiering/status").body, HasSubstr("\"cold_store_error\":\"nobody answers\""));
}

}  // namespace
}  // namespace arc
