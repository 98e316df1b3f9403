#include "arc/io/read_cache_store.h"

#include <arrow/io/interfaces.h>
#include <gtest/gtest.h>

#include <map>

#include "arc/base/clock.h"
#include "arc/io/monitored_store.h"
#include "arc/io/power_cut_disk.h"
#include "arc/io/test_outage_store.h"

namespace arc {
namespace {

constexpr int64_t kBlock = ReadCacheStore::kBlockBytes;

class ReadCacheStoreTest : public testing::Test {
 protected:
  ReadCacheStoreTest()
      : remote_(std::make_unique<OutageStore>(*OpenLocalObjectStore(disk_, "/remote"), outage_), clock_) {
    for (const auto& [key, length] : {std::pair<std::string, int64_t>("small", 1000), {"large", 20 * kBlock + 777}}) {
      std::string bytes(static_cast<size_t>(length), '\0');
      SeededRandom(static_cast<uint64_t>(length)).Fill({reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
      EXPECT_TRUE(remote_.PutIfAbsent(key, bytes).ok());
      objects_[key] = std::move(bytes);
    }
    Use(int64_t{64} << 20);
  }
  void Use(int64_t limit_bytes) {
    store_.reset();
    std::unique_ptr<DiskCache> cache;
    if (limit_bytes > 0) cache = *DiskCache::Open(disk_, "/cache", limit_bytes);
    store_ = std::make_unique<ReadCacheStore>(remote_, std::move(cache));
  }
  // Reads and compares; returns how many bytes came from the remote store.
  uint64_t Read(const std::string& key, int64_t offset, size_t length) {
    const uint64_t before = remote_.stats().read_bytes;
    auto reader = *store_->OpenKnown(key, static_cast<int64_t>(objects_[key].size()));
    std::string bytes(length, '\0');
    auto read = reader->ReadAt(offset, {reinterpret_cast<uint8_t*>(bytes.data()), length});
    EXPECT_TRUE(read.ok()) << read.error().message;
    if (!read.ok()) return 0;
    bytes.resize(*read);
    const size_t from = std::min(static_cast<size_t>(offset), objects_[key].size());
    EXPECT_TRUE(bytes == objects_[key].substr(from, length)) << key << " " << offset << " " << length;
    return remote_.stats().read_bytes - before;
  }
  void WaitForCached(uint64_t at_least) {
    for (int i = 0; i < 5000 && store_->stats().cached_bytes < static_cast<int64_t>(at_least); ++i) {
      SystemClock().SleepFor(std::chrono::milliseconds(1));
    }
    EXPECT_GE(store_->stats().cached_bytes, static_cast<int64_t>(at_least));
  }

  PowerCutDisk disk_;
  ManualClock clock_{0};
  std::shared_ptr<std::atomic<bool>> outage_ = std::make_shared<std::atomic<bool>>(false);
  MonitoredStore remote_;
  std::map<std::string, std::string> objects_;
  std::unique_ptr<ReadCacheStore> store_;
};

TEST_F(ReadCacheStoreTest, WhatWasReadComesFromDiskTheNextTime) {
  const auto whole = objects_["large"].size();
  EXPECT_EQ(Read("large", 0, whole), whole);
  WaitForCached(whole);
  EXPECT_EQ(Read("large", 0, whole), 0u);
  EXPECT_EQ(Read("large", 5, 3 * kBlock), 0u);
  EXPECT_EQ(Read("large", static_cast<int64_t>(whole) - 10, 100), 0u);
  EXPECT_EQ(Read("large", static_cast<int64_t>(whole) + 10, 100), 0u);
  EXPECT_EQ(store_->stats().misses, 21u);
  EXPECT_EQ(store_->stats().hits, 21u + 4u + 1u);
  Use(int64_t{64} << 20);  // as a restart
  EXPECT_EQ(Read("large", 0, whole), 0u);
}

TEST_F(ReadCacheStoreTest, OnlyMissingBlocksAreAskedFor) {
  EXPECT_EQ(Read("large", 3 * kBlock + 10, 20), static_cast<uint64_t>(kBlock));
  WaitForCached(kBlock);
  EXPECT_EQ(Read("large", 3 * kBlock, kBlock), 0u);
  EXPECT_EQ(Read("large", 2 * kBlock + 1, 2 * kBlock), static_cast<uint64_t>(2 * kBlock));
  WaitForCached(3 * kBlock);
  EXPECT_EQ(Read("large", 0, 6 * kBlock), static_cast<uint64_t>(3 * kBlock));
  EXPECT_EQ(Read("small", 0, 1000), 1000u);
  WaitForCached(6 * kBlock + 1000);
  EXPECT_EQ(Read("small", 999, 1000), 0u);
}

TEST_F(ReadCacheStoreTest, RandomReadsAreRight) {
  Use(5 * kBlock);  // with blocks coming and going
  SeededRandom random(7);
  const auto size = objects_["large"].size();
  for (int i = 0; i < 200; ++i) {
    Read("large", static_cast<int64_t>(random.NextU64() % size), random.NextU64() % (6 * kBlock) + 1);
  }
  EXPECT_LE(store_->stats().cached_bytes, 5 * kBlock);
}

TEST_F(ReadCacheStoreTest, WithoutACacheReadsAreAsLongAsAskedFor) {
  Use(0);
  const auto whole = objects_["large"].size();
  EXPECT_EQ(Read("large", 0, whole), whole);
  EXPECT_EQ(Read("large", 5, 10), 10u);
  EXPECT_EQ(store_->stats().cached_bytes, 0);
}

TEST_F(ReadCacheStoreTest, AnOutageFailsWhatIsNotOnDisk) {
  Read("large", 0, static_cast<size_t>(10 * kBlock));
  WaitForCached(10 * kBlock);
  auto reader = *store_->OpenKnown("large", static_cast<int64_t>(objects_["large"].size()));
  *outage_ = true;
  std::string bytes(static_cast<size_t>(20 * kBlock), '\0');
  auto span = std::span(reinterpret_cast<uint8_t*>(bytes.data()), bytes.size());
  EXPECT_TRUE(reader->ReadAt(0, span.first(static_cast<size_t>(10 * kBlock))).ok());
  EXPECT_TRUE(bytes.substr(0, static_cast<size_t>(10 * kBlock)) ==
              objects_["large"].substr(0, static_cast<size_t>(10 * kBlock)));
  EXPECT_EQ(reader->ReadAt(0, span).error().kind, ErrorKind::kUnavailable);
  *outage_ = false;
  EXPECT_TRUE(reader->ReadAt(0, span).ok());
  EXPECT_TRUE(bytes == objects_["large"].substr(0, bytes.size()));
}

TEST_F(ReadCacheStoreTest, ManyReadersAtOnceSeeTheSameBytes) {
  Use(8 * kBlock);
  std::vector<Thread> threads;
  for (uint64_t seed = 0; seed < 4; ++seed) {
    threads.emplace_back("reader", [this, seed] {
      SeededRandom random(seed);
      const auto size = objects_.at("large").size();
      auto reader = *store_->OpenKnown("large", static_cast<int64_t>(size));
      for (int i = 0; i < 50; ++i) {
        const size_t offset = random.NextU64() % size;
        std::string bytes(random.NextU64() % (12 * kBlock) + 1, '\0');
        auto read =
            reader->ReadAt(static_cast<int64_t>(offset), {reinterpret_cast<uint8_t*>(bytes.data()), bytes.size()});
        ASSERT_TRUE(read.ok());
        bytes.resize(*read);
        ASSERT_TRUE(bytes == objects_.at("large").substr(offset, bytes.size()));
      }
    });
  }
}

}  // namespace
}  // namespace arc
