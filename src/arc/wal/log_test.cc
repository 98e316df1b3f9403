#include "arc/wal/log.h"

#include <atomic>
#include <mutex>
#include <thread>

#include "arc/base/thread.h"
#include "arc/wal/file_names.h"
#include "arc/wal/log_fixture.h"

namespace arc {
namespace {

using LogTest = LogFixture;

TEST_F(LogTest, AppendsAreAppliedThenDoneAndReplayedAfterReopen) {
  Open();
  EXPECT_EQ(log_->positions().next, Lsn{1});
  for (int i = 1; i <= 5; ++i) {
    auto lsn = AppendNumber(100 + i);
    ASSERT_TRUE(lsn.ok());
    EXPECT_EQ(lsn->value, static_cast<uint64_t>(i));
    EXPECT_EQ(applied_.at(lsn->value), 100 + i) << "applied before done";
    const auto positions = log_->positions();
    EXPECT_EQ(positions.next.value, static_cast<uint64_t>(i + 1));
    EXPECT_EQ(positions.durable, *lsn);
    EXPECT_EQ(positions.applied, *lsn);
  }
  const auto lineage = log_->lineage();
  EXPECT_EQ(log_->stats().records, 5U);
  EXPECT_EQ(log_->stats().syncs, 5U);
  ASSERT_TRUE(log_->Close().ok());
  Open();
  EXPECT_EQ(replayed_, applied_);
  EXPECT_EQ(report_.records, 5U);
  EXPECT_EQ(report_.rows, 5U);
  EXPECT_EQ(report_.last, Lsn{5});
  EXPECT_EQ(report_.cut_bytes, 0);
  EXPECT_EQ(log_->lineage(), lineage);
  EXPECT_EQ(AppendNumber(7)->value, 6U);
}

TEST_F(LogTest, ReopenWithoutCloseReplaysTheSame) {
  Open();
  for (int i = 0; i < 20; ++i) MustAppend(i);
  disk_.CutNow();
  log_.reset();
  disk_.Restart(random_);
  Open();
  EXPECT_EQ(replayed_, applied_);
  EXPECT_EQ(replayed_.size(), 20U);
}

TEST_F(LogTest, OneRequestTakesOneLsnPerRecordInOneGroup) {
  Open();
  std::vector<LogRecord> records;
  for (int i = 0; i < 4; ++i) {
    records.push_back(RowsRecord(MakeTable(static_cast<uint8_t>(i + 1), "t" + std::to_string(i)), NumberedBatch(i)));
  }
  records.push_back({LogRecord::Kind::kDropTable, MakeTable(1, "t0"), {}});
  std::promise<Result<Lsn>> done;
  std::vector<uint64_t> order;
  log_->AppendAll(
      std::move(records), [&](Lsn lsn, LogRecord&&) { order.push_back(lsn.value); },
      [&](Result<Lsn> lsn) { done.set_value(std::move(lsn)); });
  auto last = done.get_future().get();
  ASSERT_TRUE(last.ok());
  EXPECT_EQ(last->value, 5U);
  EXPECT_EQ(order, (std::vector<uint64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(log_->stats().groups, 1U);
  Open();
  EXPECT_EQ(replayed_, (Numbers{{1, 0}, {2, 1}, {3, 2}, {4, 3}, {5, -1}}));
}

TEST_F(LogTest, ConcurrentAppendersAreAppliedInLsnOrderAndShareSyncs) {
  options_.segment_bytes = 256 << 10;
  options_.prepare_ahead = true;
  Open();
  constexpr int kThreads = 8;
  constexpr int kEach = 50;
  std::mutex mutex;
  std::vector<uint64_t> order;
  Numbers expected;
  std::atomic<int> done = 0;
  {
    std::vector<Thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back("producer", [&, t] {
        for (int i = 0; i < kEach; ++i) {
          log_->Append(
              RowsRecord(MakeTable(static_cast<uint8_t>(t + 1), "m"), NumberedBatch(t * 1000 + i)),
              [&](Lsn lsn, LogRecord&& record) {
                std::lock_guard lock(mutex);
                order.push_back(lsn.value);
                expected[lsn.value] = NumberOf(record);
              },
              [&](Result<Lsn> lsn) {
                EXPECT_TRUE(lsn.ok());
                ++done;
              });
        }
      });
    }
  }
  ASSERT_TRUE(log_->SyncThrough(Lsn{UINT64_MAX}).ok());
  EXPECT_EQ(done, kThreads * kEach) << "SyncThrough waits for what was appended before";
  EXPECT_EQ(order.size(), static_cast<size_t>(kThreads * kEach));
  for (size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], i + 1);
  EXPECT_LT(log_->stats().groups, static_cast<uint64_t>(kThreads * kEach)) << "some appends shared a group";
  ASSERT_TRUE(log_->Close().ok());
  Open();
  EXPECT_EQ(replayed_, expected);
}

TEST_F(LogTest, RotatesBySizeAndRecyclesWhatIsFlushed) {
  options_.recycled_segments = 2;
  Open();
  std::vector<uint64_t> lsns;
  for (int i = 0; i < 200; ++i) MustAppend(i);
  EXPECT_GT(log_->stats().rotations, 2U);
  auto sealed = FilesWith("segment_");
  ASSERT_GT(sealed.size(), 3U);
  const auto segments = log_->segments();
  for (size_t i = 1; i < segments.size(); ++i) {
    EXPECT_EQ(segments[i].first.value, segments[i - 1].last.value + 1);
    EXPECT_EQ(segments[i].state, i + 1 == segments.size() ? "active" : "sealed");
  }
  // Not yet: the second segment's last record is not flushed.
  ASSERT_TRUE(log_->SetFlushed(Lsn{segments[1].last.value - 1}).ok());
  EXPECT_EQ(FilesWith("segment_").size(), sealed.size() - 1);
  ASSERT_TRUE(log_->SetFlushed(Lsn{200}).ok());
  EXPECT_EQ(FilesWith("segment_").size(), 1U) << "all but the active one";
  EXPECT_EQ(FilesWith("spare_").size(), 2U);
  // The recycled files are overwritten; their old content is never data.
  for (int i = 200; i < 260; ++i) MustAppend(i);
  EXPECT_EQ(FilesWith("spare_").size(), 0U);
  Open();
  EXPECT_EQ(replayed_.size(), 60U);
  EXPECT_EQ(replayed_.begin()->first, 201U);
  EXPECT_EQ(report_.cut_bytes, 0);
}

TEST_F(LogTest, RotatesByAge) {
  options_.segment_age_ms = 1000;
  Open();
  MustAppend(1);
  MustAppend(2);
  EXPECT_EQ(FilesWith("segment_").size(), 1U);
  clock_.Advance(std::chrono::seconds(2));
  MustAppend(3);
  EXPECT_EQ(FilesWith("segment_"), (std::vector<std::string>{SegmentName(Lsn{1}), SegmentName(Lsn{3})}));
}

TEST_F(LogTest, AGroupLargerThanASegmentGetsALargerOne) {
  Open();
  MustAppend(1);
  ASSERT_TRUE(Append(RowsRecord(MakeTable(2, "big"), SmallBatch(10'000, 1))).ok());
  MustAppend(3);
  ASSERT_TRUE(log_->SetFlushed(Lsn{2}).ok());
  EXPECT_EQ(FilesWith("spare_").size(), 1U) << "the odd-sized file is not kept";
  Open();
  EXPECT_EQ(replayed_, (Numbers{{3, 3}}));
}

TEST_F(LogTest, ALargeGroupAtTheVeryStartReplacesTheEmptySegment) {
  Open();
  ASSERT_TRUE(Append(RowsRecord(MakeTable(2, "big"), SmallBatch(10'000, 1))).ok());
  MustAppend(2);
  MustAppend(3);
  ASSERT_TRUE(log_->SetFlushed(Lsn{1}).ok());
  Open();
  EXPECT_EQ(replayed_, (Numbers{{2, 2}, {3, 3}}));
}

TEST_F(LogTest, ArchivesWhenAskedAndCleansUpByAge) {
  options_.archive = true;
  Open();
  for (int i = 0; i < 100; ++i) MustAppend(i);
  ASSERT_TRUE(log_->SetFlushed(Lsn{100}).ok());
  const auto archived = FilesWith(".archived");
  ASSERT_GT(archived.size(), 1U);
  EXPECT_EQ(FilesWith("spare_").size(), 0U);
  const auto info = log_->segments().front();
  EXPECT_EQ(info.state, "archived");
  EXPECT_EQ(info.first, Lsn{1});
  EXPECT_EQ(ReadFile(options_.folder + "/" + archived[0]).size(), static_cast<size_t>(info.bytes)) << "cut to size";
  EXPECT_LT(info.bytes, options_.segment_bytes);
  EXPECT_EQ(*log_->CleanUp(1000), 0);
  clock_.Advance(std::chrono::seconds(2));
  EXPECT_EQ(*log_->CleanUp(1000), static_cast<int>(archived.size()));
  EXPECT_EQ(FilesWith(".archived").size(), 0U);
}

TEST_F(LogTest, ReplayedSegmentsAreKeptAsRecoveredOnceFlushed) {
  Open();
  MustAppend(1);
  MustAppend(2);
  Open();
  EXPECT_EQ(replayed_.size(), 2U);
  MustAppend(3);
  ASSERT_TRUE(log_->SetFlushed(Lsn{2}).ok());
  ASSERT_EQ(FilesWith(".recovered").size(), 1U);
  Open();
  EXPECT_EQ(replayed_, (Numbers{{3, 3}}));
  EXPECT_EQ(log_->segments().front().state, "recovered");
  EXPECT_EQ(log_->segments().front().last, Lsn{2});
  clock_.Advance(std::chrono::hours(25));
  Open();
  EXPECT_EQ(FilesWith(".recovered").size(), 0U) << "older than archive_age_ms";
}

TEST_F(LogTest, AnEmptyLogLeavesNothingBehindHoweverOftenOpened) {
  for (int i = 0; i < 5; ++i) {
    Open();
    ASSERT_TRUE(log_->Close().ok());
  }
  EXPECT_EQ(FilesWith("segment_").size(), 1U);
  EXPECT_LE(FilesWith("spare_").size(), 1U);
}

TEST_F(LogTest, NextLsnIsAboveTheFlushedFloor) {
  Open();
  MustAppend(1);
  floor_ = Lsn{500};
  Open();
  EXPECT_EQ(AppendNumber(2)->value, 501U);
  EXPECT_EQ(replayed_.size(), 1U) << "the floor of one table is not every table's checkpoint";
  floor_ = {};
  Open();
  EXPECT_EQ(replayed_, (Numbers{{1, 1}, {501, 2}}));
  EXPECT_EQ(AppendNumber(3)->value, 502U);
}

TEST_F(LogTest, FlushedNeverGoesBackAndNeverAhead) {
  Open();
  for (int i = 0; i < 3; ++i) MustAppend(i);
  EXPECT_TRUE(log_->SetFlushed(Lsn{2}).ok());
  EXPECT_TRUE(log_->SetFlushed(Lsn{1}).ok());
  EXPECT_EQ(log_->positions().flushed, Lsn{2});
  auto ahead = log_->SetFlushed(Lsn{4});
  ASSERT_FALSE(ahead.ok());
  EXPECT_EQ(ahead.error().kind, ErrorKind::kInvalidArgument);
  ASSERT_TRUE(log_->Close().ok());
  Open();
  EXPECT_EQ(replayed_, (Numbers{{3, 2}})) << "Close records the checkpoint";
}

TEST_F(LogTest, AfterCloseAppendsAreRefusedOnAnotherThread) {
  Open();
  ASSERT_TRUE(log_->Close().ok());
  ASSERT_TRUE(log_->Close().ok());
  std::promise<std::thread::id> thread;
  log_->Append(
      RowsRecord(MakeTable(1, "m"), NumberedBatch(1)), [](Lsn, LogRecord&&) { FAIL(); },
      [&](Result<Lsn> lsn) {
        EXPECT_FALSE(lsn.ok());
        EXPECT_EQ(lsn.error().kind, ErrorKind::kUnavailable);
        thread.set_value(std::this_thread::get_id());
      });
  EXPECT_NE(thread.get_future().get(), std::this_thread::get_id());
}

TEST_F(LogTest, AsyncIsDoneBeforeTheSyncAndSyncThroughMakesItDurable) {
  options_.sync_mode = SyncMode::kAsync;
  Open();
  for (int i = 1; i <= 10; ++i) MustAppend(i);
  EXPECT_EQ(log_->positions().applied, Lsn{10});
  EXPECT_EQ(log_->positions().durable, Lsn{0}) << "the clock has not moved";
  ASSERT_TRUE(log_->SyncThrough(Lsn{10}).ok());
  EXPECT_EQ(log_->positions().durable, Lsn{10});
  EXPECT_EQ(log_->stats().syncs, 1U);
  disk_.CutNow();
  log_.reset();
  disk_.Restart(random_);
  Open();
  EXPECT_EQ(replayed_.size(), 10U);
}

TEST_F(LogTest, AsyncSyncsByItselfWhenItsTimeHasCome) {
  options_.sync_mode = SyncMode::kAsync;
  Open();
  MustAppend(1);
  clock_.Advance(std::chrono::milliseconds(250));
  for (int i = 0; i < 500 && log_->positions().durable != Lsn{1}; ++i) {
    SystemClock().SleepFor(std::chrono::milliseconds(10));
  }
  EXPECT_EQ(log_->positions().durable, Lsn{1});
}

TEST_F(LogTest, OffWritesNothingButStillReplaysAndNumbers) {
  Open();
  MustAppend(1);
  ASSERT_TRUE(log_->Close().ok());
  options_.sync_mode = SyncMode::kOff;
  Open();
  EXPECT_EQ(replayed_, (Numbers{{1, 1}}));
  const auto before = disk_.operations();
  EXPECT_EQ(AppendNumber(2)->value, 2U);
  EXPECT_EQ(applied_.at(2), 2);
  EXPECT_TRUE(log_->SyncThrough(Lsn{2}).ok());
  EXPECT_EQ(disk_.operations(), before);
  EXPECT_EQ(log_->positions().applied, Lsn{2});
  ASSERT_TRUE(log_->SetFlushed(Lsn{2}).ok());
  ASSERT_TRUE(log_->Close().ok());
  // The LSNs that never were in the log are no damage afterwards.
  options_.sync_mode = SyncMode::kFdatasync;
  Open();
  EXPECT_TRUE(replayed_.empty());
  EXPECT_EQ(AppendNumber(3)->value, 3U);
  Open();
  EXPECT_EQ(replayed_, (Numbers{{3, 3}}));
}

TEST_F(LogTest, BadOptionsAreRefused) {
  options_.segment_bytes = 100;
  auto log = TryOpen();
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().kind, ErrorKind::kInvalidArgument);
}

TEST_F(LogTest, AnErrorOfReplayEndsTheOpen) {
  Open();
  MustAppend(1);
  log_.reset();
  auto log = WriteAheadLog::Open(
      disk_, clock_, random_, options_, nullptr,
      [](Lsn, LogRecord&&) -> Status { return MakeError(ErrorKind::kOverloaded, "no room"); }, nullptr);
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().kind, ErrorKind::kOverloaded);
}

}  // namespace
}  // namespace arc
