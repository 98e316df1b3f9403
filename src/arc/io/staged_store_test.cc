#include "arc/io/staged_store.h"

#include <arrow/io/interfaces.h>
#include <gtest/gtest.h>

#include "arc/io/monitored_store.h"
#include "arc/io/power_cut_disk.h"
#include "arc/io/test_outage_store.h"

namespace arc {
namespace {

class StagedStoreTest : public testing::Test {
 protected:
  StagedStoreTest() {
    remote_ = std::make_unique<OutageStore>(*OpenLocalObjectStore(disk_, "/remote"), outage_);
    store_ = *StagedStore::Open(*remote_, *OpenLocalObjectStore(disk_, "/staging"), 100);
  }
  void Stage(const std::string& key, const std::string& text) {
    ASSERT_TRUE(store_->local().PutIfAbsent(key, text).ok());
    store_->Staged(static_cast<int64_t>(text.size()));
  }

  PowerCutDisk disk_;
  std::shared_ptr<std::atomic<bool>> outage_ = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<ObjectStore> remote_;
  std::unique_ptr<StagedStore> store_;
};

TEST_F(StagedStoreTest, AStagedObjectIsReadableBeforeAndAfterItsUpload) {
  *outage_ = true;
  Stage("db/f", "rows");
  EXPECT_EQ(*store_->ReadAll("db/f"), "rows");
  EXPECT_EQ((*store_->OpenKnown("db/f", 4))->bytes(), 4);
  EXPECT_FALSE((*store_->Open("db/f"))->is_remote());
  EXPECT_EQ(store_->Upload("db/f").error().kind, ErrorKind::kUnavailable);
  *outage_ = false;
  EXPECT_EQ(remote_->ReadAll("db/f").error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(store_->Upload("db/f").ok());
  auto opened_before = *store_->Open("db/f");
  store_->Drop("db/f", 4);
  EXPECT_EQ(*remote_->ReadAll("db/f"), "rows");
  EXPECT_EQ(*store_->ReadAll("db/f"), "rows");
  EXPECT_TRUE((*store_->Open("db/f"))->is_remote());
  uint8_t bytes[4];
  EXPECT_EQ(*opened_before->ReadAt(0, bytes), 4u);
  EXPECT_TRUE(store_->local().List("")->empty());
  EXPECT_EQ(store_->staged_bytes(), 0);
}

// A crash between the upload and the commit leaves an object that is part of no table, perhaps with other rows.
TEST_F(StagedStoreTest, AnUploadReplacesWhatAnEarlierOneLeft) {
  ASSERT_TRUE(remote_->PutIfAbsent("db/f", "left by a crash").ok());
  Stage("db/f", "rows");
  ASSERT_TRUE(store_->Upload("db/f").ok());
  ASSERT_TRUE(store_->Upload("db/f").ok());
  EXPECT_EQ(*remote_->ReadAll("db/f"), "rows");
}

TEST_F(StagedStoreTest, StagedFilesAreBounded) {
  EXPECT_TRUE(store_->CheckRoom().ok());
  Stage("a", std::string(100, 'x'));
  EXPECT_EQ(store_->CheckRoom().error().kind, ErrorKind::kOverloaded);
  store_->Drop("a", 100);
  EXPECT_TRUE(store_->CheckRoom().ok());
}

TEST_F(StagedStoreTest, WhatAnEarlierProcessStagedIsRemoved) {
  Stage("db/m/f", "rows");
  store_ = *StagedStore::Open(*remote_, *OpenLocalObjectStore(disk_, "/staging"), 100);
  EXPECT_EQ(store_->Open("db/m/f").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(store_->staged_bytes(), 0);
}

class MonitoredStoreTest : public testing::Test {
 protected:
  MonitoredStoreTest()
      : store_(std::make_unique<OutageStore>(*OpenLocalObjectStore(disk_, "/remote"), outage_), clock_) {}

  PowerCutDisk disk_;
  ManualClock clock_{0};
  std::shared_ptr<std::atomic<bool>> outage_ = std::make_shared<std::atomic<bool>>(false);
  MonitoredStore store_;
};

TEST_F(MonitoredStoreTest, CountsAndNoticesAnOutageByWhatItIsAsked) {
  ASSERT_TRUE(store_.PutIfAbsent("k", "12345").ok());
  EXPECT_EQ(store_.PutIfAbsent("k", "").error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(store_.ReadAll("none").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(*store_.ReadAll("k"), "12345");
  auto reader = *store_.Open("k");
  StoreStats stats = store_.stats();
  EXPECT_EQ(stats.requests, 5u);
  EXPECT_EQ(stats.errors, 0u);
  EXPECT_EQ(stats.written_bytes, 5u);
  EXPECT_EQ(stats.read_bytes, 5u);
  EXPECT_EQ(stats.down, "");
  *outage_ = true;
  uint8_t byte[1];
  EXPECT_FALSE(reader->ReadAt(0, byte).ok());
  EXPECT_EQ(store_.stats().errors, 1u);
  EXPECT_EQ(store_.stats().down, "the test's store is out");
  *outage_ = false;
  EXPECT_TRUE(reader->ReadAt(0, byte).ok());
  EXPECT_EQ(store_.stats().down, "");
}

TEST_F(MonitoredStoreTest, AnIdleStoreIsProbed) {
  *outage_ = true;
  store_.ProbeIfDue();
  EXPECT_EQ(store_.stats().down, "");  // it answered a moment ago
  clock_.Advance(std::chrono::milliseconds(MonitoredStore::kProbeAfterMs));
  store_.ProbeIfDue();
  EXPECT_EQ(store_.stats().down, "the test's store is out");
  *outage_ = false;
  store_.ProbeIfDue();
  EXPECT_EQ(store_.stats().down, "");
}

}  // namespace
}  // namespace arc
