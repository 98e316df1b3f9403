#include "arc/io/object_store_s3.h"

#include <arrow/io/interfaces.h>
#include <gtest/gtest.h>

#include "arc/base/thread.h"
#include "arc/io/monitored_store.h"
#include "arc/io/test_remote_stores.h"

namespace arc {
namespace {

Result<std::unique_ptr<ObjectStore>> OpenChecked(const S3StoreOptions& options) {
  return Checked(OpenS3ObjectStore(options, SystemRandom()));
}

ErrorKind OpenError(const S3StoreOptions& options) {
  auto store = OpenChecked(options);
  return store.ok() ? ErrorKind::kInternal : store.error().kind;
}

class S3ObjectStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    minio_ = TestMinio::Get();
    if (minio_ == nullptr) GTEST_SKIP() << "no MinIO here: tools/setup.sh peers builds it";
  }
  TestMinio* minio_ = nullptr;
};

TEST_F(S3ObjectStoreTest, AddressesAreWhatOtherEnginesUse) {
  auto options = minio_->Options("lake");
  auto plain = OpenChecked(options);
  ASSERT_TRUE(plain.ok());
  EXPECT_EQ((*plain)->UriOf("db/m/f"), "s3://lake/db/m/f");
  EXPECT_EQ(*(*plain)->KeyOf("s3a://lake/db/m/f"), "db/m/f");
  options.prefix = "arc/one";
  auto prefixed = OpenChecked(options);
  ASSERT_TRUE(prefixed.ok());
  EXPECT_EQ((*prefixed)->UriOf("db/m/f"), "s3://lake/arc/one/db/m/f");
  EXPECT_FALSE((*prefixed)->KeyOf("s3://lake/db/m/f").ok());
  ASSERT_TRUE((*prefixed)->PutIfAbsent("k", "x").ok());
  EXPECT_EQ(*(*plain)->ReadAll("arc/one/k"), "x");
}

TEST_F(S3ObjectStoreTest, OpeningTellsWhatIsWrong) {
  auto options = minio_->Options("absent");
  options.make_bucket = false;
  EXPECT_EQ(OpenError(options), ErrorKind::kNotFound);
  auto stranger = minio_->Options("lake");
  stranger.access_key = "nobody";
  auto kind = OpenError(stranger);
  EXPECT_TRUE(kind == ErrorKind::kUnauthenticated || kind == ErrorKind::kPermissionDenied);
  auto forger = minio_->Options("lake");
  forger.secret_key = "wrong-secret-key";
  kind = OpenError(forger);
  EXPECT_TRUE(kind == ErrorKind::kUnauthenticated || kind == ErrorKind::kPermissionDenied);
  auto nowhere = minio_->Options("lake");
  nowhere.endpoint = "http://127.0.0.1:1";
  nowhere.retries = 1;
  EXPECT_EQ(OpenError(nowhere), ErrorKind::kUnavailable);
  auto half = minio_->Options("lake");
  half.secret_key.clear();
  EXPECT_EQ(OpenError(half), ErrorKind::kInvalidArgument);
  EXPECT_EQ(OpenError(minio_->Options("a/b")), ErrorKind::kInvalidArgument);
}

TEST_F(S3ObjectStoreTest, AStoreThatWentAwayIsUnavailableAndComesBack) {
  auto options = minio_->Options("outage");
  options.retries = 1;
  auto store = OpenChecked(options);
  ASSERT_TRUE(store.ok());
  ASSERT_TRUE((*store)->PutIfAbsent("k", "before").ok());
  minio_->Stop();
  EXPECT_EQ((*store)->ReadAll("k").error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ((*store)->PutOverwrite("k", "during").error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ((*store)->PutIfAbsent("new", "during").error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ((*store)->Delete("k").error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ((*store)->List("").error().kind, ErrorKind::kUnavailable);
  minio_->Start();
  EXPECT_EQ(*(*store)->ReadAll("k"), "before");
  EXPECT_TRUE((*store)->PutOverwrite("k", "after").ok());
  EXPECT_EQ(*(*store)->ReadAll("k"), "after");
}

TEST_F(S3ObjectStoreTest, WhatIsWrittenAndReadIsCounted) {
  auto opened = OpenChecked(minio_->Options("counted"));
  ASSERT_TRUE(opened.ok());
  MonitoredStore store(std::move(*opened), SystemClock());
  for (bool replace : {false, true}) {
    auto writer = store.Create("k");
    ASSERT_TRUE(writer.ok());
    ASSERT_TRUE((*writer)->stream().Write(std::string(1000, 'x').data(), 1000).ok());
    ASSERT_TRUE((replace ? (*writer)->CommitOverwrite() : (*writer)->Commit()).ok());
  }
  ASSERT_TRUE(store.ReadAll("k").ok());
  EXPECT_EQ(store.stats().written_bytes, 2000u);
  EXPECT_EQ(store.stats().read_bytes, 1000u);
  EXPECT_EQ(store.stats().errors, 0u);
}

// Requests are tried again, so that a store gone for a moment is not noticed.
TEST_F(S3ObjectStoreTest, AMomentsOutageIsBridged) {
  auto options = minio_->Options("moment");
  options.retries = 8;
  auto store = OpenChecked(options);
  ASSERT_TRUE(store.ok());
  minio_->Stop();
  Thread back("back", [&] {
    SystemClock().SleepFor(std::chrono::milliseconds(300));
    minio_->Start();
  });
  EXPECT_TRUE((*store)->PutOverwrite("k", "x").ok());
}

}  // namespace
}  // namespace arc
