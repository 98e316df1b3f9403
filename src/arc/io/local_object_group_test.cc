#include <arrow/io/interfaces.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <set>

#include "arc/io/local_disk.h"
#include "arc/io/object_group.h"
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

Status Stream(ObjectStore& store, const std::string& key, const std::string& text) {
  ARC_ASSIGN_OR_RETURN(auto writer, store.Create(key));
  if (!writer->stream().Write(text.data(), static_cast<int64_t>(text.size())).ok()) return Unavailable("no write");
  return writer->Commit();
}

class LocalObjectGroupTest : public testing::TestWithParam<bool> {
 protected:
  LocalObjectGroupTest() : disk_(GetParam() ? static_cast<LocalDisk&>(SystemDisk()) : memory_) {
    auto store = OpenLocalObjectStore(disk_, root());
    EXPECT_TRUE(store.ok()) << store.error().message;
    store_ = std::move(*store);
  }
  std::string root() const { return JoinPath(folder_.path(), "lake"); }
  size_t ObjectCount() { return store_->List("")->size(); }
  // Temporary files too.
  size_t NamesIn(const std::string& folder) {
    auto names = disk_.List(JoinPath(root(), folder));
    return names.ok() ? names->size() : 0;
  }

  TestFolder folder_;
  PowerCutDisk memory_;
  LocalDisk& disk_;
  std::unique_ptr<ObjectStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Disks, LocalObjectGroupTest, testing::Bool(),
                         [](const auto& info) { return info.param ? "System" : "Memory"; });

TEST_P(LocalObjectGroupTest, ObjectsAreFoundFromSyncOn) {
  auto group = store_->NewGroup();
  ASSERT_TRUE(group->PutIfAbsent("db/m/metadata/a", "one").ok());
  ASSERT_TRUE(Stream(*group, "db/m/2026/11/b", "two").ok());
  EXPECT_EQ(KindOf(store_->ReadAll("db/m/metadata/a")), ErrorKind::kNotFound);
  EXPECT_EQ(ObjectCount(), 0u);
  EXPECT_EQ(*group->ReadAll("db/m/metadata/a"), "one");
  EXPECT_EQ(*group->ReadAll("db/m/2026/11/b"), "two");
  ASSERT_TRUE(group->Sync().ok());
  EXPECT_EQ(*store_->ReadAll("db/m/metadata/a"), "one");
  EXPECT_EQ(*group->ReadAll("db/m/2026/11/b"), "two");
  ASSERT_TRUE(group->Sync().ok());  // nothing to do
  ASSERT_TRUE(group->PutIfAbsent("db/m/metadata/c", "three").ok());
  ASSERT_TRUE(group->Sync().ok());
  EXPECT_EQ(ObjectCount(), 3u);
  EXPECT_EQ(NamesIn("db/m/metadata"), 2u);
}

TEST_P(LocalObjectGroupTest, HoldsManyObjects) {
  for (int round = 0; round < 2; ++round) {
    auto group = store_->NewGroup();
    for (int i = 0; i < 100; ++i) {
      const std::string key = "db/m" + std::to_string(i % 25) + "/" + std::to_string(round) + "/" + std::to_string(i);
      ASSERT_TRUE(group->PutIfAbsent(key, key).ok());
    }
    ASSERT_TRUE(group->Sync().ok());
  }
  auto objects = *store_->List("");
  EXPECT_EQ(objects.size(), 200u);
  for (const auto& object : objects) EXPECT_EQ(*store_->ReadAll(object.key), object.key);
}

TEST_P(LocalObjectGroupTest, WithoutSyncNothingStays) {
  {
    auto group = store_->NewGroup();
    ASSERT_TRUE(group->PutIfAbsent("db/m/a", "one").ok());
    ASSERT_TRUE(Stream(*group, "db/m/b", "two").ok());
    auto writer = group->Create("db/m/c");
    ASSERT_TRUE(writer.ok());
  }
  EXPECT_EQ(NamesIn("db/m"), 0u);
}

TEST_P(LocalObjectGroupTest, TakesBackWhatIsDeleted) {
  auto group = store_->NewGroup();
  ASSERT_TRUE(group->PutIfAbsent("db/m/a", "one").ok());
  ASSERT_TRUE(group->PutIfAbsent("db/n/b", "two").ok());
  ASSERT_TRUE(group->Delete("db/n/b").ok());
  EXPECT_FALSE(*disk_.Exists(JoinPath(root(), "db/n")));
  ASSERT_TRUE(group->Sync().ok());
  EXPECT_EQ(ObjectCount(), 1u);
  ASSERT_TRUE(group->Delete("db/m/a").ok());
  EXPECT_EQ(ObjectCount(), 0u);
}

TEST_P(LocalObjectGroupTest, TakesNoKeyTwice) {
  ASSERT_TRUE(store_->PutIfAbsent("m/a", "first").ok());
  auto group = store_->NewGroup();
  EXPECT_EQ(KindOf(group->PutIfAbsent("m/a", "x")), ErrorKind::kAlreadyExists);
  EXPECT_EQ(KindOf(Stream(*group, "m/a", "x")), ErrorKind::kAlreadyExists);
  ASSERT_TRUE(group->PutIfAbsent("m/b", "x").ok());
  EXPECT_EQ(KindOf(group->PutIfAbsent("m/b", "y")), ErrorKind::kAlreadyExists);
  EXPECT_EQ(KindOf(group->PutIfAbsent("m/../b", "y")), ErrorKind::kInvalidArgument);
  // Somebody else is faster: the whole group is refused, and what was there stays.
  ASSERT_TRUE(group->PutIfAbsent("m/c", "x").ok());
  ASSERT_TRUE(store_->PutIfAbsent("m/c", "other").ok());
  EXPECT_EQ(KindOf(group->Sync()), ErrorKind::kAlreadyExists);
  EXPECT_EQ(*store_->ReadAll("m/a"), "first");
  EXPECT_EQ(*store_->ReadAll("m/c"), "other");
  EXPECT_EQ(NamesIn("m"), 2u);
}

TEST(LocalObjectGroup, AFailedSyncLeavesNothing) {
  PowerCutDisk disk;
  auto store = OpenLocalObjectStore(disk, "/lake");
  for (bool of_names : {false, true}) {
    auto group = (*store)->NewGroup();
    ASSERT_TRUE(group->PutIfAbsent("m/a", "one").ok());
    ASSERT_TRUE(group->PutIfAbsent("m/b", "two").ok());
    if (of_names) {
      disk.FailDirectorySyncs(1);
    } else {
      disk.FailSyncs(1);
    }
    EXPECT_EQ(KindOf(group->Sync()), ErrorKind::kUnavailable);
    EXPECT_TRUE((*store)->List("")->empty());
  }
}

TEST(LocalObjectGroup, TwoSyncsDoForAllObjectsAndTheirFolders) {
  PowerCutDisk disk;
  auto store = OpenLocalObjectStore(disk, "/lake");
  for (int round = 0; round < 2; ++round) {
    const uint64_t before = disk.syncs();
    auto group = (*store)->NewGroup();
    for (int table = 0; table < 20; ++table) {
      std::string folder = "db/m" + std::to_string(table);
      for (const char* name : {"/metadata/a", "/metadata/b", "/2026/11/21/c"}) {
        ASSERT_TRUE(group->PutIfAbsent(folder + name + std::to_string(round), "x").ok());
      }
    }
    ASSERT_TRUE(group->Sync().ok());
    EXPECT_EQ(disk.syncs() - before, 2u);
  }
}

// What Sync vouched for must be there whole after a cut at any operation; the rest whole or not at all.
int CutsThatLose(const std::function<void(PowerCutDisk&)>& plant) {
  int lost = 0;
  for (uint64_t cut = 1; cut <= 90; ++cut) {
    for (uint64_t seed = 0; seed < 8; ++seed) {
      PowerCutDisk disk;
      plant(disk);
      disk.CutAfter(cut);
      std::set<std::string> durable;
      if (auto store = OpenLocalObjectStore(disk, "/lake"); store.ok()) {
        for (int round = 0; round < 2; ++round) {
          auto group = (*store)->NewGroup();
          std::set<std::string> put;
          for (int i = 0; i < 5; ++i) {
            std::string key = "db/m" + std::to_string(i % 3) + "/h/" + std::to_string(round) + std::to_string(i);
            const std::string text = key + std::string(1200, 'x');
            auto status = i % 2 == 0 ? group->PutIfAbsent(key, text) : Stream(*group, key, text);
            if (status.ok()) put.insert(key);
          }
          if (group->Sync().ok()) durable.merge(put);
        }
      }
      SeededRandom random(cut * 100 + seed);
      disk.Restart(random);
      auto store = OpenLocalObjectStore(disk, "/lake");
      bool right = (*store)->CleanTemporaries().ok();
      for (const ObjectInfo& object : *(*store)->List("")) {
        durable.erase(object.key);
        right = right && *(*store)->ReadAll(object.key) == object.key + std::string(1200, 'x');
      }
      if (!right || !durable.empty()) ++lost;
    }
  }
  return lost;
}

TEST(LocalObjectGroup, EverySyncedObjectSurvivesEveryCut) {
  EXPECT_EQ(CutsThatLose([](PowerCutDisk&) {}), 0);
  EXPECT_GT(CutsThatLose([](PowerCutDisk& disk) { disk.IgnoreSync(true); }), 0);
  EXPECT_GT(CutsThatLose([](PowerCutDisk& disk) { disk.IgnoreDirectorySync(true); }), 0);
}

}  // namespace
}  // namespace arc
