#include "arc/wal/recovery.h"

#include "arc/wal/file_names.h"
#include "arc/wal/inspect.h"
#include "arc/wal/log_fixture.h"
#include "arc/wal/segment_reader.h"

namespace arc {
namespace {

class RecoveryTest : public LogFixture {
 protected:
  // Places where the groups of a segment begin, and last the end of the data.
  std::vector<int64_t> GroupOffsets(uint64_t base) {
    std::vector<int64_t> offsets;
    auto reader = SegmentReader::Open(disk_, Path(base), Lsn{base});
    EXPECT_TRUE(reader.ok());
    int64_t offset = 0;
    while (true) {
      offsets.push_back(offset);
      auto group = (*reader)->ReadGroup(offset);
      EXPECT_TRUE(group.ok());
      if (!*group) return offsets;
      offset += static_cast<int64_t>((*group)->bytes.size());
    }
  }
  std::string Path(uint64_t base) { return options_.folder + "/" + SegmentName(Lsn{base}); }

  Result<Recovery> Recover() {
    replayed_.clear();
    return RecoverLog(disk_, clock_, random_, options_.folder, {}, [this](Lsn lsn, LogRecord&& record) -> Status {
      replayed_[lsn.value] = NumberOf(record);
      return {};
    });
  }

  void AppendMixedGroup() {
    std::vector<LogRecord> records;
    records.push_back(RowsRecord(MakeTable(1, "m"), NumberedBatch(77)));
    records.push_back({LogRecord::Kind::kDropTable, MakeTable(3, "old"), {}});
    records.push_back(RowsRecord(MakeTable(2, "tagged"), SmallBatch(3, 1)));
    std::promise<Result<Lsn>> done;
    log_->AppendAll(
        std::move(records), [](Lsn, LogRecord&&) {}, [&](Result<Lsn> lsn) { done.set_value(std::move(lsn)); });
    ASSERT_TRUE(done.get_future().get().ok());
  }

  void ExpectCorruption(const std::string& part) {
    auto log = TryOpen();
    ASSERT_FALSE(log.ok());
    EXPECT_EQ(log.error().kind, ErrorKind::kCorruption);
    EXPECT_NE(log.error().message.find(part), std::string::npos) << log.error().message << "\nlacks " << part;
  }

  RepairReport MustRepair() {
    auto report = RepairLog(disk_, clock_, random_, options_.folder);
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().message);
    return report.ok() ? *report : RepairReport{};
  }
};

TEST_F(RecoveryTest, AnUnfinishedLastGroupIsCutWhereverItTears) {
  options_.segment_bytes = 16 << 10;
  Open();
  for (int i = 1; i <= 2; ++i) MustAppend(i);
  AppendMixedGroup();
  disk_.CutNow();  // without Close, which would note that the last group was durable
  log_.reset();
  disk_.Restart(random_);
  const std::string whole = ReadFile(Path(1));
  const auto offsets = GroupOffsets(1);
  ASSERT_EQ(offsets.size(), 4U);
  const auto from = static_cast<size_t>(offsets[2]);
  const auto end = static_cast<size_t>(offsets[3]);
  const Numbers without = {{1, 1}, {2, 2}};
  const auto expect_cut = [&](const std::string& torn, size_t at) {
    const bool complete = torn.compare(0, end, whole, 0, end) == 0;
    OverwriteFile(Path(1), torn);
    auto recovery = Recover();
    ASSERT_TRUE(recovery.ok()) << at << ": " << recovery.error().message;
    ASSERT_EQ(replayed_.size(), complete ? 5U : 2U) << at;
    if (complete) return;
    ASSERT_EQ(replayed_, without) << at;
    ASSERT_EQ(recovery->last, Lsn{2}) << at;
    // What is on disk now is an ordinary log that ends there.
    ASSERT_EQ(GroupOffsets(1).back(), static_cast<int64_t>(from)) << at;
    if (at > from) {
      ASSERT_EQ(ReadFile(Path(1)).substr(from), std::string("\xFF\xFF\xFF\xFF\0\0\0\0", 8)) << at;
    }
  };
  for (size_t at = from; at < end; ++at) {
    std::string torn = whole;
    // Each byte once by each means would take a minute: the means take turns, so that each meets every alignment.
    switch ((at + at / 8) % 4) {
      case 0: torn.resize(at); break;
      case 1: std::fill(torn.begin() + static_cast<std::ptrdiff_t>(at), torn.end(), '\0'); break;
      case 2:
        for (size_t i = at; i < torn.size(); ++i) torn[i] = static_cast<char>(torn[i] ^ 0x5A);
        break;
      default: torn[at] = static_cast<char>(torn[at] ^ 1);
    }
    expect_cut(torn, at);
    if (HasFatalFailure()) return;
  }
}

TEST_F(RecoveryTest, CutIsReportedAndTheLogGoesOn) {
  Open();
  for (int i = 1; i <= 3; ++i) MustAppend(i);
  disk_.CutNow();
  log_.reset();
  disk_.Restart(random_);
  const auto offsets = GroupOffsets(1);
  std::string bytes = ReadFile(Path(1));
  bytes[static_cast<size_t>(offsets[3]) - 100] ^= 1;
  OverwriteFile(Path(1), bytes);
  Open();
  EXPECT_EQ(report_.cut_at, SegmentName(Lsn{1}) + ":" + std::to_string(offsets[2]));
  EXPECT_EQ(report_.cut_bytes, offsets[3] - offsets[2]);
  EXPECT_EQ(AppendNumber(30)->value, 3U);
  Open();
  EXPECT_EQ(replayed_, (Numbers{{1, 1}, {2, 2}, {3, 30}}));
  EXPECT_EQ(report_.cut_bytes, 0);
}

TEST_F(RecoveryTest, AFlippedBitInAMiddleGroupIsRefusedWithItsPlaceAndRepaired) {
  options_.segment_bytes = 16 << 10;
  Open();
  for (int i = 1; i <= 5; ++i) MustAppend(i);
  ASSERT_TRUE(log_->Close().ok());
  log_.reset();
  const auto files = Snapshot();
  const auto offsets = GroupOffsets(1);
  for (size_t group : {0U, 2U, 3U}) {
    for (int64_t at = offsets[group]; at < offsets[group + 1]; at += 41) {
      Restore(files);
      std::string bytes = files.at(SegmentName(Lsn{1}));
      bytes[static_cast<size_t>(at)] ^= 0x10;
      OverwriteFile(Path(1), bytes);
      ExpectCorruption(SegmentName(Lsn{1}) + " at byte " + std::to_string(offsets[group]));
    }
    const auto lsn = group + 1;
    const auto report = MustRepair();
    ASSERT_EQ(report.damages.size(), 1U);
    EXPECT_EQ(report.damages[0].lost_first.value, lsn);
    EXPECT_EQ(report.damages[0].lost_last.value, lsn);
    EXPECT_EQ(report.copies, (std::vector<std::string>{SegmentName(Lsn{1}) + ".damaged"}));
    Open();
    Numbers expected = {{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}};
    expected.erase(lsn);
    EXPECT_EQ(replayed_, expected) << "later groups are kept";
    EXPECT_EQ(AppendNumber(6)->value, 6U);
    Open();
    EXPECT_EQ(replayed_.size(), 5U);
    ASSERT_TRUE(log_->Close().ok());
    log_.reset();
  }
}

TEST_F(RecoveryTest, RotInTheLastGroupAfterACleanCloseIsNoticed) {
  Open();
  for (int i = 1; i <= 3; ++i) MustAppend(i);
  ASSERT_TRUE(log_->Close().ok());
  log_.reset();
  const auto offsets = GroupOffsets(1);
  std::string bytes = ReadFile(Path(1));
  bytes[static_cast<size_t>(offsets[2]) + 100] ^= 1;
  OverwriteFile(Path(1), bytes);
  ExpectCorruption(SegmentName(Lsn{1}) + " at byte " + std::to_string(offsets[2]));
  const auto report = MustRepair();
  ASSERT_EQ(report.damages.size(), 1U);
  EXPECT_EQ(report.damages[0].lost_first, Lsn{3});
  Open();
  EXPECT_EQ(replayed_, (Numbers{{1, 1}, {2, 2}}));
  EXPECT_EQ(log_->positions().next, Lsn{4});
}

TEST_F(RecoveryTest, DamageInWhatIsFlushedStopsNobody) {
  Open();
  for (int i = 1; i <= 5; ++i) MustAppend(i);
  ASSERT_TRUE(log_->SetFlushed(Lsn{3}).ok());
  ASSERT_TRUE(log_->Close().ok());
  log_.reset();
  const auto offsets = GroupOffsets(1);
  std::string bytes = ReadFile(Path(1));
  bytes[static_cast<size_t>(offsets[1]) + 100] ^= 1;
  OverwriteFile(Path(1), bytes);
  Open();
  EXPECT_EQ(replayed_, (Numbers{{4, 4}, {5, 5}}));
}

class ChainTest : public RecoveryTest {
 protected:
  // Twelve records in several segments, closed.
  void MakeChain() {
    options_.segment_bytes = 8 << 10;
    Open();
    for (int i = 1; i <= 12; ++i) MustAppend(i);
    ASSERT_TRUE(log_->Close().ok());
    log_.reset();
    for (const auto& name : FilesWith("segment_")) bases_.push_back(ParseSegmentName(name)->value);
    ASSERT_GE(bases_.size(), 4U);
  }
  Numbers Except(uint64_t first, uint64_t last) {
    Numbers numbers;
    for (int i = 1; i <= 12; ++i) {
      const auto lsn = static_cast<uint64_t>(i);
      if (lsn < first || lsn > last) numbers[lsn] = i;
    }
    return numbers;
  }
  void ExpectRepairLoses(uint64_t first, uint64_t last) {
    const auto report = MustRepair();
    ASSERT_EQ(report.damages.size(), 1U);
    EXPECT_EQ(report.damages[0].lost_first.value, first);
    EXPECT_EQ(report.damages[0].lost_last.value, last);
    Open();
    EXPECT_EQ(replayed_, Except(first, last));
  }
  std::vector<uint64_t> bases_;
};

TEST_F(ChainTest, ALostTailOfAMiddleSegmentIsDamage) {
  MakeChain();
  const auto offsets = GroupOffsets(bases_[1]);
  ASSERT_GE(offsets.size(), 3U);
  OverwriteFile(Path(bases_[1]), ReadFile(Path(bases_[1])).substr(0, static_cast<size_t>(offsets[1]) + 50));
  ExpectCorruption(SegmentName(Lsn{bases_[1]}) + " at byte " + std::to_string(offsets[1]));
  ExpectRepairLoses(bases_[1] + 1, bases_[2] - 1);
}

TEST_F(ChainTest, AMissingMiddleSegmentIsDamage) {
  MakeChain();
  ASSERT_TRUE(disk_.Remove(Path(bases_[1])).ok());
  ExpectCorruption(SegmentName(Lsn{bases_[0]}) + " at byte");
  ExpectRepairLoses(bases_[1], bases_[2] - 1);
}

TEST_F(ChainTest, AMissingFirstSegmentIsDamage) {
  MakeChain();
  ASSERT_TRUE(disk_.Remove(Path(1)).ok());
  ExpectCorruption("a segment that began like " + SegmentName(Lsn{1}) + " is not there");
  ExpectRepairLoses(1, bases_[1] - 1);
}

TEST_F(ChainTest, AMissingLastSegmentIsDamageAfterACleanClose) {
  MakeChain();
  ASSERT_TRUE(disk_.Remove(Path(bases_.back())).ok());
  ExpectCorruption("LSN");
  ExpectRepairLoses(bases_.back(), 12);
}

TEST_F(ChainTest, AZeroedSegmentIsDamage) {
  MakeChain();
  OverwriteFile(Path(bases_[2]), std::string(8 << 10, '\0'));
  ExpectCorruption("at byte");
  ExpectRepairLoses(bases_[2], bases_[3] - 1);
}

TEST_F(ChainTest, AForeignSegmentIsRefused) {
  MakeChain();
  const std::string foreign = ReadFile(Path(bases_[1]));
  options_.folder = "/data/other";
  Open();
  MustAppend(1);
  log_.reset();
  OverwriteFile("/data/other/" + SegmentName(Lsn{1}), ReadFile("/data/wal/" + SegmentName(Lsn{1})));
  ExpectCorruption("lineage");
}

TEST_F(ChainTest, ALostCheckpointIsRefusedAndMadeAnew) {
  MakeChain();
  Open();
  ASSERT_TRUE(log_->SetFlushed(Lsn{bases_[2] - 1}).ok());
  const auto lineage = log_->lineage();
  log_.reset();
  ASSERT_TRUE(disk_.Remove(options_.folder + "/checkpoint.json").ok());
  ExpectCorruption("checkpoint.json");
  EXPECT_TRUE(MustRepair().checkpoint_made);
  Open();
  EXPECT_EQ(log_->lineage(), lineage);
  EXPECT_EQ(replayed_, Except(1, bases_[2] - 1));
  log_.reset();
  OverwriteFile(options_.folder + "/checkpoint.json", "{\"checkpoint\": {\"wal_lsn\": oops");
  ExpectCorruption("checkpoint.json");
  EXPECT_TRUE(MustRepair().checkpoint_made);
}

TEST_F(RecoveryTest, AsyncGroupsThatReachedTheDiskOutOfOrderAreAnOrdinaryCrash) {
  options_.sync_mode = SyncMode::kAsync;
  Open();
  for (int i = 1; i <= 4; ++i) MustAppend(i);
  const auto files = Snapshot();  // as if every byte had been written back, without a sync
  log_.reset();
  Restore(files);
  const auto offsets = GroupOffsets(1);
  ASSERT_EQ(offsets.size(), 5U);
  std::string bytes = files.at(SegmentName(Lsn{1}));
  std::fill_n(bytes.begin() + offsets[1], 1024, '\0');
  OverwriteFile(Path(1), bytes);
  Open();
  EXPECT_EQ(replayed_, (Numbers{{1, 1}}));
  EXPECT_EQ(AppendNumber(20)->value, 2U);
  ASSERT_TRUE(log_->Close().ok());
  Open();
  EXPECT_EQ(replayed_, (Numbers{{1, 1}, {2, 20}})) << "the cut groups stay cut";
}

TEST_F(RecoveryTest, ClientBytesThatLookLikeTheLogProveNothing) {
  options_.segment_bytes = 256 << 10;
  Open();
  for (int i = 1; i <= 4; ++i) MustAppend(i);
  // A client that has seen the log sends it back, aligned as it was.
  const std::string seen = ReadFile(Path(1)).substr(0, 12'000);
  Batch spoof = MakeBatch({TimeColumn({5}), MakeColumn("s", ColumnType::kString, ColumnRole::kField,
                                                       ArrayOf<arrow::StringBuilder, std::string>({seen}))});
  ASSERT_TRUE(Append(RowsRecord(MakeTable(2, "s"), spoof)).ok());
  disk_.CutNow();
  log_.reset();
  disk_.Restart(random_);
  const auto offsets = GroupOffsets(1);
  ASSERT_EQ(offsets.size(), 6U);
  std::string bytes = ReadFile(Path(1));
  std::fill_n(bytes.begin() + offsets[4], 512, '\0');  // the spoof's group tears
  OverwriteFile(Path(1), bytes);
  Open();
  EXPECT_EQ(replayed_.size(), 4U);
}

TEST_F(RecoveryTest, InspectionTellsWhatIsThere) {
  Open();
  MustAppend(1);
  AppendMixedGroup();
  MustAppend(5);
  ASSERT_TRUE(log_->Close().ok());
  log_.reset();
  auto inspection = InspectLog(disk_, options_.folder);
  ASSERT_TRUE(inspection.ok()) << inspection.error().message;
  ASSERT_EQ(inspection->segments.size(), 1U);
  const auto& segment = inspection->segments[0];
  EXPECT_EQ(segment.segment.groups, 3U);
  EXPECT_EQ(segment.records, 5U);
  EXPECT_EQ(segment.rows, 6U);
  ASSERT_EQ(segment.tables.size(), 3U);
  EXPECT_EQ(segment.tables[0].table.name, "m");
  EXPECT_EQ(segment.tables[0].rows, 3U);
  EXPECT_EQ(segment.tables[0].first, Lsn{1});
  EXPECT_EQ(segment.tables[0].last, Lsn{5});
  EXPECT_TRUE(inspection->damages.empty());
  EXPECT_EQ(DescribeInspection(*inspection).back(), "no damage found");
  std::string bytes = ReadFile(Path(1));
  bytes[500] ^= 1;
  OverwriteFile(Path(1), bytes);
  inspection = InspectLog(disk_, options_.folder);
  ASSERT_TRUE(inspection.ok());
  ASSERT_EQ(inspection->damages.size(), 1U);
  EXPECT_EQ(DescribeInspection(*inspection).back(),
            "DAMAGED: " + SegmentName(Lsn{1}) + " at byte 0: what was synced there does not read (LSN 1)");
  EXPECT_EQ(inspection->segments[0].segment.groups, 2U) << "goes on behind the damage";
  EXPECT_EQ(DescribeRepair(MustRepair()).size(), 2U);
  EXPECT_EQ(DescribeRepair(MustRepair()).front(), "nothing to repair");
}

}  // namespace
}  // namespace arc
