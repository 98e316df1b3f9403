#include <gmock/gmock.h>

#include "arc/http/test_server.h"

namespace arc {
namespace {

using testing::HasSubstr;

class TokenRoutesTest : public ServerTest {};

TEST_F(TokenRoutesTest, Verifies) {
  for (const char* path : {"/auth/verify", "/api/v1/auth/verify"}) {
    TestReply reply = Get(path, "tenant");
    EXPECT_EQ(reply.status, 200);
    EXPECT_THAT(reply.body, HasSubstr("\"valid\":true"));
    EXPECT_THAT(reply.body, HasSubstr(R"("name":"tenant","permissions":["read","write"],"databases":["acme"])"));
  }
  EXPECT_EQ(Get("/auth/verify", "wrong").status, 401);
}

TEST_F(TokenRoutesTest, MakesChangesRotatesAndRevokes) {
  TestReply made = Ask(
      "POST", "/auth/tokens",
      R"({"name":"grafana","description":"d","permissions":["read"],"databases":["acme"],"expires_at":"2030-01-15T14:00:00Z"})");
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_THAT(made.body,
              HasSubstr(R"("token":"secret-10","id":10,"name":"grafana","description":"d","permissions":["read"])"));
  EXPECT_THAT(made.body, HasSubstr(R"("expires_at":"2030-01-15T14:00:00Z")"));
  EXPECT_EQ(made.header("cache-control"), "no-store");
  EXPECT_EQ(Get("/auth/verify", "secret-10").status, 200);

  TestReply one = Get("/api/v1/auth/tokens/10");
  EXPECT_EQ(one.status, 200);
  EXPECT_THAT(one.body, testing::Not(HasSubstr("secret-10")));
  EXPECT_THAT(Get("/auth/tokens").body, HasSubstr("\"count\":5"));

  TestReply changed = Ask("PATCH", "/auth/tokens/10", R"({"permissions":["write"],"description":"e"})");
  EXPECT_EQ(changed.status, 200) << changed.body;
  EXPECT_THAT(changed.body, HasSubstr(R"("description":"e","permissions":["write"])"));
  EXPECT_THAT(Ask("PATCH", "/auth/tokens/10", R"({"read":true})").body, HasSubstr(R"("permissions":["read","write"])"));

  TestReply rotated = Ask("POST", "/auth/tokens/10/rotate");
  EXPECT_THAT(rotated.body, HasSubstr("\"token\":\"secret-10-rotated\""));
  EXPECT_EQ(Get("/auth/verify", "secret-10").status, 401);

  EXPECT_EQ(Ask("DELETE", "/auth/tokens/10").status, 200);
  EXPECT_EQ(Get("/auth/verify", "secret-10-rotated").status, 401);
  EXPECT_EQ(Get("/auth/tokens/10").status, 404);
  EXPECT_EQ(Ask("DELETE", "/auth/tokens/10").status, 404);
}

TEST_F(TokenRoutesTest, RefusesBadBodies) {
  for (const char* body : {"", "{}", R"({"name":""})", R"({"name":1})", R"({"name":"x","permissions":["root"]})",
                           R"({"name":"x","permision":["read"]})", R"({"name":"x","databases":"a"})",
                           R"({"name":"x","expires_at":"soon"})", R"({"name":"x","expires_in_seconds":0})"}) {
    EXPECT_EQ(Ask("POST", "/auth/tokens", body).status, 400) << body;
  }
  EXPECT_EQ(Ask("POST", "/auth/tokens", R"({"name":"root"})").status, 409);
  EXPECT_EQ(Ask("PATCH", "/auth/tokens/2", R"({"expires_at":"2030-01-01"})").status, 400);
  EXPECT_EQ(Get("/auth/tokens/abc").status, 404);
}

TEST_F(TokenRoutesTest, IsForAdministratorsOnly) {
  EXPECT_EQ(Get("/auth/tokens", "reader").status, 403);
  EXPECT_EQ(Ask("POST", "/auth/tokens", R"({"name":"x"})", "", "tenant").status, 403);
  EXPECT_EQ(Ask("DELETE", "/auth/tokens/1", "", "", "writer").status, 403);
  EXPECT_EQ(Get("/auth/tokens", "").status, 401);
}

TEST_F(TokenRoutesTest, LimitsTheRatePerAddress) {
  options.token_requests_per_minute = 5;
  Start();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(Get("/auth/verify", "wrong").status, 401);
  TestReply limited = Get("/api/v1/auth/verify");
  EXPECT_EQ(limited.status, 429);
  int seconds = std::atoi(limited.header("retry-after").c_str());
  EXPECT_GE(seconds, 1);
  EXPECT_LE(seconds, 60);
  EXPECT_THAT(limited.body, HasSubstr("\"code\":\"too many requests\""));
  EXPECT_EQ(Get("/measurements").status, 200);  // nothing else is limited
}

}  // namespace
}  // namespace arc
