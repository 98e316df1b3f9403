#include "arc/decode/msgpack.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "arc/decode/batch_invariants.h"
#include "arc/decode/msgpack_writer.h"
#include "arc/decode/request_text.h"

namespace arc {
namespace {

constexpr int64_t kServerTime = 1'700'000'000'000'000;

std::string Text(const MsgpackWriter& body, TimePrecision precision = TimePrecision::kMillis) {
  auto decoded = DecodeMsgpack(body.bytes(), {kServerTime, precision});
  if (!decoded.ok()) return "error: " + decoded.error().message;
  EXPECT_EQ(BrokenRequest(*decoded), "");
  EXPECT_EQ(decoded->position_name, "row");
  return RequestText(*decoded);
}

using Write = std::function<void(MsgpackWriter&)>;

// {"m": "cpu", "t": 1, "fields": {"v": value}}
std::string FieldText(const Write& value) {
  MsgpackWriter body;
  body.Map(3).Text("m").Text("cpu").Text("t").Int(1).Text("fields").Map(1).Text("v");
  value(body);
  return Text(body);
}
// {"m": "cpu", "t": time, "fields": {"v": 1}}
std::string TimeText(const Write& time, TimePrecision precision = TimePrecision::kMillis) {
  MsgpackWriter body;
  body.Map(3).Text("m").Text("cpu").Text("t");
  time(body);
  return Text(body.Text("fields").Map(1).Text("v").Int(1), precision);
}
// {"m": "cpu", "columns": {"time": [1, 2, 3], "v": values}} with three values
std::string ColumnText(const Write& values) {
  MsgpackWriter body;
  body.Map(2).Text("m").Text("cpu").Text("columns").Map(2).Text("time").Array(3).Int(1).Int(2).Int(3);
  body.Text("v").Array(3);
  values(body);
  return Text(body);
}

MsgpackWriter& Row(MsgpackWriter& body, const char* host, int64_t time) {
  return body.Map(5)
      .Text("m")
      .Text("cpu")
      .Text("t")
      .Int(time)
      .Text("h")
      .Text(host)
      .Text("tags")
      .Map(1)
      .Text("region")
      .Text("eu")
      .Text("fields")
      .Map(1)
      .Text("v")
      .Double(0.5);
}

TEST(MsgpackRows, OneItem) {
  MsgpackWriter body;
  EXPECT_EQ(Text(Row(body, "a", 1'633'024'800'000)), "cpu@0 time=1633024800000000 tag:host=a tag:region=eu v=0.5\n");
}

TEST(MsgpackRows, BatchAndArray) {
  const std::string expected =
      "cpu@0 time=1000 tag:host=a tag:region=eu v=0.5\n"
      "cpu@1 time=2000 tag:host=b tag:region=eu v=0.5\n"
      "cpu@2 time=3000 tag:host=a tag:region=eu v=0.5\n";
  MsgpackWriter batch, array, nested;
  batch.Map(1).Text("batch").Array(3);
  array.Array(3);
  nested.Array(2).Map(1).Text("batch").Array(2);
  for (MsgpackWriter* body : {&batch, &array, &nested}) {
    Row(*body, "a", 1);
    Row(*body, "b", 2);
    Row(*body, "a", 3);
    EXPECT_EQ(Text(*body), expected);
  }
}

TEST(MsgpackRows, KeysInAnyOrder) {
  MsgpackWriter body;
  body.Array(4);
  for (int i = 0; i < 2; ++i) {
    body.Map(5).Text("fields").Map(1).Text("v").Int(i).Text("tags").Map(1).Text("host").Text("x").Text("h").Text("y");
    body.Text("t").Int(1 + i).Text("m").Text("cpu");
    body.Map(5).Text("m").Text("cpu").Text("tags").Map(1).Text("host").Text("x").Text("fields").Map(1).Text("v").Int(i);
    body.Text("h").Text("y").Text("t").Int(1 + i);
  }
  // `h` is the host wherever it stands.
  EXPECT_EQ(Text(body),
            "cpu@0 time=1000 tag:host=y tag:host_1=x v=0i\ncpu@1 time=1000 tag:host=y tag:host_1=x v=0i\n"
            "cpu@2 time=2000 tag:host=y tag:host_1=x v=1i\ncpu@3 time=2000 tag:host=y tag:host_1=x v=1i\n");
}

TEST(MsgpackRows, LongSpellingsAndUnknownKeys) {
  MsgpackWriter body;
  body.Map(5).Text("measurement").Text("m1").Text("timestamp").Int(1).Text("x").Array(1).Map(1).Nil().Array(0);
  body.Int(7).Text("y").Text("fields").Map(1).Text("v").Int(1);
  EXPECT_EQ(Text(body), "m1@0 time=1000 v=1i\n");
}

TEST(MsgpackRows, FieldKinds) {
  const std::vector<std::pair<Write, std::string>> table = {
      {[](auto& w) { w.Int(0); }, "0i"},
      {[](auto& w) { w.Int(127); }, "127i"},
      {[](auto& w) { w.Int(128); }, "128i"},
      {[](auto& w) { w.Int(65536); }, "65536i"},
      {[](auto& w) { w.Int(INT64_MAX); }, "9223372036854775807i"},
      {[](auto& w) { w.UInt(UINT64_MAX); }, "18446744073709551615u"},
      {[](auto& w) { w.Int(-1); }, "-1i"},
      {[](auto& w) { w.Int(-33); }, "-33i"},
      {[](auto& w) { w.Int(-129); }, "-129i"},
      {[](auto& w) { w.Int(-40000); }, "-40000i"},
      {[](auto& w) { w.Int(INT64_MIN); }, "-9223372036854775808i"},
      {[](auto& w) { w.Double(-1.25); }, "-1.25"},
      {[](auto& w) { w.Double(NAN); }, "nan"},
      {[](auto& w) { w.Double(INFINITY); }, "inf"},
      {[](auto& w) { w.Float(0.5F); }, "0.5"},
      {[](auto& w) { w.Bool(true); }, "true"},
      {[](auto& w) { w.Bool(false); }, "false"},
      {[](auto& w) { w.Text(""); }, "\"\""},
      {[](auto& w) { w.Text("text"); }, "\"text\""},
      {[](auto& w) { w.Text(std::string(300, 'x')); }, '"' + std::string(300, 'x') + '"'},
      {[](auto& w) { w.Text(std::string(70000, 'x')); }, '"' + std::string(70000, 'x') + '"'},
      {[](auto& w) { w.Raw("\xC4\x02").Raw("ab"); }, "\"ab\""},
  };
  for (const auto& [write, expected] : table) EXPECT_EQ(FieldText(write), "cpu@0 time=1000 v=" + expected + "\n");
}

TEST(MsgpackRows, BadFields) {
  const std::string unfit = "0! field 'v' is neither a number, a boolean nor text\n";
  EXPECT_EQ(FieldText([](auto& w) { w.Array(1).Int(1); }), unfit);
  EXPECT_EQ(FieldText([](auto& w) { w.Map(1).Int(1).Int(2); }), unfit);
  EXPECT_EQ(FieldText([](auto& w) { w.Raw("\xD4\x05x"); }), unfit);
  EXPECT_EQ(FieldText([](auto& w) { w.Nil(); }), "0! the row has no fields\n");
  EXPECT_EQ(FieldText([](auto& w) { w.Text("\xFF"); }), "0! field 'v' is not valid UTF-8\n");
  EXPECT_EQ(FieldText([](auto& w) { w.Text(std::string(kMaxStringBytes + 1, 'x')); }),
            "0! field 'v' is longer than 16 MB\n");
}

TEST(MsgpackRows, Times) {
  const auto at = [](const std::string& micros) { return "cpu@0 time=" + micros + " v=1i\n"; };
  EXPECT_EQ(TimeText([](auto& w) { w.Int(-1); }), at("-1000"));
  EXPECT_EQ(TimeText([](auto& w) { w.Double(1.5); }), at("1500"));
  EXPECT_EQ(TimeText([](auto& w) { w.Nil(); }), at("1700000000000000"));
  EXPECT_EQ(TimeText([](auto& w) { w.Text("2021-09-30T18:00:00.5Z"); }), at("1633024800500000"));
  EXPECT_EQ(TimeText([](auto& w) { w.Raw("\xD6\xFF").Big(1'633'024'800, 4); }), at("1633024800000000"));
  EXPECT_EQ(TimeText([](auto& w) { w.Raw("\xD7\xFF").Big(uint64_t{999'999'999} << 34 | 1'633'024'800, 8); }),
            at("1633024800999999"));
  EXPECT_EQ(TimeText([](auto& w) { w.Raw("\xC7\x0C\xFF").Big(1000, 4).Big(static_cast<uint64_t>(-1), 8); }),
            at("-999999"));
  EXPECT_EQ(TimeText([](auto& w) { w.Int(1'633'024'800); }, TimePrecision::kAuto), at("1633024800000000"));
  EXPECT_EQ(TimeText([](auto& w) { w.Int(1'633'024'800'000'000); }, TimePrecision::kAuto), at("1633024800000000"));
  EXPECT_EQ(TimeText([](auto& w) { w.Int(1'633'024'800'000'000); }),
            "0! time 1633024800000000 ms is outside the years 1 to 9999 (is it in another unit?)\n");
  EXPECT_EQ(TimeText([](auto& w) { w.UInt(UINT64_MAX); }),
            "0! time 18446744073709551615 ms is outside the years 1 to 9999 (is it in another unit?)\n");
  EXPECT_EQ(TimeText([](auto& w) { w.Double(NAN); }),
            "0! time nan ms is outside the years 1 to 9999 (is it in another unit?)\n");
  EXPECT_EQ(TimeText([](auto& w) { w.Text("yesterday"); }),
            "0! time 'yesterday' is no RFC 3339 timestamp of the years 1 to 9999\n");
  EXPECT_EQ(TimeText([](auto& w) { w.Bool(true); }), "0! time is neither a number nor text\n");
  EXPECT_EQ(TimeText([](auto& w) { w.Raw("\xD6\x01").Big(1, 4); }), "0! time is neither a number nor text\n");
  EXPECT_EQ(TimeText([](auto& w) { w.Raw("\xD7\xFF").Big(~uint64_t{0}, 8); }),
            "0! time is neither a number nor text\n");
}

TEST(MsgpackRows, Tags) {
  MsgpackWriter body;
  body.Map(4).Text("m").Text("cpu").Text("t").Int(1).Text("tags").Map(7).Text("s").Text("x").Text("i").Int(-5);
  body.Text("b").Bool(true).Text("d").Double(1.5).Text("w").Double(2).Text("n").Nil().Text("e").Text("");
  body.Text("fields").Map(1).Text("s").Int(1);
  EXPECT_EQ(Text(body), "cpu@0 time=1000 tag:s=x tag:i=-5 tag:b=true tag:d=1.5 tag:w=2 tag:e= s=1i\n");
  for (const bool twice : {true, false}) {
    MsgpackWriter bad;
    bad.Map(3).Text("m").Text("cpu").Text("tags").Map(twice ? 2 : 1);
    if (twice) bad.Text("a").Text("x").Text("a").Text("y");
    if (!twice) bad.Text("a").Array(0);
    bad.Text("fields").Map(1).Text("v").Int(1);
    EXPECT_EQ(Text(bad),
              twice ? "0! tag 'a' is given twice\n" : "0! tag 'a' is neither a number, a boolean nor text\n");
  }
}

TEST(MsgpackRows, BadRowsLeaveTheGoodOnes) {
  MsgpackWriter body;
  body.Array(13);
  Row(body, "a", 1);
  body.Map(1).Text("m").Text("cpu");                                        // 1: no fields
  body.Map(1).Text("fields").Map(1).Text("v").Int(1);                       // 2: no measurement
  body.Int(5);                                                              // 3: no map
  body.Map(2).Text("m").Int(1).Text("fields").Map(0);                       // 4: measurement no text
  body.Map(2).Text("m").Text("").Text("fields").Map(1).Text("v").Int(1);    // 5: empty
  body.Map(2).Text("m").Text("cpu").Text("fields").Int(1);                  // 6: fields no map
  body.Map(2).Text("m").Text("cpu").Text("fields").Map(1).Text("").Int(1);  // 7: empty name
  body.Map(2).Text("m").Text("cpu").Text("fields").Map(1).Int(1).Int(1);    // 8: name no text
  body.Map(3).Text("m").Text("cpu").Text("tags").Text("x").Text("fields").Map(1).Text("v").Int(1);  // 9
  body.Map(2).Text("m").Text("cpu").Text("fields").Map(2).Text("v").Double(9).Text("w").Array(0);   // 10
  body.Map(2).Text("m").Text("cpu").Text("fields").Map(1).Text(std::string(256, 'n')).Int(1);       // 11
  Row(body, "b", 2);
  EXPECT_EQ(Text(body),
            "cpu@0 time=1000 tag:host=a tag:region=eu v=0.5\ncpu@12 time=2000 tag:host=b tag:region=eu v=0.5\n"
            "1! the row has no fields\n2! the measurement (m) is missing\n3! the item is no map\n"
            "4! the measurement (m) is no text\n5! measurement name is empty\n6! fields is no map\n"
            "7! field name is empty\n8! the name of a field is no text\n9! tags is no map\n"
            "10! field 'w' is neither a number, a boolean nor text\n"
            "11! field '" +
                std::string(61, 'n') + "...': the name is longer than 255 bytes\n");
}

TEST(MsgpackRows, KindsAndMixes) {
  MsgpackWriter body;
  body.Array(5);
  const auto row = [&]() -> MsgpackWriter& {
    return body.Map(3).Text("m").Text("m").Text("t").Int(1).Text("fields").Map(2).Text("w").Int(1).Text("v");
  };
  row().Int(1);
  row().Double(1.5);
  row().Text("s");
  row().UInt(uint64_t{1} << 63);
  row().Text("t");
  EXPECT_EQ(Text(body),
            "m@0 time=1000 w=1i v=1~\nm@1 time=1000 w=1i v=1.5\nm@3 time=1000 w=1i v=9223372036854775808\n"
            "m@2 time=1000 w=1i v=\"s\"\nm@4 time=1000 w=1i v=\"t\"\n");
}

TEST(MsgpackColumns, Telegraf) {
  MsgpackWriter body;
  body.Array(2);
  body.Map(2)
      .Text("columns")
      .Map(5)
      .Text("usage")
      .Array(3)
      .Double(0.5)
      .Double(1.5)
      .Nil()
      .Text("host")
      .Array(3)
      .Text("a")
      .Text("b")
      .Text("a")
      .Text("time")
      .Array(3)
      .Int64(1000)
      .Int64(2000)
      .Int64(3000)
      .Text("n")
      .Array(3)
      .Int(1)
      .Int(-200)
      .Int(70000)
      .Text("ok")
      .Array(3)
      .Nil()
      .Bool(true)
      .Bool(false)
      .Text("m")
      .Text("cpu");
  body.Map(2).Text("m").Text("mem").Text("columns").Map(2).Text("time").Array(1).Int64(4000).Text("free").Array(1).UInt(
      5'000'000'000);
  EXPECT_EQ(Text(body),
            "cpu@0 time=1000000 usage?=0.5 tag:host?=a n?=1i ok?=-\n"
            "cpu@1 time=2000000 usage?=1.5 tag:host?=b n?=-200i ok?=true\n"
            "cpu@2 time=3000000 usage?=- tag:host?=a n?=70000i ok?=false\n"
            "mem@3 time=4000000 free?=5000000000i\n");
}

TEST(MsgpackColumns, TagKeys) {
  for (const char* key : {"tag_keys", "tags"}) {
    for (const bool before : {true, false}) {
      MsgpackWriter body;
      body.Map(3).Text("m").Text("cpu");
      if (before) body.Text(key).Array(2).Text("host").Text("port");
      body.Text("columns").Map(4).Text("host").Array(2).Text("a").Text("b").Text("note").Array(2).Text("x").Nil();
      body.Text("port").Array(2).Int(80).Text("http").Text("time").Array(2).Int(1).Int(2);
      if (!before) body.Text(key).Array(2).Text("host").Text("port");
      EXPECT_EQ(Text(body),
                "cpu@0 time=1000 tag:host=a note=\"x\" tag:port=80\n"
                "cpu@1 time=2000 tag:host=b note=- tag:port=http\n");
    }
  }
  MsgpackWriter body;
  body.Map(3)
      .Text("m")
      .Text("cpu")
      .Text("tags")
      .Map(1)
      .Text("a")
      .Text("b")
      .Text("columns")
      .Map(1)
      .Text("v")
      .Array(2)
      .Int(1)
      .Int(2);
  EXPECT_EQ(Text(body), "0! block of columns: tag_keys (or tags) beside columns is no list of column names\n");
}

TEST(MsgpackColumns, Values) {
  const auto column = [](const std::string& a, const std::string& b, const std::string& c) {
    return "cpu@0 time=1000 " + a + "\ncpu@1 time=2000 " + b + "\ncpu@2 time=3000 " + c + "\n";
  };
  EXPECT_EQ(ColumnText([](auto& w) { w.Int(1).Double(2.5).Int(3); }), column("v?=1~", "v?=2.5", "v?=3~"));
  EXPECT_EQ(ColumnText([](auto& w) { w.Double(1).Int(2).Nil(); }), column("v?=1", "v?=2~", "v?=-"));
  EXPECT_EQ(ColumnText([](auto& w) { w.Nil().Nil().Int(3); }), column("v?=-", "v?=-", "v?=3i"));
  EXPECT_EQ(ColumnText([](auto& w) { w.Int(3).Nil().Int(4); }), column("v?=3i", "v?=-", "v?=4i"));
  EXPECT_EQ(ColumnText([](auto& w) { w.UInt(UINT64_MAX).Int(1).Int(2); }),
            column("v?=18446744073709551615u", "v?=1u", "v?=2u"));
  EXPECT_EQ(ColumnText([](auto& w) { w.Float(1.5F).Double(1).Float(0.25F); }), column("v?=1.5", "v?=1", "v?=0.25"));
  EXPECT_EQ(ColumnText([](auto& w) { w.Bool(true).Nil().Bool(false); }), column("v?=true", "v?=-", "v?=false"));
  EXPECT_EQ(ColumnText([](auto& w) { w.Text("x").Nil().Text(std::string(40, 'y')); }),
            column("tag:v?=x", "tag:v?=-", "tag:v?=" + std::string(40, 'y')));
  // Strings beside numbers: no tag, and the rows part.
  EXPECT_EQ(ColumnText([](auto& w) { w.Text("x").Int(1).Text("y"); }),
            "cpu@0 time=1000 v?=\"x\"\ncpu@2 time=3000 v?=\"y\"\ncpu@1 time=2000 v?=1i\n");
  EXPECT_EQ(ColumnText([](auto& w) { w.Int(1).Bool(true).Int(2); }),
            "cpu@0 time=1000 v?=1i\ncpu@2 time=3000 v?=2i\ncpu@1 time=2000 v?=true\n");
  EXPECT_EQ(ColumnText([](auto& w) { w.Int(1).Array(1).Int(7).Int(2); }),
            "cpu@0 time=1000 v?=1i\ncpu@2 time=3000 v?=2i\n1! field 'v' is neither a number, a boolean nor text\n");
  EXPECT_EQ(ColumnText([](auto& w) { w.Text("x").Text("\xFF").Text("y"); }),
            "cpu@0 time=1000 tag:v?=x\ncpu@2 time=3000 tag:v?=y\n1! tag 'v' is not valid UTF-8\n");
  EXPECT_EQ(ColumnText([](auto& w) { w.Nil().Nil().Nil(); }), "cpu@0 time=1000\ncpu@1 time=2000\ncpu@2 time=3000\n");
}

TEST(MsgpackColumns, Times) {
  const auto block = [](const Write& times, TimePrecision precision = TimePrecision::kMillis) {
    MsgpackWriter body;
    body.Map(2).Text("m").Text("cpu").Text("columns").Map(2).Text("v").Array(3).Int(1).Int(2).Int(3);
    body.Text("time").Array(3);
    times(body);
    return Text(body, precision);
  };
  EXPECT_EQ(block([](auto& w) { w.Int(3).Nil().Int(1); }),
            "cpu@0 time=3000 v?=1i\ncpu@2 time=1000 v?=3i\n1! time is null\n");
  EXPECT_EQ(block([](auto& w) { w.Double(3).Text("1970-01-01T00:00:01Z").Int(1); }),
            "cpu@0 time=3000 v?=1i\ncpu@1 time=1000000 v?=2i\ncpu@2 time=1000 v?=3i\n");
  EXPECT_EQ(block([](auto& w) { w.Int(1).Int64(INT64_MAX).Int(2); }),
            "cpu@0 time=1000 v?=1i\ncpu@2 time=2000 v?=3i\n"
            "1! time 9223372036854775807 ms is outside the years 1 to 9999 (is it in another unit?)\n");
  EXPECT_EQ(block([](auto& w) { w.Int(1).Int(-2).Int(3); }, TimePrecision::kNanos),
            "cpu@0 time=0 v?=1i\ncpu@1 time=-1 v?=2i\ncpu@2 time=0 v?=3i\n");
  EXPECT_EQ(
      block([](auto& w) { w.Int(1'633'024'800).Int(1'633'024'800'000).Int(1'633'024'800'000'000); },
            TimePrecision::kAuto),
      "cpu@0 time=1633024800000000 v?=1i\ncpu@1 time=1633024800000000 v?=2i\ncpu@2 time=1633024800000000 v?=3i\n");
  MsgpackWriter body;
  body.Map(2).Text("m").Text("cpu").Text("columns").Map(1).Text("v").Array(2).Int(1).Int(2);
  EXPECT_EQ(Text(body), "cpu@0 time=1700000000000000 v?=1i\ncpu@1 time=1700000000000000 v?=2i\n");
}

TEST(MsgpackColumns, BadBlocks) {
  const auto block = [](const Write& columns) {
    MsgpackWriter body;
    body.Array(2).Map(2).Text("m").Text("cpu").Text("columns");
    columns(body);
    Row(body, "a", 1);
    return Text(body);
  };
  const auto refused = [](uint32_t rows, const std::string& why) {
    return "cpu@" + std::to_string(rows) + " time=1000 tag:host=a tag:region=eu v=0.5\n0! block of columns: " + why +
           "\n";
  };
  EXPECT_EQ(block([](auto& w) { w.Map(2).Text("time").Array(2).Int(1).Int(2).Text("v").Array(1).Int(1); }),
            refused(2, "column 'v' has 1 values, 'time' has 2"));
  EXPECT_EQ(block([](auto& w) { w.Map(1).Text("v").Int(1); }), refused(1, "column 'v' is no array"));
  EXPECT_EQ(block([](auto& w) { w.Map(1).Int(1).Array(0); }), refused(1, "the name of a column is no text"));
  EXPECT_EQ(block([](auto& w) { w.Array(0); }), refused(1, "columns is no map"));
  EXPECT_EQ(block([](auto& w) { w.Map(0); }), refused(1, "there is no column beside time"));
  EXPECT_EQ(block([](auto& w) { w.Map(1).Text("time").Array(2).Int(1).Int(2); }),
            refused(2, "there is no column beside time"));
  EXPECT_EQ(block([](auto& w) { w.Map(1).Text("").Array(2).Int(1).Int(2); }), refused(2, "column name is empty"));
  EXPECT_EQ(block([](auto& w) { w.Map(1).Text("\xFF").Array(1).Int(1); }),
            refused(1, "column '\\xFF' is not valid UTF-8"));
  EXPECT_EQ(block([](auto& w) { w.Map(2).Text("v").Array(0).Text("time").Array(0); }),
            "cpu@0 time=1000 tag:host=a tag:region=eu v=0.5\n");
  MsgpackWriter nameless;
  nameless.Map(1).Text("columns").Map(1).Text("v").Array(1).Int(1);
  EXPECT_EQ(Text(nameless), "0! block of columns: the measurement (m) is missing\n");
}

TEST(MsgpackColumns, BlocksAndRowsOfOneMeasurementShareABatch) {
  MsgpackWriter body;
  body.Array(4);
  Row(body, "a", 1);
  body.Map(2)
      .Text("m")
      .Text("cpu")
      .Text("columns")
      .Map(3)
      .Text("time")
      .Array(2)
      .Int(2)
      .Int(3)
      .Text("host")
      .Array(2)
      .Text("b")
      .Text("a")
      .Text("w")
      .Array(2)
      .Int(1)
      .Nil();
  Row(body, "b", 4);
  body.Map(2).Text("m").Text("cpu").Text("columns").Map(2).Text("time").Array(1).Int(5).Text("v").Array(1).Text("s");
  EXPECT_EQ(Text(body),
            "cpu@0 time=1000 tag:host=a tag:region=eu v=0.5 w?=- tag:v?=-\n"
            "cpu@1 time=2000 tag:host=b tag:region=- v=- w?=1i tag:v?=-\n"
            "cpu@2 time=3000 tag:host=a tag:region=- v=- w?=- tag:v?=-\n"
            "cpu@3 time=4000 tag:host=b tag:region=eu v=0.5 w?=- tag:v?=-\n"
            "cpu@4 time=5000 tag:host=- tag:region=- v=- w?=- tag:v?=s\n");
}

TEST(MsgpackColumns, ColumnTwiceKeepsTheLast) {
  MsgpackWriter body;
  body.Map(2)
      .Text("m")
      .Text("cpu")
      .Text("columns")
      .Map(5)
      .Text("time")
      .Array(2)
      .Int(1)
      .Int(2)
      .Text("v")
      .Array(2)
      .Int(1)
      .Int(2)
      .Text("v")
      .Array(2)
      .Text("x")
      .Text("y")
      .Text("v")
      .Array(2)
      .Nil()
      .Int(4)
      .Text("time")
      .Array(2)
      .Int(3)
      .Int(4);
  EXPECT_EQ(Text(body), "cpu@0 time=3000 v?=- tag:v?=x\ncpu@1 time=4000 v?=4i tag:v?=y\n");
}

TEST(MsgpackColumns, LargeBlock) {
  constexpr uint32_t kRows = 70000;
  MsgpackWriter body;
  body.Map(2).Text("m").Text("cpu").Text("columns").Map(5);
  body.Text("time").Array(kRows);
  for (uint32_t i = 0; i < kRows; ++i) body.Int(i * 7 % 1000 * (i % 2 == 0 ? 1 : 1'000'000));
  body.Text("d").Array(kRows);
  for (uint32_t i = 0; i < kRows; ++i) i % 1000 == 999 ? body.Nil() : body.Double(i * 0.5);
  body.Text("i").Array(kRows);
  for (uint32_t i = 0; i < kRows; ++i) body.Int((i % 3 == 0 ? -1 : 1) * (int64_t{1} << (i % 60)));
  body.Text("b").Array(kRows);
  for (uint32_t i = 0; i < kRows; ++i) body.Bool(i % 3 == 0);
  body.Text("s").Array(kRows);
  for (uint32_t i = 0; i < kRows; ++i) body.Text("value " + std::to_string(i % 5000));
  auto decoded = DecodeMsgpack(body.bytes(), {kServerTime});
  ASSERT_TRUE(decoded.ok());
  ASSERT_EQ(BrokenRequest(*decoded), "");
  ASSERT_EQ(decoded->batches.size(), 1U);
  const Batch& batch = decoded->batches[0].batch;
  ASSERT_EQ(batch.rows, kRows);
  for (uint32_t i = 0; i < kRows; ++i) {
    ASSERT_EQ(CellText(batch.columns[0], i),
              std::to_string(int64_t{i * 7 % 1000} * (i % 2 == 0 ? 1 : 1'000'000) * 1000));
    if (i % 1000 == 999) {
      ASSERT_EQ(CellText(batch.columns[1], i), "-");
    } else {
      ASSERT_EQ(static_cast<const arrow::DoubleArray&>(*batch.columns[1].values).Value(i), i * 0.5);
    }
    ASSERT_EQ(CellText(batch.columns[2], i), std::to_string((i % 3 == 0 ? -1 : 1) * (int64_t{1} << (i % 60))) + "i");
    ASSERT_EQ(CellText(batch.columns[3], i), i % 3 == 0 ? "true" : "false");
    ASSERT_EQ(CellText(batch.columns[4], i), "value " + std::to_string(i % 5000));
  }
}

// Found by the fuzzer: a column grown for earlier rows had room for the first row of a block, and the last were written
// past the end.
TEST(MsgpackColumns, BlocksOfOneMeasurementOutgrowItsColumns) {
  constexpr uint32_t kRows[] = {20, 25, 300, 10, 700, 5000};
  MsgpackWriter body;
  body.Array(std::size(kRows));
  uint32_t next = 0;
  for (const uint32_t rows : kRows) {
    body.Map(2).Text("m").Text("cpu").Text("columns").Map(4);
    body.Text("time").Array(rows);
    for (uint32_t i = 0; i < rows; ++i) body.Int(next + i);
    body.Text("d").Array(rows);
    for (uint32_t i = 0; i < rows; ++i) body.Double((next + i) * 0.5);
    body.Text("i").Array(rows);
    for (uint32_t i = 0; i < rows; ++i) body.Int((next + i) % 100);
    body.Text("s").Array(rows);
    for (uint32_t i = 0; i < rows; ++i) body.Text("value " + std::to_string((next + i) % 7));
    next += rows;
  }
  auto decoded = DecodeMsgpack(body.bytes(), {kServerTime});
  ASSERT_TRUE(decoded.ok());
  ASSERT_EQ(BrokenRequest(*decoded), "");
  ASSERT_EQ(decoded->batches.size(), 1U);
  const Batch& batch = decoded->batches[0].batch;
  ASSERT_EQ(batch.rows, next);
  for (uint32_t i = 0; i < next; ++i) {
    ASSERT_EQ(static_cast<const arrow::DoubleArray&>(*batch.columns[1].values).Value(i), i * 0.5);
    ASSERT_EQ(CellText(batch.columns[2], i), std::to_string(i % 100) + "i");
    ASSERT_EQ(CellText(batch.columns[3], i), "value " + std::to_string(i % 7));
  }
}

TEST(MsgpackBody, Malformed) {
  const std::vector<std::pair<std::string, std::string>> table = {
      {"", "not MessagePack: the body is empty"},
      {"\x05", "neither a MessagePack map nor an array at byte 0"},
      {"hello", "neither a MessagePack map nor an array at byte 0"},
      {"{\"m\":1}", "neither a MessagePack map nor an array at byte 0"},
      {"\x81", "not MessagePack: a count larger than the rest of the body at byte 0"},
      {"\x81\xA1m", "not MessagePack: the body ends inside a value at byte 3"},
      {"\x81\xA1m\xC1", "not MessagePack: the byte C1, which MessagePack never uses, at byte 3"},
      {"\x81\xA1m\xA5"
       "ab",
       "not MessagePack: the body ends inside a value at byte 3"},
      {std::string("\xDD\xFF\xFF\xFF\xFF", 5), "not MessagePack: a count larger than the rest of the body at byte 0"},
      {std::string("\xDF\xFF\xFF\xFF\xFF", 5), "not MessagePack: a count larger than the rest of the body at byte 0"},
      {std::string("\xDF\x00", 2), "not MessagePack: the body ends inside a value at byte 0"},
      {std::string("\x81\xA1x\xDB\xFF\xFF\xFF\xFF"
                   "abc",
                   11),
       "not MessagePack: the body ends inside a value at byte 3"},
      {"\x90\x90", "not MessagePack: there are more bytes behind the end of the item at byte 1"},
      {"\x81\xA5"
       "batch\x05",
       "not MessagePack: batch is no array at byte 7"},
      {std::string(20, '\x91'), "not MessagePack: a count larger than the rest of the body at byte 19"},
  };
  for (const auto& [body, message] : table) {
    auto decoded = DecodeMsgpack(body, {kServerTime});
    ASSERT_FALSE(decoded.ok()) << message;
    EXPECT_EQ(decoded.error().kind, ErrorKind::kInvalidArgument);
    if (body.size() == 20) {
      EXPECT_NE(decoded.error().message.find("nested too deep"), std::string::npos);
    } else {
      EXPECT_EQ(decoded.error().message, message);
    }
  }
}

TEST(MsgpackBody, EveryTruncationIsRefused) {
  MsgpackWriter rows, columns;
  rows.Array(20);
  for (int i = 0; i < 20; ++i) Row(rows, "host-with-a-longer-name", i);
  columns.Map(2).Text("m").Text("cpu").Text("columns").Map(3).Text("time").Array(20);
  for (int i = 0; i < 20; ++i) columns.Int(i * 1000);
  columns.Text("v").Array(20);
  for (int i = 0; i < 20; ++i) columns.Double(i);
  columns.Text("host").Array(20);
  for (int i = 0; i < 20; ++i) columns.Text("a tag value of some length");
  for (const MsgpackWriter* body : {&rows, &columns}) {
    EXPECT_TRUE(DecodeMsgpack(body->bytes(), {kServerTime}).ok());
    for (size_t size = 0; size < body->bytes().size(); ++size) {
      // A copy of its own, so that a sanitizer sees every byte read too many.
      const std::vector<char> part(body->bytes().begin(), body->bytes().begin() + static_cast<ptrdiff_t>(size));
      EXPECT_FALSE(DecodeMsgpack({part.data(), part.size()}, {kServerTime}).ok()) << size;
    }
  }
}

TEST(MsgpackBody, DeepNestingInAnUnknownKeyIsSkipped) {
  std::string body =
      "\x83\xA1m\xA1"
      "a\xA1x" +
      std::string(1'000'000, '\x91') +
      "\xC0\xA6"
      "fields\x81\xA1v\x01";
  auto decoded = DecodeMsgpack(body, {kServerTime});
  ASSERT_TRUE(decoded.ok()) << decoded.error().message;
  EXPECT_EQ(RequestText(*decoded), "a@0 time=1700000000000000 v=1i\n");
}

}  // namespace
}  // namespace arc
