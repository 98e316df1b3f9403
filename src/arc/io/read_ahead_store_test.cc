#include "arc/io/read_ahead_store.h"

#include <arrow/io/interfaces.h>
#include <gtest/gtest.h>

#include "arc/base/clock.h"
#include "arc/io/monitored_store.h"
#include "arc/io/power_cut_disk.h"
#include "arc/io/test_outage_store.h"

namespace arc {
namespace {

class ReadAheadStoreTest : public testing::Test {
 protected:
  ReadAheadStoreTest()
      : counted_(std::make_unique<OutageStore>(*OpenLocalObjectStore(disk_, "/remote"), outage_), clock_) {
    Use(1 << 20);
    for (const auto& [key, bytes] :
         {std::pair("small", 1000), std::pair("large", 3 << 20), std::pair("other", 2 << 20)}) {
      std::string text(static_cast<size_t>(bytes), '\0');
      for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7 + i / 253);
      EXPECT_TRUE(counted_.PutIfAbsent(key, text).ok());
      objects_[key] = std::move(text);
    }
  }
  void Use(int64_t limit_bytes) { store_ = std::make_unique<ReadAheadStore>(counted_, limit_bytes); }

  int64_t BytesOf(const std::string& key) { return static_cast<int64_t>(objects_[key].size()); }
  // Reads and compares; returns how many bytes the remote store was asked for.
  uint64_t Read(const std::string& key, int64_t offset, size_t length) {
    uint64_t before = counted_.stats().read_bytes;
    auto reader = *store_->OpenKnown(key, BytesOf(key));
    std::string bytes(length, '\0');
    auto read = reader->ReadAt(offset, {reinterpret_cast<uint8_t*>(bytes.data()), length});
    EXPECT_TRUE(read.ok());
    bytes.resize(*read);
    EXPECT_TRUE(bytes == objects_[key].substr(static_cast<size_t>(offset), length)) << key << " " << offset;
    return counted_.stats().read_bytes - before;
  }
  void WaitForCachedBytes(uint64_t read_bytes) {
    for (int i = 0; i < 2000 && counted_.stats().read_bytes < read_bytes; ++i) {
      SystemClock().SleepFor(std::chrono::milliseconds(1));
    }
    ASSERT_EQ(counted_.stats().read_bytes, read_bytes);
  }

  PowerCutDisk disk_;
  ManualClock clock_{0};
  std::shared_ptr<std::atomic<bool>> outage_ = std::make_shared<std::atomic<bool>>(false);
  MonitoredStore counted_;
  std::map<std::string, std::string> objects_;
  std::unique_ptr<ReadAheadStore> store_;
};

TEST_F(ReadAheadStoreTest, TheEndOfAnObjectIsReadOnceAndOtherReadsGoThrough) {
  int64_t end = BytesOf("large");
  EXPECT_EQ(Read("large", end - 8, 8), static_cast<uint64_t>(ReadAheadStore::kTailBytes));
  EXPECT_EQ(Read("large", end - 5000, 4000), 0u);
  EXPECT_EQ(Read("large", end - ReadAheadStore::kTailBytes, 10), 0u);
  EXPECT_EQ(Read("large", end - ReadAheadStore::kTailBytes - 1, 10), 10u);
  EXPECT_EQ(Read("large", 0, 100'000), 100'000u);
  EXPECT_EQ(Read("large", end - 8, 100), 0u);  // cut at the end
  EXPECT_EQ(Read("small", 0, 4), 1000u);
  EXPECT_EQ(Read("small", 500, 1000), 0u);
  EXPECT_EQ(store_->stats().misses, 2u);
  EXPECT_EQ(store_->stats().hits, 4u);
}

TEST_F(ReadAheadStoreTest, OfAParquetFileItsFooterIsKept) {
  constexpr int64_t kFooterBytes = 0x1234;
  std::string& file = objects_["file"] = objects_["large"];
  file.replace(file.size() - 8, 8, std::string("\x34\x12\0\0PAR1", 8));
  ASSERT_TRUE(counted_.PutIfAbsent("file", file).ok());
  const int64_t footer = BytesOf("file") - 8 - kFooterBytes;
  EXPECT_EQ(Read("file", BytesOf("file") - 8, 8), static_cast<uint64_t>(ReadAheadStore::kTailBytes));
  EXPECT_EQ(store_->stats().cached_bytes, kFooterBytes + 8);
  EXPECT_EQ(Read("file", footer, kFooterBytes), 0u);
  EXPECT_EQ(Read("file", footer - 1, 100), 100u);
}

TEST_F(ReadAheadStoreTest, WhatWasPrefetchedIsThere) {
  store_->Prefetch("small", BytesOf("small"));
  store_->Prefetch("large", BytesOf("large"));
  WaitForCachedBytes(1000 + ReadAheadStore::kTailBytes);
  EXPECT_EQ(Read("small", 0, 1000), 0u);
  EXPECT_EQ(Read("large", BytesOf("large") - 8, 8), 0u);
  EXPECT_EQ(store_->stats().misses, 0u);
}

TEST_F(ReadAheadStoreTest, MemoryIsBoundedAndTheLastUsedStay) {
  Use(2 * ReadAheadStore::kTailBytes);
  Read("large", BytesOf("large") - 8, 8);
  Read("other", BytesOf("other") - 8, 8);
  EXPECT_EQ(Read("large", BytesOf("large") - 8, 8), 0u);
  Read("small", 0, 8);
  EXPECT_LE(store_->stats().cached_bytes, 2 * ReadAheadStore::kTailBytes);
  EXPECT_EQ(Read("large", BytesOf("large") - 8, 8), 0u);
  EXPECT_GT(Read("other", BytesOf("other") - 8, 8), 0u);
}

TEST_F(ReadAheadStoreTest, AFailureIsNotKept) {
  *outage_ = true;
  store_->Prefetch("large", BytesOf("large"));
  store_->Prefetch("absent", 1000);
  for (int i = 0; i < 2000 && store_->stats().cached_bytes > 0; ++i) {
    SystemClock().SleepFor(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(store_->stats().cached_bytes, 0);
  EXPECT_FALSE(store_->OpenKnown("large", BytesOf("large")).ok());
  *outage_ = false;
  EXPECT_GT(Read("large", BytesOf("large") - 8, 8), 0u);
  auto reader = *store_->OpenKnown("large", BytesOf("large"));
  EXPECT_EQ(Read("large", BytesOf("large") - 8, 8), 0u);
}

}  // namespace
}  // namespace arc
