// Jobs on a disk that can lose its power, with real data files: every row once, whatever happens in between.
#include "arc/maintain/compactor.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "arc/base/byte_budget.h"
#include "arc/base/thread.h"
#include "arc/catalog/commit_for_test.h"
#include "arc/io/power_cut_disk.h"
#include "arc/maintain/compaction.h"
#include "arc/model/batch_for_test.h"
#include "arc/parquet/sorted_file.h"

namespace arc {
namespace {

constexpr int64_t kHourMicros = 3'600'000'000;
constexpr int kFiles = 12;
constexpr int kRowsOfFile = 50;

// What outlives a power cut, and what is made anew after it.
class Lake {
 public:
  explicit Lake(uint64_t seed) : random_(seed), lineage_(Uuid::Random(random_)) {
    EXPECT_TRUE(disk_.CreateDirectories("/data").ok());
    Open();
  }

  void Open() {
    compaction_.reset();
    table_.reset();
    catalog_.reset();
    store_ = *OpenLocalObjectStore(disk_, "/lake");
    EXPECT_TRUE(store_->CleanTemporaries().ok());
    auto catalog = Catalog::Open("/data/arc.db", disk_, *store_, clock_, random_, &budget_);
    ASSERT_TRUE(catalog.ok()) << catalog.error().message;
    catalog_ = std::move(*catalog);
    ASSERT_TRUE(catalog_->UseLineage(lineage_).ok());
    table_ = *catalog_->GetOrCreate("db", "cpu");
  }
  void Restart() {
    disk_.Restart(random_);
    Open();
  }

  // Ids first to first + rows - 1, a second apart, flushed as one file of hour 10.
  void Flush(int64_t first, int rows) {
    std::vector<int64_t> times;
    std::vector<std::optional<int64_t>> ids;
    std::vector<std::optional<std::string>> hosts;
    for (int64_t id = first; id < first + rows; ++id) {
      times.push_back(10 * kHourMicros + id * 1'000'000);
      ids.push_back(id);
      hosts.push_back("host" + std::to_string(id % 7));
    }
    auto aligned = table_->Align(BatchForTest(times).Tags("host", hosts).Ints("id", ids).Done());
    table_->Apply({table_->Current()->applied.value + 1}, aligned->batch, {});
    auto input = table_->BeginFlush();
    auto hot = ToRecordBatch(input.chunks[0], *input.schema);
    ASSERT_TRUE(hot.ok());
    auto written = WriteDataFile(*store_, "in" + std::to_string(first), *input.schema, *SortedRows::Of({*hot}), {});
    ASSERT_TRUE(written.ok()) << written.error().message;
    auto committed = CommitForTest(*catalog_, *store_, *table_, input, {{*written, FlushedFile::Partition::kHour, 10}});
    ASSERT_TRUE(committed.ok()) << committed.error().message;
  }

  CompactionCandidate Candidate() {
    const auto version = table_->Current();
    auto plan = PlanCompaction(*version->files, 3, 20 * kHourMicros, {}, {});
    EXPECT_EQ(plan.size(), 1u);
    return plan[0];
  }
  Result<CompactionResult> Compact(std::vector<LeftFile>* left) {
    const ParquetOptions parquet{.compression = "zstd"};
    return Compactor(*catalog_, *store_, parquet, CompactionPolicy())
        .Run(*table_, Candidate(), Uuid::Random(random_), {}, left);
  }

  // The ids in the files of a version; each file must be readable.
  std::multiset<int64_t> Ids(const TableVersion& version) {
    std::multiset<int64_t> ids;
    for (const auto& entry : version.files->files()) {
      auto file = SortedFile::Open(*store_, entry->key, entry->bytes, entry->rows, *version.schema);
      EXPECT_TRUE(file.ok()) << file.error().message;
      while (file.ok()) {
        auto batch = (*file)->Next();
        EXPECT_TRUE(batch.ok());
        if (!batch.ok() || *batch == nullptr) break;
        const auto* values = (*batch)->GetColumnByName("id")->data()->GetValues<int64_t>(1);
        ids.insert(values, values + (*batch)->num_rows());
      }
    }
    return ids;
  }
  std::multiset<int64_t> Ids() { return Ids(*table_->Current()); }
  size_t Files() { return table_->Current()->files->files().size(); }

  PowerCutDisk disk_;
  ManualClock clock_{1'700'000'000'000'000};
  SeededRandom random_;
  ByteBudget budget_{1 << 30};
  const Uuid lineage_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<Catalog> catalog_;
  std::shared_ptr<Table> table_;
  std::unique_ptr<Compaction> compaction_;
};

std::multiset<int64_t> AllIds(int files = kFiles) {
  std::multiset<int64_t> ids;
  for (int64_t id = 0; id < files * kRowsOfFile; ++id) ids.insert(id);
  return ids;
}

void Fill(Lake* lake) {
  for (int i = 0; i < kFiles; ++i) lake->Flush(i * kRowsOfFile, kRowsOfFile);
}

TEST(Compactor, MergesFilesIntoOne) {
  Lake lake(1);
  Fill(&lake);
  const auto pinned = lake.table_->Current();
  std::vector<LeftFile> left;
  auto result = lake.Compact(&left);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->files_before, kFiles);
  EXPECT_EQ(result->files_after, 1);
  EXPECT_EQ(result->rows, kFiles * kRowsOfFile);
  EXPECT_TRUE(left.empty());
  EXPECT_EQ(lake.Files(), 1u);
  EXPECT_EQ(lake.Ids(), AllIds());
  EXPECT_EQ(lake.Ids(*pinned), AllIds());  // a query that began before
  const std::string key = lake.table_->Current()->files->files()[0]->key;
  EXPECT_TRUE(key.starts_with("db/cpu/1970/01/01/10/cpu_19700101_100000_")) << key;
  EXPECT_TRUE(key.ends_with("-0.compacted.parquet")) << key;
  lake.Open();
  EXPECT_EQ(lake.Ids(), AllIds());
}

// The steps are those of the disk: every write of an output, its sync and its name, manifests, metadata and SQLite's.
TEST(Compactor, APowerCutBetweenAnyTwoStepsLosesAndDoublesNothing) {
  uint64_t steps = 0;
  int replaced = 0;
  int unchanged = 0;
  std::set<std::string> cut_after;
  for (uint64_t cut = 1; steps == 0 || cut <= steps; ++cut) {
    Lake lake(cut);
    Fill(&lake);
    const auto objects = lake.store_->List("")->size();
    const uint64_t before = lake.disk_.operations();
    std::vector<LeftFile> left;
    if (cut == 1) {
      Lake whole(0);
      Fill(&whole);
      const uint64_t start = whole.disk_.operations();
      ASSERT_TRUE(whole.Compact(&left).ok());
      steps = whole.disk_.operations() - start;
      ASSERT_GT(steps, 20u);
    }
    lake.disk_.CutAfter(cut);
    const bool reported = lake.Compact(&left).ok();
    const std::string where = std::to_string(cut) + ": " + lake.disk_.last_operation();
    EXPECT_LE(lake.disk_.operations() - before, cut) << where;
    cut_after.insert(lake.disk_.last_operation());
    EXPECT_TRUE(left.empty()) << where;  // a disk that is gone is no damaged file
    lake.Restart();
    EXPECT_EQ(lake.Ids(), AllIds()) << where;
    const size_t files = lake.Files();
    EXPECT_TRUE(files == 1 || files == kFiles) << where << ": " << files;
    if (reported) {
      EXPECT_EQ(files, 1u) << where;
    }
    ++(files == 1 ? replaced : unchanged);
    if (files == kFiles) {
      // What remains of the attempt is an orphan at most, and the next one is none the worse.
      auto again = lake.Compact(&left);
      ASSERT_TRUE(again.ok()) << where << ": " << again.error().message;
      EXPECT_EQ(lake.Ids(), AllIds()) << where;
      EXPECT_EQ(lake.Files(), 1u) << where;
    }
    EXPECT_LT(lake.store_->List("")->size(), objects + 40) << where;
  }
  EXPECT_GT(replaced, 0);
  EXPECT_GT(unchanged, 0);
  EXPECT_GT(cut_after.size(), 8u);
}

// Without a restart: what failed is gone, and the table goes on.
TEST(Compactor, AFullDiskInTheMiddleFailsTheJobAndRemovesItsFiles) {
  Lake lake(1);
  Fill(&lake);
  const auto objects = *lake.store_->List("");
  for (const int64_t space : {0, 100, 2000, 5000, 9000, 20'000}) {
    lake.disk_.SetFreeBytes(space);
    std::vector<LeftFile> left;
    auto result = lake.Compact(&left);
    if (result.ok()) break;
    EXPECT_EQ(result.error().kind, ErrorKind::kDiskFull) << space << ": " << result.error().message;
    EXPECT_TRUE(left.empty());
    EXPECT_EQ(lake.store_->List("")->size(), objects.size()) << space;
    EXPECT_EQ(lake.Ids(), AllIds());
  }
  lake.disk_.SetFreeBytes(std::nullopt);
  std::vector<LeftFile> left;
  if (lake.Files() > 1) {
    ASSERT_TRUE(lake.Compact(&left).ok());
  }
  EXPECT_EQ(lake.Ids(), AllIds());
  EXPECT_EQ(lake.Files(), 1u);
}

TEST(Compactor, ADamagedFileIsLeftAndNamedAndTheOthersAreMerged) {
  Lake lake(1);
  Fill(&lake);
  auto bytes = *lake.store_->ReadAll("in100");
  bytes[bytes.size() / 3] ^= 4;
  ASSERT_TRUE(lake.store_->PutOverwrite("in100", bytes).ok());
  ASSERT_TRUE(lake.store_->PutOverwrite("in200", bytes.substr(0, bytes.size() / 2)).ok());
  std::vector<LeftFile> left;
  auto result = lake.Compact(&left);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->files_before, kFiles - 2);
  std::set<std::string> keys;
  for (const auto& file : left) {
    keys.insert(file.key);
    EXPECT_EQ(file.error.kind, ErrorKind::kCorruption);
    EXPECT_NE(file.error.message.find(file.key), std::string::npos);
  }
  EXPECT_EQ(keys, (std::set<std::string>{"in100", "in200"}));
  EXPECT_EQ(lake.Files(), 3u);
  EXPECT_EQ(lake.table_->Current()->files->rows(), kFiles * kRowsOfFile);
}

TEST(Compactor, FlushesMeanwhileStay) {
  Lake lake(1);
  Fill(&lake);
  const auto candidate = lake.Candidate();
  lake.Flush(kFiles * kRowsOfFile, kRowsOfFile);
  std::vector<LeftFile> left;
  const Compactor compactor(*lake.catalog_, *lake.store_, {}, CompactionPolicy());
  ASSERT_TRUE(compactor.Run(*lake.table_, candidate, Uuid::Random(lake.random_), {}, &left).ok());
  EXPECT_EQ(lake.Files(), 2u);
  EXPECT_EQ(lake.Ids(), AllIds(kFiles + 1));
  // The same files once more: they are not there any more, and nothing changes.
  const auto objects = lake.store_->List("")->size();
  auto again = compactor.Run(*lake.table_, candidate, Uuid::Random(lake.random_), {}, &left);
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(lake.store_->List("")->size(), objects);
  EXPECT_EQ(lake.Ids(), AllIds(kFiles + 1));
}

class CompactionTest : public ::testing::Test {
 protected:
  void Start(CompactionOptions options = {}) {
    auto started = Compaction::Start(*lake_.catalog_, *lake_.store_, lake_.clock_, lake_.random_, options);
    ASSERT_TRUE(started.ok()) << started.error().message;
    lake_.compaction_ = std::move(*started);
  }
  Compaction& compaction() { return *lake_.compaction_; }

  Lake lake_{1};
};

TEST_F(CompactionTest, ATriggeredJobRunsAndIsRemembered) {
  Fill(&lake_);
  Start();
  ASSERT_EQ(compaction().Candidates().size(), 1u);
  const CompactionWork work = compaction().Candidates()[0];
  EXPECT_EQ(work.database, "db");
  EXPECT_EQ(work.measurement, "cpu");
  EXPECT_EQ(work.partition, "cpu/1970/01/01");
  EXPECT_EQ(work.tier, "daily");
  EXPECT_EQ(work.files, kFiles);
  EXPECT_EQ(compaction().Trigger("other", ""), 0);
  EXPECT_EQ(compaction().Trigger("db", "cpu"), 1);
  EXPECT_EQ(compaction().Trigger("", ""), 0);  // its files are taken, or merged already
  compaction().Wait();
  EXPECT_TRUE(compaction().Jobs().empty());
  ASSERT_EQ(compaction().History().size(), 1u);
  const CompactionJob job = compaction().History()[0];
  EXPECT_EQ(job.state, CompactionJob::State::kCompleted) << job.error;
  EXPECT_EQ(job.result.files_before, kFiles);
  EXPECT_GT(job.finished_micros, 0);
  EXPECT_EQ(compaction().stats().completed, 1u);
  EXPECT_EQ(compaction().stats().files_before, static_cast<uint64_t>(kFiles));
  EXPECT_TRUE(compaction().Candidates().empty());
  EXPECT_EQ(lake_.Ids(), AllIds());
}

TEST_F(CompactionTest, TheScheduleRunsItOnceAnHour) {
  Fill(&lake_);
  CompactionOptions options;
  options.enabled = true;
  Start(options);
  EXPECT_EQ(*compaction().next_run_micros() % kHourMicros, 5 * 60'000'000LL);
  lake_.clock_.SetWall(*compaction().next_run_micros() + 1);
  for (int i = 0; i < 500 && compaction().stats().completed == 0; ++i) {
    SystemClock().SleepFor(std::chrono::milliseconds(20));
  }
  EXPECT_EQ(compaction().stats().completed, 1u);
  EXPECT_EQ(compaction().stats().cycles, 1u);
}

TEST_F(CompactionTest, ABadScheduleIsRefused) {
  CompactionOptions options;
  options.schedule = "every hour";
  auto started = Compaction::Start(*lake_.catalog_, *lake_.store_, lake_.clock_, lake_.random_, options);
  ASSERT_FALSE(started.ok());
  EXPECT_EQ(started.error().kind, ErrorKind::kInvalidArgument);
  EXPECT_TRUE(started.error().message.starts_with("compaction.schedule: ")) << started.error().message;
}

TEST_F(CompactionTest, AFailedJobIsToldAndTriedAgain) {
  Fill(&lake_);
  Start();
  lake_.disk_.SetFreeBytes(0);
  EXPECT_EQ(compaction().Trigger("", ""), 1);
  compaction().Wait();
  ASSERT_EQ(compaction().History().size(), 1u);
  EXPECT_EQ(compaction().History()[0].state, CompactionJob::State::kFailed);
  EXPECT_NE(compaction().History()[0].error, "");
  EXPECT_EQ(compaction().stats().failed, 1u);
  lake_.disk_.SetFreeBytes(std::nullopt);
  EXPECT_EQ(compaction().Trigger("", ""), 1);
  compaction().Wait();
  EXPECT_EQ(compaction().History()[0].state, CompactionJob::State::kCompleted);
  EXPECT_EQ(lake_.Ids(), AllIds());
}

TEST_F(CompactionTest, ADamagedFileIsNotTriedAgain) {
  Fill(&lake_);
  ASSERT_TRUE(lake_.store_->PutOverwrite("in100", "no Parquet at all").ok());
  Start();
  compaction().Trigger("", "");
  compaction().Wait();
  ASSERT_EQ(compaction().History()[0].left.size(), 1u);
  EXPECT_EQ(compaction().History()[0].left[0].key, "in100");
  EXPECT_EQ(compaction().stats().files_left, 1u);
  for (int i = 0; i < kFiles - 1; ++i) lake_.Flush((kFiles + i) * kRowsOfFile, kRowsOfFile);
  EXPECT_EQ(compaction().Trigger("", ""), 1);
  compaction().Wait();
  EXPECT_EQ(compaction().History()[0].state, CompactionJob::State::kCompleted);
  EXPECT_TRUE(compaction().History()[0].left.empty());
}

}  // namespace
}  // namespace arc
