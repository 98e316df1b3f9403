#include "arc/auth/token_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "arc/base/thread.h"

namespace arc {
namespace {

constexpr int64_t kStart = 1'700'000'000'000'000;

class TokenStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "arc-auth-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    Open();
  }
  void TearDown() override {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  void Open() {
    store_.reset();
    auto opened = TokenStore::Open(path(), clock_, random_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    store_ = std::move(*opened);
  }
  std::string path() const { return folder_ + "/auth.db"; }
  std::string Make(const NewToken& token) {
    auto secret = store_->Create(token);
    EXPECT_TRUE(secret.ok()) << secret.error().message;
    return *secret;
  }
  int64_t IdOf(const std::string& name) {
    auto tokens = store_->List();
    EXPECT_TRUE(tokens.ok());
    for (const TokenInfo& token : *tokens) {
      if (token.name == name) return token.id;
    }
    return -1;
  }
  ErrorKind KindOf(std::string_view secret) {
    auto principal = store_->Authenticate(secret);
    return principal.ok() ? ErrorKind::kInternal : principal.error().kind;
  }

  std::string folder_;
  ManualClock clock_{kStart};
  SeededRandom random_{7};
  std::unique_ptr<TokenStore> store_;
};

TEST_F(TokenStoreTest, CreatesAuthenticatesAndKeepsAcrossRestart) {
  EXPECT_TRUE(store_->empty());
  std::string secret =
      Make({.name = "writer", .description = "Telegraf", .read = false, .write = true, .databases = {"prod", "dev"}});
  EXPECT_FALSE(store_->empty());
  for (int round = 0; round < 2; ++round) {
    auto principal = store_->Authenticate(secret);
    ASSERT_TRUE(principal.ok());
    EXPECT_EQ(principal->name, "writer");
    EXPECT_TRUE(principal->CanWrite("prod"));
    EXPECT_FALSE(principal->CanWrite("other"));
    EXPECT_FALSE(principal->CanRead("prod"));
    EXPECT_FALSE(principal->admin);
    Open();
  }
  EXPECT_EQ(KindOf("arc_nonsense"), ErrorKind::kUnauthenticated);
  EXPECT_EQ(KindOf(""), ErrorKind::kUnauthenticated);
  EXPECT_EQ(KindOf(secret + "x"), ErrorKind::kUnauthenticated);
}

TEST_F(TokenStoreTest, SecretIsNotInTheFile) {
  std::string chosen = "correct-horse-battery-staple";
  ASSERT_TRUE(store_->Create({.name = "chosen"}, chosen).ok());
  std::string made = Make({.name = "made"});
  store_.reset();
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::ifstream in(entry.path(), std::ios::binary);
    std::stringstream bytes;
    bytes << in.rdbuf();
    EXPECT_EQ(bytes.str().find(chosen), std::string::npos) << entry.path();
    EXPECT_EQ(bytes.str().find(made), std::string::npos) << entry.path();
  }
  struct stat info{};
  ASSERT_EQ(stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
}

TEST_F(TokenStoreTest, PrincipalPermissions) {
  Principal admin = Principal::Admin("root");
  EXPECT_TRUE(admin.CanRead("any") && admin.CanWrite("any"));
  Principal limited{.read = true, .databases = {"a"}};
  EXPECT_TRUE(limited.CanRead("a"));
  EXPECT_FALSE(limited.CanRead("A"));
  EXPECT_FALSE(limited.CanWrite("a"));
  Principal admin_with_list{.admin = true, .databases = {"a"}};
  EXPECT_TRUE(admin_with_list.CanWrite("b"));
  EXPECT_FALSE(Principal{}.CanRead("a"));
}

TEST_F(TokenStoreTest, RefusesBadNamesAndDoubles) {
  EXPECT_EQ(store_->Create({.name = ""}).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(store_->Create({.name = std::string(256, 'n')}).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(store_->Create({.name = "a\nb"}).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(store_->Create({.name = "a", .databases = {""}}).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(store_->Create({.name = "a"}, "short").error().kind, ErrorKind::kInvalidArgument);
  Make({.name = "a"});
  EXPECT_EQ(store_->Create({.name = "a"}).error().kind, ErrorKind::kAlreadyExists);
  ASSERT_TRUE(store_->Create({.name = "b"}, "same-secret").ok());
  EXPECT_EQ(store_->Create({.name = "c"}, "same-secret").error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(store_->List()->size(), 2u);
  std::string quoted = "x'); DROP TABLE tokens; --";
  Make({.name = quoted});
  EXPECT_GT(IdOf(quoted), 0);
}

TEST_F(TokenStoreTest, RevocationIsImmediateAlthoughCached) {
  std::string secret = Make({.name = "gone"});
  ASSERT_TRUE(store_->Authenticate(secret).ok());
  int64_t id = IdOf("gone");
  ASSERT_TRUE(store_->Revoke(id).ok());
  EXPECT_EQ(KindOf(secret), ErrorKind::kUnauthenticated);
  EXPECT_EQ(store_->Revoke(id).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(store_->Get(id).error().kind, ErrorKind::kNotFound);
  Make({.name = "gone"});
  EXPECT_NE(IdOf("gone"), id) << "ids are never used again";
}

TEST_F(TokenStoreTest, ChangesTakeEffectAtOnce) {
  std::string secret = Make({.name = "t", .databases = {"a"}});
  ASSERT_TRUE(store_->Authenticate(secret)->CanRead("a"));
  int64_t id = IdOf("t");
  ASSERT_TRUE(store_->Update(id, {.write = true, .databases = std::vector<std::string>{"b", "b"}}).ok());
  auto principal = store_->Authenticate(secret);
  EXPECT_FALSE(principal->CanRead("a"));
  EXPECT_TRUE(principal->CanWrite("b"));
  ASSERT_TRUE(store_->Update(id, {.enabled = false}).ok());
  EXPECT_EQ(KindOf(secret), ErrorKind::kUnauthenticated);
  ASSERT_TRUE(store_->Update(id, {.name = "renamed", .description = "d", .enabled = true}).ok());
  EXPECT_EQ(store_->Authenticate(secret)->name, "renamed");
  EXPECT_EQ(store_->Get(id)->description, "d");
  EXPECT_EQ(store_->Get(id)->databases, std::vector<std::string>{"b"});
  ASSERT_TRUE(store_->Update(id, {.databases = std::vector<std::string>{}}).ok());
  EXPECT_TRUE(store_->Authenticate(secret)->CanRead("anything"));
  Make({.name = "other"});
  EXPECT_EQ(store_->Update(id, {.name = "other"}).error().kind, ErrorKind::kAlreadyExists);
  EXPECT_EQ(store_->Update(id, {.name = ""}).error().kind, ErrorKind::kInvalidArgument);
  EXPECT_EQ(store_->Update(9999, {.name = "x"}).error().kind, ErrorKind::kNotFound);
}

TEST_F(TokenStoreTest, ARefusedChangeLeavesNothingBehind) {
  Make({.name = "taken"});
  Make({.name = "t", .databases = {"a"}});
  int64_t id = IdOf("t");
  ASSERT_FALSE(store_->Update(id, {.name = "taken", .databases = std::vector<std::string>{"z"}}).ok());
  EXPECT_EQ(store_->Get(id)->name, "t");
  EXPECT_EQ(store_->Get(id)->databases, std::vector<std::string>{"a"});
}

TEST_F(TokenStoreTest, RotationReplacesTheSecret) {
  std::string old_secret = Make({.name = "r", .write = true});
  ASSERT_TRUE(store_->Authenticate(old_secret).ok());
  auto new_secret = store_->Rotate(IdOf("r"));
  ASSERT_TRUE(new_secret.ok());
  EXPECT_NE(*new_secret, old_secret);
  EXPECT_EQ(KindOf(old_secret), ErrorKind::kUnauthenticated);
  EXPECT_TRUE(store_->Authenticate(*new_secret)->write);
  EXPECT_EQ(store_->Rotate(9999).error().kind, ErrorKind::kNotFound);
}

TEST_F(TokenStoreTest, ExpiryHoldsForCachedTokensToo) {
  std::string secret = Make({.name = "e", .expires_at_micros = kStart + 10'000'000});
  ASSERT_TRUE(store_->Authenticate(secret).ok());
  clock_.Advance(std::chrono::milliseconds(9'999));
  EXPECT_TRUE(store_->Authenticate(secret).ok());
  clock_.Advance(std::chrono::milliseconds(1));
  EXPECT_EQ(KindOf(secret), ErrorKind::kUnauthenticated);
}

TEST_F(TokenStoreTest, AnotherProcessIsNoticedWhenTheCacheEnds) {
  std::string secret = Make({.name = "shared"});
  ASSERT_TRUE(store_->Authenticate(secret).ok());
  auto second = TokenStore::Open(path(), clock_, random_);
  ASSERT_TRUE(second.ok());
  auto late = (*second)->Create({.name = "made elsewhere"});
  ASSERT_TRUE(late.ok());
  EXPECT_TRUE(store_->Authenticate(*late).ok()) << "unknown secrets are not cached";
  ASSERT_TRUE((*second)->Revoke(IdOf("shared")).ok());
  EXPECT_TRUE(store_->Authenticate(secret).ok());
  clock_.Advance(std::chrono::seconds(30));
  EXPECT_EQ(KindOf(secret), ErrorKind::kUnauthenticated);
}

TEST_F(TokenStoreTest, LastUseIsNoted) {
  std::string secret = Make({.name = "u"});
  int64_t id = IdOf("u");
  EXPECT_FALSE(store_->Get(id)->last_used_at_micros.has_value());
  EXPECT_EQ(store_->Get(id)->created_at_micros, kStart);
  clock_.Advance(std::chrono::seconds(5));
  ASSERT_TRUE(store_->Authenticate(secret).ok());
  EXPECT_EQ(store_->Get(id)->last_used_at_micros, kStart + 5'000'000);
  clock_.Advance(std::chrono::seconds(5));
  ASSERT_TRUE(store_->Authenticate(secret).ok());
  Open();  // written when closing
  EXPECT_EQ(store_->Get(id)->last_used_at_micros, kStart + 10'000'000);
}

TEST_F(TokenStoreTest, RevokeUnderLoadNeverLeavesAValidCacheEntry) {
  for (int round = 0; round < 20; ++round) {
    std::string secret = Make({.name = "busy" + std::to_string(round)});
    int64_t id = IdOf("busy" + std::to_string(round));
    std::atomic<bool> revoked{false};
    std::atomic<bool> stop{false};
    std::atomic<int> late_successes{0};
    {
      std::vector<Thread> threads;
      for (int i = 0; i < 4; ++i) {
        threads.emplace_back("auth-reader", [&] {
          while (!stop) {
            bool was_revoked = revoked;
            if (store_->Authenticate(secret).ok() && was_revoked) ++late_successes;
          }
        });
      }
      ASSERT_TRUE(store_->Revoke(id).ok());
      revoked = true;
      for (int i = 0; i < 50; ++i) (void)store_->Authenticate(secret);
      stop = true;
    }
    EXPECT_EQ(late_successes, 0);
  }
}

TEST_F(TokenStoreTest, InMemoryForTestsOfOthers) {
  auto store = TokenStore::Open(":memory:", clock_, random_);
  ASSERT_TRUE(store.ok());
  auto secret = (*store)->Create({.name = "m"});
  EXPECT_TRUE((*store)->Authenticate(*secret).ok());
  EXPECT_FALSE(std::filesystem::exists(":memory:"));
}

TEST_F(TokenStoreTest, RefusesForeignAndNewerFiles) {
  std::string foreign = folder_ + "/foreign.db";
  std::ofstream(foreign) << std::string(4096, 'x');
  EXPECT_EQ(TokenStore::Open(foreign, clock_, random_).error().kind, ErrorKind::kCorruption);
  EXPECT_FALSE(TokenStore::Open(folder_ + "/none/auth.db", clock_, random_).ok());

  std::string newer = folder_ + "/newer.db";
  sqlite3* connection = nullptr;
  ASSERT_EQ(sqlite3_open(newer.c_str(), &connection), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(connection, "PRAGMA user_version = 99", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(connection);
  EXPECT_EQ(TokenStore::Open(newer, clock_, random_).error().kind, ErrorKind::kUnsupported);
}

}  // namespace
}  // namespace arc
