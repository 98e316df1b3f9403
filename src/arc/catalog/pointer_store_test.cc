#include "arc/catalog/pointer_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>

#include "arc/base/thread.h"
#include "arc/base/uuid.h"
#include "arc/catalog/sqlite_database.h"
#include "arc/io/path.h"
#include "arc/io/power_cut_disk.h"
#include "arc/io/test_folder.h"

namespace arc {
namespace {

using Locations = std::map<std::string, std::string>;  // "database.table" -> metadata location

Locations LocationsOf(PointerStore& store) {
  Locations locations;
  Result<std::vector<TablePointer>> pointers = store.List();
  EXPECT_TRUE(pointers.ok());
  if (!pointers.ok()) return locations;
  for (const TablePointer& pointer : *pointers) {
    locations[pointer.database + "." + pointer.table] = pointer.metadata_location;
  }
  return locations;
}

class PointerStoreTest : public testing::TestWithParam<bool> {
 protected:
  PointerStoreTest() : disk_(GetParam() ? static_cast<LocalDisk&>(SystemDisk()) : memory_) {}
  std::string path() const { return JoinPath(folder_.path(), "sub/catalog.db"); }
  std::unique_ptr<PointerStore> Open() {
    Result<std::unique_ptr<PointerStore>> store = PointerStore::Open(path(), disk_);
    EXPECT_TRUE(store.ok()) << store.error().message;
    return std::move(*store);
  }

  TestFolder folder_;
  PowerCutDisk memory_;
  LocalDisk& disk_;
};

INSTANTIATE_TEST_SUITE_P(Disks, PointerStoreTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "System" : "Memory"; });

TEST_P(PointerStoreTest, SwapsSeveralPointersOrNone) {
  std::unique_ptr<PointerStore> store = Open();
  ASSERT_TRUE(store->CompareAndSwap("db", "a", std::nullopt, "/a/1").ok());
  EXPECT_TRUE(
      store->CompareAndSwapAll(std::vector<PointerSwap>{{"db", "a", "/a/1", "/a/2"}, {"db", "b", std::nullopt, "/b/1"}})
          .ok());
  auto refused =
      store->CompareAndSwapAll(std::vector<PointerSwap>{{"db", "a", "/a/2", "/a/3"}, {"db", "b", "/b/0", "/b/2"}});
  EXPECT_EQ(refused.error().kind, ErrorKind::kConflict);
  EXPECT_EQ(LocationsOf(*store), (Locations{{"db.a", "/a/2"}, {"db.b", "/b/1"}}));
  EXPECT_TRUE(store->CompareAndSwap("db", "a", "/a/2", "/a/4").ok());  // no transaction is left open
}

TEST_P(PointerStoreTest, Renames) {
  std::unique_ptr<PointerStore> store = Open();
  ASSERT_TRUE(store->CompareAndSwap("db", "a", std::nullopt, "/a/1").ok());
  ASSERT_TRUE(store->CompareAndSwap("db", "b", std::nullopt, "/b/1").ok());
  EXPECT_EQ(store->Rename({"db", "a", ""}, "db", "b").error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(store->Rename({"db", "x", ""}, "db", "y").error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(store->Rename({"db", "a", ""}, "other", "c").ok());
  EXPECT_EQ(LocationsOf(*store), (Locations{{"other.c", "/a/1"}, {"db.b", "/b/1"}}));
}

TEST_P(PointerStoreTest, KeepsNamespacePropertiesAndDroppedTables) {
  std::unique_ptr<PointerStore> store = Open();
  ASSERT_TRUE(store->CreateNamespace("db").ok());
  EXPECT_TRUE(store->NamespaceProperties("db")->empty());
  ASSERT_TRUE(store->ChangeNamespaceProperties("db", {{"a", "1"}, {"b", "2"}}, {}).ok());
  ASSERT_TRUE(store->ChangeNamespaceProperties("db", {{"a", "3"}}, {"b", "exists", "none"}).ok());
  EXPECT_EQ(*store->NamespaceProperties("db"), (std::map<std::string, std::string>{{"a", "3"}}));
  ASSERT_TRUE(store->ChangeNamespaceProperties("db", {}, {"a"}).ok());
  EXPECT_EQ(*store->Namespaces(), std::vector<std::string>{"db"});
  ASSERT_TRUE(store->DropNamespace("db").ok());
  EXPECT_TRUE(store->Namespaces()->empty());
  const Uuid id = Uuid::Random(SystemRandom());
  EXPECT_FALSE(*store->WasDropped(id));
  ASSERT_TRUE(store->RememberDropped(id).ok());
  ASSERT_TRUE(store->RememberDropped(id).ok());
  store.reset();
  EXPECT_TRUE(*Open()->WasDropped(id));
}

TEST_P(PointerStoreTest, SwapsOnlyWhatIsExpected) {
  std::unique_ptr<PointerStore> store = Open();
  EXPECT_EQ(*store->Load("db", "cpu"), std::nullopt);
  EXPECT_EQ(store->CompareAndSwap("db", "cpu", "/m/0", "/m/1").error().kind, ErrorKind::kConflict);
  EXPECT_TRUE(store->CompareAndSwap("db", "cpu", std::nullopt, "/m/1").ok());
  EXPECT_EQ(store->CompareAndSwap("db", "cpu", std::nullopt, "/m/x").error().kind, ErrorKind::kConflict);
  EXPECT_EQ(store->CompareAndSwap("db", "cpu", "/m/0", "/m/x").error().kind, ErrorKind::kConflict);
  EXPECT_EQ(*store->Load("db", "cpu"), "/m/1");
  EXPECT_TRUE(store->CompareAndSwap("db", "cpu", "/m/1", "/m/2").ok());
  EXPECT_EQ(*store->Load("db", "cpu"), "/m/2");
  EXPECT_EQ(*store->Load("db", "CPU"), std::nullopt);
  EXPECT_EQ(*store->Load("other", "cpu"), std::nullopt);
}

TEST_P(PointerStoreTest, SwapsManyAndSaysWhich) {
  std::unique_ptr<PointerStore> store = Open();
  ASSERT_TRUE(store->CompareAndSwap("db", "a", std::nullopt, "/a/1").ok());
  ASSERT_TRUE(store->CompareAndSwap("db", "b", std::nullopt, "/b/1").ok());
  const std::vector<PointerSwap> swaps = {{"db", "a", "/a/1", "/a/2"},
                                          {"db", "b", "/b/other", "/b/2"},
                                          {"db", "c", std::nullopt, "/c/1"},
                                          {"db", "b", std::nullopt, "/b/3"}};
  auto swapped = store->SwapAll(swaps);
  ASSERT_TRUE(swapped.ok());
  EXPECT_EQ(*swapped, (std::vector<bool>{true, false, true, false}));
  EXPECT_EQ(LocationsOf(*store), (Locations{{"db.a", "/a/2"}, {"db.b", "/b/1"}, {"db.c", "/c/1"}}));
  EXPECT_TRUE(store->SwapAll({})->empty());
}

TEST_P(PointerStoreTest, ListsAndDrops) {
  std::unique_ptr<PointerStore> store = Open();
  EXPECT_TRUE(store->List()->empty());
  EXPECT_TRUE(store->Namespaces()->empty());
  EXPECT_TRUE(store->CreateNamespace("empty").ok());
  EXPECT_TRUE(store->CreateNamespace("empty").ok());
  EXPECT_TRUE(store->CompareAndSwap("b", "t", std::nullopt, "/b/t").ok());
  EXPECT_TRUE(store->CompareAndSwap("a", "u", std::nullopt, "/a/u").ok());
  EXPECT_TRUE(store->CompareAndSwap("a", "t", std::nullopt, "/a/t").ok());
  EXPECT_EQ(*store->Namespaces(), (std::vector<std::string>{"a", "b", "empty"}));
  Result<std::vector<TablePointer>> pointers = store->List();
  ASSERT_EQ(pointers->size(), 3u);
  EXPECT_EQ((*pointers)[0].table, "t");
  EXPECT_EQ((*pointers)[1].table, "u");
  EXPECT_EQ((*pointers)[2].database, "b");
  EXPECT_TRUE(store->Drop("a", "t").ok());
  EXPECT_TRUE(store->Drop("a", "t").ok());
  EXPECT_EQ(LocationsOf(*store), (Locations{{"a.u", "/a/u"}, {"b.t", "/b/t"}}));
}

TEST_P(PointerStoreTest, StaysAcrossOpensAndTakesAnyName) {
  std::string odd("it's \"odd\"; DROP TABLE x\0 é", 27);
  ASSERT_TRUE(Open()->CompareAndSwap(odd, odd, std::nullopt, "/" + odd).ok());
  EXPECT_EQ(*Open()->Load(odd, odd), "/" + odd);
}

TEST_P(PointerStoreTest, SeveralStoresOfOneFileLoseNoSwap) {
  constexpr int kStores = 3;
  constexpr int kSwaps = 20;
  ASSERT_TRUE(Open()->CompareAndSwap("db", "t", std::nullopt, "0").ok());
  std::vector<std::unique_ptr<PointerStore>> stores;
  for (int i = 0; i < kStores; ++i) stores.push_back(Open());
  std::atomic<int> failures{0};
  {
    std::vector<Thread> threads;
    for (int i = 0; i < kStores; ++i) {
      threads.emplace_back("swap", [&, i] {
        for (int done = 0; done < kSwaps && failures == 0;) {
          Result<std::optional<std::string>> now = stores[i]->Load("db", "t");
          if (!now.ok()) {
            ++failures;
            return;
          }
          Status status = stores[i]->CompareAndSwap("db", "t", **now, std::to_string(std::stoi(**now) + 1));
          if (status.ok()) ++done;
          if (!status.ok() && status.error().kind != ErrorKind::kConflict) ++failures;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(*stores[0]->Load("db", "t"), std::to_string(kStores * kSwaps));
}

TEST_P(PointerStoreTest, LeavesOtherCatalogsAndViewsAlone) {
  std::unique_ptr<PointerStore> store = Open();
  Result<std::unique_ptr<SqliteDatabase>> other = SqliteDatabase::Open(path(), disk_);
  ASSERT_TRUE(other.ok()) << other.error().message;
  constexpr const char* kInsert = "INSERT INTO iceberg_tables VALUES (?, 'db', ?, ?, NULL, ?)";
  ASSERT_TRUE((*other)->Change(kInsert, {"spark", "t", "/other", "TABLE"}).ok());
  ASSERT_TRUE((*other)->Change(kInsert, {"arc", "view", "/view", "VIEW"}).ok());
  ASSERT_TRUE((*other)->Change(kInsert, {"arc", "old", "/old", std::nullopt}).ok());
  ASSERT_TRUE((*other)->Change(kInsert, {"arc", "none", std::nullopt, "TABLE"}).ok());
  EXPECT_EQ(LocationsOf(*store), (Locations{{"db.old", "/old"}}));
  EXPECT_EQ(*store->Load("db", "t"), std::nullopt);
  EXPECT_EQ(*store->Load("db", "view"), std::nullopt);
  EXPECT_EQ(*store->Load("db", "none"), std::nullopt);
  EXPECT_EQ(store->CompareAndSwap("db", "view", std::nullopt, "/x").error().kind, ErrorKind::kConflict);
  EXPECT_TRUE(store->CompareAndSwap("db", "old", "/old", "/new").ok());
  EXPECT_TRUE(store->Drop("db", "view").ok());
  Result<std::vector<SqliteDatabase::Row>> rows =
      (*other)->Query("SELECT metadata_location, previous_metadata_location FROM iceberg_tables ORDER BY table_name");
  ASSERT_TRUE(rows.ok());
  EXPECT_EQ(*rows,
            (std::vector<SqliteDatabase::Row>{
                {std::nullopt, std::nullopt}, {"/new", "/old"}, {"/other", std::nullopt}, {"/view", std::nullopt}}));
}

TEST_P(PointerStoreTest, UpgradesAFileOfSchemaV0) {
  ASSERT_TRUE(disk_.CreateDirectories(ParentFolder(path())).ok());
  {
    Result<std::unique_ptr<SqliteDatabase>> old = SqliteDatabase::Open(path(), disk_);
    ASSERT_TRUE(old.ok());
    ASSERT_TRUE(
        (*old)
            ->Change("CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, table_namespace "
                     "VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT NULL, metadata_location VARCHAR(1000), "
                     "previous_metadata_location VARCHAR(1000), "
                     "PRIMARY KEY (catalog_name, table_namespace, table_name))")
            .ok());
    ASSERT_TRUE((*old)->Change("INSERT INTO iceberg_tables VALUES ('arc', 'db', 't', '/1', NULL)").ok());
  }
  std::unique_ptr<PointerStore> store = Open();
  EXPECT_TRUE(store->CompareAndSwap("db", "t", "/1", "/2").ok());
  EXPECT_TRUE(store->CompareAndSwap("db", "u", std::nullopt, "/3").ok());
  EXPECT_EQ(LocationsOf(*Open()), (Locations{{"db.t", "/2"}, {"db.u", "/3"}}));
}

TEST_P(PointerStoreTest, WhatIsNoDatabaseIsRefusedAndLeftAlone) {
  std::string text(5000, 'x');
  ASSERT_TRUE(DurablePut(disk_, path(), {reinterpret_cast<const uint8_t*>(text.data()), text.size()}).ok());
  Result<std::unique_ptr<PointerStore>> store = PointerStore::Open(path(), disk_);
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().kind, ErrorKind::kCorruption);
  EXPECT_EQ(*ReadWholeFile(disk_, path()), text);
}

TEST_P(PointerStoreTest, AFolderThatCannotBeMadeIsAnError) {
  std::string blocker = ParentFolder(path());
  ASSERT_TRUE(DurablePut(disk_, blocker, {}).ok());
  EXPECT_FALSE(PointerStore::Open(path(), disk_).ok());
}

TEST_P(PointerStoreTest, AnUnusedStoreIsFilledAllAtOnce) {
  std::unique_ptr<PointerStore> store = Open();
  EXPECT_TRUE(*store->IsUnused());
  PointerStoreContent content;
  content.namespaces = {{"db", {{"owner", "me"}}}, {"empty", {}}};
  content.tables = {{"db", "t", "/1"}, {"db", "u", "/2"}};
  content.dropped = {"00000000-0000-4000-8000-000000000001"};
  PointerStoreContent twice = content;
  twice.tables.push_back({"db", "t", "/3"});
  EXPECT_FALSE(store->Fill(twice).ok());
  EXPECT_TRUE(*store->IsUnused());
  ASSERT_TRUE(store->Fill(content).ok());
  store = Open();
  EXPECT_FALSE(*store->IsUnused());
  EXPECT_EQ(LocationsOf(*store), (Locations{{"db.t", "/1"}, {"db.u", "/2"}}));
  EXPECT_TRUE(*store->WasDropped(*Uuid::Parse(content.dropped[0])));
  const auto read = store->Content();
  ASSERT_TRUE(read.ok());
  ASSERT_EQ(read->namespaces.size(), 2u);
  EXPECT_EQ(read->namespaces[0].properties, content.namespaces[0].properties);
  EXPECT_EQ(read->namespaces[1].database, "empty");
  EXPECT_EQ(read->tables.size(), 2u);
  EXPECT_EQ(read->dropped, content.dropped);
  EXPECT_EQ(store->Fill(content).error().kind, ErrorKind::kConflict);
}

TEST_P(PointerStoreTest, ADroppedTableOrADatabaseIsUse) {
  std::unique_ptr<PointerStore> store = Open();
  ASSERT_TRUE(store->CreateNamespace("db").ok());
  EXPECT_FALSE(*store->IsUnused());
  ASSERT_TRUE(store->DropNamespace("db").ok());
  EXPECT_TRUE(*store->IsUnused());
  SeededRandom random(1);
  ASSERT_TRUE(store->RememberDropped(Uuid::Random(random)).ok());
  EXPECT_FALSE(*store->IsUnused());
}

TEST(PointerStoreOnAFullDisk, RefusesAndRecovers) {
  PowerCutDisk disk;
  Result<std::unique_ptr<PointerStore>> store = PointerStore::Open("/catalog.db", disk);
  ASSERT_TRUE(store.ok());
  std::string location(3000, 'x');  // a page each
  disk.SetFreeBytes(40'000);
  int stored = 0;
  Status status;
  for (; stored < 1000; ++stored) {
    status = (*store)->CompareAndSwap("db", std::to_string(stored), std::nullopt, location);
    if (!status.ok()) break;
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().kind, ErrorKind::kDiskFull);
  EXPECT_EQ((*store)->List()->size(), static_cast<size_t>(stored));
  disk.SetFreeBytes(std::nullopt);
  EXPECT_TRUE((*store)->CompareAndSwap("db", std::to_string(stored), std::nullopt, location).ok());
  EXPECT_EQ((*store)->List()->size(), static_cast<size_t>(stored) + 1);
}

TEST(PointerStoreWhenASyncFails, TheOutcomeIsUnknownNotWrong) {
  for (int failing = 1; failing <= 6; ++failing) {
    PowerCutDisk disk;
    Result<std::unique_ptr<PointerStore>> store = PointerStore::Open("/catalog.db", disk);
    ASSERT_TRUE(store.ok());
    ASSERT_TRUE((*store)->CompareAndSwap("db", "t", std::nullopt, "/1").ok());
    disk.FailSyncs(failing);
    Status status = (*store)->CompareAndSwap("db", "t", "/1", "/2");
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().kind, ErrorKind::kUnknownOutcome) << status.error().message;
    disk.FailSyncs(0);
    Result<std::optional<std::string>> now = (*store)->Load("db", "t");
    ASSERT_TRUE(now.ok()) << now.error().message;
    EXPECT_TRUE(*now == "/1" || *now == "/2");
  }
}

}  // namespace
}  // namespace arc
