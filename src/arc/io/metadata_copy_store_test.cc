#include "arc/io/metadata_copy_store.h"

#include <gtest/gtest.h>

#include "arc/io/power_cut_disk.h"
#include "arc/io/test_outage_store.h"

namespace arc {
namespace {

class MetadataCopyStoreTest : public testing::Test {
 protected:
  MetadataCopyStoreTest() : remote_(*OpenLocalObjectStore(disk_, "/remote"), outage_) { Use(); }
  void Use() { store_ = std::make_unique<MetadataCopyStore>(remote_, *OpenLocalObjectStore(disk_, "/copies")); }
  std::vector<std::string> Copies() {
    std::vector<std::string> keys;
    auto objects = (*OpenLocalObjectStore(disk_, "/copies"))->List("");
    for (const ObjectInfo& object : *objects) keys.push_back(object.key);
    return keys;
  }

  PowerCutDisk disk_;
  std::shared_ptr<std::atomic<bool>> outage_ = std::make_shared<std::atomic<bool>>(false);
  OutageStore remote_;
  std::unique_ptr<MetadataCopyStore> store_;
};

using Keys = std::vector<std::string>;

TEST_F(MetadataCopyStoreTest, MetadataIsReadableThroughAnOutage) {
  ASSERT_TRUE(store_->PutIfAbsent("db/m/metadata/1.metadata.json", "written").ok());
  ASSERT_TRUE(remote_.PutIfAbsent("db/m/metadata/m0.avro", "read").ok());
  ASSERT_TRUE(remote_.PutIfAbsent("db/m/metadata/other.avro", "neither").ok());
  EXPECT_EQ(*store_->ReadAll("db/m/metadata/m0.avro"), "read");
  Use();
  *outage_ = true;
  EXPECT_EQ(*store_->ReadAll("db/m/metadata/1.metadata.json"), "written");
  EXPECT_EQ(*store_->ReadAll("db/m/metadata/m0.avro"), "read");
  EXPECT_EQ(store_->ReadAll("db/m/metadata/other.avro").error().kind, ErrorKind::kUnavailable);
}

TEST_F(MetadataCopyStoreTest, WhatMayChangeIsNotCopied) {
  ASSERT_TRUE(store_->PutIfAbsent("db/m/metadata/version-hint.text", "1").ok());
  ASSERT_TRUE(store_->PutIfAbsent("db/m/data/f.parquet", "rows").ok());
  ASSERT_TRUE(store_->PutIfAbsent("metadata.json", "none of a table's").ok());
  ASSERT_TRUE(store_->ReadAll("db/m/data/f.parquet").ok());
  EXPECT_EQ(Copies(), Keys{});
  ASSERT_TRUE(store_->PutIfAbsent("db/m/metadata/1.json", "one").ok());
  ASSERT_TRUE(store_->PutOverwrite("db/m/metadata/1.json", "two").ok());
  EXPECT_EQ(*store_->ReadAll("db/m/metadata/1.json"), "two");
}

TEST_F(MetadataCopyStoreTest, AFailedWriteLeavesNoCopyAndADeletedObjectNeither) {
  *outage_ = true;
  EXPECT_FALSE(store_->PutIfAbsent("db/m/metadata/1.json", "one").ok());
  EXPECT_EQ(Copies(), Keys{});
  *outage_ = false;
  ASSERT_TRUE(store_->PutIfAbsent("db/m/metadata/1.json", "one").ok());
  ASSERT_TRUE(store_->Delete("db/m/metadata/1.json").ok());
  EXPECT_EQ(Copies(), Keys{});
  EXPECT_EQ(store_->ReadAll("db/m/metadata/1.json").error().kind, ErrorKind::kNotFound);
}

TEST_F(MetadataCopyStoreTest, CopiesNobodyNeedsAnyMoreGo) {
  for (const char* key : {"db/m/metadata/1.json", "db/m/metadata/2.json", "db/m/metadata/3.json"}) {
    ASSERT_TRUE(store_->PutIfAbsent(key, key).ok());
  }
  Use();
  ASSERT_TRUE(store_->ReadAll("db/m/metadata/2.json").ok());
  ASSERT_TRUE(store_->PutIfAbsent("db/m/metadata/4.json", "four").ok());
  ASSERT_TRUE(store_->DropUnused().ok());
  EXPECT_EQ(Copies(), (Keys{"db/m/metadata/2.json", "db/m/metadata/4.json"}));
  EXPECT_EQ(*store_->ReadAll("db/m/metadata/1.json"), "db/m/metadata/1.json");  // from the store
}

}  // namespace
}  // namespace arc
