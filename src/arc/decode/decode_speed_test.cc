// How fast the decoders are, in CPU microseconds per row of one thread. Not part of the ordinary run:
//   arc_decode_test --gtest_also_run_disabled_tests --gtest_filter='*DecodeSpeed*'
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "arc/decode/line_protocol.h"

namespace arc {
namespace {

constexpr int kRows = 1000;
constexpr int kRounds = 400;
constexpr int64_t kStartMillis = 1'633'024'800'000;

// Times `decode` over bodies of kRows rows; prints the median of five runs.
void Measure(const char* name, const std::string& body, const std::function<int64_t(const std::string&)>& decode) {
  std::vector<double> micros;
  for (int run = 0; run < 5; ++run) {
    const std::clock_t begin = std::clock();
    for (int round = 0; round < kRounds; ++round) ASSERT_EQ(decode(body), kRows) << name;
    micros.push_back(static_cast<double>(std::clock() - begin) * 1e6 / CLOCKS_PER_SEC / kRounds / kRows);
  }
  std::sort(micros.begin(), micros.end());
  std::printf("%-28s %.4f us/row  %6.0f B/row  %.2f GB/s\n", name, micros[2], static_cast<double>(body.size()) / kRows,
              static_cast<double>(body.size()) / kRows / micros[2] / 1000);
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

const char* const kTsbsFields[10] = {"usage_user",   "usage_system", "usage_idle",    "usage_nice",  "usage_iowait",
                                     "usage_irq",    "usage_softirq", "usage_steal",  "usage_guest", "usage_guest_nice"};

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

TEST(DISABLED_DecodeSpeed, Report) {
  const auto lines = [](const std::string& body) {
    return RowsOf(DecodeLineProtocol(body, {TimePrecision::kNanos, 0}));
  };
  Measure("line protocol SMALL", LineSmall(), lines);
  Measure("line protocol TSBS", LineTsbs(), lines);
}

}  // namespace
}  // namespace arc
