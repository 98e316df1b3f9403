// A lost catalog comes back from the store, with every row once: with the log and without, and whatever crashes left
// among the metadata files.
#include "arc/engine/catalog_rebuild.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <set>

#include "arc/io/power_cut_disk.h"
#include "arc/io/test_outage_store.h"
#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CatalogRebuildTest : public ::testing::Test {
 protected:
  CatalogRebuildTest() {
    temp_ = std::filesystem::temp_directory_path() / ("arc-rebuild-" + std::to_string(SystemRandom().NextU64()));
    options_.data_folder = "/data";
    options_.query.temp_folder = temp_.string();
    options_.query.memory_limit_bytes = 512 << 20;
    options_.compaction.enabled = false;
  }
  ~CatalogRebuildTest() override {
    engine_.reset();
    std::filesystem::remove_all(temp_);
  }
  Status Open() {
    engine_.reset();
    ARC_ASSIGN_OR_RETURN(engine_, Engine::Open(options_, disk_));
    return {};
  }
  // Rows of ids first..first+count-1.
  void Write(const std::string& table, int64_t first, int count) {
    std::vector<int64_t> times;
    std::vector<std::optional<int64_t>> ids;
    for (int64_t i = first; i < first + count; ++i) {
      times.push_back(i);
      ids.push_back(i);
    }
    WriteRequest request;
    request.batches.push_back({table, BatchForTest(times).Ints("id", ids).Done()});
    ASSERT_TRUE(engine_->WriteAndWait(std::move(request), {}).ok());
  }
  void WriteAndFlush(const std::string& table, int64_t first, int count) {
    Write(table, first, count);
    ASSERT_TRUE(engine_->Flush().ok());
  }
  // "rows,distinct ids" of a table.
  std::string Count(const std::string& table) {
    QueryRequest request;
    request.sql = "SELECT count(*), count(DISTINCT id) FROM \"" + table + "\"";
    request.principal = Principal::Admin("test");
    auto stream = engine_->Query(request);
    if (!stream.ok()) return "error: " + stream.error().message;
    auto batch = (*stream)->Next();
    if (!batch.ok() || *batch == nullptr) return "no rows";
    return (*(*batch)->column(0)->GetScalar(0))->ToString() + "," + (*(*batch)->column(1)->GetScalar(0))->ToString();
  }
  void LoseCatalog() {
    engine_.reset();
    ASSERT_TRUE(disk_.Remove("/data/arc.db").ok());
    (void)disk_.Remove("/data/arc.db-journal");
  }
  void LoseFolder(const std::string& folder) {
    const auto names = disk_.List(folder);
    ASSERT_TRUE(names.ok());
    for (const auto& name : *names) ASSERT_TRUE(disk_.Remove(folder + "/" + name).ok());
  }
  std::vector<std::string> Keys(const std::string& prefix, const std::string& ending) {
    std::vector<std::string> keys;
    for (const auto& object : *engine_->store().List(prefix)) {
      if (object.key.ends_with(ending)) keys.push_back(object.key);
    }
    return keys;
  }
  std::string CurrentKey(const std::string& table) {
    auto loaded = engine_->iceberg().LoadTable({"default", table});
    return loaded.ok() ? *engine_->store().KeyOf(loaded->location) : loaded.error().message;
  }
  RebuildReport Plan() {
    auto plan = PlanRebuild(engine_->store());
    EXPECT_TRUE(plan.ok()) << plan.error().message;
    return plan.ok() ? *plan : RebuildReport();
  }
  std::string KeyOf(const RebuiltTable& table) { return *engine_->store().KeyOf(table.metadata_location); }

  EngineOptions options_;
  PowerCutDisk disk_;
  std::filesystem::path temp_;
  std::unique_ptr<Engine> engine_;
};

TEST_F(CatalogRebuildTest, RowsAreThereOnceWithTheLogAndWithout) {
  ASSERT_TRUE(Open().ok());
  WriteAndFlush("cpu", 0, 1000);
  WriteAndFlush("mem", 0, 10);
  Write("cpu", 1000, 500);
  Write("new", 0, 5);  // in the log only
  LoseCatalog();
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Count("cpu"), "1500,1500");
  EXPECT_EQ(Count("mem"), "10,10");
  EXPECT_EQ(Count("new"), "5,5");
  const Uuid lineage = engine_->log().lineage();
  LoseCatalog();
  LoseFolder("/data/wal");
  ASSERT_TRUE(Open().ok());
  EXPECT_NE(engine_->log().lineage(), lineage);
  EXPECT_EQ(Count("cpu"), "1000,1000");
  WriteAndFlush("cpu", 1000, 7);  // the new lineage begins at LSN 1
  EXPECT_EQ(Count("cpu"), "1007,1007");
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Count("cpu"), "1007,1007");
  EXPECT_EQ(Count("mem"), "10,10");
}

TEST_F(CatalogRebuildTest, ANewNodeOnAnOldLake) {
  options_.storage_root = "/lake";
  ASSERT_TRUE(Open().ok());
  WriteAndFlush("cpu", 0, 100);
  options_.data_folder = "/other";
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Count("cpu"), "100,100");
  WriteAndFlush("cpu", 100, 100);
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Count("cpu"), "200,200");
}

TEST_F(CatalogRebuildTest, NothingIsRebuiltWhereItIsForbiddenOrTablesWereDropped) {
  ASSERT_TRUE(Open().ok());
  WriteAndFlush("cpu", 0, 10);
  ASSERT_TRUE(engine_->iceberg().DropTable({"default", "cpu"}, false).ok());
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(Count("cpu"), HasSubstr("error"));
  options_.rebuild_catalog = false;
  LoseCatalog();
  ASSERT_TRUE(disk_.Remove("/data/LOCK").ok());
  LoseFolder("/data/wal");
  ASSERT_TRUE(Open().ok());
  EXPECT_THAT(Count("cpu"), HasSubstr("error"));
}

TEST_F(CatalogRebuildTest, ACommitThatWasCutShortNeverWasTheTable) {
  ASSERT_TRUE(Open().ok());
  WriteAndFlush("cpu", 0, 10);
  const std::string first = CurrentKey("cpu");
  const auto manifests = Keys("default/cpu/metadata/", "-m0.avro");
  WriteAndFlush("cpu", 10, 10);
  const std::string second = CurrentKey("cpu");
  ObjectStore& store = engine_->store();
  ASSERT_TRUE(store.Delete("default/cpu/metadata/version-hint.text").ok());  // it tells what was committed
  ASSERT_THAT(Plan().tables, testing::SizeIs(1));
  EXPECT_EQ(KeyOf(Plan().tables[0]), second);  // with nothing against it
  EXPECT_EQ(Plan().tables[0].rows, 20);
  for (const auto& manifest : Keys("default/cpu/metadata/", "-m0.avro")) {
    if (manifest == manifests[0]) continue;
    ASSERT_TRUE(store.Delete(manifest).ok());
  }
  const RebuildReport plan = Plan();
  ASSERT_THAT(plan.tables, testing::SizeIs(1));
  EXPECT_EQ(KeyOf(plan.tables[0]), first);
  EXPECT_EQ(plan.tables[0].damage, "");
  ASSERT_THAT(plan.left, testing::SizeIs(1));
  EXPECT_EQ(plan.left[0].key, second);
  EXPECT_THAT(plan.left[0].reason, HasSubstr("is missing"));
  // What both lack was lost after it was committed: going back would lose the second commit's rows for nothing.
  ASSERT_TRUE(store.Delete(manifests[0]).ok());
  EXPECT_EQ(KeyOf(Plan().tables[0]), first);
  EXPECT_THAT(Plan().tables[0].damage, HasSubstr("is missing"));
}

TEST_F(CatalogRebuildTest, WhatTheHintNamesWasTheTableWhateverIsLost) {
  ASSERT_TRUE(Open().ok());
  WriteAndFlush("cpu", 0, 10);
  WriteAndFlush("cpu", 10, 10);
  for (const auto& file : Keys("default/cpu/", ".parquet")) {
    ASSERT_TRUE(engine_->store().Delete(file).ok());
  }
  const RebuildReport plan = Plan();
  ASSERT_THAT(plan.tables, testing::SizeIs(1));
  EXPECT_EQ(KeyOf(plan.tables[0]), CurrentKey("cpu"));
  EXPECT_THAT(plan.tables[0].damage, HasSubstr(".parquet is missing"));
  LoseCatalog();
  ASSERT_TRUE(Open().ok());  // one damaged table keeps nobody from starting
}

TEST_F(CatalogRebuildTest, OfTwoCommitsOnTheSameGroundTheOneThatWentOn) {
  ASSERT_TRUE(Open().ok());
  WriteAndFlush("cpu", 0, 10);
  WriteAndFlush("cpu", 10, 10);
  ObjectStore& store = engine_->store();
  // Another writer's attempt of the same version: it lost the race, and died before it could remove its file.
  const std::string loser = "default/cpu/metadata/00001-ffffffff-0000-4000-8000-000000000000.metadata.json";
  ASSERT_TRUE(store.PutIfAbsent(loser, *store.ReadAll(CurrentKey("cpu"))).ok());
  RebuildReport plan = Plan();
  EXPECT_EQ(KeyOf(plan.tables[0]), CurrentKey("cpu"));  // the hint knows
  ASSERT_THAT(plan.left, testing::SizeIs(1));
  EXPECT_EQ(plan.left[0].key, loser);
  WriteAndFlush("cpu", 20, 10);
  ASSERT_TRUE(store.Delete("default/cpu/metadata/version-hint.text").ok());
  EXPECT_EQ(KeyOf(Plan().tables[0]), CurrentKey("cpu"));  // the longer history knows
}

TEST_F(CatalogRebuildTest, AStaleHintIsOnlyAHint) {
  ASSERT_TRUE(Open().ok());
  WriteAndFlush("cpu", 0, 10);
  const auto hint = engine_->store().ReadAll("default/cpu/metadata/version-hint.text");
  WriteAndFlush("cpu", 10, 10);
  for (const std::string& text : {*hint, std::string("nonsense\n"), std::string()}) {
    ASSERT_TRUE(engine_->store().PutOverwrite("default/cpu/metadata/version-hint.text", text).ok());
    EXPECT_EQ(KeyOf(Plan().tables[0]), CurrentKey("cpu"));
    EXPECT_THAT(Plan().left, IsEmpty());
  }
}

TEST_F(CatalogRebuildTest, RenamedTablesKeepTheirNamesAndDroppedOnesStayDropped) {
  ASSERT_TRUE(Open().ok());
  WriteAndFlush("cpu", 0, 10);
  WriteAndFlush("gone", 0, 10);
  ASSERT_TRUE(engine_->iceberg().RenameTable({{"default", "cpu"}, {"default", "old"}}).ok());
  WriteAndFlush("cpu", 0, 3);  // in the same folder
  ASSERT_TRUE(engine_->iceberg().DropTable({"default", "gone"}, false).ok());
  const std::string dropped = Plan().left.at(0).key;
  LoseCatalog();  // the log still has rows of all of them
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Count("cpu"), "3,3");
  EXPECT_EQ(Count("old"), "10,10");
  EXPECT_THAT(Count("gone"), HasSubstr("error"));
  // Whoever wants it back registers it.
  RegisterTableRequest request;
  request.table = "back";
  request.metadata_location = engine_->store().UriOf(dropped);
  ASSERT_TRUE(engine_->iceberg().RegisterTable("default", request).ok());
  LoseCatalog();
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Count("back"), "10,10");
}

TEST_F(CatalogRebuildTest, TablesOfOneNameAndCopies) {
  ASSERT_TRUE(Open().ok());
  WriteAndFlush("cpu", 0, 10);
  ASSERT_TRUE(engine_->iceberg().RenameTable({{"default", "cpu"}, {"default", "old"}}).ok());
  SystemClock().SleepFor(std::chrono::milliseconds(5));
  WriteAndFlush("cpu", 0, 3);
  ObjectStore& store = engine_->store();
  for (const auto& key : Keys("default/cpu/metadata/arc-table-", "")) ASSERT_TRUE(store.Delete(key).ok());
  for (const auto& key : Keys("default/cpu/", "")) {  // somebody copies the folder
    ASSERT_TRUE(store.PutIfAbsent("default/copy" + key.substr(11), *store.ReadAll(key)).ok());
  }
  const RebuildReport plan = Plan();
  ASSERT_THAT(plan.tables, testing::SizeIs(2));
  EXPECT_EQ(plan.tables[0].table, "cpu");
  EXPECT_EQ(plan.tables[0].rows, 3);
  EXPECT_EQ(plan.tables[1].table, "cpu-" + plan.tables[1].uuid.substr(0, 8));
  EXPECT_EQ(plan.tables[1].name_taken, "cpu");
  EXPECT_EQ(plan.tables[1].rows, 10);
  ASSERT_THAT(plan.left, testing::SizeIs(2));
  for (const auto& left : plan.left) EXPECT_THAT(left.reason, HasSubstr("a copy"));
  LoseCatalog();
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Count("cpu"), "3,3");
  EXPECT_EQ(Count(plan.tables[1].table), "10,10");
}

TEST_F(CatalogRebuildTest, FoldersSayTheNames) {
  ASSERT_TRUE(Open().ok());
  ASSERT_TRUE(engine_->CreateDatabase("a/b %").ok());
  CreateTableRequest request;
  request.table = "Größe";
  request.schema = R"({"type":"struct","fields":[{"id":1,"name":"time","required":false,"type":"timestamp"}]})";
  ASSERT_TRUE(engine_->iceberg().CreateTable("a/b %", request).ok());
  ASSERT_TRUE(engine_->iceberg().DropTable({"a/b %", "Größe"}, false).ok());
  ASSERT_TRUE(engine_->iceberg().CreateTable("a/b %", request).ok());  // in a folder with a UUID
  request.table = "deep";
  request.location = engine_->store().UriOf("x/y/z/deep");
  ASSERT_TRUE(engine_->iceberg().CreateTable("a/b %", request).ok());
  const RebuildReport plan = Plan();
  ASSERT_THAT(plan.tables, testing::SizeIs(1));
  EXPECT_EQ(plan.tables[0].database, "a/b %");
  EXPECT_EQ(plan.tables[0].table, "Größe");
  ASSERT_THAT(plan.left, testing::SizeIs(2));
  EXPECT_THAT(plan.left[0].reason, HasSubstr("it was dropped"));
  EXPECT_THAT(plan.left[1].key, HasSubstr("x/y/z/deep/metadata/"));
}

TEST_F(CatalogRebuildTest, OnRequestOnlyWhereThereIsNoCatalog) {
  ASSERT_TRUE(Open().ok());
  WriteAndFlush("cpu", 0, 10);
  EXPECT_EQ(RebuildCatalog(options_, false, disk_).error().kind, ErrorKind::kConflict);  // a server runs
  EXPECT_TRUE(RebuildCatalog(options_, true, disk_).ok());
  engine_.reset();
  EXPECT_EQ(RebuildCatalog(options_, false, disk_).error().kind, ErrorKind::kAlreadyExists);
  LoseCatalog();
  auto rebuilt = RebuildCatalog(options_, false, disk_);
  ASSERT_TRUE(rebuilt.ok()) << rebuilt.error().message;
  EXPECT_EQ(rebuilt->tables[0].table, "cpu");
  options_.rebuild_catalog = false;
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Count("cpu"), "10,10");
}

TEST_F(CatalogRebuildTest, AStoreThatIsAwayDoesNotMakeTheCatalogEmpty) {
  auto outage = std::make_shared<std::atomic<bool>>(false);
  options_.open_remote_store = [&]() -> Result<std::unique_ptr<ObjectStore>> {
    ARC_ASSIGN_OR_RETURN(auto store, OpenLocalObjectStore(disk_, "/remote"));
    return std::make_unique<OutageStore>(std::move(store), outage);
  };
  ASSERT_TRUE(Open().ok());
  Write("cpu", 0, 10);
  *outage = true;
  ASSERT_TRUE(Open().ok());  // the catalog is there, and was empty with the store at hand
  EXPECT_EQ(Count("cpu"), "10,10");
  *outage = false;
  ASSERT_TRUE(engine_->Flush().ok());
  LoseCatalog();
  *outage = true;
  const Status opened = Open();
  ASSERT_FALSE(opened.ok());
  EXPECT_THAT(opened.error().message, HasSubstr("there is no catalog at"));
  *outage = false;
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(Count("cpu"), "10,10");
}

}  // namespace
}  // namespace arc
