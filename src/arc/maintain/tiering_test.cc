// Tiering over a lake whose data files are names only, on a disk that can lose its power.
#include "arc/maintain/tiering.h"

#include <gtest/gtest.h>

#include <set>

#include "arc/io/cold_key.h"
#include "arc/maintain/file_mover.h"
#include "arc/maintain/test_lake.h"
#include "arc/maintain/upkeep.h"

namespace arc {
namespace {

constexpr int64_t kNow = TestLake::kNowHour;
constexpr int64_t kDayHours = 24;
constexpr int64_t kDayMs = 86'400'000;
using Names = std::set<std::string>;

// "old1.12345678.parquet" -> "old1"
std::string Stem(const std::string& key) {
  const std::string name = key.substr(key.rfind('/') + 1);
  return name.substr(0, name.find('.'));
}

class TieringLake {
 public:
  explicit TieringLake(HistoryPolicy policy = {}) : lake(std::move(policy)) {
    lake.cold_outage = std::make_shared<std::atomic<bool>>(false);
    options.has_cold_store = true;
    EXPECT_TRUE(Open());
  }
  bool Open() {
    Close();
    if (!lake.Open()) return false;
    watch = std::make_unique<ClockWatch>(lake.clock);
    auto started = Tiering::Start(*lake.catalog, *lake.store, *watch, lake.clock, lake.random, options);
    if (!started.ok()) return false;
    tiering = std::move(*started);
    return true;
  }
  void Close() { tiering.reset(); }

  bool Flush(const std::string& table, const std::string& name, int64_t days_old) {
    return lake.Flush("db", table, name + ".parquet", kNow - days_old * kDayHours).ok();
  }
  // The last job.
  TieringJob Move() {
    const auto started = tiering->Trigger("", "");
    EXPECT_TRUE(started.ok()) << started.error().message;
    tiering->Wait();
    return tiering->History().at(0);
  }
  Names Live(const std::string& table, bool cold) {
    Names names;
    const auto found = lake.catalog->Find("db", table);
    if (found == nullptr) return names;
    for (const auto& file : found->committed_files()->files()) {
      if (IsColdKey(file->key) == cold) names.insert(Stem(file->key));
    }
    return names;
  }
  Names Hot(const std::string& table = "cpu") { return Live(table, false); }
  Names Cold(const std::string& table = "cpu") { return Live(table, true); }
  // Data objects of the store, whether anything names them or not.
  Names Objects(bool cold) {
    Names names;
    for (const auto& key : lake.Objects()) {
      if (key.ends_with(".parquet") && IsColdKey(key) == cold) names.insert(Stem(key));
    }
    return names;
  }
  // Every live file can be read as it was written.
  bool IsWhole(const std::string& table = "cpu") {
    for (const auto& file : lake.catalog->Find("db", table)->committed_files()->files()) {
      const auto bytes = lake.store->ReadAll(file->key);
      if (!bytes.ok() || *bytes != "rows" || file->rows != 10) return false;
    }
    return true;
  }

  TestLake lake;
  TieringOptions options;
  std::unique_ptr<ClockWatch> watch;
  std::unique_ptr<Tiering> tiering;
};

TEST(Tiering, OldFilesMoveAndStayPartsOfTheirTables) {
  TieringLake lake;
  ASSERT_TRUE(lake.Flush("cpu", "old1", 60) && lake.Flush("cpu", "old2", 31) && lake.Flush("cpu", "young", 29));
  ASSERT_TRUE(lake.Flush("mem", "new", 1));
  const auto works = lake.tiering->Survey("", "");
  ASSERT_EQ(works.size(), 1u);
  EXPECT_EQ(works[0].measurement, "cpu");
  EXPECT_EQ(works[0].moving.files, 2);
  EXPECT_EQ(works[0].hot.files, 3);
  const auto before = lake.lake.catalog->Find("db", "cpu")->Current();
  const auto job = lake.Move();
  EXPECT_EQ(job.state, TieringJob::State::kCompleted) << job.error;
  EXPECT_EQ(job.moved.files, 2);
  EXPECT_EQ(job.moved.rows, 20);
  EXPECT_EQ(job.commits, 1);
  EXPECT_EQ(lake.Cold(), (Names{"old1", "old2"}));
  EXPECT_EQ(lake.Hot(), (Names{"young"}));
  EXPECT_TRUE(lake.IsWhole());
  const auto after = lake.lake.catalog->Find("db", "cpu")->Current();
  EXPECT_EQ(after->files->rows(), before->files->rows());
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(after->files->files()[i]->min_time, before->files->files()[i]->min_time);
    EXPECT_EQ(after->files->files()[i]->max_time, before->files->files()[i]->max_time);
  }
  // What began before goes on reading the hot objects.
  for (const auto& file : before->files->files()) EXPECT_TRUE(lake.lake.store->ReadAll(file->key).ok());
  EXPECT_EQ(lake.tiering->stats().files, 2u);
  EXPECT_EQ(*lake.tiering->Trigger("", ""), 0);  // nothing is left to do
  ASSERT_TRUE(lake.Open());
  EXPECT_EQ(lake.Cold(), (Names{"old1", "old2"}));
  EXPECT_EQ(lake.Hot(), (Names{"young"}));
}

TEST(Tiering, HotObjectsGoWhenTheirLastSnapshotExpiresAndColdOnesWhenTheirs) {
  TieringLake lake({.max_snapshots = 2, .keep_metadata_files = 2, .trusts_clock = {}});
  ASSERT_TRUE(lake.Flush("cpu", "old", 60));
  lake.Move();
  EXPECT_EQ(lake.Objects(false), (Names{"old"}));
  // A flush commits through a group, which must know of cold objects as well.
  ASSERT_TRUE(lake.Flush("cpu", "a", 1) && lake.Flush("cpu", "b", 1));
  EXPECT_EQ(lake.Objects(false), (Names{"a", "b"}));
  EXPECT_EQ(lake.Objects(true), (Names{"old"}));
  FileReplacement deletion;
  deletion.same_rows = false;
  for (const auto& file : lake.lake.catalog->Find("db", "cpu")->committed_files()->files()) {
    if (IsColdKey(file->key)) deletion.removed.push_back(file);
  }
  ASSERT_TRUE(lake.lake.catalog->CommitReplace(*lake.lake.catalog->Find("db", "cpu"), deletion).ok());
  deletion.removed.clear();
  EXPECT_EQ(lake.Objects(true), (Names{"old"}));
  ASSERT_TRUE(lake.Flush("cpu", "c", 1) && lake.Flush("cpu", "d", 1));
  EXPECT_EQ(lake.Objects(true), Names());
}

TEST(Tiering, OrphansOfTheColdStoreAreFoundAndCopiesInUseAreNot) {
  TieringLake lake;
  ASSERT_TRUE(lake.Flush("cpu", "old", 60));
  lake.Move();
  ASSERT_TRUE(lake.lake.store->PutIfAbsent(ColdKey("db/cpu/lost.parquet"), "half a job").ok());
  ASSERT_TRUE(lake.lake.store->PutIfAbsent(ColdKey("other/table/lost.parquet"), "another server's").ok());
  // The disk says that everything is of 1970.
  auto record = MaintenanceStore::Open("/data/maintenance.db", lake.lake.disk, lake.lake.clock);
  ASSERT_TRUE(record.ok());
  Retention retention(*lake.lake.catalog, **record, *lake.watch, lake.lake.clock);
  Upkeep upkeep(*lake.lake.catalog, *lake.lake.store, **record, retention, *lake.watch, lake.lake.clock, {});
  *lake.lake.cold_outage = true;
  auto away = upkeep.RemoveOrphans("", "", 3 * kDayMs, false);
  ASSERT_TRUE(away.ok());
  EXPECT_EQ(away->removed, 0u);
  ASSERT_EQ(away->errors.size(), 1u);
  EXPECT_NE(away->errors[0].find("the cold store"), std::string::npos);
  *lake.lake.cold_outage = false;
  auto removed = upkeep.RemoveOrphans("", "", 3 * kDayMs, false);
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(removed->removed, 1u);
  EXPECT_EQ(removed->objects[0].key, ColdKey("db/cpu/lost.parquet"));
  EXPECT_TRUE(lake.IsWhole());
  EXPECT_TRUE(lake.lake.store->ReadAll(ColdKey("other/table/lost.parquet")).ok());
}

TEST(Tiering, AColdStoreThatIsAwayFailsTheJobAndNothingElse) {
  TieringLake lake;
  ASSERT_TRUE(lake.Flush("cpu", "old", 60));
  *lake.lake.cold_outage = true;
  const auto failed = lake.Move();
  EXPECT_EQ(failed.state, TieringJob::State::kFailed);
  EXPECT_NE(failed.error.find("the cold store"), std::string::npos) << failed.error;
  EXPECT_EQ(lake.Hot(), (Names{"old"}));
  ASSERT_TRUE(lake.Flush("cpu", "new", 0));
  *lake.lake.cold_outage = false;
  EXPECT_EQ(lake.Move().moved.files, 1);
  EXPECT_EQ(lake.Cold(), (Names{"old"}));
  EXPECT_TRUE(lake.IsWhole());
}

TEST(Tiering, ADamagedFileStaysAndIsNamed) {
  TieringLake lake;
  ASSERT_TRUE(lake.Flush("cpu", "bad", 62) && lake.Flush("cpu", "good", 61));
  ASSERT_TRUE(lake.lake.store->PutOverwrite("db/cpu/bad.parquet", "row").ok());
  const auto job = lake.Move();
  EXPECT_EQ(job.state, TieringJob::State::kCompleted) << job.error;
  ASSERT_EQ(job.left.size(), 1u);
  EXPECT_EQ(job.left[0].key, "db/cpu/bad.parquet");
  EXPECT_EQ(job.left[0].error.kind, ErrorKind::kCorruption);
  EXPECT_EQ(lake.Cold(), (Names{"good"}));
  EXPECT_EQ(lake.Hot(), (Names{"bad"}));
  EXPECT_TRUE(lake.tiering->Survey("", "")[0].moving.files == 0);  // not tried again
}

TEST(Tiering, AFileWhoseObjectIsLostIsNamedAndHoldsUpNoOther) {
  TieringLake lake;
  ASSERT_TRUE(lake.Flush("cpu", "lost", 62) && lake.Flush("cpu", "good", 61));
  ASSERT_TRUE(lake.lake.store->Delete("db/cpu/lost.parquet").ok());
  const auto job = lake.Move();
  EXPECT_EQ(job.state, TieringJob::State::kCompleted) << job.error;
  ASSERT_EQ(job.left.size(), 1u);
  EXPECT_EQ(job.left[0].key, "db/cpu/lost.parquet");
  EXPECT_EQ(lake.Cold(), (Names{"good"}));
}

TEST(Tiering, FilesThatLeftTheTableMeanwhileArePassedOver) {
  TieringLake lake;
  ASSERT_TRUE(lake.Flush("cpu", "gone", 62) && lake.Flush("cpu", "stays", 61));
  const auto table = lake.lake.catalog->Find("db", "cpu");
  const auto planned = table->committed_files()->files();
  FileReplacement deletion;
  deletion.same_rows = false;
  deletion.removed = {planned[0]};
  ASSERT_TRUE(lake.lake.catalog->CommitReplace(*table, deletion).ok());
  size_t moved = 0;
  FileMover::Events events{[] { return false; }, [&](const auto& files) { moved += files.size(); },
                           [](const FileEntry&, const Error& error) { ADD_FAILURE() << error.message; }};
  EXPECT_TRUE(FileMover(*lake.lake.catalog, *lake.lake.store, *table, "tag", events).Move(planned).ok());
  EXPECT_EQ(moved, 1u);
  EXPECT_EQ(lake.Cold(), (Names{"stays"}));
  EXPECT_EQ(lake.Hot(), Names());
  EXPECT_EQ(lake.Objects(true), (Names{"stays"}));  // no copy of the other is left
}

TEST(Tiering, AgesMayDifferByDatabaseAndMeasurement) {
  TieringLake lake;
  lake.options.exceptions = {{"db", "mem", 5}, {"db", "", 100}, {"other", "cpu", 1}};
  ASSERT_TRUE(lake.Open());
  ASSERT_TRUE(lake.Flush("cpu", "a", 60) && lake.Flush("cpu", "b", 101));
  ASSERT_TRUE(lake.Flush("mem", "a", 4) && lake.Flush("mem", "b", 6));
  lake.Move();
  EXPECT_EQ(lake.Cold("cpu"), (Names{"b"}));
  EXPECT_EQ(lake.Cold("mem"), (Names{"b"}));
}

TEST(Tiering, NothingMovesByAClockThatLeapt) {
  TieringLake lake;
  ASSERT_TRUE(lake.Flush("cpu", "young", 1));
  lake.lake.clock.SetWall(lake.lake.clock.WallMicros() + 365LL * 86'400'000'000);
  const auto refused = lake.tiering->Trigger("", "");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(lake.Hot(), (Names{"young"}));
}

// The steps are those of the disk that both stores are on: the copy's, its name's, the commit's.
TEST(Tiering, APowerCutBetweenAnyTwoStepsLeavesEachFileInOneStoreAtLeast) {
  uint64_t steps = 0;
  std::set<size_t> cold_after;
  for (uint64_t cut = 0; cut <= steps; ++cut) {
    TieringLake lake({.max_snapshots = 2, .keep_metadata_files = 2, .trusts_clock = {}});
    ASSERT_TRUE(lake.Flush("cpu", "old1", 61) && lake.Flush("cpu", "old2", 60) && lake.Flush("cpu", "young", 1));
    const uint64_t start = lake.lake.disk.operations();
    if (cut > 0) lake.lake.disk.CutAfter(cut);
    const auto job = lake.Move();
    if (cut == 0) {
      ASSERT_EQ(job.moved.files, 2) << job.error;
      steps = lake.lake.disk.operations() - start;
      ASSERT_GT(steps, 20u);
    }
    const std::string where = std::to_string(cut) + ": " + lake.lake.disk.last_operation();
    lake.Close();
    lake.lake.disk.Restart(lake.lake.random);
    ASSERT_TRUE(lake.Open()) << where;
    EXPECT_TRUE(lake.IsWhole()) << where;
    Names all = lake.Hot();
    const Names cold = lake.Cold();
    cold_after.insert(cold.size());
    EXPECT_TRUE(job.state != TieringJob::State::kCompleted || cold.size() == 2) << where;
    all.insert(cold.begin(), cold.end());
    EXPECT_EQ(all, (Names{"old1", "old2", "young"})) << where;
    EXPECT_EQ(lake.lake.catalog->Find("db", "cpu")->committed_files()->rows(), 30) << where;
    // The next attempt is none the worse for what this one left.
    EXPECT_EQ(*lake.tiering->Trigger("", ""), cold.empty() ? 1 : 0) << where;
    lake.tiering->Wait();
    EXPECT_EQ(lake.Cold(), (Names{"old1", "old2"})) << where;
    EXPECT_TRUE(lake.IsWhole()) << where;
  }
  EXPECT_EQ(cold_after, (std::set<size_t>{0, 2}));
}

}  // namespace
}  // namespace arc
