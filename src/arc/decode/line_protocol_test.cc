#include "arc/decode/line_protocol.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "arc/decode/batch_invariants.h"
#include "arc/decode/request_text.h"

namespace arc {
namespace {

constexpr int64_t kServerTime = 1'700'000'000'000'000;

WriteRequest Decode(std::string_view body, TimePrecision precision = TimePrecision::kNanos) {
  auto decoded = DecodeLineProtocol(body, {precision, kServerTime});
  EXPECT_TRUE(decoded.ok()) << (decoded.ok() ? "" : decoded.error().message);
  if (!decoded.ok()) return {};
  EXPECT_EQ(BrokenRequest(*decoded), "") << body;
  return *std::move(decoded);
}

std::string Text(std::string_view body, TimePrecision precision = TimePrecision::kNanos) {
  return RequestText(Decode(body, precision));
}

// The only field's value of a one-line body, or the error.
std::string Value(const std::string& value) {
  std::string text = Text("m v=" + value + " 1000");
  const std::string prefix = "m@1 time=1 v=";
  if (text.starts_with(prefix)) return text.substr(prefix.size(), text.size() - prefix.size() - 1);
  return text.substr(0, text.size() - 1);
}

TEST(LineProtocol, WholeLine) {
  EXPECT_EQ(Text("cpu,host=a,region=eu usage=0.5,count=3i,up=t,note=\"ok\",big=7u 1633024800000000999\n"),
            "cpu@1 time=1633024800000000 tag:host=a tag:region=eu usage=0.5 count=3i up=true note=\"ok\" big=7u\n");
}

TEST(LineProtocol, EmptyBodies) {
  for (const char* body : {"", "\n", "\n\n", "  \t\n", "# only a comment", "#\n#\n", "\r\n", " "}) {
    EXPECT_EQ(Text(body), "") << body;
  }
}

TEST(LineProtocol, LinesAndComments) {
  EXPECT_EQ(Text("# c\nm v=1 1000\n\n  # c2 v=1\n\t m v=2 2000\r\nm v=3\r\nm v=4 4000  \nm v=5  "),
            "m@2 time=1 v=1\nm@5 time=2 v=2\nm@6 time=1700000000000000 v=3\nm@7 time=4 v=4\n"
            "m@8 time=1700000000000000 v=5\n");
}

TEST(LineProtocol, Numbers) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"1", "1"},
      {"-1", "-1"},
      {"+1", "1"},
      {"1.", "1"},
      {".5", "0.5"},
      {"-.5", "-0.5"},
      {"007", "7"},
      {"1.25", "1.25"},
      {"12345678.87654321", "12345678.87654321"},
      {"1e3", "1000"},
      {"1E+3", "1000"},
      {"1.5e-3", "0.0015"},
      {"1e-400", "0"},
      {"4.9e-324", "5e-324"},
      {"1.7976931348623157e308", "1.7976931348623157e+308"},
      {"9007199254740993", "9007199254740992"},
      {"0.1", "0.1"},
      {"123456789012345678901234567890", "1.2345678901234568e+29"},
      {"0.000000000000000000000000000001", "1e-30"},
      {"-0.0", "-0"},
      {"1i", "1i"},
      {"-1i", "-1i"},
      {"0000000000000000000000000001i", "1i"},
      {"9223372036854775807i", "9223372036854775807i"},
      {"-9223372036854775808i", "-9223372036854775808i"},
      {"18446744073709551615u", "18446744073709551615u"},
      {"0u", "0u"},
      {"1234567890123456789i", "1234567890123456789i"},
  };
  for (const auto& [text, expected] : table) EXPECT_EQ(Value(text), expected) << text;
}

TEST(LineProtocol, BadNumbers) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"9223372036854775808i", "the number of field 'v' is out of range"},
      {"-9223372036854775809i", "the number of field 'v' is out of range"},
      {"99999999999999999999i", "the number of field 'v' is out of range"},
      {"18446744073709551616u", "the number of field 'v' is out of range"},
      {"-1u", "the unsigned field 'v' is negative"},
      {"1e400", "the number of field 'v' is out of range"},
      {"-", "the number of field 'v' is malformed"},
      {".", "the number of field 'v' is malformed"},
      {"-.", "the number of field 'v' is malformed"},
      {"1e", "the number of field 'v' is malformed"},
      {"1e+", "the number of field 'v' is malformed"},
      {"1.5i", "unexpected text"},
      {"1e3i", "unexpected text"},
      {"1x", "unexpected text"},
      {"1ii", "unexpected text"},
      {"1_000", "unexpected text"},
      {"0x10", "unexpected text"},
      {"1.2.3", "unexpected text"},
      {"NaN", "the value of field 'v' is no number, boolean or quoted string"},
      {"nan", "the value of field 'v' is no number, boolean or quoted string"},
      {"Inf", "the value of field 'v' is no number, boolean or quoted string"},
      {"-Inf", "the number of field 'v' is malformed"},
      {"+inf", "the number of field 'v' is malformed"},
      {"", "missing value of field 'v'"},
      {"tru", "the value of field 'v' is no number, boolean or quoted string"},
      {"TrUe", "the value of field 'v' is no number, boolean or quoted string"},
      {"'x'", "the value of field 'v' is no number, boolean or quoted string"},
      {"i", "the value of field 'v' is no number, boolean or quoted string"},
  };
  for (const auto& [text, expected] : table) {
    const std::string got = Value(text);
    EXPECT_TRUE(got.starts_with("1! " + expected + " at column ")) << text << " -> " << got;
  }
}

TEST(LineProtocol, Booleans) {
  for (const char* word : {"t", "T", "true", "True", "TRUE"}) EXPECT_EQ(Value(word), "true");
  for (const char* word : {"f", "F", "false", "False", "FALSE"}) EXPECT_EQ(Value(word), "false");
}

TEST(LineProtocol, Strings) {
  EXPECT_EQ(Value(R"("")"), R"("")");
  EXPECT_EQ(Value(R"("a b,c=d")"), R"("a b,c=d")");
  EXPECT_EQ(Value(R"("a\"b")"), R"("a"b")");
  EXPECT_EQ(Value(R"("a\\b")"), R"("a\b")");
  EXPECT_EQ(Value(R"("a\\")"), R"("a\")");
  EXPECT_EQ(Value(R"("a\nb\,\ ")"), R"("a\nb\,\ ")");
  EXPECT_EQ(Value("\"a\nb\n\""), "\"a\nb\n\"");
  EXPECT_EQ(Value("\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\""), "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
  const std::string longer(1000, 'x');
  EXPECT_EQ(Value('"' + longer + '"'), '"' + longer + '"');
  EXPECT_TRUE(Value("\"a\"b").starts_with("1! unexpected text at column 8: 'b 1000'")) << Value("\"a\"b");
}

TEST(LineProtocol, NewlinesInStringsKeepLineNumbers) {
  EXPECT_EQ(Text("m v=\"a\n\nb\" 1000\nm v=\"c\" 2000\nbad\nm v=\"#\n\" 3000"),
            "m@1 time=1 v=\"a\n\nb\"\nm@4 time=2 v=\"c\"\nm@6 time=3 v=\"#\n\"\n"
            "5! missing fields at column 4: end of line\n");
}

TEST(LineProtocol, Escapes) {
  EXPECT_EQ(Text(R"(a\,b\ c=d,t\,k\=x\ y=v\,1\=2\ 3 f\,k\=x\ y=1 1000)"),
            "a,b c=d@1 time=1 tag:t,k=x y=v,1=2 3 f,k=x y=1\n");
  // A backslash before anything else stands for itself.
  EXPECT_EQ(Text(R"(a\=\b\\c,t\a=v\w\\x f\1="\q" 1000)"), R"(a\=\b\\c@1 time=1 tag:t\a=v\w\\x f\1="\q")"
                                                          "\n");
  // The second backslash escapes the comma.
  EXPECT_EQ(Text(R"(a\\,b v=1 1000)"), R"(a\,b@1 time=1 v=1)"
                                       "\n");
}

TEST(LineProtocol, LongNamesAndValues) {
  const std::string name(255, 'n'), value(300, 'v');
  EXPECT_EQ(Text(name + "," + name + "=" + value + " " + name + "=1 1000\n" + name + "," + name + "=" + value + " " +
                 name + "=2 2000"),
            name + "@1 time=1 tag:" + name + "=" + value + " " + name + "=1\n" + name + "@2 time=2 tag:" + name + "=" +
                value + " " + name + "=2\n");
  const std::string over(256, 'n');
  for (const std::string& line : {over + " v=1", "m," + over + "=1 v=1", "m " + over + "=1"}) {
    EXPECT_NE(Text(line).find("the name is longer than 255 bytes"), std::string::npos) << Text(line);
  }
}

TEST(LineProtocol, Malformed) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"m", "missing fields at column 2: end of line"},
      {"m ", "missing fields at column 3: end of line"},
      {"m,a=b", "missing fields at column 6: end of line"},
      {"m,a=b ", "missing fields at column 7: end of line"},
      {",a=b v=1", "missing measurement at column 1: ',a=b v=1'"},
      {"m,a v=1", "expected = behind the tag name at column 4: ' v=1'"},
      {"m,a= v=1", "missing value of tag 'a' at column 5: ' v=1'"},
      {"m,a=,b=c v=1", "missing value of tag 'a' at column 5: ',b=c v=1'"},
      {"m,=b v=1", "tag name is empty at column 3"},
      {"m, v=1", "expected = behind the tag name at column 3: ' v=1'"},
      {"m,a=b=c v=1", "unescaped = in the value of tag 'a' at column 6: '=c v=1'"},
      {"m,a=b,a=c v=1", "tag 'a' is given twice at column 9"},
      {"m v", "expected = behind the field name at column 4: end of line"},
      {"m =1", "field name is empty at column 3"},
      {"m v=", "missing value of field 'v' at column 5: end of line"},
      {"m v= 5", "missing value of field 'v' at column 5: ' 5'"},
      {"m v=1,", "expected = behind the field name at column 7: end of line"},
      {"m v=1,,w=2", "expected = behind the field name at column 7: ',w=2'"},
      {"m v=1 x", "unexpected text at column 7: 'x'"},
      {"m v=1 12x", "unexpected text at column 9: 'x'"},
      {"m v=1 1 2", "unexpected text at column 9: '2'"},
      {"m v=1 -", "malformed timestamp at column 7: '-'"},
      {"m v=1 1.5", "unexpected text at column 8: '.5'"},
      {"m v=1 +5", "unexpected text at column 7: '+5'"},
      {"m v=1 w=2", "unexpected text at column 7: 'w=2'"},
      {"m v=\"a", "the quote is never closed in field 'v' at column 5: '\"a'"},
      {"m v=\"a\\\"", "the quote is never closed in field 'v' at column 5: '\"a\\\"'"},
      {"m v=1 9223372036854775808", "the timestamp is out of range at column 7: '9223372036854775808'"},
      {"m v=1 99999999999999999999", "the timestamp is out of range at column 7: '99999999999999999999'"},
      {"m\xFF v=1", "measurement 'm\\xFF' is not valid UTF-8 at column 1"},
      {"m,\xC3=1 v=1", "tag '\\xC3' is not valid UTF-8 at column 3"},
      {"m,a=\xED\xA0\x80 v=1", "tag 'a' is not valid UTF-8 at column 5"},
      {"m \xC0\x80=1", "field '\\xC0\\x80' is not valid UTF-8 at column 3"},
      {"m v=\"\xF8\"", "the value of field 'v' is not valid UTF-8 at column 5"},
      {"m v=\xC3\xA9", "the value of field 'v' is no number, boolean or quoted string at column 5: '\\xC3\\xA9'"},
  };
  for (const auto& [line, message] : table) {
    EXPECT_EQ(Text(line), "1! " + message + "\n") << line;
    // Between good lines, with and without the padding of a long body, the others stay.
    const std::string filler = "# " + std::string(100, '-') + "\n";
    if (line.find('"') == std::string::npos) {
      EXPECT_EQ(Text("m z=1 1000\n" + line + "\nm z=2 2000\n" + filler),
                "m@1 time=1 z=1\nm@3 time=2 z=2\n2! " + message + "\n")
          << line;
    }
  }
}

TEST(LineProtocol, SnippetIsShort) {
  const std::string text = Text("m v=" + std::string(1000, '\x01'));
  EXPECT_LT(text.size(), 160U) << text;
}

TEST(LineProtocol, UnclosedQuoteCostsOneLine) {
  EXPECT_EQ(Text("m v=1 1000\nm v=\"open 2000\nm v=3 3000\n"),
            "m@1 time=1 v=1\nm@3 time=3 v=3\n"
            "2! the quote is never closed in field 'v' at column 5: '\"open 2000'\n");
}

TEST(LineProtocol, BadLineWithQuotedNewlineIsSkippedWhole) {
  EXPECT_EQ(Text("m v=1x,s=\"a\nm v=2 2000\" 1000\nm v=3 3000"),
            "m@3 time=3 v=3\n1! unexpected text at column 6: 'x,s=\"a'\n");
}

TEST(LineProtocol, DuplicateFieldKeepsTheLast) {
  EXPECT_EQ(Text("m v=1,w=2,v=3 1000"), "m@1 time=1 v=3 w=2\n");
  EXPECT_EQ(Text("m v=1,v=\"s\" 1000"), "m@1 time=1 v=\"s\"\n");
  EXPECT_EQ(Text("m v=\"long text\",v=\"s\" 1000\nm v=\"t\" 2000"), "m@1 time=1 v=\"s\"\nm@2 time=2 v=\"t\"\n");
  EXPECT_EQ(Text("m v=1 1000\nm v=1,v=\"s\" 2000\nm v=2 3000"), "m@1 time=1 v=1\nm@3 time=3 v=2\nm@2 time=2 v=\"s\"\n");
}

TEST(LineProtocol, Precisions) {
  const std::vector<std::tuple<TimePrecision, std::string, std::string>> table = {
      {TimePrecision::kNanos, "1", "0"},
      {TimePrecision::kNanos, "-1", "-1"},
      {TimePrecision::kNanos, "-1000", "-1"},
      {TimePrecision::kNanos, "-1001", "-2"},
      {TimePrecision::kNanos, "9223372036854775807", "9223372036854775"},
      {TimePrecision::kNanos, "-9223372036854775808", "-9223372036854776"},
      {TimePrecision::kMicros, "1633024800000001", "1633024800000001"},
      {TimePrecision::kMillis, "1633024800001", "1633024800001000"},
      {TimePrecision::kMillis, "-1", "-1000"},
      {TimePrecision::kSeconds, "1633024800", "1633024800000000"},
      {TimePrecision::kMinutes, "27217080", "1633024800000000"},
      {TimePrecision::kHours, "453618", "1633024800000000"},
      {TimePrecision::kAuto, "1633024800", "1633024800000000"},
      {TimePrecision::kAuto, "1633024800000", "1633024800000000"},
      {TimePrecision::kAuto, "1633024800000000", "1633024800000000"},
      {TimePrecision::kAuto, "1633024800000000000", "1633024800000000"},
  };
  for (const auto& [precision, text, micros] : table) {
    EXPECT_EQ(Text("m v=1 " + text, precision), "m@1 time=" + micros + " v=1\n") << text;
  }
  for (const auto& [precision, text] :
       std::vector<std::pair<TimePrecision, std::string>>{{TimePrecision::kMicros, "253402300800000000"},
                                                          {TimePrecision::kMicros, "-62135596800000001"},
                                                          {TimePrecision::kMillis, "1633024800000000"},
                                                          {TimePrecision::kSeconds, "1633024800000"},
                                                          {TimePrecision::kHours, "9223372036854775807"}}) {
    EXPECT_NE(Text("m v=1 " + text, precision).find("outside the years 1 to 9999"), std::string::npos) << text;
  }
}

TEST(LineProtocol, MissingColumnsAreNull) {
  EXPECT_EQ(Text("m,a=x v=1 1000\nm,b=y w=t 2000\nm,a=z,b=y s=\"q\",v=2 3000\nm u=1i 4000"),
            "m@1 time=1 tag:a=x v=1 tag:b=- w=- s=- u=-\n"
            "m@2 time=2 tag:a=- v=- tag:b=y w=true s=- u=-\n"
            "m@3 time=3 tag:a=z v=2 tag:b=y w=- s=\"q\" u=-\n"
            "m@4 time=4 tag:a=- v=- tag:b=- w=- s=- u=1i\n");
}

TEST(LineProtocol, RefusedLineLeavesNothing) {
  // Neither the column `gone` nor the kind of `v` survives the refused first line.
  EXPECT_EQ(Text("m gone=1,v=\"s\",x\nm v=1 1000\nm v=2 2000"),
            "m@2 time=1 v=1\nm@3 time=2 v=2\n1! expected = behind the field name at column 17: end of line\n");
  EXPECT_EQ(Text("m v=1i 1000\nm v=1.5,x\nm v=9007199254740993i 2000"),
            "m@1 time=1 v=1i\nm@3 time=2 v=9007199254740993i\n"
            "2! expected = behind the field name at column 10: end of line\n");
  EXPECT_EQ(Text("m s=\"a\" 1000\nm s=\"bbbb\",x\nm s=\"c\" 2000\nm t=1 3000"),
            "m@1 time=1 s=\"a\" t=-\nm@3 time=2 s=\"c\" t=-\nm@4 time=3 s=- t=1\n"
            "2! expected = behind the field name at column 13: end of line\n");
}

TEST(LineProtocol, IntegersAmongDoubles) {
  EXPECT_EQ(Text("m v=1i 1000\nm v=2.5 2000\nm v=9007199254740993i 3000\nm v=3 4000\nm x=1 5000\nm v=-4i 6000"),
            "m@1 time=1 v=1~ x=-\nm@2 time=2 v=2.5 x=-\nm@3 time=3 v=9007199254740992 x=-\nm@4 time=4 v=3 x=-\n"
            "m@5 time=5 v=- x=1\nm@6 time=6 v=-4~ x=-\n");
  EXPECT_EQ(Text("m v=1 1000\nm v=9223372036854775807i 2000\nm v=-9223372036854775808i 3000"),
            "m@1 time=1 v=1\nm@2 time=2 v=9223372036854775808\nm@3 time=3 v=-9223372036854775808~\n");
  // Signed and unsigned share a type while one holds them all.
  EXPECT_EQ(Text("m v=-1i 1000\nm v=5u 2000"), "m@1 time=1 v=-1i\nm@2 time=2 v=5i\n");
  EXPECT_EQ(Text("m v=1i 1000\nm v=9223372036854775808u 2000"), "m@1 time=1 v=1u\nm@2 time=2 v=9223372036854775808u\n");
  EXPECT_EQ(Text("m v=-1i 1000\nm v=9223372036854775808u 2000"),
            "m@1 time=1 v=-1~\nm@2 time=2 v=9223372036854775808\n");
}

TEST(LineProtocol, KindsThatDisagreeMakeFurtherBatches) {
  WriteRequest request =
      Decode("m v=1,w=1 1000\nm v=\"s\",w=2 2000\nm v=2 3000\nm v=t 4000\nn v=1 5000\nm v=\"u\" 6000");
  ASSERT_EQ(request.batches.size(), 4U);
  EXPECT_EQ(RequestText(request),
            "m@1 time=1 v=1 w=1\nm@3 time=3 v=2 w=-\n"
            "m@2 time=2 v=\"s\" w=2\nm@6 time=6 v=\"u\" w=-\n"
            "m@4 time=4 v=true\n"
            "n@5 time=5 v=1\n");
}

TEST(LineProtocol, TooManyKinds) {
  // Every row disagrees with all before it.
  std::string body;
  for (int i = 0; i < 32; ++i) {
    body += "m ";
    for (int bit = 0; bit < 5; ++bit) {
      if (bit > 0) body += ",";
      body += "f" + std::to_string(bit) + ((i >> bit & 1) != 0 ? "=1" : "=t");
    }
    body += "\n";
  }
  WriteRequest request = Decode(body);
  EXPECT_EQ(request.batches.size(), kMaxVariants);
  EXPECT_EQ(request.errors.size(), 32 - kMaxVariants);
  EXPECT_NE(request.errors[0].message.find("disagree"), std::string::npos);
}

TEST(LineProtocol, TagAndFieldOfOneName) {
  EXPECT_EQ(Text("m,x=a,time=b x=1,time=2i 1000\nm,x=c x=2 2000"),
            "m@1 time=1 tag:x=a tag:time=b x=1 time=2i\nm@2 time=2 tag:x=c tag:time=- x=2 time=-\n");
}

TEST(LineProtocol, InterleavedMeasurements) {
  EXPECT_EQ(Text("a v=1 1000\nb v=2 2000\na v=3 3000\nb v=4 4000\nab v=5 5000\na,b=c v=6 6000"),
            "a@1 time=1 v=1 tag:b=-\na@3 time=3 v=3 tag:b=-\na@6 time=6 v=6 tag:b=c\n"
            "b@2 time=2 v=2\nb@4 time=4 v=4\nab@5 time=5 v=5\n");
}

TEST(LineProtocol, ManyRowsOfChangingShape) {
  std::string body, expected;
  for (int i = 0; i < 20000; ++i) {
    const std::string n = std::to_string(i);
    body += "m,host=h" + std::to_string(i % 700) + ",long=this-is-a-long-tag-value-" + std::to_string(i % 3000);
    body += " i=" + n + "i";
    if (i % 3 == 0) body += ",s=\"text " + n + "\"";
    if (i % 5 != 0) body += ",b=" + std::string(i % 2 == 0 ? "t" : "f");
    body += " " + n + "000\n";
    expected += "m@" + std::to_string(i + 1) + " time=" + n + " tag:host=h" + std::to_string(i % 700) +
                " tag:long=this-is-a-long-tag-value-" + std::to_string(i % 3000) + " i=" + n +
                "i s=" + (i % 3 == 0 ? "\"text " + n + "\"" : "-") + " b=" +
                (i % 5 == 0   ? "-"
                 : i % 2 == 0 ? "true"
                              : "false") +
                "\n";
  }
  EXPECT_EQ(Text(body), expected);
}

TEST(LineProtocol, EveryLengthAtTheEndOfTheBody) {
  // The padded tail must begin at a record whatever the distance to the end.
  for (size_t length = 0; length < 200; ++length) {
    std::string body = "m,a=b v=\"x\ny\" 1000\nm,a=b v=\"" + std::string(length, 'q') + "\n\" 2000";
    const std::string expected =
        "m@1 time=1 tag:a=b v=\"x\ny\"\nm@3 time=2 tag:a=b v=\"" + std::string(length, 'q') + "\n\"\n";
    EXPECT_EQ(Text(body), expected);
    EXPECT_EQ(Text(body + "\n"), expected);
    EXPECT_EQ(Text(body + "\r\n"), expected);
  }
}

TEST(LineProtocol, SparseColumnsAreBounded) {
  // 10,000 columns of one value each would be 10^8 cells, and every further row 10,000 more.
  std::string body;
  for (int i = 0; i < 200000; ++i) body += "m f" + std::to_string(i % 10000) + "=1\n";
  auto decoded = DecodeLineProtocol(body, {TimePrecision::kNanos, kServerTime});
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().kind, ErrorKind::kTooLarge);
}

TEST(LineProtocol, TooManyColumns) {
  std::string body = "m ";
  for (int i = 0; i <= kMaxColumns; ++i) body += (i > 0 ? ",f" : "f") + std::to_string(i) + "=1";
  EXPECT_NE(Text(body).find("at most 10000 columns"), std::string::npos);
}

TEST(LineProtocol, TooManyErrors) {
  std::string body;
  for (size_t i = 0; i <= kMaxRowErrors; ++i) body += "x\n";
  auto decoded = DecodeLineProtocol(body, {TimePrecision::kNanos, kServerTime});
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().kind, ErrorKind::kInvalidArgument);
}

TEST(LineProtocol, ManyMeasurementsAreBounded) {
  std::string body;
  for (int i = 0; i < 1'000'000; ++i) body += "m" + std::to_string(i) + " v=1\n";
  auto decoded = DecodeLineProtocol(body, {TimePrecision::kNanos, kServerTime});
  ASSERT_FALSE(decoded.ok());
  EXPECT_EQ(decoded.error().kind, ErrorKind::kTooLarge);
}

}  // namespace
}  // namespace arc
