#include "arc/server/command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace arc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

template <typename T>
T Parse(const std::vector<std::string>& arguments) {
  Command command = ParseCommandLine(arguments);
  if (auto* usage = std::get_if<UsageText>(&command); usage != nullptr && !std::is_same_v<T, UsageText>) {
    ADD_FAILURE() << usage->text;
  }
  EXPECT_TRUE(std::holds_alternative<T>(command));
  return std::holds_alternative<T>(command) ? std::get<T>(command) : T();
}

TEST(CommandLine, Serve) {
  auto serve = Parse<ServeCommand>({"serve"});
  EXPECT_FALSE(serve.config.file.has_value());
  EXPECT_TRUE(serve.config.settings.empty());
  serve = Parse<ServeCommand>({"serve", "--config", "a.conf", "--data-dir", "/d", "--port", "9", "--host", "::1",
                               "--set", "wal.sync_mode=fsync", "--set=duckdb.threads=2", "--log-level", "debug"});
  EXPECT_EQ(serve.config.file, "a.conf");
  EXPECT_THAT(serve.config.settings,
              ::testing::UnorderedElementsAre(Pair("storage.data_dir", "/d"), Pair("server.port", "9"),
                                              Pair("server.host", "::1"), Pair("wal.sync_mode", "fsync"),
                                              Pair("duckdb.threads", "2"), Pair("logging.level", "debug")));
}

TEST(CommandLine, BackupsAndWhatBringsThemBack) {
  auto backup = Parse<BackupCommand>({"backup", "/mnt/b", "--url", "http://a:1"});
  EXPECT_EQ(backup.action, BackupCommand::Action::kMake);
  EXPECT_EQ(backup.target, "/mnt/b");
  EXPECT_EQ(backup.server.url, "http://a:1");
  EXPECT_EQ(Parse<BackupCommand>({"backup", "--list", "/b"}).action, BackupCommand::Action::kList);
  backup = Parse<BackupCommand>({"backup", "/b", "--verify", "--id", "x"});
  EXPECT_EQ(backup.action, BackupCommand::Action::kVerify);
  EXPECT_EQ(backup.id, "x");
  backup = Parse<BackupCommand>({"backup", "/b", "--prune", "--keep", "7"});
  EXPECT_EQ(backup.action, BackupCommand::Action::kPrune);
  EXPECT_EQ(backup.keep, 7u);
  EXPECT_EQ(Parse<UsageText>({"backup", "/b", "--prune"}).exit_code, 2);  // how many to keep is never guessed
  EXPECT_EQ(Parse<UsageText>({"backup", "/b", "--prune", "--keep", "0"}).exit_code, 2);
  EXPECT_EQ(Parse<UsageText>({"backup", "/b", "--prune", "--keep", "1", "--verify"}).exit_code, 2);
  EXPECT_EQ(Parse<UsageText>({"backup"}).exit_code, 2);
  auto restore = Parse<RestoreCommand>({"restore", "/b", "--id", "x", "-d", "/data"});
  EXPECT_EQ(restore.source, "/b");
  EXPECT_EQ(restore.id, "x");
  auto rebuild = Parse<RebuildCommand>({"rebuild", "--dry-run", "--json"});
  EXPECT_TRUE(rebuild.dry_run);
  EXPECT_TRUE(rebuild.json);
}

TEST(CommandLine, SetKeepsCommasAndEqualsSigns) {
  auto serve = Parse<ServeCommand>({"serve", "--set", "cors.origins=http://a?x=1,http://b"});
  EXPECT_THAT(serve.config.settings, ElementsAre(Pair("cors.origins", "http://a?x=1,http://b")));
  EXPECT_EQ(Parse<UsageText>({"serve", "--set", "nonsense"}).exit_code, 2);
}

TEST(CommandLine, Sql) {
  auto sql = Parse<SqlCommand>({"sql", "SELECT 1", "--url", "http://h:1", "--token", "t", "--database", "d", "--format",
                                "CSV", "--max-rows", "5"});
  EXPECT_EQ(sql.sql, "SELECT 1");
  EXPECT_EQ(sql.server.url, "http://h:1");
  EXPECT_EQ(sql.server.token, "t");
  EXPECT_EQ(sql.database, "d");
  EXPECT_EQ(sql.format, SqlFormat::kCsv);
  EXPECT_EQ(sql.max_rows, 5);
  EXPECT_EQ(Parse<SqlCommand>({"sql"}).sql, "");
  EXPECT_EQ(Parse<SqlCommand>({"sql", "-f", "arrow", "-"}).sql, "-");
  EXPECT_EQ(Parse<UsageText>({"sql", "x", "--format", "xml"}).exit_code, 2);
  EXPECT_EQ(Parse<UsageText>({"sql", "x", "--max-rows", "-1"}).exit_code, 2);
}

TEST(CommandLine, Write) {
  auto write = Parse<WriteCommand>({"write",
                                    "a.csv",
                                    "--db",
                                    "d",
                                    "-m",
                                    "cpu",
                                    "--format",
                                    "csv",
                                    "--precision",
                                    "ms",
                                    "--tags",
                                    "a,b",
                                    "--time-column",
                                    "when",
                                    "--delimiter",
                                    "tab",
                                    "--batch-rows",
                                    "7",
                                    "--restart",
                                    "--url",
                                    "http://h:1",
                                    "--token",
                                    "t"});
  EXPECT_EQ(write.file, "a.csv");
  EXPECT_EQ(write.database, "d");
  EXPECT_EQ(write.measurement, "cpu");
  EXPECT_EQ(write.format, FileFormat::kCsv);
  EXPECT_EQ(write.precision, "ms");
  EXPECT_EQ(write.tags, "a,b");
  EXPECT_EQ(write.time_column, "when");
  EXPECT_EQ(write.delimiter, "tab");
  EXPECT_EQ(write.batch_rows, 7);
  EXPECT_TRUE(write.restart);
  EXPECT_EQ(write.server.url, "http://h:1");
  EXPECT_EQ(Parse<WriteCommand>({"write", "a.csv", "-f", "auto"}).format, std::nullopt);
  EXPECT_FALSE(Parse<WriteCommand>({"write", "a.csv"}).tags.has_value());
  EXPECT_EQ(Parse<UsageText>({"write"}).exit_code, 2);
  EXPECT_EQ(Parse<UsageText>({"write", "a", "--format", "xml"}).exit_code, 2);
  EXPECT_EQ(Parse<UsageText>({"write", "a", "--batch-rows", "0"}).exit_code, 2);
}

TEST(CommandLine, Token) {
  auto token = Parse<TokenCommand>(
      {"token", "create", "telegraf", "--write", "--databases", "a,b", "--expires", "30d", "--description", "agents"});
  EXPECT_EQ(token.action, TokenCommand::Action::kCreate);
  EXPECT_EQ(token.name, "telegraf");
  EXPECT_TRUE(token.write);
  EXPECT_FALSE(token.read);
  EXPECT_THAT(token.databases, ElementsAre("a", "b"));
  EXPECT_EQ(token.expires_in_seconds, 30 * 86'400);
  EXPECT_TRUE(Parse<TokenCommand>({"token", "create", "reader"}).read);
  EXPECT_FALSE(Parse<TokenCommand>({"token", "create", "boss", "--admin"}).read);
  EXPECT_EQ(Parse<TokenCommand>({"token", "list"}).action, TokenCommand::Action::kList);
  token = Parse<TokenCommand>({"token", "revoke", "7"});
  EXPECT_EQ(token.action, TokenCommand::Action::kRevoke);
  EXPECT_EQ(token.name, "7");
  EXPECT_EQ(Parse<UsageText>({"token", "create"}).exit_code, 2);
  EXPECT_EQ(Parse<UsageText>({"token", "create", "x", "--expires", "soon"}).exit_code, 2);
  EXPECT_EQ(Parse<UsageText>({"token"}).exit_code, 2);
}

TEST(CommandLine, ConfigWalAndVersion) {
  EXPECT_EQ(Parse<ConfigCommand>({"config", "show", "-c", "f"}).config.file, "f");
  EXPECT_EQ(Parse<ConfigCommand>({"config", "reference"}).action, ConfigCommand::Action::kReference);
  EXPECT_EQ(Parse<WalCommand>({"wal", "inspect", "-d", "x"}).action, WalCommand::Action::kInspect);
  EXPECT_TRUE(Parse<WalCommand>({"wal", "repair", "--yes"}).yes);
  EXPECT_FALSE(Parse<WalCommand>({"wal", "repair"}).yes);
  Parse<VersionCommand>({"version"});
}

TEST(CommandLine, HelpAndMistakes) {
  auto help = Parse<UsageText>({"--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.text, HasSubstr("serve"));
  EXPECT_THAT(Parse<UsageText>({"serve", "--help"}).text, HasSubstr("--data-dir"));
  EXPECT_EQ(Parse<UsageText>({}).exit_code, 2);
  EXPECT_EQ(Parse<UsageText>({"sreve"}).exit_code, 2);
  EXPECT_EQ(Parse<UsageText>({"serve", "--prot", "1"}).exit_code, 2);
}

TEST(ParseDuration, UnitsAndRefusals) {
  EXPECT_EQ(*ParseDuration("90s"), 90);
  EXPECT_EQ(*ParseDuration("15m"), 900);
  EXPECT_EQ(*ParseDuration("12h"), 43'200);
  for (const char* text : {"", "1", "h", "-1h", "0s", "1w", "1.5h", "99999999999d", "1 h"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

}  // namespace
}  // namespace arc
