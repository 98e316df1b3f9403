// Deletions on a disk that can lose its power, with real data files: the rows are all there or all gone, and no other
// is touched.
#include "arc/maintain/row_deletion.h"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "arc/base/thread.h"
#include "arc/maintain/compactor.h"
#include "arc/maintain/test_data_lake.h"

namespace arc {
namespace {

using Ids = std::multiset<int64_t>;

constexpr int kFiles = 4;
constexpr int kRowsOfFile = 50;
constexpr int kRows = kFiles * kRowsOfFile;

// Wholly in file 0, not at all in file 1, in file 2 but for one row, every third row of file 3.
bool IsDoomed(int64_t id) { return id < 50 || (id >= 100 && id < 149) || (id >= 150 && id % 3 == 0); }

Ids IdsWhere(const std::function<bool(int64_t)>& wanted, int rows = kRows) {
  Ids ids;
  for (int64_t id = 0; id < rows; ++id) {
    if (wanted(id)) ids.insert(id);
  }
  return ids;
}
const Ids kAll = IdsWhere([](int64_t) { return true; });
const Ids kLeft = IdsWhere([](int64_t id) { return !IsDoomed(id); });

class DeletionLake : public DataLake {
 public:
  explicit DeletionLake(uint64_t seed) : DataLake(seed) {
    for (int i = 0; i < kFiles; ++i) Flush(i * kRowsOfFile, kRowsOfFile);
  }

  Result<std::vector<RowMatches>> Find(const TableVersion& version) {
    std::vector<RowMatches> found;
    for (const auto& file : version.files->files()) {
      RowMatches matches{file, 0, {}};
      ARC_ASSIGN_OR_RETURN(const auto ids, IdsOf(*file, *version.schema));
      for (size_t row = 0; row < ids.size(); ++row) {
        if (IsDoomed(ids[row])) matches.rows += matches.set.Add(static_cast<int64_t>(row)) ? 1 : 0;
      }
      if (matches.all()) matches.set.Clear();
      if (matches.rows > 0) found.push_back(std::move(matches));
    }
    return found;
  }
  RowDeletion Deletion() {
    return RowDeletion(*catalog_, *store_, random_, {.parquet = {.compression = "zstd"}},
                       [this](const std::shared_ptr<Table>& table) -> Status {
                         return table->hot_rows() > 0 ? FlushWritten(1'000'000 + next_++) : Status();
                       });
  }
  Result<DeletionOutcome> Delete() {
    auto deletion = Deletion();
    return deletion.Run(table_, [this](const auto& version) { return Find(*version); }, {});
  }

 private:
  int64_t next_ = 0;
};

TEST(RowDeletion, DropsFilesAndRewritesOthersInOneSnapshot) {
  DeletionLake lake(1);
  const auto pinned = lake.table_->Current();
  auto deletion = lake.Deletion();
  const auto find = [&](const auto& version) { return lake.Find(*version); };
  auto plan = deletion.Plan(lake.table_, find);
  ASSERT_TRUE(plan.ok()) << plan.error().message;
  EXPECT_EQ(lake.Ids(), kAll);
  EXPECT_EQ(deletion.stats().completed, 0u);
  auto outcome = deletion.Run(lake.table_, find, {});
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  for (const auto& told : {*plan, *outcome}) {
    EXPECT_EQ(told.rows, static_cast<int64_t>(kAll.size() - kLeft.size()));
    EXPECT_EQ(told.files_dropped, 1);
    EXPECT_EQ(told.files_rewritten, 2);
    EXPECT_GT(told.bytes, 0);
    EXPECT_EQ(told.through, lake.table_->flushed());
  }
  EXPECT_FALSE(plan->snapshot_id.has_value());
  EXPECT_TRUE(outcome->snapshot_id.has_value());
  EXPECT_GT(outcome->bytes_written, 0);
  EXPECT_EQ(lake.Ids(), kLeft);
  EXPECT_EQ(lake.Files(), 3u);
  EXPECT_EQ(lake.Ids(*pinned), kAll);  // a query that began before
  EXPECT_EQ(deletion.stats().rows, static_cast<uint64_t>(outcome->rows));
  for (const auto& file : lake.table_->Current()->files->files()) {
    if (file->key == "in50") continue;
    EXPECT_TRUE(file->key.starts_with("db/cpu/1970/01/01/10/cpu_19700101_10")) << file->key;
    EXPECT_TRUE(file->key.ends_with(".rewritten.parquet")) << file->key;
  }
  auto again = deletion.Run(lake.table_, find, {});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->rows, 0);
  EXPECT_FALSE(again->snapshot_id.has_value());
  lake.Open();
  EXPECT_EQ(lake.Ids(), kLeft);
}

TEST(RowDeletion, HotRowsAreCommittedFirst) {
  DeletionLake lake(1);
  lake.Write(kRows, 10);  // 200 to 209: 201, 204, 207 go
  auto outcome = lake.Delete();
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(lake.Ids(), IdsWhere([](int64_t id) { return !IsDoomed(id); }, kRows + 10));
  EXPECT_EQ(lake.table_->hot_rows(), 0u);
}

TEST(RowDeletion, RowsThatComeMeanwhileStay) {
  DeletionLake lake(1);
  auto deletion = lake.Deletion();
  bool first = true;
  auto outcome = deletion.Run(lake.table_,
                              [&](const auto& version) {
                                if (std::exchange(first, false)) {
                                  lake.Flush(300, 30);
                                  lake.Write(400, 30);
                                }
                                return lake.Find(*version);
                              },
                              {});
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_LT(outcome->through, lake.table_->flushed());
  Ids expected = kLeft;
  for (int64_t id = 300; id < 330; ++id) expected.insert(id);
  EXPECT_EQ(lake.Ids(), expected);
  EXPECT_EQ(lake.table_->hot_rows(), 30u);
}

TEST(RowDeletion, AMergeThatGotThereFirstIsFollowed) {
  DeletionLake lake(1);
  auto deletion = lake.Deletion();
  int looks = 0;
  auto outcome = deletion.Run(lake.table_,
                              [&](const auto& version) {
                                auto found = lake.Find(*version);
                                if (looks++ == 0) {
                                  const CompactionPolicy policy{.min_files = 2};
                                  auto plan = PlanCompaction(*lake.table_->committed_files(), 3,
                                                             20 * DataLake::kHourMicros, policy, {});
                                  EXPECT_EQ(plan.size(), 1u);
                                  std::vector<LeftFile> left;
                                  EXPECT_TRUE(Compactor(*lake.catalog_, *lake.store_, {}, policy)
                                                  .Run(*lake.table_, plan[0], Uuid::Random(lake.random_), {}, &left)
                                                  .ok());
                                }
                                return found;
                              },
                              {});
  ASSERT_TRUE(outcome.ok()) << outcome.error().message;
  EXPECT_EQ(looks, 2);
  EXPECT_EQ(outcome->files_rewritten, 1);
  EXPECT_EQ(lake.Ids(), kLeft);
}

TEST(RowDeletion, ACancelledOneDeletesNothing) {
  DeletionLake lake(1);
  const auto objects = lake.store_->List("")->size();
  auto deletion = lake.Deletion();
  auto outcome =
      deletion.Run(lake.table_, [&](const auto& version) { return lake.Find(*version); }, [] { return true; });
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kCancelled);
  EXPECT_EQ(lake.Ids(), kAll);
  EXPECT_EQ(lake.store_->List("")->size(), objects);
  EXPECT_EQ(deletion.stats().failed, 1u);
}

TEST(RowDeletion, ADamagedFileFailsItAndNothingIsDeleted) {
  DeletionLake lake(1);
  auto deletion = lake.Deletion();
  const auto objects = lake.store_->List("")->size();
  auto outcome = deletion.Run(lake.table_,
                              [&](const auto& version) {
                                auto found = lake.Find(*version);
                                auto bytes = *lake.store_->ReadAll("in150");
                                bytes[bytes.size() / 3] ^= 4;
                                EXPECT_TRUE(lake.store_->PutOverwrite("in150", bytes).ok());
                                return found;
                              },
                              {});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().kind, ErrorKind::kCorruption);
  EXPECT_NE(outcome.error().message.find("in150"), std::string::npos) << outcome.error().message;
  EXPECT_EQ(lake.Files(), static_cast<size_t>(kFiles));
  EXPECT_EQ(lake.store_->List("")->size(), objects);
}

struct Counts {
  int before = 0;
  int after = 0;
  std::set<std::string> cut_after;
};

// Cut once, restarted, and deleted again. What was wrong; empty: nothing.
std::string Round(uint64_t cut, const std::function<void(PowerCutDisk&)>& plant, Counts* counts) {
  DeletionLake lake(cut);
  plant(lake.disk_);
  lake.disk_.CutAfter(cut);
  const auto reported = lake.Delete();
  counts->cut_after.insert(lake.disk_.last_operation());
  lake.disk_.Restart(lake.random_);
  if (auto opened = lake.TryOpen(); !opened.ok()) return "does not open: " + opened.error().message;
  const auto found = lake.TryIds(*lake.table_->Current());
  if (!found.ok()) return "cannot be read: " + found.error().message;
  if (*found != kAll && *found != kLeft) return "half of it is deleted";
  if (reported.ok() && *found != kLeft) return "what was reported is not there";
  ++(*found == kAll ? counts->before : counts->after);
  const auto again = lake.Delete();
  if (!again.ok()) return "does not go on: " + again.error().message;
  const auto left = lake.TryIds(*lake.table_->Current());
  if (!left.ok() || *left != kLeft) return "having gone on, other rows are left";
  const int64_t doomed = static_cast<int64_t>(kAll.size() - kLeft.size());
  if (again->rows != (*found == kAll ? doomed : 0)) return "rows are deleted twice";
  return "";
}

uint64_t Steps() {
  DeletionLake lake(0);
  const uint64_t start = lake.disk_.operations();
  EXPECT_TRUE(lake.Delete().ok());
  return lake.disk_.operations() - start;
}

// The steps are those of the disk: every write of an output, its sync and its name, manifests, metadata and SQLite's.
TEST(RowDeletion, APowerCutBetweenAnyTwoStepsDeletesAllOrNothing) {
  const uint64_t steps = Steps();
  ASSERT_GT(steps, 20u);
  Counts counts;
  for (uint64_t cut = 1; cut <= steps; ++cut) {
    ASSERT_EQ(Round(cut, [](PowerCutDisk&) {}, &counts), "") << "cut " << cut << " of " << steps;
  }
  EXPECT_GT(counts.before, 0);
  EXPECT_GT(counts.after, 0);
  EXPECT_GT(counts.cut_after.size(), 8u);
}

TEST(RowDeletion, TheCheckNoticesMissingSyncs) {
  const uint64_t steps = Steps();
  for (const bool of_folders : {false, true}) {
    int noticed = 0;
    Counts counts;
    for (uint64_t cut = 1; cut <= steps + 3; ++cut) {
      const auto plant = [&](PowerCutDisk& disk) {
        of_folders ? disk.IgnoreDirectorySync(true) : disk.IgnoreSync(true);
      };
      noticed += !Round(cut, plant, &counts).empty();
    }
    EXPECT_GT(noticed, 0) << of_folders;
  }
}

TEST(RowDeletion, AFullDiskInTheMiddleFailsItAndRemovesItsFiles) {
  DeletionLake lake(1);
  const auto objects = lake.store_->List("")->size();
  for (const int64_t space : {0, 100, 2000, 4000}) {
    lake.disk_.SetFreeBytes(space);
    auto outcome = lake.Delete();
    if (outcome.ok()) break;
    EXPECT_EQ(outcome.error().kind, ErrorKind::kDiskFull) << space << ": " << outcome.error().message;
    EXPECT_EQ(lake.store_->List("")->size(), objects) << space;
    EXPECT_EQ(lake.Ids(), kAll);
  }
  lake.disk_.SetFreeBytes(std::nullopt);
  ASSERT_TRUE(lake.Delete().ok());
  EXPECT_EQ(lake.Ids(), kLeft);
}

}  // namespace
}  // namespace arc
