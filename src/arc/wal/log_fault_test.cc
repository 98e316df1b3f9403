// Full disks, failing syncs and bounds.
#include <atomic>
#include <condition_variable>
#include <mutex>

#include "arc/wal/file_names.h"
#include "arc/wal/log_fixture.h"

namespace arc {
namespace {

// A file system that copies on write: overwriting, too, can find the disk full, half-way.
class CopyingDisk : public LocalDisk {
 public:
  explicit CopyingDisk(LocalDisk& disk) : disk_(disk) {}
  void FailNextLargeWrite() { fail_next_ = true; }
  Result<std::unique_ptr<DiskFile>> Open(const std::string& path, OpenMode mode) override {
    ARC_ASSIGN_OR_RETURN(auto file, disk_.Open(path, mode));
    return std::unique_ptr<DiskFile>(std::make_unique<File>(std::move(file), *this));
  }
  Status Rename(const std::string& from, const std::string& to) override { return disk_.Rename(from, to); }
  Status RenameNoReplace(const std::string& from, const std::string& to) override {
    return disk_.RenameNoReplace(from, to);
  }
  Status Remove(const std::string& path) override { return disk_.Remove(path); }
  Result<bool> Exists(const std::string& path) override { return disk_.Exists(path); }
  Result<std::vector<std::string>> List(const std::string& folder) override { return disk_.List(folder); }
  Result<bool> IsDirectory(const std::string& path) override { return disk_.IsDirectory(path); }
  Result<DiskEntry> Stat(const std::string& path) override { return disk_.Stat(path); }
  Status CreateDirectories(const std::string& path) override { return disk_.CreateDirectories(path); }
  Status SyncDirectory(const std::string& path) override { return disk_.SyncDirectory(path); }
  Result<std::unique_ptr<DiskLock>> Lock(const std::string& path) override { return disk_.Lock(path); }
  Result<int64_t> FreeBytes(const std::string& path) override { return disk_.FreeBytes(path); }

 private:
  class File : public DiskFile {
   public:
    File(std::unique_ptr<DiskFile> file, CopyingDisk& disk) : file_(std::move(file)), disk_(disk) {}
    Result<size_t> ReadAt(int64_t offset, std::span<uint8_t> bytes) override { return file_->ReadAt(offset, bytes); }
    Status WriteAt(int64_t offset, std::span<const uint8_t> bytes) override {
      if (bytes.size() < 500 || !disk_.fail_next_.exchange(false)) return file_->WriteAt(offset, bytes);
      ARC_RETURN_IF_ERROR(file_->WriteAt(offset, bytes.first(bytes.size() - 100)));
      return MakeError(ErrorKind::kDiskFull, "no space left on device");
    }
    Result<int64_t> Size() override { return file_->Size(); }
    Status Truncate(int64_t size) override { return file_->Truncate(size); }
    Status Preallocate(int64_t size) override { return file_->Preallocate(size); }
    Status SyncData() override { return file_->SyncData(); }
    Status Sync() override { return file_->Sync(); }
    Status AppendDurably(int64_t offset, std::span<const uint8_t> bytes) override {
      ARC_RETURN_IF_ERROR(WriteAt(offset, bytes));
      return SyncData();
    }

   private:
    std::unique_ptr<DiskFile> file_;
    CopyingDisk& disk_;
  };
  LocalDisk& disk_;
  std::atomic<bool> fail_next_ = false;
};

class LogFaultTest : public LogFixture {
 protected:
  // Lets the clock run until the log has noticed that the disk has room.
  bool WaitUntilNotFull() {
    for (int i = 0; i < 500 && log_->full(); ++i) {
      clock_.Advance(std::chrono::milliseconds(300));
      SystemClock().SleepFor(std::chrono::milliseconds(5));
    }
    return !log_->full();
  }
};

TEST_F(LogFaultTest, AFullDiskRefusesAndResumesByItself) {
  Open();
  disk_.SetFreeBytes(0);
  int taken = 0;
  Error refused;
  for (int i = 1; i <= 200; ++i) {
    auto lsn = AppendNumber(i);
    if (!lsn.ok()) {
      refused = lsn.error();
      break;
    }
    taken = i;
  }
  EXPECT_GT(taken, 5) << "the preallocated segment can still be used up";
  EXPECT_EQ(refused.kind, ErrorKind::kDiskFull);
  EXPECT_TRUE(log_->full());
  EXPECT_EQ(log_->poisoned(), "");
  EXPECT_EQ(AppendNumber(1000).error().kind, ErrorKind::kDiskFull);
  clock_.Advance(std::chrono::seconds(2));
  SystemClock().SleepFor(std::chrono::milliseconds(60));
  EXPECT_TRUE(log_->full()) << "it stays full while nothing is freed";
  disk_.SetFreeBytes(std::nullopt);
  ASSERT_TRUE(WaitUntilNotFull());
  MustAppend(2000);
  EXPECT_EQ(applied_.size(), static_cast<size_t>(taken) + 1) << "nothing refused was applied";
  Open();
  EXPECT_EQ(replayed_, applied_);
}

TEST_F(LogFaultTest, AFullDiskAtTheStartIsNotFatal) {
  Open();
  MustAppend(1);
  ASSERT_TRUE(log_->Close().ok());
  log_.reset();
  disk_.SetFreeBytes(4096);  // a checkpoint fits, a segment does not
  Open();
  EXPECT_EQ(replayed_.size(), 1U);
  EXPECT_TRUE(log_->full());
  EXPECT_EQ(AppendNumber(2).error().kind, ErrorKind::kDiskFull);
  disk_.SetFreeBytes(std::nullopt);
  ASSERT_TRUE(WaitUntilNotFull());
  EXPECT_TRUE(AppendNumber(2).ok());
  Open();
  EXPECT_EQ(replayed_.size(), 2U);
}

TEST_F(LogFaultTest, AGroupTooLargeForTheDiskLeavesTheLogUsable) {
  Open();
  MustAppend(1);
  disk_.SetFreeBytes(100 << 10);
  EXPECT_EQ(Append(RowsRecord(MakeTable(2, "big"), SmallBatch(20'000, 1))).error().kind, ErrorKind::kDiskFull);
  ASSERT_TRUE(WaitUntilNotFull()) << "a segment of the usual size fits";
  MustAppend(3);
  Open();
  EXPECT_EQ(replayed_, applied_);
  EXPECT_EQ(replayed_.size(), 2U);
}

TEST_F(LogFaultTest, AWriteThatFindsTheDiskFullHalfWayLeavesNothingBehind) {
  CopyingDisk copying(disk_);
  log_disk_ = &copying;
  for (auto mode : {SyncMode::kFdatasync, SyncMode::kAsync}) {
    options_.sync_mode = mode;
    options_.folder = mode == SyncMode::kAsync ? "/data/async" : "/data/wal";
    applied_.clear();
    Open();
    MustAppend(1);
    MustAppend(2);
    copying.FailNextLargeWrite();
    EXPECT_EQ(AppendNumber(3).error().kind, ErrorKind::kDiskFull);
    ASSERT_TRUE(WaitUntilNotFull());
    MustAppend(4);
    EXPECT_EQ(log_->poisoned(), "");
    Open();
    EXPECT_EQ(replayed_, applied_) << "the refused group is gone, a hole in the numbers is no damage";
    EXPECT_EQ(replayed_.size(), 3U);
    EXPECT_EQ(report_.cut_bytes, 0);
    EXPECT_EQ(FilesWith("segment_").size(), 3U) << "two with records and the new one";
    log_.reset();
  }
  log_disk_ = &disk_;
}

TEST_F(LogFaultTest, AFailedSyncPoisonsTheLog) {
  Open();
  MustAppend(1);
  disk_.FailSyncs(1);
  auto unknown = AppendNumber(2);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().kind, ErrorKind::kUnknownOutcome);
  EXPECT_NE(log_->poisoned(), "");
  EXPECT_FALSE(log_->full());
  // The next sync would succeed; it must never be tried.
  auto refused = AppendNumber(3);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(applied_, (Numbers{{1, 1}}));
  EXPECT_EQ(log_->positions().durable, Lsn{1});
  EXPECT_EQ(log_->stats().syncs, 1U);
  EXPECT_TRUE(log_->SyncThrough(Lsn{1}).ok());
  EXPECT_EQ(log_->SyncThrough(Lsn{2}).error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(log_->Close().ok());
  Open();
  EXPECT_EQ(replayed_.at(1), 1);
  EXPECT_LE(replayed_.size(), 2U) << "the second may or may not be there";
}

TEST_F(LogFaultTest, AFailedSyncInAsyncModePoisonsToo) {
  options_.sync_mode = SyncMode::kAsync;
  Open();
  MustAppend(1);
  disk_.FailSyncs(1);
  auto status = log_->SyncThrough(Lsn{1});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(AppendNumber(2).error().kind, ErrorKind::kUnavailable);
  EXPECT_FALSE(log_->SyncThrough(Lsn{1}).ok()) << "for good";
}

TEST_F(LogFaultTest, AFailedFolderSyncAtRotationPoisons) {
  Open();
  disk_.FailDirectorySyncs(1);
  Error error;
  for (int i = 0; i < 200; ++i) {
    auto lsn = AppendNumber(i);
    if (lsn.ok()) continue;
    error = lsn.error();
    break;
  }
  EXPECT_EQ(error.kind, ErrorKind::kUnknownOutcome);
  const auto acknowledged = applied_;
  Open();
  EXPECT_EQ(replayed_, acknowledged);
}

TEST_F(LogFaultTest, TheQueueIsBounded) {
  options_.queue_bytes = 20'000;
  Open();
  // The first apply holds the committer, so that the queue fills behind it.
  std::mutex mutex;
  std::condition_variable wake;
  bool go = false;
  std::atomic<int> ok = 0;
  std::atomic<int> overloaded = 0;
  std::promise<void> held;
  log_->Append(
      RowsRecord(MakeTable(1, "m"), NumberedBatch(0)),
      [&](Lsn, LogRecord&&) {
        held.set_value();
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return go; });
      },
      [&](Result<Lsn> lsn) { ok += lsn.ok() ? 1 : 0; });
  held.get_future().wait();
  std::atomic<int> answered = 0;
  for (int i = 1; i <= 500; ++i) {
    log_->Append(
        RowsRecord(MakeTable(1, "m"), NumberedBatch(i)), [](Lsn, LogRecord&&) {},
        [&](Result<Lsn> lsn) {
          if (lsn.ok()) {
            ++ok;
          } else if (lsn.error().kind == ErrorKind::kOverloaded) {
            ++overloaded;
          }
          ++answered;
        });
  }
  EXPECT_LE(log_->stats().queued_bytes, options_.queue_bytes);
  {
    std::lock_guard lock(mutex);
    go = true;
  }
  wake.notify_all();
  ASSERT_TRUE(log_->Close().ok());
  log_.reset();
  EXPECT_EQ(answered, 500) << "every done is called, also of what was refused";
  EXPECT_EQ(ok + overloaded, 501);
  EXPECT_GT(ok, 10);
  EXPECT_GT(overloaded, 100);
  Open();
  EXPECT_EQ(replayed_.size(), static_cast<size_t>(ok));
}

TEST_F(LogFaultTest, ARequestLargerThanTheQueueIsTakenWhenItIsEmpty) {
  options_.queue_bytes = 1000;
  Open();
  EXPECT_TRUE(Append(RowsRecord(MakeTable(2, "big"), SmallBatch(5'000, 1))).ok());
}

TEST_F(LogFaultTest, OneRequestThatCannotBeEncodedDoesNotHarmTheOthersOfItsGroup) {
  Open();
  std::mutex mutex;
  std::condition_variable wake;
  bool go = false;
  std::promise<void> held;
  log_->Append(
      RowsRecord(MakeTable(1, "m"), NumberedBatch(0)),
      [&](Lsn, LogRecord&&) {
        held.set_value();
        std::unique_lock lock(mutex);
        wake.wait(lock, [&] { return go; });
      },
      [](Result<Lsn>) {});
  held.get_future().wait();
  std::vector<std::promise<Result<Lsn>>> done(3);
  for (int i = 0; i < 3; ++i) {
    auto record = RowsRecord(MakeTable(1, "m"), NumberedBatch(i));
    if (i == 1) record.batch.columns[1].type = ColumnType::kInt64;
    log_->Append(
        std::move(record), [](Lsn, LogRecord&&) {},
        [&done, i](Result<Lsn> lsn) { done[static_cast<size_t>(i)].set_value(std::move(lsn)); });
  }
  {
    std::lock_guard lock(mutex);
    go = true;
  }
  wake.notify_all();
  EXPECT_TRUE(done[0].get_future().get().ok());
  EXPECT_EQ(done[1].get_future().get().error().kind, ErrorKind::kInternal);
  EXPECT_TRUE(done[2].get_future().get().ok());
  ASSERT_TRUE(log_->Close().ok());
  Open();
  EXPECT_EQ(replayed_.size(), 3U);
}

}  // namespace
}  // namespace arc
