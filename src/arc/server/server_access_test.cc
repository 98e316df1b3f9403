#include "arc/server/server_access.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

namespace arc {
namespace {

class ServerAccessTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "arc-access-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    unsetenv("ARC_URL");
    unsetenv("ARC_TOKEN");
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<TokenStore> Store() {
    auto store = TokenStore::Open(folder_ + "/auth.db", SystemClock(), SystemRandom());
    EXPECT_TRUE(store.ok());
    return std::move(*store);
  }
  std::string folder_;
};

TEST_F(ServerAccessTest, Urls) {
  EXPECT_EQ(LocalUrl("0.0.0.0", 8000), "http://localhost:8000");
  EXPECT_EQ(LocalUrl("::", 1), "http://localhost:1");
  EXPECT_EQ(LocalUrl("::1", 1), "http://[::1]:1");
  EXPECT_EQ(LocalUrl("10.1.2.3", 80), "http://10.1.2.3:80");
  EXPECT_TRUE(IsLoopback("http://localhost:8000"));
  EXPECT_TRUE(IsLoopback("http://127.0.0.1"));
  EXPECT_TRUE(IsLoopback("https://[::1]:9/x"));
  EXPECT_FALSE(IsLoopback("http://localhost.example.org"));
  EXPECT_FALSE(IsLoopback("http://10.0.0.1:8000"));
  EXPECT_FALSE(IsLoopback("http://example.org/127.0.0.1"));
}

TEST_F(ServerAccessTest, TheServersAddressIsFoundWhileItRuns) {
  EXPECT_EQ(FindServer({}, folder_, LocalRight::kRead).url, "http://localhost:8000");
  ASSERT_TRUE(WriteServerAddress(SystemDisk(), folder_, "http://localhost:9123").ok());
  EXPECT_EQ(FindServer({}, folder_, LocalRight::kRead).url, "http://localhost:9123");
  EXPECT_EQ(FindServer({"other:1", ""}, folder_, LocalRight::kRead).url, "http://other:1");
  setenv("ARC_URL", "https://elsewhere", 1);
  EXPECT_EQ(FindServer({}, folder_, LocalRight::kRead).url, "https://elsewhere");
  unsetenv("ARC_URL");
  RemoveServerAddress(SystemDisk(), folder_);
  EXPECT_FALSE(ReadServerAddress(SystemDisk(), folder_).has_value());
}

TEST_F(ServerAccessTest, ALocalTokenLivesAsLongAsTheCommand) {
  EXPECT_EQ(FindServer({}, folder_, LocalRight::kAdmin).token, "") << "no token store, no token";
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/auth.db"));
  auto store = Store();
  std::string secret;
  {
    ServerAccess access = FindServer({}, folder_, LocalRight::kAdmin);
    secret = access.token;
    auto principal = store->Authenticate(secret);
    ASSERT_TRUE(principal.ok());
    EXPECT_TRUE(principal->admin);
  }
  EXPECT_TRUE(store->List()->empty());
  auto reader = LocalToken::Make(folder_, LocalRight::kRead, SystemClock(), SystemRandom());
  ASSERT_TRUE(reader.ok());
  auto principal = store->Authenticate((*reader)->secret());
  EXPECT_TRUE(principal->CanRead("any"));
  EXPECT_FALSE(principal->CanWrite("any"));
}

TEST_F(ServerAccessTest, AGivenTokenWinsAndNoneIsMadeForOtherMachines) {
  auto store = Store();
  EXPECT_EQ(FindServer({"", "given"}, folder_, LocalRight::kAdmin).token, "given");
  setenv("ARC_TOKEN", "from-environment", 1);
  EXPECT_EQ(FindServer({}, folder_, LocalRight::kAdmin).token, "from-environment");
  unsetenv("ARC_TOKEN");
  EXPECT_EQ(FindServer({"http://10.0.0.1", ""}, folder_, LocalRight::kAdmin).token, "");
  EXPECT_TRUE(store->List()->empty());
}

TEST_F(ServerAccessTest, WhatKilledCommandsLeftBehindIsRemoved) {
  auto store = Store();
  int64_t past = SystemClock().WallMicros() - 1;
  ASSERT_TRUE(store->Create({.name = "arc command line killed", .expires_at_micros = past}).ok());
  ASSERT_TRUE(store->Create({.name = "somebody's", .expires_at_micros = past}).ok());
  FindServer({}, folder_, LocalRight::kAdmin);
  ASSERT_EQ(store->List()->size(), 1u);
  EXPECT_EQ((*store->List())[0].name, "somebody's");
}

TEST_F(ServerAccessTest, TheLockTellsOfARunningServer) {
  auto first = LockDataFolder(SystemDisk(), folder_);
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(LockDataFolder(SystemDisk(), folder_).error().kind, ErrorKind::kConflict);
  first->reset();
  EXPECT_TRUE(LockDataFolder(SystemDisk(), folder_).ok());
}

}  // namespace
}  // namespace arc
