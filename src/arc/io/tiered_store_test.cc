#include "arc/io/tiered_store.h"

#include <arrow/io/interfaces.h>
#include <arrow/status.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "arc/io/object_group.h"
#include "arc/io/power_cut_disk.h"
#include "arc/io/test_outage_store.h"

namespace arc {
namespace {

class TieredStoreTest : public testing::Test {
 protected:
  std::unique_ptr<ObjectStore> Folder(const std::string& path) {
    auto store = OpenLocalObjectStore(disk_, path);
    EXPECT_TRUE(store.ok());
    return std::move(*store);
  }
  std::vector<std::string> Keys(ObjectStore& store, const std::string& prefix) {
    std::vector<std::string> keys;
    const auto objects = store.List(prefix);
    EXPECT_TRUE(objects.ok());
    for (const auto& object : *objects) keys.push_back(object.key);
    return keys;
  }
  void Put(const std::string& key, const std::string& bytes) { ASSERT_TRUE(tiered_->PutIfAbsent(key, bytes).ok()); }

  using Strings = std::vector<std::string>;
  PowerCutDisk disk_;
  std::shared_ptr<std::atomic<bool>> outage_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<ObjectStore> hot_ = Folder("/hot");
  std::unique_ptr<ObjectStore> cold_ = std::make_unique<OutageStore>(Folder("/cold"), outage_);
  std::unique_ptr<ObjectStore> tiered_ = *TieredStore::Over(*hot_, *cold_);
};

TEST_F(TieredStoreTest, KeysSayWhichStoreAndAddressesLeadBackToThem) {
  Put("db/m/a.parquet", "hot");
  Put(ColdKey("db/m/a.parquet"), "cold");
  EXPECT_EQ(*tiered_->ReadAll("db/m/a.parquet"), "hot");
  EXPECT_EQ(*tiered_->ReadAll(".cold/db/m/a.parquet"), "cold");
  EXPECT_EQ(*hot_->ReadAll("db/m/a.parquet"), "hot");
  EXPECT_EQ(*cold_->ReadAll("db/m/a.parquet"), "cold");
  for (const auto& [key, uri] : {std::pair<std::string, std::string>("db/m/a.parquet", "/hot/db/m/a.parquet"),
                                 {".cold/db/m/a.parquet", "/cold/db/m/a.parquet"}}) {
    EXPECT_EQ(tiered_->UriOf(key), uri);
    EXPECT_EQ(*tiered_->KeyOf(uri), key);
    EXPECT_EQ(*tiered_->KeyOf("file://" + uri), key);
  }
  EXPECT_FALSE(tiered_->KeyOf("/elsewhere/db/m/a.parquet").ok());
  // Deleting one is not deleting the other.
  ASSERT_TRUE(tiered_->Delete(".cold/db/m/a.parquet").ok());
  EXPECT_EQ(tiered_->ReadAll(".cold/db/m/a.parquet").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(*tiered_->ReadAll("db/m/a.parquet"), "hot");
}

TEST_F(TieredStoreTest, WhatTheHotStoreHasInTheReservedFolderHasNoKey) {
  ASSERT_TRUE(hot_->PutIfAbsent(".cold/db/m/a.parquet", "not ours").ok());
  EXPECT_FALSE(tiered_->KeyOf("/hot/.cold/db/m/a.parquet").ok());
  EXPECT_EQ(Keys(*tiered_, ""), Strings());
  EXPECT_EQ(tiered_->ReadAll(".cold/db/m/a.parquet").error().kind, ErrorKind::kNotFound);
}

TEST_F(TieredStoreTest, ListFindsColdObjectsUnderTheirKeys) {
  Put("a/m/1", "");
  Put("b/m/1", "");
  Put(ColdKey("a/m/2"), "123");
  Put(ColdKey("b/m/2"), "");
  EXPECT_EQ(Keys(*tiered_, ""), (Strings{".cold/a/m/2", ".cold/b/m/2", "a/m/1", "b/m/1"}));
  EXPECT_EQ(Keys(*tiered_, "a/m/"), (Strings{"a/m/1"}));
  EXPECT_EQ(Keys(*tiered_, ColdKey("a/m/")), (Strings{".cold/a/m/2"}));
  EXPECT_EQ(Keys(*tiered_, ".co"), (Strings{".cold/a/m/2", ".cold/b/m/2"}));
  EXPECT_EQ(tiered_->List(ColdKey("a/"))->at(0).bytes, 3);
}

TEST_F(TieredStoreTest, WhatNeedsNoColdObjectNeedsNoColdStore) {
  Put("db/m/a", "hot");
  Put(ColdKey("db/m/b"), "cold");
  const auto opened = tiered_->OpenKnown(ColdKey("db/m/b"), 4);
  const auto writer = tiered_->Create(ColdKey("db/m/c"));
  *outage_ = true;
  EXPECT_TRUE(tiered_->Check().ok());
  EXPECT_EQ(*tiered_->ReadAll("db/m/a"), "hot");
  EXPECT_EQ(Keys(*tiered_, "db/m/"), (Strings{"db/m/a"}));
  EXPECT_TRUE(tiered_->PutIfAbsent("db/m/c", "hot").ok());
  std::array<uint8_t, 4> bytes;
  for (const Error& error : {tiered_->ReadAll(ColdKey("db/m/b")).error(), tiered_->Open(ColdKey("db/m/b")).error(),
                             tiered_->Delete(ColdKey("db/m/b")).error(), tiered_->List("").error(),
                             (*opened)->ReadAt(0, bytes).error(), (*writer)->Commit().error()}) {
    EXPECT_EQ(error.kind, ErrorKind::kUnavailable);
    EXPECT_EQ(error.message.find("the cold store /cold/ fails"), 0u) << error.message;
  }
}

TEST_F(TieredStoreTest, AGroupHoldsHotObjectsAndKnowsColdOnes) {
  Put(ColdKey("db/m/b"), "cold");
  const auto group = tiered_->NewGroup();
  ASSERT_TRUE(group->PutIfAbsent("db/m/metadata/1", "new").ok());
  EXPECT_EQ(*group->ReadAll("db/m/metadata/1"), "new");
  EXPECT_FALSE(hot_->ReadAll("db/m/metadata/1").ok());
  // What commits ask a group about old files must not depend on where these are.
  EXPECT_EQ(*group->KeyOf("/cold/db/m/b"), ".cold/db/m/b");
  EXPECT_EQ(group->UriOf(".cold/db/m/b"), "/cold/db/m/b");
  EXPECT_EQ(*group->ReadAll(".cold/db/m/b"), "cold");
  ASSERT_TRUE(group->Sync().ok());
  EXPECT_EQ(*hot_->ReadAll("db/m/metadata/1"), "new");
  ASSERT_TRUE(group->Delete(".cold/db/m/b").ok());
  EXPECT_FALSE(cold_->ReadAll("db/m/b").ok());
}

TEST_F(TieredStoreTest, WritersOfColdObjectsWriteThere) {
  auto writer = tiered_->Create(ColdKey("db/m/b"));
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->stream().Write("cold", 4).ok());
  ASSERT_TRUE((*writer)->Commit().ok());
  EXPECT_EQ(*cold_->ReadAll("db/m/b"), "cold");
  EXPECT_EQ(Keys(*hot_, ""), Strings());
}

TEST_F(TieredStoreTest, StoresWithinEachOtherAreRefused) {
  const auto inner = Folder("/hot/below");
  for (const auto& refused : {TieredStore::Over(*hot_, *inner).ok(), TieredStore::Over(*inner, *hot_).ok(),
                              TieredStore::Over(*hot_, *hot_).ok()}) {
    EXPECT_FALSE(refused);
  }
  EXPECT_TRUE(TieredStore::Over(*hot_, *Folder("/hotter")).ok());
}

}  // namespace
}  // namespace arc
