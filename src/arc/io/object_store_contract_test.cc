// What every store promises alike: the machine's disk, a disk in memory, and S3, Google Cloud Storage and Azure as real
// servers of others speak them.
#include <arrow/io/interfaces.h>
#include <arrow/result.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "arc/base/clock.h"
#include "arc/io/local_disk.h"
#include "arc/io/object_store.h"
#include "arc/io/path.h"
#include "arc/io/power_cut_disk.h"
#include "arc/io/test_folder.h"
#include "arc/io/test_remote_stores.h"

namespace arc {
namespace {

template <typename T>
std::optional<ErrorKind> KindOf(const Result<T>& result) {
  if (result.ok()) return std::nullopt;
  return result.error().kind;
}

using Keys = std::vector<std::string>;

Keys KeysOf(ObjectStore& store, const std::string& prefix) {
  Keys keys;
  Result<std::vector<ObjectInfo>> objects = store.List(prefix);
  EXPECT_TRUE(objects.ok()) << objects.error().message;
  for (const ObjectInfo& object : *objects) keys.push_back(object.key);
  return keys;
}

class ObjectStoreContractTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    Result<std::unique_ptr<ObjectStore>> store = NotFound("no such server here: tools/setup.sh peers builds it");
    const std::string bucket = "bucket-" + Uuid::Random(SystemRandom()).ToString();
    const auto below = [](auto options) {
      options.prefix = "some/prefix";
      return options;
    };
    if (GetParam() == "Disk") store = OpenLocalObjectStore(SystemDisk(), JoinPath(folder_.path(), "lake"));
    if (GetParam() == "Memory") store = OpenLocalObjectStore(memory_, JoinPath(folder_.path(), "lake"));
    if (GetParam() == "S3" && TestMinio::Get() != nullptr) {
      store = Checked(OpenS3ObjectStore(below(TestMinio::Get()->Options(bucket)), SystemRandom()));
    }
    if (GetParam() == "Gcs" && TestGcs::Get() != nullptr) {
      store = Checked(OpenGcsObjectStore(below(TestGcs::Get()->Options(bucket))));
    }
    if (GetParam() == "Azure" && TestAzure::Get() != nullptr) {
      store = Checked(OpenAzureObjectStore(below(TestAzure::Get()->Options(bucket))));
    }
    if (!store.ok() && store.error().kind == ErrorKind::kNotFound) GTEST_SKIP() << store.error().message;
    ASSERT_TRUE(store.ok()) << store.error().message;
    store_ = std::move(*store);
  }
  static bool IsRemote() { return GetParam() != "Disk" && GetParam() != "Memory"; }

  TestFolder folder_;
  PowerCutDisk memory_;
  std::unique_ptr<ObjectStore> store_;
};

INSTANTIATE_TEST_SUITE_P(Stores, ObjectStoreContractTest, testing::Values("Disk", "Memory", "S3", "Gcs", "Azure"),
                         [](const auto& info) { return info.param; });

TEST_P(ObjectStoreContractTest, PutsAndReads) {
  EXPECT_TRUE(store_->PutIfAbsent("db/m/2024/f.parquet", "one").ok());
  EXPECT_EQ(KindOf(store_->PutIfAbsent("db/m/2024/f.parquet", "two")), ErrorKind::kAlreadyExists);
  EXPECT_EQ(*store_->ReadAll("db/m/2024/f.parquet"), "one");
  EXPECT_TRUE(store_->PutOverwrite("db/m/2024/f.parquet", "three").ok());
  EXPECT_EQ(*store_->ReadAll("db/m/2024/f.parquet"), "three");
  EXPECT_TRUE(store_->PutOverwrite("new", "").ok());
  EXPECT_EQ(*store_->ReadAll("new"), "");
  EXPECT_EQ(KindOf(store_->ReadAll("none")), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(store_->ReadAll("db")), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(store_->Open("db/m")), ErrorKind::kNotFound);
  EXPECT_EQ(KindOf(store_->Open("new/below")), ErrorKind::kNotFound);
}

TEST_P(ObjectStoreContractTest, ReadsRanges) {
  ASSERT_TRUE(store_->PutIfAbsent("k", "0123456789").ok());
  for (bool known : {false, true}) {
    auto reader = known ? store_->OpenKnown("k", 10) : store_->Open("k");
    ASSERT_TRUE(reader.ok());
    EXPECT_EQ((*reader)->bytes(), 10);
    uint8_t bytes[8];
    EXPECT_EQ(*(*reader)->ReadAt(4, bytes), 6u);
    EXPECT_EQ(bytes[0], '4');
    EXPECT_EQ(*(*reader)->ReadAt(10, bytes), 0u);
    EXPECT_EQ(*(*reader)->ReadAt(20, bytes), 0u);
    EXPECT_EQ((*reader)->is_remote(), IsRemote());
  }
}

TEST_P(ObjectStoreContractTest, LargeObjectsComeBackWhole) {
  std::string large(12'000'000, '\0');  // more than one part of an upload
  SeededRandom random(5);
  random.Fill({reinterpret_cast<uint8_t*>(large.data()), large.size()});
  auto writer = store_->Create("large");
  ASSERT_TRUE(writer.ok());
  ASSERT_TRUE((*writer)->stream().Write(large.data(), static_cast<int64_t>(large.size())).ok());
  EXPECT_EQ(KindOf(store_->Open("large")), ErrorKind::kNotFound);
  ASSERT_TRUE((*writer)->Commit().ok());
  EXPECT_TRUE(*store_->ReadAll("large") == large);
}

TEST_P(ObjectStoreContractTest, AbandonedAndRefusedStreamsLeaveNothing) {
  for (int64_t length : {3, 12'000'000}) {
    std::string bytes(static_cast<size_t>(length), 'x');
    auto writer = store_->Create("a/k");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->stream().Write(bytes.data(), length).ok());
  }
  EXPECT_EQ(KeysOf(*store_, ""), Keys{});
  ASSERT_TRUE(store_->PutIfAbsent("a/k", "first").ok());
  {
    auto writer = store_->Create("a/k");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->stream().Write("abc", 3).ok());
    EXPECT_EQ(KindOf((*writer)->Commit()), ErrorKind::kAlreadyExists);
  }
  EXPECT_EQ(*store_->ReadAll("a/k"), "first");
  EXPECT_EQ(KeysOf(*store_, ""), Keys{"a/k"});
}

TEST_P(ObjectStoreContractTest, DeletesObjectsOnly) {
  ASSERT_TRUE(store_->PutIfAbsent("a/b/c/1", "").ok());
  ASSERT_TRUE(store_->PutIfAbsent("a/2", "").ok());
  EXPECT_TRUE(store_->Delete("a/b/c").ok());  // no object, though keys begin so
  EXPECT_EQ(KeysOf(*store_, "").size(), 2u);
  EXPECT_TRUE(store_->Delete("a/b/c/1").ok());
  EXPECT_TRUE(store_->Delete("a/b/c/1").ok());
  EXPECT_EQ(KeysOf(*store_, ""), Keys{"a/2"});
  EXPECT_TRUE(store_->PutIfAbsent("a/b/c/1", "again").ok());
  EXPECT_EQ(*store_->ReadAll("a/b/c/1"), "again");
}

TEST_P(ObjectStoreContractTest, HostileNamesAreNamesLikeOthers) {
  Keys keys;
  for (std::string name : {"a b", "%", "+", "é", "a/b", "..", "'\"", "#?&=", "\n", "$HOME"}) {
    keys.push_back("odd/" + EncodePathElement(name));
  }
  std::sort(keys.begin(), keys.end());
  for (const auto& key : keys) {
    ASSERT_TRUE(store_->PutIfAbsent(key, key).ok()) << key;
    EXPECT_EQ(*store_->ReadAll(key), key);
  }
  EXPECT_EQ(KeysOf(*store_, "odd/"), keys);
  for (const auto& key : keys) EXPECT_TRUE(store_->Delete(key).ok());
  EXPECT_EQ(KeysOf(*store_, ""), Keys{});
}

TEST_P(ObjectStoreContractTest, KeysStayBelowTheRoot) {
  for (std::string key :
       {"", "/", "/a", "a/", "a//b", "..", ".", "../a", "a/../b", "a/./b", "a/..", ".arc-tmp-1", "a/.arc-tmp-1/b"}) {
    EXPECT_EQ(KindOf(store_->PutIfAbsent(key, "")), ErrorKind::kInvalidArgument) << key;
    EXPECT_EQ(KindOf(store_->PutOverwrite(key, "")), ErrorKind::kInvalidArgument) << key;
    EXPECT_EQ(KindOf(store_->Create(key)), ErrorKind::kInvalidArgument) << key;
    EXPECT_EQ(KindOf(store_->Open(key)), ErrorKind::kInvalidArgument) << key;
    EXPECT_EQ(KindOf(store_->OpenKnown(key, 1)), ErrorKind::kInvalidArgument) << key;
    EXPECT_EQ(KindOf(store_->ReadAll(key)), ErrorKind::kInvalidArgument) << key;
    EXPECT_EQ(KindOf(store_->Delete(key)), ErrorKind::kInvalidArgument) << key;
  }
  EXPECT_EQ(KindOf(store_->PutIfAbsent(std::string("a\0b", 3), "")), ErrorKind::kInvalidArgument);
}

TEST_P(ObjectStoreContractTest, UrisComeBackAsKeys) {
  EXPECT_EQ(*store_->KeyOf(store_->UriOf("db/%25/f")), "db/%25/f");
  for (const std::string& uri :
       {std::string("/etc/passwd"), std::string("s3://other/f"), store_->UriOf("x") + "/../../y", std::string(),
        std::string("s3:"), std::string("s3://")}) {
    EXPECT_EQ(KindOf(store_->KeyOf(uri)), ErrorKind::kInvalidArgument) << uri;
  }
}

TEST_P(ObjectStoreContractTest, StreamsAppearOnCommitOnly) {
  std::string expected;
  Result<std::unique_ptr<ObjectWriter>> writer = store_->Create("a/b/c");
  ASSERT_TRUE(writer.ok());
  SeededRandom random(3);
  for (size_t length : {1, 1000, 0, 300'000, 5, 262'144, 262'143, 2, 700'000}) {
    std::string piece(length, '\0');
    random.Fill({reinterpret_cast<uint8_t*>(piece.data()), piece.size()});
    ASSERT_TRUE((*writer)->stream().Write(piece.data(), static_cast<int64_t>(piece.size())).ok());
    expected += piece;
    EXPECT_EQ(*(*writer)->stream().Tell(), static_cast<int64_t>(expected.size()));
  }
  EXPECT_TRUE(store_->List("")->empty());
  EXPECT_EQ(KindOf(store_->Open("a/b/c")), ErrorKind::kNotFound);
  EXPECT_EQ(*store_->CleanTemporaries(), 0);  // its own writes are under way
  ASSERT_TRUE((*writer)->Commit().ok());
  EXPECT_EQ(*store_->ReadAll("a/b/c"), expected);
  EXPECT_EQ(store_->List("a/b/c")->at(0).bytes, static_cast<int64_t>(expected.size()));
  EXPECT_GT(store_->List("a/b/c")->at(0).modified_micros, 0);
  EXPECT_LT(store_->List("a/b/c")->at(0).modified_micros, SystemClock().WallMicros() + 60'000'000);
  EXPECT_GT(store_->List("a/b/c")->at(0).modified_micros, 0);
  EXPECT_LT(store_->List("a/b/c")->at(0).modified_micros, SystemClock().WallMicros() + 60'000'000);
  EXPECT_FALSE((*writer)->Commit().ok());
  EXPECT_FALSE((*writer)->stream().Write("x", 1).ok());
  writer->reset();
  EXPECT_EQ(*store_->ReadAll("a/b/c"), expected);
}

TEST_P(ObjectStoreContractTest, ListsByPrefixInKeyOrder) {
  for (const char* key : {"a/b", "a.b", "a/c/d", "ab", "b", "a-", "a/c.x"}) {
    ASSERT_TRUE(store_->PutIfAbsent(key, key).ok());
  }
  EXPECT_EQ(KeysOf(*store_, ""), (Keys{"a-", "a.b", "a/b", "a/c.x", "a/c/d", "ab", "b"}));
  EXPECT_EQ(KeysOf(*store_, "a"), (Keys{"a-", "a.b", "a/b", "a/c.x", "a/c/d", "ab"}));
  EXPECT_EQ(KeysOf(*store_, "a/"), (Keys{"a/b", "a/c.x", "a/c/d"}));
  EXPECT_EQ(KeysOf(*store_, "a/c"), (Keys{"a/c.x", "a/c/d"}));
  EXPECT_EQ(KeysOf(*store_, "a/c/"), (Keys{"a/c/d"}));
  EXPECT_EQ(KeysOf(*store_, "a/c/d"), (Keys{"a/c/d"}));
  EXPECT_EQ(KeysOf(*store_, "a/c/d/"), Keys{});
  EXPECT_EQ(KeysOf(*store_, "z/"), Keys{});
  EXPECT_EQ(KeysOf(*store_, "/"), Keys{});
  EXPECT_EQ(KeysOf(*store_, "../"), Keys{});
  EXPECT_EQ(KeysOf(*store_, "a/../"), Keys{});
}

}  // namespace
}  // namespace arc
