#include "arc/decode/json.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "arc/decode/batch_invariants.h"
#include "arc/decode/request_text.h"

namespace arc {
namespace {

constexpr int64_t kServerTime = 1'700'000'000'000'000;

std::string Text(const std::string& body, TimePrecision precision = TimePrecision::kMillis) {
  auto decoded = DecodeJson(body, {kServerTime, precision});
  if (!decoded.ok()) return "error: " + decoded.error().message;
  EXPECT_EQ(BrokenRequest(*decoded), "") << body;
  return RequestText(*decoded);
}

std::string FieldText(const std::string& value) { return Text(R"({"m":"cpu","t":1,"fields":{"v":)" + value + "}}"); }
std::string TimeText(const std::string& value) { return Text(R"({"m":"cpu","t":)" + value + R"(,"fields":{"v":1}})"); }

TEST(JsonRows, Shapes) {
  const std::string one = R"({"m":"cpu","t":1633024800000,"h":"a","tags":{"region":"eu"},"fields":{"v":0.5}})";
  const std::string spelled = R"( {"measurement": "cpu", "tags": {"host": "a", "region": "eu"}, "fields": {"v": 0.5},)"
                              "\n\"timestamp\": \"2021-09-30T18:00:00Z\"}\n";
  const std::string expected = "cpu@0 time=1633024800000000 tag:host=a tag:region=eu v=0.5\n";
  EXPECT_EQ(Text(one), expected);
  EXPECT_EQ(Text(spelled), expected);
  const std::string second = "cpu@1 time=1633024800000000 tag:host=a tag:region=eu v=0.5\n";
  EXPECT_EQ(Text("[" + one + "," + spelled + "]"), expected + second);
  EXPECT_EQ(Text(R"({"batch":[)" + one + "," + spelled + "]}"), expected + second);
  EXPECT_EQ(Text(R"([{"batch":[)" + one + "]}," + spelled + "]"), expected + second);
  EXPECT_EQ(Text("[]"), "");
}

TEST(JsonRows, KeysInAnyOrder) {
  EXPECT_EQ(Text(R"({"x":{"deep":[1,[2,{"y":null}]]},"fields":{"v":1},"tags":{"host":"x"},"h":"y","t":1,"m":"cpu"})"),
            "cpu@0 time=1000 tag:host=y v=1i tag:host_1=x\n");
}

TEST(JsonRows, FieldKinds) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"0", "0i"},
      {"-1", "-1i"},
      {"9223372036854775807", "9223372036854775807i"},
      {"-9223372036854775808", "-9223372036854775808i"},
      {"18446744073709551615", "18446744073709551615u"},
      {"18446744073709551616", "18446744073709551616"},
      {"123456789012345678901234567890", "1.2345678901234568e+29"},
      {"1.0", "1"},
      {"1e3", "1000"},
      {"-0.25E-2", "-0.0025"},
      {"true", "true"},
      {"false", "false"},
      {"\"\"", "\"\""},
      {R"("a\"b\\c\/\u00e9\ud83d\ude00\n")", "\"a\"b\\c/\xC3\xA9\xF0\x9F\x98\x80\n\""},
      {"\"" + std::string(1000, 'x') + "\"", "\"" + std::string(1000, 'x') + "\""},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(FieldText(text), "cpu@0 time=1000 v=" + expected + "\n") << text;
}

TEST(JsonRows, BadFields) {
  EXPECT_EQ(FieldText("[1]"), "0! field 'v' is neither a number, a boolean nor text\n");
  EXPECT_EQ(FieldText("{}"), "0! field 'v' is neither a number, a boolean nor text\n");
  EXPECT_EQ(FieldText("null"), "0! the row has no fields\n");
}

TEST(JsonRows, Times) {
  EXPECT_EQ(TimeText("-1"), "cpu@0 time=-1000 v=1i\n");
  EXPECT_EQ(TimeText("1.5"), "cpu@0 time=1500 v=1i\n");
  EXPECT_EQ(TimeText("null"), "cpu@0 time=1700000000000000 v=1i\n");
  EXPECT_EQ(TimeText("\"2021-09-30T20:00:00.123456789+02:00\""), "cpu@0 time=1633024800123456 v=1i\n");
  EXPECT_EQ(TimeText("true"), "0! time is neither a number nor text\n");
  EXPECT_EQ(TimeText("{}"), "0! time is neither a number nor text\n");
  EXPECT_EQ(TimeText("1e300"), "0! time 1e+300 ms is outside the years 1 to 9999 (is it in another unit?)\n");
}

TEST(JsonRows, BadRowsLeaveTheGoodOnes) {
  EXPECT_EQ(Text(R"([{"m":"a","t":1,"fields":{"v":1}},
                     {"m":"a"},
                     {"fields":{"v":1}},
                     7,
                     {"m":7,"fields":{"v":1}},
                     {"m":"a","fields":[1]},
                     {"m":"a","fields":{"":1}},
                     {"m":"a","tags":"x","fields":{"v":1}},
                     {"m":"a","tags":{"x":[]},"fields":{"v":1}},
                     {"m":"a","tags":{"x":"1","x":"2"},"fields":{"v":1}},
                     null,
                     {"m":"a","t":2,"tags":null,"fields":{"v":2,"w":null}}])"),
            "a@0 time=1000 v=1i\na@11 time=2000 v=2i\n"
            "1! the row has no fields\n2! the measurement (m) is missing\n3! the item is no object\n"
            "4! the measurement (m) is no text\n5! fields is no object\n6! field name is empty\n7! tags is no object\n"
            "8! tag 'x' is neither a number, a boolean nor text\n9! tag 'x' is given twice\n"
            "10! the item is no object\n");
}

TEST(JsonRows, KindsThatDisagree) {
  EXPECT_EQ(Text(R"([{"m":"a","t":1,"fields":{"w":1,"v":1}},{"m":"a","t":2,"fields":{"w":2,"v":"\u0041"}},
                     {"m":"a","t":3,"fields":{"w":2.5,"v":2}}])"),
            "a@0 time=1000 w=1~ v=1i\na@2 time=3000 w=2.5 v=2i\na@1 time=2000 w=2i v=\"A\"\n");
}

TEST(JsonColumns, Blocks) {
  EXPECT_EQ(Text(R"([{"m":"cpu","columns":{"time":[1,2],"host":["a",null],"v":[1,2.5],"b":[null,true]}},
                     {"columns":{"host":["b"],"v":[3],"time":[3]},"m":"cpu","tag_keys":[]}])"),
            "cpu@0 time=1000 tag:host?=a v=1~ b?=- host=-\n"
            "cpu@1 time=2000 tag:host?=- v=2.5 b?=true host=-\n"
            "cpu@2 time=3000 tag:host?=- v=3~ b?=- host=\"b\"\n");
  EXPECT_EQ(
      Text(R"({"m":"cpu","tags":["port"],"columns":{"port":[80,"http"],"note":["x","y"]}})"),
      "cpu@0 time=1700000000000000 tag:port=80 note=\"x\"\ncpu@1 time=1700000000000000 tag:port=http note=\"y\"\n");
}

TEST(JsonColumns, RowByRow) {
  EXPECT_EQ(Text(R"({"m":"c","columns":{"time":[1,null,3,"x",5],"v":["s",1,2,3,[4]],"w":[1,2,3,4,5]}})"),
            "c@0 time=1000 v?=\"s\" w?=1i\nc@2 time=3000 v?=2i w?=3i\n"
            "1! time is null\n3! time 'x' is no RFC 3339 timestamp of the years 1 to 9999\n"
            "4! field 'v' is neither a number, a boolean nor text\n");
}

TEST(JsonColumns, BadBlocks) {
  const auto refused = [](const std::string& columns) {
    return Text(R"([{"m":"c","columns":)" + columns + R"(},{"m":"c","t":1,"fields":{"v":1}}])");
  };
  const auto expected = [](int rows, const std::string& why) {
    return "c@" + std::to_string(rows) + " time=1000 v=1i\n0! block of columns: " + why + "\n";
  };
  EXPECT_EQ(refused(R"({"time":[1,2],"v":[1]})"), expected(2, "column 'v' has 1 values, the first has 2"));
  EXPECT_EQ(refused(R"({"v":1})"), expected(1, "column 'v' is no array"));
  EXPECT_EQ(refused(R"([])"), expected(1, "columns is no object"));
  EXPECT_EQ(refused(R"({})"), expected(1, "there is no column beside time"));
  EXPECT_EQ(refused(R"({"":[1]})"), expected(1, "column name is empty"));
  EXPECT_EQ(refused(R"({"v":[],"time":[]})"), "c@0 time=1000 v=1i\n");
}

TEST(JsonBody, Malformed) {
  const std::vector<std::string> table = {
      "",
      " ",
      "{",
      "[",
      "{}{",
      "[] x",
      "{} {}",
      "[{\"m\":\"a\",\"fields\":{\"v\":1}}",
      "{\"m\":\"a\",\"fields\":{\"v\":1}",
      "{\"m\":\"a\",\"fields\":{\"v\":1}]",
      "{\"m\":\"a\" \"fields\":{\"v\":1}}",
      "{\"m\":\"a\",\"fields\":{\"v\":01}}",
      "{\"m\":\"a\",\"fields\":{\"v\":1x}}",
      "{\"m\":\"a\",\"fields\":{\"v\":tru}}",
      "{\"m\":\"a\",\"fields\":{\"v\":nul}}",
      "{\"m\":\"a\",\"fields\":{\"v\":NaN}}",
      "{\"m\":\"a\",\"fields\":{\"v\":\"x}}",
      "{\"m\":\"a\",\"fields\":{\"v\":\"\\q\"}}",
      "{\"m\":\"a\",\"fields\":{\"v\":\"\xFF\"}}",
      "{\"m\":\"a\",\"fields\":{\"v\"}}",
      "{\"m\":\"a\",\"fields\":{v:1}}",
      "{\"batch\":7}",
      "7",
      "\"text\"",
      "null",
      "cpu,host=a v=1",
  };
  for (const std::string& body : table) {
    auto decoded = DecodeJson(body, {kServerTime});
    ASSERT_FALSE(decoded.ok()) << body << " -> " << RequestText(*decoded);
    EXPECT_EQ(decoded.error().kind, ErrorKind::kInvalidArgument) << body;
    EXPECT_FALSE(decoded.error().message.empty());
  }
  auto decoded = DecodeJson("[\n {\"m\":\"a\",\n  \"fields\":{\"v\":1x}}]", {kServerTime});
  ASSERT_FALSE(decoded.ok());
  EXPECT_NE(decoded.error().message.find("line 3"), std::string::npos) << decoded.error().message;
  EXPECT_FALSE(DecodeJson(std::string(2000, '[') + std::string(2000, ']'), {kServerTime}).ok());
}

TEST(JsonBody, MoreTextThanTheParserMayIndex) {
  auto refused = DecodeJson(std::string((128 << 20) + 1, ' '), {kServerTime});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kTooLarge);
}

TEST(JsonBody, EveryTruncationIsRefused) {
  const std::string body = R"([{"m":"cpu","t":1,"h":"a","tags":{"region":"eu"},"fields":{"v":0.5,"s":"t\u0041"}},)"
                           R"({"m":"cpu","columns":{"time":[1,2],"v":[1,2],"host":["a","b"]}}])";
  EXPECT_TRUE(DecodeJson(body, {kServerTime}).ok());
  for (size_t size = 0; size < body.size(); ++size) EXPECT_FALSE(DecodeJson(body.substr(0, size), {kServerTime}).ok());
}

}  // namespace
}  // namespace arc
