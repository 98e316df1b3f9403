// Backups of a database that goes on working, and what comes of them when they are restored.
#include "arc/engine/backup_job.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <map>
#include <utility>

#include "arc/backup/restore.h"
#include "arc/engine/data_folder.h"
#include "arc/engine/engine.h"
#include "arc/io/object_group.h"
#include "arc/io/power_cut_disk.h"
#include "arc/io/tiered_store.h"
#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// A target that does as the test says.
class HookedStore : public ObjectGroup {
 public:
  HookedStore(std::unique_ptr<ObjectStore> store, std::function<Status(const std::string&)> before_put,
              std::function<void()> on_list)
      : ObjectGroup(*store),
        held_(std::move(store)),
        before_put_(std::move(before_put)),
        on_list_(std::move(on_list)) {}
  Status PutIfAbsent(const std::string& key, std::string_view bytes) override {
    ARC_RETURN_IF_ERROR(before_put_(key));
    return store_.PutIfAbsent(key, bytes);
  }
  Result<std::unique_ptr<ObjectWriter>> Create(const std::string& key) override {
    ARC_RETURN_IF_ERROR(before_put_(key));
    return store_.Create(key);
  }
  Result<std::vector<ObjectInfo>> List(const std::string& prefix) override {
    on_list_();
    return store_.List(prefix);
  }

 private:
  const std::unique_ptr<ObjectStore> held_;
  const std::function<Status(const std::string&)> before_put_;
  const std::function<void()> on_list_;
};

class BackupJobTest : public ::testing::Test {
 protected:
  BackupJobTest() {
    temp_ = std::filesystem::temp_directory_path() / ("arc-backup-" + std::to_string(SystemRandom().NextU64()));
    options_.data_folder = "/data";
    options_.query.temp_folder = temp_.string();
    options_.query.memory_limit_bytes = 512 << 20;
    options_.compaction.enabled = false;
    options_.open_backup_target = [this](const std::string& target) -> Result<BackupTarget> {
      ARC_ASSIGN_OR_RETURN(auto opened, OpenFolderTarget(disk_, target, true));
      opened.store = std::make_unique<HookedStore>(std::move(opened.store), before_put_, on_list_);
      return opened;
    };
    Open("/data");
  }
  ~BackupJobTest() override {
    engine_.reset();
    std::filesystem::remove_all(temp_);
  }
  void Open(const std::string& folder) {
    engine_.reset();
    options_.data_folder = folder;
    auto engine = Engine::Open(options_, disk_);
    ASSERT_TRUE(engine.ok()) << engine.error().message;
    engine_ = std::move(*engine);
  }
  // One row; its LSN.
  uint64_t Write(const std::string& table, int64_t id) {
    WriteRequest request;
    request.batches.push_back({table, BatchForTest({id}).Ints("id", {id}).Done()});
    auto written = engine_->WriteAndWait(std::move(request), {});
    EXPECT_TRUE(written.ok()) << written.error().message;
    return written.ok() ? written->lsn.value : 0;
  }
  std::string Count(const std::string& table) {
    QueryRequest request;
    request.sql = "SELECT count(*), count(DISTINCT id) FROM " + table;
    request.principal = Principal::Admin("test");
    auto stream = engine_->Query(request);
    if (!stream.ok()) return "error: " + stream.error().message;
    auto batch = (*stream)->Next();
    if (!batch.ok() || *batch == nullptr) return "no rows";
    return (*(*batch)->column(0)->GetScalar(0))->ToString() + "," + (*(*batch)->column(1)->GetScalar(0))->ToString();
  }
  BackupStatus Backup() {
    EXPECT_TRUE(engine_->StartBackup("/backups").ok());
    while (engine_->backup_status().state == BackupStatus::State::kRunning) {
      SystemClock().SleepFor(std::chrono::milliseconds(1));
    }
    return engine_->backup_status();
  }
  BackupSummary Made() {
    const BackupStatus status = Backup();
    EXPECT_EQ(status.state, BackupStatus::State::kCompleted) << status.error;
    EXPECT_THAT(status.summary->problems, IsEmpty());
    return status.summary.value_or(BackupSummary());
  }
  std::unique_ptr<ObjectStore> Target() { return *OpenLocalObjectStore(disk_, "/backups"); }
  Status Restore(const std::string& id, const std::string& folder) {
    const auto target = Target();
    ARC_ASSIGN_OR_RETURN(const auto manifest, LoadBackup(*target, id));
    ARC_RETURN_IF_ERROR(disk_.CreateDirectories(folder));
    ARC_ASSIGN_OR_RETURN(const auto lake, OpenLocalObjectStore(disk_, folder + "/arc"));
    BackupProgress progress;
    return RestoreBackup(*target, manifest, {disk_, folder, folder + kCatalogFile, *lake}, progress);
  }

  EngineOptions options_;
  PowerCutDisk disk_;
  std::filesystem::path temp_;
  std::function<Status(const std::string&)> before_put_ = [](const std::string&) { return Status(); };
  std::function<void()> on_list_ = [] {};
  std::unique_ptr<Engine> engine_;
};

TEST_F(BackupJobTest, HoldsEveryRowUpToItsLsnAndNoOtherWhileWritersGoOn) {
  std::atomic<bool> stop{false};
  std::map<std::string, std::vector<uint64_t>> lsns;
  std::vector<Thread> writers;
  for (const char* table : {"a", "b", "c"}) {
    auto& mine = lsns[table];
    writers.emplace_back(std::string("writer-") + table, [&, table] {
      for (int64_t id = 0; !stop; ++id) mine.push_back(Write(table, id));
    });
  }
  std::vector<BackupSummary> made;
  for (int i = 0; i < 3; ++i) {
    SystemClock().SleepFor(std::chrono::milliseconds(50));
    made.push_back(Made());
  }
  stop = true;
  writers.clear();
  for (size_t i = 0; i < made.size(); ++i) {
    ASSERT_TRUE(made[i].exact);
    const std::string folder = "/restored" + std::to_string(i);
    const Status restored = Restore(made[i].id, folder);
    ASSERT_TRUE(restored.ok()) << restored.error().message;
    Open(folder);
    for (const auto& [table, written] : lsns) {
      const auto rows = std::count_if(written.begin(), written.end(), [&](uint64_t lsn) { return lsn <= made[i].lsn; });
      const std::string expected = std::to_string(rows);
      if (rows == 0) continue;
      EXPECT_EQ(Count(table), expected + "," + expected) << table;
    }
    EXPECT_TRUE(engine_->Flush().ok());
  }
  EXPECT_LT(made[0].lsn, made[2].lsn);
}

TEST_F(BackupJobTest, ASecondBackupCopiesWhatIsNewAndOldOnesStay) {
  for (int i = 0; i < 20; ++i) {
    Write("t", i);
    ASSERT_TRUE(engine_->Flush().ok());
  }
  const BackupSummary first = Made();
  EXPECT_GE(first.objects_copied, 60u);  // 20 data files, 20 manifests, 20 lists, 1 metadata file
  Write("t", 20);
  const BackupSummary second = Made();
  EXPECT_LE(second.objects_copied, 6u);
  EXPECT_GT(second.objects, first.objects);
  ASSERT_TRUE(Restore(first.id, "/one").ok());
  ASSERT_TRUE(Restore(second.id, "/two").ok());
  Open("/one");
  EXPECT_EQ(Count("t"), "20,20");
  Open("/two");
  EXPECT_EQ(Count("t"), "21,21");
  Write("t", 21);
  ASSERT_TRUE(engine_->Flush().ok());
  Open("/two");
  EXPECT_EQ(Count("t"), "22,22");
}

TEST_F(BackupJobTest, HoldsColdFilesAndPutsThemWhereTheyWere) {
  options_.open_cold_store = [this] { return OpenLocalObjectStore(disk_, "/cold"); };
  options_.cold_is_local = true;
  Open("/data");
  for (int64_t id = 0; id < 3; ++id) {
    Write("m", id);  // of 1970
    ASSERT_TRUE(engine_->Flush().ok());
  }
  ASSERT_TRUE(engine_->tiering().Trigger("", "").ok());
  engine_->tiering().Wait();
  ASSERT_EQ(engine_->tiering().stats().files, 3u);
  EXPECT_EQ(Count("m"), "3,3");
  const auto made = Made();
  engine_.reset();

  const auto restore = [&](const std::string& cold_folder) -> Status {
    const auto target = Target();
    ARC_ASSIGN_OR_RETURN(const auto manifest, LoadBackup(*target, made.id));
    ARC_RETURN_IF_ERROR(disk_.CreateDirectories("/restored"));
    ARC_ASSIGN_OR_RETURN(auto hot, OpenLocalObjectStore(disk_, "/restored/arc"));
    ARC_ASSIGN_OR_RETURN(auto cold, OpenLocalObjectStore(disk_, cold_folder));
    ARC_ASSIGN_OR_RETURN(const auto lake, TieredStore::Of(std::move(hot), std::move(cold)));
    BackupProgress progress;
    return RestoreBackup(*target, manifest, {disk_, "/restored", std::string("/restored") + kCatalogFile, *lake},
                         progress);
  };
  EXPECT_THAT(restore("/elsewhere").error().message, HasSubstr("/cold/"));
  EXPECT_THAT(Restore(made.id, "/restored").error().message, HasSubstr("[tiering]"));
  const auto cold = OpenLocalObjectStore(disk_, "/cold");
  for (const auto& object : *(*cold)->List("")) ASSERT_TRUE((*cold)->Delete(object.key).ok());
  const Status restored = restore("/cold");
  ASSERT_TRUE(restored.ok()) << restored.error().message;
  Open("/restored");
  EXPECT_EQ(Count("m"), "3,3");
}

TEST_F(BackupJobTest, PruningLeavesWhatTheOthersNeed) {
  options_.history.max_snapshots = 1;
  Open("/data");
  std::vector<std::string> ids;
  for (int i = 0; i < 3; ++i) {
    Write("t", i);
    ids.push_back(Made().id);
  }
  const auto target = Target();
  const auto pruned = PruneBackups(*target, 1);
  ASSERT_TRUE(pruned.ok()) << pruned.error().message;
  EXPECT_THAT(pruned->backups, testing::ElementsAre(ids[0], ids[1]));
  EXPECT_GT(pruned->objects, 0u);  // expired manifest lists, old metadata files
  BackupProgress progress;
  const auto verified = VerifyBackups(*target, "", progress);
  ASSERT_TRUE(verified.ok());
  EXPECT_EQ(verified->backups, 1u);
  EXPECT_THAT(verified->damages, IsEmpty());
  EXPECT_EQ(Restore(ids[0], "/gone").error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(Restore(ids[2], "/kept").ok());
  Open("/kept");
  EXPECT_EQ(Count("t"), "3,3");
}

TEST_F(BackupJobTest, AFlippedBitIsFound) {
  Write("t", 1);
  const BackupSummary made = Made();
  const auto target = Target();
  const auto objects = *target->List("");
  int found = 0;
  for (const auto& object : objects) {
    if (object.key == "LOCK") continue;
    const std::string good = *target->ReadAll(object.key);
    std::string bad = good;
    bad[bad.size() / 2] = static_cast<char>(bad[bad.size() / 2] ^ 4);
    ASSERT_TRUE(target->PutOverwrite(object.key, bad).ok());
    BackupProgress progress;
    const auto verified = VerifyBackups(*target, "", progress);
    ASSERT_TRUE(verified.ok());
    EXPECT_THAT(verified->damages, SizeIs(1)) << object.key;
    const Status restored = Restore(made.id, "/bad" + std::to_string(found++));
    ASSERT_FALSE(restored.ok()) << object.key;
    EXPECT_EQ(restored.error().kind, ErrorKind::kCorruption) << object.key;
    ASSERT_TRUE(target->PutOverwrite(object.key, good).ok());
  }
  EXPECT_GE(found, 5);
  ASSERT_TRUE(target->Delete(objects.back().key == "LOCK" ? objects[0].key : objects.back().key).ok());
  BackupProgress progress;
  EXPECT_THAT(VerifyBackups(*target, "", progress)->damages, SizeIs(1));
}

TEST_F(BackupJobTest, NothingThatItCopiesGoesMeanwhile) {
  options_.history.max_snapshots = 1;
  options_.history.keep_metadata_files = 1;
  Open("/data");
  Write("t", 0);
  ASSERT_TRUE(engine_->Flush().ok());
  bool changed = false;
  on_list_ = [&] {  // after it was decided what to copy, before anything is
    if (std::exchange(changed, true)) return;
    for (int i = 1; i < 5; ++i) {
      Write("t", i);
      ASSERT_TRUE(engine_->Flush().ok());
    }
    ASSERT_TRUE(engine_->iceberg().DropTable({"default", "t"}, true).ok());
  };
  const BackupSummary made = Made();
  ASSERT_TRUE(changed);
  ASSERT_TRUE(Restore(made.id, "/restored").ok());
  // What had to wait goes with the next commit.
  Write("other", 1);
  ASSERT_TRUE(engine_->Flush().ok());
  ASSERT_TRUE(engine_->upkeep().ExpireSnapshots("", "").ok());
  for (const auto& left : *engine_->store().List("default/t/")) EXPECT_THAT(left.key, HasSubstr("version-hint.text"));
  Open("/restored");
  EXPECT_EQ(Count("t"), "1,1");
}

TEST_F(BackupJobTest, AnInterruptedBackupIsNoneAndServesTheNext) {
  for (int i = 0; i < 300; ++i) Write("t" + std::to_string(i % 100), i);
  before_put_ = [](const std::string& key) -> Status {
    return key.starts_with(kManifestFolder) ? Status(Unavailable("the target is gone")) : Status();
  };
  const BackupStatus failed = Backup();
  EXPECT_EQ(failed.state, BackupStatus::State::kFailed);
  EXPECT_THAT(failed.error, HasSubstr("the target is gone"));
  EXPECT_THAT(*ListBackups(*Target()), IsEmpty());
  EXPECT_EQ(LoadBackup(*Target(), "").error().kind, ErrorKind::kNotFound);
  before_put_ = [](const std::string&) { return Status(); };
  const BackupSummary made = Made();
  EXPECT_LE(made.objects_copied, 2u);  // files of the data folder
  ASSERT_TRUE(Restore(made.id, "/restored").ok());
  Open("/restored");
  EXPECT_EQ(Count("t7"), "3,3");
}

TEST_F(BackupJobTest, OneAtATimeAndNotAmongTheTables) {
  std::atomic<bool> go{false};
  on_list_ = [&] {
    while (!go) SystemClock().SleepFor(std::chrono::milliseconds(1));
  };
  ASSERT_TRUE(engine_->StartBackup("/backups").ok());
  EXPECT_EQ(engine_->StartBackup("/backups").error().kind, ErrorKind::kConflict);
  go = true;
  while (engine_->backup_status().state == BackupStatus::State::kRunning) {
    SystemClock().SleepFor(std::chrono::milliseconds(1));
  }
  for (const char* wrong : {"/data/arc/backups", "relative/path"}) {
    ASSERT_TRUE(engine_->StartBackup(wrong).ok());
    while (engine_->backup_status().state == BackupStatus::State::kRunning) {
      SystemClock().SleepFor(std::chrono::milliseconds(1));
    }
    EXPECT_EQ(engine_->backup_status().state, BackupStatus::State::kFailed) << wrong;
  }
}

TEST_F(BackupJobTest, AFolderThatIsNotWholeDoesNotStart) {
  Write("t", 1);
  engine_.reset();
  ASSERT_TRUE(DurablePut(disk_, std::string("/data") + kRestoreMarker, {}).ok());
  EXPECT_THAT(Engine::Open(options_, disk_).error().message, HasSubstr("did not end"));
}

}  // namespace
}  // namespace arc
