// arc-month: weeks of Telegraf's metrics through the database in process, on a clock of its own. bench/month.py makes
// the recording, runs it and draws what it prints: a JSON object for each simulated hour (files and bytes) and each
// simulated day (query times).
//   arc-month RECORDING FOLDER DAYS HOSTS RETENTION_DAYS compacted|as-flushed      retention is of cpu
#include <arrow/record_batch.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/check.h"
#include "arc/base/clock.h"
#include "arc/base/log.h"
#include "arc/decode/line_protocol.h"
#include "arc/engine/engine.h"
#include "month/recording.h"

namespace arc::bench {
namespace {

constexpr int64_t kMicrosPerMinute = 60'000'000;
constexpr int kMinutesPerHour = 60;
constexpr int kMinutesPerDay = 1440;
constexpr int kQueryRuns = 5;

struct Stored {
  int64_t files = 0;
  int64_t bytes = 0;
};

// A simulated month on `engine`, whose only clock is `clock`.
class Month {
 public:
  Month(Engine& engine, ManualClock& clock, const Recording& recording, int hosts, std::string tables_folder,
        int64_t flush_age_ms)
      : engine_(engine),
        clock_(clock),
        recording_(recording),
        hosts_(hosts),
        tables_folder_(std::move(tables_folder)),
        flush_age_seconds_(static_cast<double>(flush_age_ms) / 1e3) {}

  void Run(int days) {
    for (int minute = 1; minute <= days * kMinutesPerDay; ++minute) {
      const std::optional<int64_t> look = engine_.compaction().next_run_micros();
      clock_.Advance(std::chrono::minutes(1));
      KeepUp(look);  // first: hosts do not all write at the moment in which the flush clock looks
      Write(minute);
      if (minute % kMinutesPerHour == 0) {
        engine_.upkeep().RunDue();
        PrintFiles(minute / kMinutesPerHour);
      }
      if (minute % kMinutesPerDay == 0) PrintQueries(minute / kMinutesPerDay);
    }
    CheckCounts();
  }

 private:
  void Write(int minute) {
    std::string body;
    for (int host = 0; host < hosts_; ++host) {
      // Hosts are at different places of the recording.
      const size_t round = static_cast<size_t>(minute + host * 7);
      recording_.Append(round, host, clock_.WallMicros(), &body);
    }
    auto request = DecodeLineProtocol(body, {});
    ARC_CHECK(request.ok());
    for (const auto& one : request->batches) written_[one.measurement] += one.batch.rows;
    const auto outcome = engine_.WriteAndWait(std::move(*request), {});
    ARC_CHECK(outcome.ok() && outcome->errors_total == 0);
  }

  // Does what the engine's threads would do by now. They look at the clock every 200 ms to a minute of real time, in
  // which hours pass here.
  void KeepUp(std::optional<int64_t> look) {
    if (engine_.buffer_stats().oldest_age_seconds >= flush_age_seconds_) ARC_CHECK(engine_.Flush().ok());
    if (!look || clock_.WallMicros() < *look) return;
    engine_.compaction().Trigger("", "");
    engine_.compaction().Wait();
  }

  Stored Live() const {
    Stored live;
    for (const auto& database : engine_.catalog().Databases()) {
      for (const auto& table : engine_.catalog().Tables(database)) {
        const auto files = table->committed_files();
        live.files += static_cast<int64_t>(files->files().size());
        live.bytes += files->bytes();
      }
    }
    return live;
  }

  void PrintFiles(int hour) const {
    const Stored live = Live();
    Stored data;
    Stored metadata;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(tables_folder_)) {
      if (!entry.is_regular_file()) continue;
      Stored& kind = entry.path().extension() == ".parquet" ? data : metadata;
      ++kind.files;
      kind.bytes += static_cast<int64_t>(entry.file_size());
    }
    std::printf(R"({"hour":%d,"live_files":%ld,"live_bytes":%ld,"data_files":%ld,"data_bytes":%ld,)"
                R"("metadata_files":%ld,"metadata_bytes":%ld,"flushed_files":%lu,"rows":%lu})"
                "\n",
                hour, live.files, live.bytes, data.files, data.bytes, metadata.files, metadata.bytes,
                engine_.flush_stats().files, engine_.buffer_stats().rows_written);
    std::fflush(stdout);
  }

  void PrintQueries(int day) {
    const std::string hour_ago = "make_timestamp(" + std::to_string(clock_.WallMicros() - 3'600'000'000) + ")";
    const std::string day_ago = "make_timestamp(" + std::to_string(clock_.WallMicros() - 86'400'000'000) + ")";
    const std::string last_hour = "SELECT host, avg(usage_user) FROM cpu WHERE time >= " + hour_ago + " GROUP BY host";
    const std::string last_day =
        "SELECT date_trunc('hour', time) AS bucket, host, max(used_percent) FROM mem WHERE time >= " + day_ago +
        " GROUP BY bucket, host ORDER BY bucket, host";
    std::printf(R"({"day":%d,"last_hour_ms":%.3f,"last_day_ms":%.3f,"whole_range_ms":%.3f})"
                "\n",
                day, MedianMillis(last_hour), MedianMillis(last_day),
                MedianMillis("SELECT count(*) FROM mem WHERE used_percent >= 0"));
    std::fflush(stdout);
  }

  double MedianMillis(const std::string& sql) {
    std::vector<double> millis;
    for (int run = 0; run < kQueryRuns; ++run) {
      const int64_t start = SystemClock().MonotonicNanos();
      ARC_CHECK(Rows(sql) > 0);
      millis.push_back(static_cast<double>(SystemClock().MonotonicNanos() - start) / 1e6);
    }
    std::sort(millis.begin(), millis.end());
    return millis[millis.size() / 2];
  }

  int64_t Rows(const std::string& sql) {
    QueryRequest request;
    request.sql = sql;
    request.principal = Principal::Admin("bench");
    auto stream = engine_.Query(request);
    ARC_CHECK(stream.ok());
    int64_t rows = 0;
    while (true) {
      const auto batch = (*stream)->Next();
      ARC_CHECK(batch.ok());
      if (*batch == nullptr) return rows;
      rows += (*batch)->num_rows();
    }
  }

  // Nothing lost and nothing twice, but for what retention took.
  void CheckCounts() {
    ARC_CHECK(engine_.Flush().ok());
    for (const auto& table : engine_.catalog().Tables("default")) {
      const int64_t rows = table->committed_files()->rows();
      const std::string& name = table->ref().name;
      ARC_CHECK(name == "cpu" ? rows <= written_[name] : rows == written_[name]);
    }
  }

  Engine& engine_;
  ManualClock& clock_;
  const Recording& recording_;
  const int hosts_;
  const std::string tables_folder_;
  const double flush_age_seconds_;
  std::map<std::string, int64_t> written_;  // rows by measurement
};

int Main(const std::vector<std::string>& words) {
  if (words.size() != 6) {
    std::fputs("arc-month RECORDING FOLDER DAYS HOSTS RETENTION_DAYS compacted|as-flushed\n", stderr);
    return 2;
  }
  const Recording recording = Recording::Read(words[0]);
  ARC_CHECK(recording.rounds() > 0);
  const int days = std::stoi(words[2]);
  SetLogLevel(LogLevel::kWarning);
  // A full hour before the month that ends now, so that files are never older than the clock says.
  const int64_t now = SystemClock().WallMicros();
  ManualClock clock((now / (kMicrosPerMinute * kMinutesPerHour) - 24 * days) * kMicrosPerMinute * kMinutesPerHour);
  EngineOptions options;
  options.data_folder = words[1];
  options.compaction.enabled = words[5] == "compacted";
  auto engine = Engine::Open(options, SystemDisk(), clock);
  ARC_CHECK(engine.ok());
  RetentionPolicy policy;
  policy.name = "cpu";
  policy.database = "default";
  policy.measurement = "cpu";
  policy.retention_days = std::stoi(words[4]);
  ARC_CHECK((*engine)->retention().Add(policy).ok());
  Month(**engine, clock, recording, std::stoi(words[3]), StorageRootOf(options), options.flush.table_age_ms).Run(days);
  ARC_CHECK((*engine)->Close(std::chrono::minutes(1)).ok());
  return 0;
}

}  // namespace
}  // namespace arc::bench

int main(int argc, char** argv) { return arc::bench::Main({argv + 1, argv + argc}); }
