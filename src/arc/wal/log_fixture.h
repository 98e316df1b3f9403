// A log on a disk in memory, for this room's tests.
#pragma once

#include <gtest/gtest.h>

#include <future>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "arc/io/power_cut_disk.h"
#include "arc/wal/log.h"
#include "arc/wal/test_batches.h"

namespace arc {

// What a replay or a run of Apply calls handed out: LSN -> number of the NumberedBatch (or -1).
using Numbers = std::map<uint64_t, int64_t>;

inline int64_t NumberOf(const LogRecord& record) {
  if (record.kind != LogRecord::Kind::kRows) return -1;
  return static_cast<const arrow::TimestampArray&>(*record.batch.columns[0].values).Value(0);
}

class LogFixture : public testing::Test {
 protected:
  LogFixture() {
    options_.folder = "/data/wal";
    options_.segment_bytes = 64 << 10;
    options_.prepare_ahead = false;
    TellDisk();
  }

  void TellDisk() { ASSERT_TRUE(disk_.CreateDirectories("/data").ok()); }

  Result<std::unique_ptr<WriteAheadLog>> TryOpen() {
    replayed_.clear();
    report_ = {};
    return WriteAheadLog::Open(
        *log_disk_, clock_, random_, options_, [this](const Uuid&) -> Result<Lsn> { return floor_; },
        [this](Lsn lsn, LogRecord&& record) -> Status {
          EXPECT_TRUE(replayed_.empty() || replayed_.rbegin()->first < lsn.value) << "replay out of order";
          replayed_[lsn.value] = NumberOf(record);
          return {};
        },
        &report_);
  }

  void Open() {
    log_.reset();
    auto log = TryOpen();
    ASSERT_TRUE(log.ok()) << log.error().message;
    log_ = *std::move(log);
  }

  Result<Lsn> Append(LogRecord record) {
    std::promise<Result<Lsn>> done;
    log_->Append(
        std::move(record), [this](Lsn lsn, LogRecord&& r) { applied_[lsn.value] = NumberOf(r); },
        [&](Result<Lsn> result) { done.set_value(std::move(result)); });
    return done.get_future().get();
  }

  Result<Lsn> AppendNumber(int64_t number) { return Append(RowsRecord(MakeTable(1, "m"), NumberedBatch(number))); }

  void MustAppend(int64_t number) {
    auto lsn = AppendNumber(number);
    ASSERT_TRUE(lsn.ok()) << lsn.error().message;
  }

  std::vector<std::string> Names() { return disk_.List(options_.folder).value(); }
  std::string ReadFile(const std::string& path) {
    auto bytes = ReadWholeFile(disk_, path);
    EXPECT_TRUE(bytes.ok()) << path;
    return bytes.ok() ? *bytes : "";
  }
  void OverwriteFile(const std::string& path, const std::string& bytes) {
    auto file = disk_.Open(path, OpenMode::kCreate);
    ASSERT_TRUE(file.ok());
    ASSERT_TRUE((*file)->Truncate(0).ok());
    ASSERT_TRUE((*file)->WriteAt(0, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}).ok());
    ASSERT_TRUE((*file)->Sync().ok());
  }
  // Every file of the log's folder by name.
  std::map<std::string, std::string> Snapshot() {
    std::map<std::string, std::string> files;
    for (const auto& name : Names()) files[name] = ReadFile(options_.folder + "/" + name);
    return files;
  }
  void Restore(const std::map<std::string, std::string>& files) {
    for (const auto& name : Names()) ASSERT_TRUE(disk_.Remove(options_.folder + "/" + name).ok());
    for (const auto& [name, bytes] : files) OverwriteFile(options_.folder + "/" + name, bytes);
  }
  // Names of files of the folder that contain `part`.
  std::vector<std::string> FilesWith(const std::string& part) {
    std::vector<std::string> found;
    for (const auto& name : Names()) {
      if (name.find(part) != std::string::npos) found.push_back(name);
    }
    return found;
  }

  PowerCutDisk disk_;
  LocalDisk* log_disk_ = &disk_;  // or something around it
  ManualClock clock_{1'754'000'000'000'000};
  SeededRandom random_{42};
  LogOptions options_;
  Lsn floor_;
  ReplayReport report_;
  Numbers replayed_;
  Numbers applied_;  // by the committer thread; read only after an append returned
  std::unique_ptr<WriteAheadLog> log_;
};

}  // namespace arc
