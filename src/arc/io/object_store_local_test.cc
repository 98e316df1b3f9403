#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <optional>
#include <set>

#include "arc/base/thread.h"
#include "arc/io/local_disk.h"
#include "arc/io/object_store.h"
#include "arc/io/path.h"
#include "arc/io/power_cut_disk.h"
#include "arc/io/test_folder.h"

namespace arc {
namespace {

template <typename T>
std::optional<ErrorKind> KindOf(const Result<T>& result) {
  if (result.ok()) return std::nullopt;
  return result.error().kind;
}

std::vector<std::string> KeysOf(ObjectStore& store, const std::string& prefix) {
  std::vector<std::string> keys;
  Result<std::vector<ObjectInfo>> objects = store.List(prefix);
  EXPECT_TRUE(objects.ok());
  for (const ObjectInfo& object : *objects) keys.push_back(object.key);
  return keys;
}

using Keys = std::vector<std::string>;

class LocalObjectStoreTest : public testing::TestWithParam<bool> {
 protected:
  LocalObjectStoreTest() : disk_(GetParam() ? static_cast<LocalDisk&>(SystemDisk()) : memory_) {
    Result<std::unique_ptr<ObjectStore>> store = OpenLocalObjectStore(disk_, root());
    EXPECT_TRUE(store.ok()) << store.error().message;
    store_ = std::move(*store);
  }
  std::string root() const { return JoinPath(folder_.path(), "lake"); }

  TestFolder folder_;
  PowerCutDisk memory_;
  LocalDisk& disk_;
  std::unique_ptr<ObjectStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Disks, LocalObjectStoreTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "System" : "Memory"; });

TEST_P(LocalObjectStoreTest, AnObjectIsNoFolderAndAFolderNoObject) {
  ASSERT_TRUE(store_->PutIfAbsent("db/m/f", "one").ok());
  EXPECT_FALSE(store_->PutIfAbsent("db/m", "a folder is there").ok());
  EXPECT_FALSE(store_->PutIfAbsent("db/m/f/below", "a file is there").ok());
  EXPECT_EQ(KindOf(store_->Open("db/m/f/below")), ErrorKind::kNotFound);
  EXPECT_TRUE(store_->PutIfAbsent("..a/b..", "").ok());
}

TEST_P(LocalObjectStoreTest, AnOpenReaderGoesOnReadingWhatItOpened) {
  ASSERT_TRUE(store_->PutIfAbsent("k", "0123456789").ok());
  Result<std::shared_ptr<ObjectReader>> reader = store_->Open("k");
  ASSERT_TRUE(reader.ok());
  ASSERT_TRUE(store_->PutOverwrite("k", "other").ok());
  uint8_t bytes[8];
  EXPECT_EQ(*(*reader)->ReadAt(8, bytes), 2u);
  EXPECT_EQ(bytes[0], '8');
}

TEST_P(LocalObjectStoreTest, AbandonedAndRefusedStreamsLeaveNothing) {
  {
    Result<std::unique_ptr<ObjectWriter>> writer = store_->Create("a/k");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->stream().Write("abc", 3).ok());
  }
  EXPECT_TRUE(disk_.List(JoinPath(root(), "a"))->empty());
  ASSERT_TRUE(store_->PutIfAbsent("a/k", "first").ok());
  {
    Result<std::unique_ptr<ObjectWriter>> writer = store_->Create("a/k");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->stream().Write("abc", 3).ok());
    EXPECT_EQ(KindOf((*writer)->Commit()), ErrorKind::kAlreadyExists);
  }
  EXPECT_EQ(*store_->ReadAll("a/k"), "first");
  EXPECT_EQ(disk_.List(JoinPath(root(), "a"))->size(), 1u);
}

TEST_P(LocalObjectStoreTest, DeletesObjectsAndTheirEmptyFolders) {
  ASSERT_TRUE(store_->PutIfAbsent("a/b/c/1", "").ok());
  ASSERT_TRUE(store_->PutIfAbsent("a/2", "").ok());
  EXPECT_TRUE(store_->Delete("a/b/c").ok());  // no object, though a folder
  EXPECT_EQ(KeysOf(*store_, "").size(), 2u);
  EXPECT_TRUE(store_->Delete("a/b/c/1").ok());
  EXPECT_TRUE(store_->Delete("a/b/c/1").ok());
  EXPECT_FALSE(*disk_.Exists(JoinPath(root(), "a/b")));
  EXPECT_TRUE(store_->PutIfAbsent("a/b/c/1", "again").ok());
  EXPECT_EQ(*store_->ReadAll("a/b/c/1"), "again");
  EXPECT_TRUE(store_->Delete("a/b/c/1").ok());
  EXPECT_TRUE(store_->Delete("a/2").ok());
  EXPECT_TRUE(*disk_.IsDirectory(root()));
  EXPECT_TRUE(disk_.List(root())->empty());
}

TEST_P(LocalObjectStoreTest, AFolderThatSomebodyElseRemovedIsMadeAgain) {
  ASSERT_TRUE(store_->PutIfAbsent("a/b/1", "").ok());
  ASSERT_TRUE(disk_.Remove(JoinPath(root(), "a/b/1")).ok());
  ASSERT_TRUE(disk_.Remove(JoinPath(root(), "a/b")).ok());
  ASSERT_TRUE(disk_.Remove(JoinPath(root(), "a")).ok());
  EXPECT_TRUE(store_->PutIfAbsent("a/b/2", "").ok());
  EXPECT_EQ(KeysOf(*store_, ""), Keys{"a/b/2"});
}

TEST_P(LocalObjectStoreTest, UrisComeBackAsKeys) {
  EXPECT_EQ(store_->UriOf("db/m/f"), root() + "/db/m/f");
  EXPECT_EQ(*store_->KeyOf(store_->UriOf("db/%25/f")), "db/%25/f");
  EXPECT_EQ(*store_->KeyOf("file:" + root() + "/db/f"), "db/f");
  EXPECT_EQ(*store_->KeyOf("file://" + root() + "/db/f"), "db/f");
  EXPECT_EQ(*store_->KeyOf("file://localhost" + root() + "/db/f"), "db/f");
  for (std::string uri : {std::string("/etc/passwd"), root(), root() + "/", root() + "x/f", root() + "/../f",
                          "s3:/" + root() + "/f", "file://host" + root() + "/f", std::string(), std::string("file:")}) {
    EXPECT_EQ(KindOf(store_->KeyOf(uri)), ErrorKind::kInvalidArgument) << uri;
  }
}

TEST_P(LocalObjectStoreTest, CleansWhatOthersLeftAndNeverListsIt) {
  ASSERT_TRUE(store_->PutIfAbsent("a/k", "").ok());
  ASSERT_TRUE(disk_.Open(JoinPath(root(), "a/.arc-tmp-dead-1"), OpenMode::kCreate).ok());
  ASSERT_TRUE(disk_.Open(JoinPath(root(), ".arc-tmp-dead-2"), OpenMode::kCreate).ok());
  EXPECT_EQ(KeysOf(*store_, ""), Keys{"a/k"});
  EXPECT_EQ(KeysOf(*store_, ".arc-tmp-"), Keys{});
  EXPECT_EQ(*store_->CleanTemporaries(), 2);
  EXPECT_EQ(*store_->CleanTemporaries(), 0);
}

TEST_P(LocalObjectStoreTest, OfManyWritersOfOneKeyOneWins) {
  for (int round = 0; round < 10; ++round) {
    std::string key = "race/" + std::to_string(round) + "/k";
    std::atomic<int> winners{0};
    std::atomic<int> losers{0};
    std::atomic<int> winner{-1};
    {
      std::vector<Thread> threads;
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back("put", [&, i] {
          Status status = store_->PutIfAbsent(key, std::to_string(i));
          if (status.ok()) winner = i;
          ++(status.ok() ? winners : losers);
        });
      }
    }
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(losers, 3);
    EXPECT_EQ(*store_->ReadAll(key), std::to_string(winner));
  }
}

TEST_P(LocalObjectStoreTest, PutsAndDeletesInOneFolderDoNotDisturbEachOther) {
  std::atomic<int> failures{0};
  {
    std::vector<Thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back("churn", [&, t] {
        std::string key = "deep/er/folder/" + std::to_string(t);
        for (int i = 0; i < 50; ++i) {
          if (!store_->PutIfAbsent(key, "x").ok() || !store_->Delete(key).ok()) ++failures;
        }
      });
    }
  }
  EXPECT_EQ(failures, 0);
  EXPECT_TRUE(store_->List("")->empty());
}

TEST(LocalObjectStore, ARootOfTheWholeDisk) {
  PowerCutDisk disk;
  Result<std::unique_ptr<ObjectStore>> store = OpenLocalObjectStore(disk, "/");
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->PutIfAbsent("a/b", "x").ok());
  EXPECT_EQ((*store)->UriOf("a/b"), "/a/b");
  EXPECT_EQ(*(*store)->KeyOf("/a/b"), "a/b");
  EXPECT_EQ(KeysOf(**store, "a/"), Keys{"a/b"});
  EXPECT_TRUE((*store)->Delete("a/b").ok());
}

TEST(LocalObjectStore, ErrorsOfTheStreamKeepTheirKind) {
  PowerCutDisk disk;
  Result<std::unique_ptr<ObjectStore>> store = OpenLocalObjectStore(disk, "/lake");
  ASSERT_TRUE(store.ok());
  disk.SetFreeBytes(1000);
  Result<std::unique_ptr<ObjectWriter>> writer = (*store)->Create("k");
  ASSERT_TRUE(writer.ok());
  std::string text(2000, 'x');
  ASSERT_TRUE((*writer)->stream().Write(text.data(), 2000).ok());  // buffered
  EXPECT_EQ(KindOf((*writer)->Commit()), ErrorKind::kDiskFull);
  writer->reset();
  EXPECT_EQ(*disk.FreeBytes("/"), 1000);
  disk.SetFreeBytes(std::nullopt);
  disk.FailDirectorySyncs(1);
  EXPECT_EQ(KindOf((*store)->PutIfAbsent("k", "x")), ErrorKind::kUnknownOutcome);
  // A later meeting with the object settles its name.
  EXPECT_EQ(KindOf((*store)->PutIfAbsent("k", "x")), ErrorKind::kAlreadyExists);
  for (uint64_t seed = 0; seed < 20; ++seed) {
    SeededRandom random(seed);
    disk.Restart(random);
    EXPECT_EQ(*(*store)->ReadAll("k"), "x");
  }
}

// Objects whose making returned success must be there whole after a cut at any operation; the others whole or not.
int CutsThatLose(const std::function<void(PowerCutDisk&)>& plant) {
  int lost = 0;
  for (uint64_t cut = 1; cut <= 70; ++cut) {
    for (uint64_t seed = 0; seed < 8; ++seed) {
      PowerCutDisk disk;
      plant(disk);
      disk.CutAfter(cut);
      std::set<std::string> durable;
      if (Result<std::unique_ptr<ObjectStore>> store = OpenLocalObjectStore(disk, "/lake"); store.ok()) {
        for (int i = 0; i < 8; ++i) {
          std::string key = "db/m" + std::to_string(i % 2) + "/h" + std::to_string(i / 4) + "/" + std::to_string(i);
          std::string text = key + std::string(1200, 'x');
          if (i % 2 == 0) {
            if ((*store)->PutIfAbsent(key, text).ok()) durable.insert(key);
            continue;
          }
          Result<std::unique_ptr<ObjectWriter>> writer = (*store)->Create(key);
          if (!writer.ok() || !(*writer)->stream().Write(text.data(), static_cast<int64_t>(text.size())).ok()) continue;
          if ((*writer)->Commit().ok()) durable.insert(key);
        }
      }
      SeededRandom random(cut * 100 + seed);
      disk.Restart(random);
      Result<std::unique_ptr<ObjectStore>> store = OpenLocalObjectStore(disk, "/lake");
      bool right = (*store)->CleanTemporaries().ok();
      std::vector<ObjectInfo> objects = *(*store)->List("");
      for (const ObjectInfo& object : objects) {
        durable.erase(object.key);
        right = right && *(*store)->ReadAll(object.key) == object.key + std::string(1200, 'x');
      }
      if (!right || !durable.empty()) ++lost;
    }
  }
  return lost;
}

TEST(LocalObjectStore, EveryObjectSurvivesEveryCut) {
  EXPECT_EQ(CutsThatLose([](PowerCutDisk&) {}), 0);
  EXPECT_GT(CutsThatLose([](PowerCutDisk& disk) { disk.IgnoreSync(true); }), 0);
  EXPECT_GT(CutsThatLose([](PowerCutDisk& disk) { disk.IgnoreDirectorySync(true); }), 0);
}

}  // namespace
}  // namespace arc
