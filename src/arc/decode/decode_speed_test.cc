// How fast the decoders are, in CPU microseconds per row of one thread. Not part of the ordinary run:
//   arc_decode_test --gtest_also_run_disabled_tests --gtest_filter='*DecodeSpeed*'
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "arc/decode/json.h"
#include "arc/decode/line_protocol.h"
#include "arc/decode/msgpack.h"
#include "arc/decode/msgpack_writer.h"

namespace arc {
namespace {

constexpr int kRows = 1000;
constexpr int kRounds = 10;
constexpr int kRuns = 200;
constexpr int64_t kStartMillis = 1'633'024'800'000;

// Times `decode` over a body of kRows rows in many short runs; prints their median and the best, which is what the
// machine does when nobody else uses its core.
void Measure(const char* name, const std::string& body, const std::function<int64_t(const std::string&)>& decode) {
  std::vector<double> micros;
  for (int run = 0; run < kRuns; ++run) {
    const std::clock_t begin = std::clock();
    for (int round = 0; round < kRounds; ++round) ASSERT_EQ(decode(body), kRows) << name;
    micros.push_back(static_cast<double>(std::clock() - begin) * 1e6 / CLOCKS_PER_SEC / kRounds / kRows);
  }
  std::sort(micros.begin(), micros.end());
  std::printf("%-28s best %.4f median %.4f us/row  %4.0f B/row  %.2f GB/s\n", name, micros[0], micros[kRuns / 2],
              static_cast<double>(body.size()) / kRows, static_cast<double>(body.size()) / kRows / micros[0] / 1000);
}

int64_t RowsOf(const Result<WriteRequest>& decoded) {
  if (!decoded.ok()) return -1;
  int64_t rows = 0;
  for (const auto& table : decoded->batches) rows += table.batch.rows;
  return rows;
}

struct SmallRow {
  std::string host, region;
  double a, b, c;
  int64_t millis;
};

std::vector<SmallRow> SmallRows() {
  std::vector<SmallRow> rows;
  for (int i = 0; i < kRows; ++i) {
    rows.push_back({"server" + std::to_string(i * 7 % 100), "region-" + std::to_string(i % 5), (i * 37 % 1000) / 10.0,
                    (i * 91 % 10000) / 100.0, (i * 53 % 1000) / 10.0, kStartMillis + i});
  }
  return rows;
}

std::string Decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.10g", value);
  return text;
}

std::string LineSmall() {
  std::string body;
  for (const SmallRow& row : SmallRows()) {
    body += "cpu,host=" + row.host + ",region=" + row.region + " usage_idle=" + Decimal(row.a) +
            ",usage_user=" + Decimal(row.b) + ",usage_system=" + Decimal(row.c) + " " + std::to_string(row.millis) +
            "000000\n";
  }
  return body;
}

const char* const kTsbsFields[10] = {"usage_user", "usage_system",  "usage_idle",  "usage_nice",  "usage_iowait",
                                     "usage_irq",  "usage_softirq", "usage_steal", "usage_guest", "usage_guest_nice"};

// The ten tags of TSBS "cpu-only", as name and value.
std::vector<std::pair<std::string, std::string>> TsbsTags(int host) {
  return {{"hostname", "host_" + std::to_string(host)},
          {"region", host % 3 == 0 ? "eu-central-1" : "us-west-1"},
          {"datacenter", host % 3 == 0 ? "eu-central-1a" : "us-west-1b"},
          {"rack", std::to_string(host % 97)},
          {"os", host % 2 == 0 ? "Ubuntu16.10" : "Ubuntu15.10"},
          {"arch", host % 2 == 0 ? "x64" : "x86"},
          {"team", host % 4 == 0 ? "SF" : "NYC"},
          {"service", std::to_string(host % 19)},
          {"service_version", std::to_string(host % 2)},
          {"service_environment", host % 2 == 0 ? "production" : "staging"}};
}

std::string LineTsbs() {
  std::string body;
  for (int i = 0; i < kRows; ++i) {
    body += "cpu";
    for (const auto& [name, value] : TsbsTags(i % 100)) body += "," + name + "=" + value;
    for (int f = 0; f < 10; ++f) {
      body += (f == 0 ? " " : ",") + std::string(kTsbsFields[f]) + "=" + std::to_string((i * (f + 7) * 31) % 101) + "i";
    }
    body += " " + std::to_string(kStartMillis + i / 100 * 10000) + "000000\n";
  }
  return body;
}

std::string RowsSmall() {
  MsgpackWriter body;
  body.Map(1).Text("batch").Array(kRows);
  for (const SmallRow& row : SmallRows()) {
    body.Map(5).Text("m").Text("cpu").Text("t").Int(row.millis).Text("h").Text(row.host);
    body.Text("tags").Map(1).Text("region").Text(row.region);
    body.Text("fields").Map(3).Text("usage_idle").Double(row.a).Text("usage_user").Double(row.b);
    body.Text("usage_system").Double(row.c);
  }
  return body.bytes();
}

std::string ColumnsSmall() {
  const std::vector<SmallRow> rows = SmallRows();
  MsgpackWriter body;
  body.Map(2).Text("m").Text("cpu").Text("columns").Map(6);
  const auto column = [&](const char* name, const auto& write) {
    body.Text(name).Array(kRows);
    for (const SmallRow& row : rows) write(row);
  };
  column("time", [&](const SmallRow& row) { body.Int(row.millis); });
  column("host", [&](const SmallRow& row) { body.Text(row.host); });
  column("region", [&](const SmallRow& row) { body.Text(row.region); });
  column("usage_idle", [&](const SmallRow& row) { body.Double(row.a); });
  column("usage_user", [&](const SmallRow& row) { body.Double(row.b); });
  column("usage_system", [&](const SmallRow& row) { body.Double(row.c); });
  return body.bytes();
}

std::string ColumnsTsbs() {
  MsgpackWriter body;
  body.Map(2).Text("m").Text("cpu").Text("columns").Map(21);
  body.Text("time").Array(kRows);
  for (int i = 0; i < kRows; ++i) body.Int(kStartMillis + i / 100 * 10000);
  for (size_t t = 0; t < 10; ++t) {
    body.Text(TsbsTags(0)[t].first).Array(kRows);
    for (int i = 0; i < kRows; ++i) body.Text(TsbsTags(i % 100)[t].second);
  }
  for (int f = 0; f < 10; ++f) {
    body.Text(kTsbsFields[f]).Array(kRows);
    for (int i = 0; i < kRows; ++i) body.Int((i * (f + 7) * 31) % 101);
  }
  return body.bytes();
}

// The rows of SMALL as JSON.
std::string JsonSmall() {
  std::string body = "[";
  for (const SmallRow& row : SmallRows()) {
    if (body.size() > 1) body += ",";
    body += R"({"m":"cpu","t":)" + std::to_string(row.millis) + R"(,"h":")" + row.host + R"(","tags":{"region":")" +
            row.region + R"("},"fields":{"usage_idle":)" + Decimal(row.a) + R"(,"usage_user":)" + Decimal(row.b) +
            R"(,"usage_system":)" + Decimal(row.c) + "}}";
  }
  return body + "]";
}

int64_t Lines(const std::string& body) { return RowsOf(DecodeLineProtocol(body, {TimePrecision::kNanos, 0})); }
int64_t Msgpack(const std::string& body) { return RowsOf(DecodeMsgpack(body, {})); }
int64_t Json(const std::string& body) { return RowsOf(DecodeJson(body, {})); }

TEST(DISABLED_DecodeSpeed, ColumnsSmall) { Measure("columns SMALL", ColumnsSmall(), Msgpack); }
TEST(DISABLED_DecodeSpeed, ColumnsTsbs) { Measure("columns TSBS", ColumnsTsbs(), Msgpack); }
TEST(DISABLED_DecodeSpeed, RowsSmall) { Measure("rows SMALL", RowsSmall(), Msgpack); }
TEST(DISABLED_DecodeSpeed, LinesSmall) { Measure("line protocol SMALL", LineSmall(), Lines); }
TEST(DISABLED_DecodeSpeed, LinesTsbs) { Measure("line protocol TSBS", LineTsbs(), Lines); }
TEST(DISABLED_DecodeSpeed, JsonSmall) { Measure("JSON rows SMALL", JsonSmall(), Json); }

}  // namespace
}  // namespace arc
