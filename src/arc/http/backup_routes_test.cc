#include <gmock/gmock.h>

#include "arc/http/test_server.h"

namespace arc {
namespace {

using testing::HasSubstr;

class BackupRoutesTest : public ServerTest {};

TEST_F(BackupRoutesTest, StartsAndShowsABackup) {
  EXPECT_THAT(Get("/api/v1/backup").body, HasSubstr(R"("status":"never")"));
  const auto started = Ask("POST", "/api/v1/backup", R"({"target": "/mnt/b"})");
  EXPECT_EQ(started.status, 202);
  EXPECT_THAT(started.body, HasSubstr(R"("status":"running","target":"/mnt/b")"));
  engine.fake_backup.state = BackupStatus::State::kCompleted;
  engine.fake_backup.summary =
      BackupSummary{"20261121T000000000Z-1a2b3c4d", 42, true, 2, 9, 1000, 3, 300, {"db.t: lost"}};
  EXPECT_THAT(Get("/api/v1/backup").body,
              HasSubstr(R"("backup":{"id":"20261121T000000000Z-1a2b3c4d","lsn":42,"exact":true,"tables":2,)"
                        R"("objects":9,"bytes":1000,"problems":["db.t: lost"]})"));
}

TEST_F(BackupRoutesTest, IsForAdministratorsAndNeedsATarget) {
  EXPECT_EQ(Ask("POST", "/api/v1/backup", R"({"target": "/mnt/b"})", "", "writer").status, 403);
  EXPECT_EQ(Ask("GET", "/api/v1/backup", "", "", "reader").status, 403);
  EXPECT_EQ(Ask("POST", "/api/v1/backup", "{}").status, 400);
  EXPECT_THAT(Ask("POST", "/api/v1/backup", R"({"where": "x"})").body, HasSubstr("unknown key"));
  EXPECT_EQ(engine.fake_backup.target, "");
}

}  // namespace
}  // namespace arc
