// The small parsers of this room: request heads, chunks, query strings, times, routes, limits.
#include <gtest/gtest.h>

#include "arc/http/body_buffer.h"
#include "arc/http/chunked_body.h"
#include "arc/http/json_text.h"
#include "arc/http/query_string.h"
#include "arc/http/rate_limiter.h"
#include "arc/http/request_head.h"
#include "arc/http/response.h"
#include "arc/http/router.h"
#include "arc/http/time_text.h"

namespace arc {
namespace {

TEST(HeadParser, ParsesWhateverTheFragmentation) {
  const std::string text =
      "POST /a/b?c=d HTTP/1.1\r\nHost: x\r\nX-Thing:  two words \r\nContent-Length: 5\r\n\r\nhello";
  for (size_t first = 1; first < text.size() - 5; ++first) {
    RequestHead head;
    HeadParser parser;
    parser.Start(&head, 1000);
    size_t used = 0;
    auto state = parser.Feed(std::string_view(text).substr(0, first), &used);
    ASSERT_NE(state, HeadParser::State::kBad) << first << parser.problem();
    if (state == HeadParser::State::kNeedMore) {
      size_t more = 0;
      state = parser.Feed(std::string_view(text).substr(used), &more);
      used += more;
    }
    ASSERT_EQ(state, HeadParser::State::kDone);
    EXPECT_EQ(text.substr(used), "hello");
    EXPECT_EQ(head.method(), Method::kPost);
    EXPECT_EQ(head.path(), "/a/b");
    EXPECT_EQ(head.query(), "c=d");
    EXPECT_EQ(head.Find("x-thing"), "two words");
    EXPECT_EQ(head.Find("absent"), "");
    EXPECT_EQ(parser.framing().content_length, 5u);
  }
}

std::string Dechunk(std::string_view text, size_t piece, ChunkedBody::Step* last, std::string* rest) {
  ChunkedBody body;
  std::string out;
  std::string pending;
  *last = ChunkedBody::Step::kNeedMore;
  while (*last == ChunkedBody::Step::kNeedMore || *last == ChunkedBody::Step::kData) {
    if (pending.empty() && *last == ChunkedBody::Step::kNeedMore) {
      if (text.empty()) break;
      pending = text.substr(0, piece);
      text.remove_prefix(std::min(piece, text.size()));
    }
    std::string_view in = pending;
    std::string_view data;
    *last = body.Next(&in, &data);
    if (*last == ChunkedBody::Step::kData) out += data;
    pending = std::string(in);
  }
  *rest = pending + std::string(text);
  return out;
}

TEST(ChunkedBodyTest, DecodesWhateverTheFragmentation) {
  for (size_t piece = 1; piece < 40; ++piece) {
    ChunkedBody::Step last;
    std::string rest;
    EXPECT_EQ(Dechunk("5\r\nhello\r\n00A;x=y\r\n, world!!!\r\n0\r\nA: b\r\n\r\nGET", piece, &last, &rest),
              "hello, world!!!");
    EXPECT_EQ(last, ChunkedBody::Step::kDone);
    EXPECT_EQ(rest, "GET");
  }
}

TEST(QueryStringTest, DecodesPairs) {
  QueryString query("a=1&b=x%20y+z&c&=d&e=%zz%4&a=2&%C2%B5=%C2%B5");
  EXPECT_EQ(query.Get("a"), "1");
  EXPECT_EQ(query.Get("b"), "x y z");
  EXPECT_TRUE(query.Find("c").has_value());
  EXPECT_EQ(query.Get("e"), "%zz%4");
  EXPECT_EQ(query.Get("µ"), "µ");
  EXPECT_FALSE(query.Find("z").has_value());
  EXPECT_EQ(PercentDecode("a+b%2Fc%", false), "a+b/c%");
}

TEST(TimeText, ParsesWhatItShould) {
  EXPECT_EQ(ParseTime("2025-01-15"), 1736899200000000);
  EXPECT_EQ(ParseTime("2025-01-15T14:00"), 1736949600000000);
  EXPECT_EQ(ParseTime("2025-01-15 14:00:00.5Z"), 1736949600500000);
  EXPECT_EQ(ParseTime("2025-01-15T14:00:00+02:00"), 1736942400000000);
  EXPECT_EQ(ParseTime("2025-01-15T14:00:00-0130"), 1736955000000000);
  EXPECT_EQ(ParseTime("1736949600"), 1736949600000000);
  EXPECT_EQ(ParseTime("1736949600000"), 1736949600000000);
  EXPECT_EQ(ParseTime("1736949600000000"), 1736949600000000);
  EXPECT_EQ(ParseTime("1736949600000000000"), 1736949600000000);
  for (const char* bad :
       {"", "x", "2025-13-01", "2025-02-30", "2025-01-15T25:00", "2025-01-15T14", "2025-01-15T14:00:00.",
        "2025-01-15T14:00:00Zx", "2025-01-15T14:00:00+99", "2025-1-15", "12 ", "'; DROP"}) {
    EXPECT_FALSE(ParseTime(bad).has_value()) << bad;
  }
}

TEST(TimeText, DatesRoundTrip) {
  for (int64_t day = -800'000; day < 800'000; day += 37) EXPECT_EQ(DaysFromCivil(CivilFromDays(day)), day);
  EXPECT_EQ(IsoMicros(1736949600123456), "2025-01-15T14:00:00.123456Z");
  EXPECT_EQ(IsoMicros(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(RateLimiterTest, CountsPerAddressAndMinute) {
  ManualClock clock(0);
  RateLimiter limiter(2, clock);
  EXPECT_EQ(limiter.Check("a"), 0);
  EXPECT_EQ(limiter.Check("a"), 0);
  EXPECT_EQ(limiter.Check("a"), 60);
  EXPECT_EQ(limiter.Check("b"), 0);
  clock.Advance(std::chrono::seconds(45));
  EXPECT_EQ(limiter.Check("a"), 15);
  clock.Advance(std::chrono::seconds(15));
  EXPECT_EQ(limiter.Check("a"), 0);
  RateLimiter off(0, clock);
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(off.Check("a"), 0);
}

TEST(RateLimiterTest, AFloodOfAddressesIsBounded) {
  ManualClock clock(0);
  RateLimiter limiter(2, clock);
  for (int i = 0; i < 10'000; ++i) EXPECT_EQ(limiter.Check("address " + std::to_string(i)), 0);
  int refused = 0;
  for (int i = 0; i < 10; ++i) refused += limiter.Check("new " + std::to_string(i)) > 0 ? 1 : 0;
  EXPECT_EQ(refused, 8);
  clock.Advance(std::chrono::minutes(1));
  EXPECT_EQ(limiter.Check("newest"), 0);
}

TEST(BodyBufferTest, StaysWithinTheBudgetAndGivesBack) {
  BodyPool pool(100'000);
  {
    BodyBuffer body(&pool);
    ASSERT_TRUE(body.Append(std::string(50'000, 'a'), 60'000).ok());
    EXPECT_EQ(body.size(), 50'000u);
    EXPECT_GE(pool.budget().used_bytes(), 50'000);
    BodyBuffer second(&pool);
    Status refused = second.Reserve(60'000);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().kind, ErrorKind::kOverloaded);
    EXPECT_EQ(body.Append(std::string(20'000, 'b'), 60'000).error().kind, ErrorKind::kTooLarge);
  }
  EXPECT_EQ(pool.budget().used_bytes(), 0);
}

TEST(JsonTextTest, PutsCommas) {
  JsonText json;
  json.BeginObject()
      .Field("a", 1)
      .Field("b", "x\"y")
      .Key("c")
      .BeginArray()
      .Value(1.5)
      .Value(true)
      .BeginObject()
      .EndObject();
  json.EndArray().Field("d", std::optional<std::string>()).EndObject();
  EXPECT_EQ(json.text(), R"({"a":1,"b":"x\"y","c":[1.5,true,{}],"d":null})");
}

TEST(RouterTest, PrefersLiteralsAndNamesMethods) {
  static constexpr Route kRoutes[] = {
      {Method::kGet, "/q/{name}", nullptr, Permission::kRead, "", false},
      {Method::kPost, "/q/arrow", nullptr, Permission::kRead, "", false},
      {Method::kDelete, "/t/{id}/x", nullptr, Permission::kRead, "", false},
  };
  Router router(kRoutes);
  EXPECT_EQ(router.Find(Method::kPost, "/q/arrow").route, &kRoutes[1]);
  EXPECT_EQ(router.Find(Method::kGet, "/q/arrow").route, &kRoutes[0]);
  EXPECT_EQ(router.Find(Method::kGet, "/q/a%2Fb").params, std::vector<std::string>{"a/b"});
  EXPECT_EQ(router.Find(Method::kHead, "/q/x").route, &kRoutes[0]);
  EXPECT_EQ(router.Find(Method::kDelete, "/q/arrow").allow, "POST, GET, HEAD");
  EXPECT_EQ(router.Find(Method::kDelete, "/t/5/x").params, std::vector<std::string>{"5"});
  for (const char* path : {"/q", "/q/", "/q/a/b", "/t//x", "", "q/x", "/"}) {
    auto match = router.Find(Method::kGet, path);
    EXPECT_EQ(match.route, nullptr) << path;
    EXPECT_EQ(match.allow, "") << path;
  }
}

TEST(ResponseTest, HeaderValuesCannotBreakOut) { EXPECT_EQ(HeaderSafe("a\r\nb: c"), "a??b: c"); }

}  // namespace
}  // namespace arc
