#include "arc/io/disk_cache.h"

#include <gtest/gtest.h>

#include "arc/io/path.h"
#include "arc/io/power_cut_disk.h"

namespace arc {
namespace {

class DiskCacheTest : public testing::Test {
 protected:
  std::unique_ptr<DiskCache> Open(int64_t limit_bytes = 1 << 20) {
    auto cache = DiskCache::Open(disk_, "/cache", limit_bytes);
    EXPECT_TRUE(cache.ok()) << cache.error().message;
    return std::move(*cache);
  }
  // Every file below the cache's folder.
  std::vector<std::string> Files() {
    std::vector<std::string> files;
    auto folders = disk_.List("/cache");
    for (const std::string& folder : *folders) {
      auto names = disk_.List(JoinPath("/cache", folder));
      for (const std::string& name : *names) files.push_back("/cache/" + folder + "/" + name);
    }
    return files;
  }
  void Corrupt(const std::string& path, const std::function<void(std::string*)>& change) {
    std::string bytes = *ReadWholeFile(disk_, path);
    change(&bytes);
    ASSERT_TRUE(DurablePut(disk_, path, {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()}).ok());
  }

  PowerCutDisk disk_;
};

TEST_F(DiskCacheTest, KeepsBlobsOverARestart) {
  {
    auto cache = Open();
    EXPECT_FALSE(cache->Read("a").has_value());
    cache->Write("a", "one");
    cache->Write("b", "");
    cache->Write("a", "three");
    EXPECT_EQ(cache->Read("a"), "three");
    EXPECT_EQ(cache->entries(), 2u);
  }
  auto again = Open();
  EXPECT_EQ(again->Read("a"), "three");
  EXPECT_EQ(again->Read("b"), "");
  EXPECT_FALSE(again->Read("c").has_value());
  EXPECT_EQ(again->entries(), 2u);
}

TEST_F(DiskCacheTest, TakesNoMoreThanItsLimitAndDropsTheLeastUsed) {
  const std::string blob(10'000, 'x');
  auto cache = Open(35'000);
  for (const char* name : {"a", "b", "c"}) cache->Write(name, blob);
  EXPECT_TRUE(cache->Read("a").has_value());
  cache->Write("d", blob);
  EXPECT_LE(cache->bytes(), 35'000);
  EXPECT_TRUE(cache->Read("a").has_value());
  EXPECT_FALSE(cache->Read("b").has_value());
  EXPECT_TRUE(cache->Read("d").has_value());
  EXPECT_EQ(Files().size(), 3u);
  cache->Write("large", std::string(40'000, 'x'));
  EXPECT_FALSE(cache->Read("large").has_value());
  EXPECT_EQ(cache->entries(), 3u);
  cache.reset();
  EXPECT_LE(Open(15'000)->bytes(), 15'000);
  EXPECT_EQ(Files().size(), 1u);
}

TEST_F(DiskCacheTest, NothingDamagedIsServed) {
  const std::string blob(1000, 'x');
  const std::vector<std::function<void(std::string*)>> damages = {
      [](std::string* bytes) { bytes->back() ^= 1; }, [](std::string* bytes) { bytes->front() ^= 1; },
      [](std::string* bytes) { (*bytes)[20] ^= 1; },  [](std::string* bytes) { (*bytes)[32] ^= 1; },
      [](std::string* bytes) { bytes->pop_back(); },  [](std::string* bytes) { bytes->resize(10); },
      [](std::string* bytes) { bytes->clear(); },     [](std::string* bytes) { bytes->append("x"); },
  };
  for (size_t i = 0; i < damages.size(); ++i) {
    auto cache = Open();
    cache->Write("name", blob);
    Corrupt(Files().at(0), damages[i]);
    EXPECT_FALSE(cache->Read("name").has_value()) << "damage " << i;
    EXPECT_EQ(cache->bytes(), 0);
    EXPECT_TRUE(Files().empty());
    cache->Write("name", blob);
    EXPECT_EQ(cache->Read("name"), blob);
  }
}

// Somebody else's blob under this name's file, as a chosen collision of hashes would have it.
TEST_F(DiskCacheTest, ABlobIsServedUnderItsOwnNameOnly) {
  auto cache = Open();
  cache->Write("mine", "secret");
  const std::string mine = Files().at(0);
  cache->Write("yours", "public");
  std::string yours;
  for (const std::string& file : Files()) {
    if (file != mine) yours = file;
  }
  const std::string bytes = *ReadWholeFile(disk_, mine);
  Corrupt(yours, [&](std::string* target) { *target = bytes; });
  EXPECT_FALSE(cache->Read("yours").has_value());
  EXPECT_EQ(cache->Read("mine"), "secret");
}

TEST_F(DiskCacheTest, APowerCutLosesBlobsButTearsNone) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    PowerCutDisk disk;
    auto cache = *DiskCache::Open(disk, "/cache", 1 << 20);
    for (int i = 0; i < 20; ++i) cache->Write(std::to_string(i), std::string(5000, static_cast<char>('a' + i)));
    cache.reset();
    SeededRandom random(seed);
    disk.Restart(random);
    cache = *DiskCache::Open(disk, "/cache", 1 << 20);
    for (int i = 0; i < 20; ++i) {
      auto blob = cache->Read(std::to_string(i));
      if (blob) {
        EXPECT_EQ(*blob, std::string(5000, static_cast<char>('a' + i)));
      }
    }
  }
}

TEST_F(DiskCacheTest, GivesWayWhenTheDiskIsFull) {
  const std::string blob(10'000, 'x');
  auto cache = Open();
  for (int i = 0; i < 5; ++i) cache->Write(std::to_string(i), blob);
  disk_.SetFreeBytes(DiskCache::kSpareBytes - 15'000);
  cache->GiveWay();
  EXPECT_EQ(cache->entries(), 3u);
  disk_.SetFreeBytes(0);
  cache->Write("more", blob);
  EXPECT_EQ(cache->entries(), 0u);
  EXPECT_TRUE(Files().empty());
}

}  // namespace
}  // namespace arc
