#include "arc/server/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <sstream>

#include "arc/auth/token_store.h"
#include "arc/server/server_access.h"

namespace arc {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// What the caller's environment says about Arc, a developer's token or a test runner's knobs, is not the tests' matter.
void ForgetArcVariables() {
  std::vector<std::string> names;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::string_view text = *entry;
    if (text.starts_with("ARC_")) names.emplace_back(text.substr(0, text.find('=')));
  }
  for (const std::string& name : names) unsetenv(name.c_str());
}

class CommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "arc-commands-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    ForgetArcVariables();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  int Run(std::vector<std::string> arguments) {
    out_.str("");
    problems_.str("");
    arguments.insert(arguments.end(), {"--data-dir", folder_ + "/data"});
    return RunCommand(ParseCommandLine(arguments), {out_, problems_});
  }
  std::unique_ptr<TokenStore> Store() {
    return std::move(*TokenStore::Open(folder_ + "/data/auth.db", SystemClock(), SystemRandom()));
  }

  std::string folder_;
  std::ostringstream out_;
  std::ostringstream problems_;
};

TEST_F(CommandsTest, TokensOfAStoppedServer) {
  ASSERT_EQ(Run({"token", "create", "telegraf", "--write", "--databases", "a,b", "--expires", "1h"}), 0)
      << problems_.str();
  std::string secret = out_.str();
  ASSERT_TRUE(secret.starts_with("arc_") && secret.ends_with("\n"));
  secret.pop_back();
  auto principal = Store()->Authenticate(secret);
  ASSERT_TRUE(principal.ok());
  EXPECT_TRUE(principal->CanWrite("b"));
  EXPECT_FALSE(principal->CanWrite("c"));

  ASSERT_EQ(Run({"token", "list"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("telegraf"));
  EXPECT_THAT(out_.str(), HasSubstr("a,b"));
  EXPECT_THAT(out_.str(), Not(HasSubstr(secret)));

  EXPECT_EQ(Run({"token", "create", "telegraf"}), 1);
  EXPECT_THAT(problems_.str(), HasSubstr("telegraf"));
  EXPECT_EQ(Run({"token", "revoke", "nobody"}), 1);
  ASSERT_EQ(Run({"token", "revoke", "telegraf"}), 0);
  EXPECT_FALSE(Store()->Authenticate(secret).ok());
}

TEST_F(CommandsTest, TokensOfARunningServerOfUnknownAddress) {
  ASSERT_TRUE(SystemDisk().CreateDirectories(folder_ + "/data").ok());
  auto lock = LockDataFolder(SystemDisk(), folder_ + "/data");
  ASSERT_TRUE(lock.ok());
  EXPECT_EQ(Run({"token", "list"}), 1);
  EXPECT_THAT(problems_.str(), HasSubstr("--url"));
}

TEST_F(CommandsTest, AServerThatIsNotThereIsNamed) {
  EXPECT_EQ(Run({"sql", "SELECT 1", "--url", "http://127.0.0.1:1"}), 1);
  EXPECT_THAT(problems_.str(), HasSubstr("http://127.0.0.1:1"));
  EXPECT_EQ(Run({"token", "list", "--url", "http://127.0.0.1:1"}), 1);
}

TEST_F(CommandsTest, ConfigShowAndItsRefusal) {
  EXPECT_EQ(Run({"config", "show", "--set", "server.port=9"}), 0);
  EXPECT_THAT(out_.str(), HasSubstr("server.port"));
  EXPECT_THAT(out_.str(), HasSubstr("command line"));
  EXPECT_EQ(Run({"config", "show", "--set", "server.port=many"}), 2);
  EXPECT_THAT(problems_.str(), HasSubstr("allowed: 0 to 65535"));
  EXPECT_EQ(Run({"serve", "--set", "server.port=many"}), 2);
}

TEST_F(CommandsTest, WalCommandsNeedALogAndAStoppedServer) {
  EXPECT_EQ(Run({"wal", "inspect"}), 1);
  EXPECT_THAT(problems_.str(), HasSubstr("there is no log at"));
  ASSERT_TRUE(SystemDisk().CreateDirectories(folder_ + "/data/wal").ok());
  EXPECT_EQ(Run({"wal", "inspect"}), 0) << problems_.str();
  auto lock = LockDataFolder(SystemDisk(), folder_ + "/data");
  EXPECT_EQ(Run({"wal", "repair", "--yes"}), 3);
  EXPECT_THAT(problems_.str(), HasSubstr("stop the server first"));
}

TEST_F(CommandsTest, Version) {
  std::ostringstream out;
  EXPECT_EQ(RunCommand(ParseCommandLine({"version"}), {out, out}), 0);
  EXPECT_EQ(out.str(), "arc " ARC_VERSION "\n");
}

}  // namespace
}  // namespace arc
