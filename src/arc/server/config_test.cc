#include "arc/server/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "arc/server/store_section.h"
#include "arc/server/tiering_settings.h"

namespace arc {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ConfigTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "arc-config-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    input_.dotenv_file = folder_ + "/.env";
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void File(const std::string& text) {
    input_.config_file = folder_ + "/arc.conf";
    std::ofstream(*input_.config_file) << text;
  }
  void Dotenv(const std::string& text) const { std::ofstream(input_.dotenv_file) << text; }
  Config Load() {
    auto config = Config::Load(input_, &warnings_);
    EXPECT_TRUE(config.ok()) << config.error().message;
    return config.ok() ? *config : Config();
  }
  std::string Refusal() {
    auto config = Config::Load(input_, &warnings_);
    EXPECT_FALSE(config.ok());
    return config.ok() ? "" : config.error().message;
  }

  std::string folder_;
  ConfigInput input_;
  std::vector<std::string> warnings_;
};

TEST_F(ConfigTest, DefaultsWithoutAnyFile) {
  Config config = Load();
  EXPECT_EQ(config.Int("server.port"), 8000);
  EXPECT_EQ(config.Text("storage.data_dir"), "./data");
  EXPECT_TRUE(config.Bool("wal.enabled"));
  EXPECT_EQ(config.Text("wal.sync_mode"), "fdatasync");
  EXPECT_EQ(config.Int("ingestion.buffer_size"), 0);
  EXPECT_EQ(config.Int("ingestion.buffer_age_seconds"), 300);
  EXPECT_EQ(config.Value("server.port").source, "default");
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(ConfigTest, LaterPlacesWin) {
  File("[server]\nport = 1\nhost = \"file\"\n[wal]\nmax_size_mb = 5\nmax_age_seconds = 6\n[duckdb]\nthreads = 1\n");
  Dotenv("ARC_PORT=2\nWAL_MAX_SIZE_MB=7\nDUCKDB_THREADS=2\n");
  input_.environment = {{"ARC_PORT", "3"}, {"DUCKDB_THREADS", "3"}};
  input_.command_line = {{"server.port", "4"}};
  Config config = Load();
  EXPECT_EQ(config.Int("server.port"), 4);
  EXPECT_EQ(config.Value("server.port").source, "command line");
  EXPECT_EQ(config.Int("duckdb.threads"), 3);
  EXPECT_EQ(config.Value("duckdb.threads").source, "environment DUCKDB_THREADS");
  EXPECT_EQ(config.Int("wal.max_size_mb"), 7);
  EXPECT_EQ(config.Value("wal.max_size_mb").source, folder_ + "/.env:2");
  EXPECT_EQ(config.Text("server.host"), "file");
  EXPECT_EQ(config.Value("server.host").source, folder_ + "/arc.conf:3");
  EXPECT_EQ(config.Value("wal.max_age_seconds").source, folder_ + "/arc.conf:6");
}

TEST_F(ConfigTest, EverySettingHasItsDerivedVariable) {
  for (const Setting& setting : AllSettings()) {
    ConfigInput input;
    input.dotenv_file = "";
    std::string text(setting.fallback);
    if (setting.type == SettingType::kText) text = "some text";
    if (setting.key == "tiering.hot_age_exceptions") text = "lake=1";
    input.environment = {{EnvironmentName(setting.key), text}};
    auto config = Config::Load(input, nullptr);
    ASSERT_TRUE(config.ok()) << setting.key << ": " << config.error().message;
    EXPECT_EQ(config->Text(setting.key), text);
    EXPECT_EQ(config->Value(setting.key).source, "environment " + EnvironmentName(setting.key));
  }
}

TEST_F(ConfigTest, KeysAndVariablesAreUnique) {
  std::set<std::string> seen;
  for (const Setting& setting : AllSettings()) {
    EXPECT_TRUE(seen.insert(std::string(setting.key)).second) << setting.key;
    EXPECT_TRUE(seen.insert(EnvironmentName(setting.key)).second) << setting.key;
    for (std::string_view name : setting.names) EXPECT_TRUE(seen.insert(std::string(name)).second) << name;
    EXPECT_FALSE(setting.doc.empty());
  }
  for (const InertSetting& setting : InertSettings()) {
    EXPECT_TRUE(seen.insert(std::string(setting.key)).second) << setting.key;
    for (std::string_view name : setting.names) EXPECT_TRUE(seen.insert(std::string(name)).second) << name;
  }
}

TEST_F(ConfigTest, BadValuesNameKeyValueAndWhatIsAllowed) {
  File("[server]\nport = 70000\n[wal]\nsync_mode = \"sometimes\"\nenabled = \"maybe\"\n");
  input_.environment = {{"DUCKDB_MEMORY_LIMIT", "much"}, {"WRITE_BUFFER_AGE", "5s"}};
  std::string refusal = Refusal();
  EXPECT_THAT(refusal, HasSubstr("arc.conf:2: server.port = '70000', allowed: 0 to 65535"));
  EXPECT_THAT(refusal, HasSubstr("wal.sync_mode = 'sometimes', allowed: one of fdatasync, fsync, async, off"));
  EXPECT_THAT(refusal, HasSubstr("wal.enabled = 'maybe', allowed: true or false"));
  EXPECT_THAT(refusal, HasSubstr("environment DUCKDB_MEMORY_LIMIT: duckdb.memory_limit = 'much', allowed: a size"));
  EXPECT_THAT(refusal, HasSubstr("ingestion.buffer_age_seconds = '5s'"));
}

TEST_F(ConfigTest, AnotherStorageBackendIsRefusedRatherThanIgnored) {
  input_.environment = {{"STORAGE_BACKEND", "ceph"}};
  EXPECT_THAT(Refusal(), HasSubstr("storage.backend = 'ceph', allowed: one of local, minio, s3, gcs, azure"));
}

TEST_F(ConfigTest, WhatABackendNeedsIsNamedAtOnce) {
  const auto refusal = [&](std::map<std::string, std::string> environment) {
    input_.environment = std::move(environment);
    return Refusal();
  };
  EXPECT_THAT(refusal({{"STORAGE_BACKEND", "s3"}}), HasSubstr("storage.s3.bucket (S3_BUCKET): needed"));
  EXPECT_THAT(refusal({{"STORAGE_BACKEND", "gcs"}}), HasSubstr("storage.gcs.bucket (GCS_BUCKET): needed"));
  const std::string azure = refusal({{"STORAGE_BACKEND", "azure"}});
  EXPECT_THAT(azure, HasSubstr("storage.azure.container (AZURE_CONTAINER): needed"));
  EXPECT_THAT(azure, HasSubstr("storage.azure.account_name (AZURE_STORAGE_ACCOUNT): needed"));
  EXPECT_THAT(refusal({{"STORAGE_BACKEND", "azure"},
                       {"AZURE_CONTAINER", "c"},
                       {"AZURE_STORAGE_ACCOUNT", "a"},
                       {"AZURE_STORAGE_KEY", "hush"},
                       {"AZURE_STORAGE_SAS_TOKEN", "hush"}}),
              AllOf(HasSubstr("not together with storage.azure.account_key"), Not(HasSubstr("hush"))));
  EXPECT_THAT(refusal({{"STORAGE_BACKEND", "minio"}, {"MINIO_ACCESS_KEY", "user"}}),
              HasSubstr("storage.minio.secret_key (MINIO_SECRET_KEY): needed with storage.minio.access_key"));
  EXPECT_THAT(refusal({{"STORAGE_BACKEND", "s3"}, {"S3_BUCKET", "b"}, {"S3_SESSION_TOKEN", "t"}}),
              HasSubstr("storage.s3.access_key (S3_ACCESS_KEY): needed"));
  EXPECT_THAT(refusal({{"STORAGE_BACKEND", "s3"}, {"S3_BUCKET", "b"}, {"S3_URL_STYLE", "path"}}),
              HasSubstr("storage.s3.endpoint (S3_ENDPOINT): needed"));
  EXPECT_THAT(refusal({{"STORAGE_BACKEND", "minio"}, {"ARC_STORAGE_PREFIX", "/a/"}}),
              HasSubstr("storage.prefix (ARC_STORAGE_PREFIX): names joined by single slashes"));
}

TEST_F(ConfigTest, TheObjectStoreHasThePythonArcsNames) {
  File("[storage]\nbackend = \"minio\"\n[storage.minio]\nendpoint = \"http://minio:9000\"\nuse_ssl = true\n");
  input_.environment = {
      {"MINIO_BUCKET", "lake"}, {"MINIO_ACCESS_KEY", "user"}, {"MINIO_SECRET_KEY", "hush"}, {"S3_REGION", "eu-west-1"}};
  Config config = Load();
  EXPECT_EQ(config.Text("storage.backend"), "minio");
  EXPECT_EQ(config.Text("storage.minio.endpoint"), "http://minio:9000");
  EXPECT_TRUE(config.Bool("storage.minio.use_ssl"));
  EXPECT_EQ(config.Text("storage.minio.bucket"), "lake");
  EXPECT_EQ(config.Text("storage.s3.region"), "eu-west-1");
  EXPECT_THAT(RenderConfig(config), Not(HasSubstr("hush")));
}

TEST_F(ConfigTest, UnknownNamesRefuseWithTheNearest) {
  File("[server]\nprot = 1\n[ingestion]\nsync_mode = \"fsync\"\n");
  Dotenv("WAL_SYNC_MOD=fsync\n");
  input_.environment = {{"ARC_DATA_DIRR", "/x"}, {"HOME", "/root"}, {"MINIO_ROOT_USER", "x"}};
  input_.command_line = {{"sever.port", "1"}};
  std::string refusal = Refusal();
  EXPECT_THAT(refusal, HasSubstr("arc.conf:2: unknown setting server.prot; did you mean server.port?"));
  EXPECT_THAT(refusal, HasSubstr("unknown setting ingestion.sync_mode; did you mean wal.sync_mode?"));
  EXPECT_THAT(refusal, HasSubstr("unknown variable WAL_SYNC_MOD; did you mean WAL_SYNC_MODE?"));
  EXPECT_THAT(refusal, HasSubstr("unknown variable ARC_DATA_DIRR; did you mean ARC_DATA_DIR?"));
  EXPECT_THAT(refusal, HasSubstr("command line: unknown setting sever.port; did you mean server.port?"));
  EXPECT_THAT(refusal, Not(HasSubstr("HOME")));
  EXPECT_THAT(refusal, Not(HasSubstr("MINIO_ROOT_USER")));
}

TEST_F(ConfigTest, TheReferencesSettingsAreAcceptedWithWarnings) {
  File(R"([server]
host = "0.0.0.0"
port = 8000
workers = 8
worker_timeout = 120
graceful_timeout = 60
max_requests = 50000
[auth]
enabled = true
default_token = ""
allowlist = "/health,/ready"
[query_cache]
enabled = true
ttl_seconds = 60
[duckdb]
pool_size = 5
max_queue_size = 100
[ingestion]
buffer_size = 200000
buffer_age_seconds = 10
compression = "snappy"
[wal]
enabled = true
dir = "./data/wal"
sync_mode = "fsync"
max_size_mb = 100
max_age_seconds = 3600
[storage]
backend = "local"
[storage.minio]
endpoint = "http://localhost:9000"
database = "default"
use_ssl = false
[logging]
level = "INFO"
format = "structured"
[cors]
origins = "http://localhost:3000,http://other:3000"
[compaction]
enabled = true
schedule = "5 * * * *"
temp_dir = "./data/compaction"
[monitoring]
enabled = true
)");
  input_.environment = {{"S3_USE_DIRECTORY_BUCKET", "true"}, {"QUERY_CACHE_TTL", "60"},
                        {"COMPACTION_ENABLED", "1"},         {"WORKERS", "4"},
                        {"LOG_LEVEL", "CRITICAL"},           {"MAX_REQUEST_SIZE_MB", "50"}};
  Config config = Load();
  EXPECT_EQ(config.Int("ingestion.buffer_size"), 200000);
  EXPECT_EQ(config.Int("server.graceful_timeout"), 60);
  EXPECT_EQ(config.Text("logging.level"), "error");
  EXPECT_EQ(config.Int("server.max_request_size_mb"), 50);
  std::string all;
  for (const std::string& warning : warnings_) all += warning + "\n";
  EXPECT_THAT(all, HasSubstr("arc.conf:4: server.workers has no effect: Arc is one process"));
  EXPECT_THAT(all, HasSubstr("environment S3_USE_DIRECTORY_BUCKET: S3_USE_DIRECTORY_BUCKET has no effect"));
  EXPECT_THAT(all, HasSubstr("compaction.temp_dir has no effect"));
  EXPECT_THAT(all, HasSubstr("monitoring.enabled has no effect"));
  EXPECT_THAT(all, Not(HasSubstr("buffer_size")));
}

TEST_F(ConfigTest, FlushDefaultsWithoutWal) {
  input_.environment = {{"WAL_ENABLED", "false"}};
  Config config = Load();
  EXPECT_EQ(config.Int("ingestion.buffer_size"), 50'000);
  EXPECT_EQ(config.Int("ingestion.buffer_age_seconds"), 5);
  EXPECT_EQ(config.Value("ingestion.buffer_size").source, "default without WAL");
  input_.environment = {{"WAL_SYNC_MODE", "off"}, {"WRITE_BUFFER_SIZE", "7"}};
  config = Load();
  EXPECT_EQ(config.Int("ingestion.buffer_size"), 7);
  EXPECT_EQ(config.Int("ingestion.buffer_age_seconds"), 5);
  input_.environment = {{"WAL_SYNC_MODE", "async"}};
  EXPECT_EQ(Load().Int("ingestion.buffer_age_seconds"), 300);
}

TEST_F(ConfigTest, DotenvSyntax) {
  Dotenv(
      "# comment\n\n  export ARC_HOST = 'quoted # text'  # comment\r\nWAL_DIR=\"a\\\"b\\n\"\nLOG_LEVEL=debug # loud\n"
      "PORT=9\nARC_DATA_DIR=\nUNRELATED=x\n");
  Config config = Load();
  EXPECT_EQ(config.Text("server.host"), "quoted # text");
  EXPECT_EQ(config.Text("wal.dir"), "a\"b\n");
  EXPECT_EQ(config.Text("logging.level"), "debug");
  EXPECT_EQ(config.Int("server.port"), 9);
  EXPECT_EQ(config.Text("storage.data_dir"), "./data") << "set to nothing is not set";
  Dotenv("ARC_PORT\n");
  EXPECT_THAT(Refusal(), HasSubstr(".env:1: expected NAME=value"));
  Dotenv("ARC_HOST='open\n");
  EXPECT_THAT(Refusal(), HasSubstr(".env:1: the quote is not closed"));
}

TEST_F(ConfigTest, TooGeneralNamesCountInDotenvOnly) {
  input_.environment = {{"PORT", "9"}, {"HOST", "x"}};
  EXPECT_EQ(Load().Int("server.port"), 8000);
}

TEST_F(ConfigTest, BrokenOrMissingFile) {
  File("[server\nport = 1\n");
  EXPECT_THAT(Refusal(), HasSubstr("arc.conf:1: "));
  File("[server]\nport = 1979-05-27\n");
  EXPECT_THAT(Refusal(), HasSubstr("arc.conf:2: server.port must be text, a number, true or false"));
  input_.config_file = folder_ + "/none.conf";
  EXPECT_THAT(Refusal(), HasSubstr("there is no configuration file"));
  input_.config_file.reset();
  input_.environment = {{"ARC_CONFIG_FILE", folder_ + "/none.conf"}};
  EXPECT_THAT(Refusal(), HasSubstr("there is no configuration file"));
}

TEST_F(ConfigTest, Lists) {
  File("[cors]\norigins = [\"http://a\", \"http://b\"]\n");
  EXPECT_EQ(Load().Text("cors.origins"), "http://a,http://b");
}

TEST_F(ConfigTest, OrchestratorsVariablesAreNotSettings) {
  input_.environment = {{"ARC_PORT", "tcp://10.0.0.1:8000"},
                        {"ARC_SERVICE_HOST", "10.0.0.1"},
                        {"ARC_SERVICE_PORT", "8000"},
                        {"ARC_PORT_8000_TCP_ADDR", "10.0.0.1"}};
  EXPECT_EQ(Load().Int("server.port"), 8000);
}

TEST_F(ConfigTest, ShowsValuesAndSourcesButNoSecrets) {
  input_.environment = {{"ARC_ADMIN_TOKEN", "super-secret-token"}, {"ARC_PORT", "9"}};
  std::string shown = RenderConfig(Load());
  EXPECT_THAT(shown, HasSubstr("environment ARC_PORT"));
  EXPECT_THAT(shown, HasSubstr("(hidden)"));
  EXPECT_THAT(shown, Not(HasSubstr("super-secret")));
  for (const Setting& setting : AllSettings()) EXPECT_THAT(shown, HasSubstr(std::string(setting.key) + " "));
}

TEST_F(ConfigTest, AColdStoreNeedsAPlaceAndTakesTheRestFromTheTables) {
  input_.environment = {{"STORAGE_BACKEND", "minio"},   {"MINIO_ENDPOINT", "http://store:9000"},
                        {"MINIO_ACCESS_KEY", "user"},   {"MINIO_SECRET_KEY", "secret"},
                        {"ARC_STORAGE_PREFIX", "hot"},  {"ARC_TIERING_BACKEND", "minio"},
                        {"ARC_TIERING_ENABLED", "true"}};
  EXPECT_THAT(Refusal(), HasSubstr("tiering.minio.bucket (ARC_TIERING_MINIO_BUCKET): needed for tiering.backend"));
  input_.environment["ARC_TIERING_MINIO_BUCKET"] = "cold";
  input_.environment["ARC_TIERING_MINIO_USE_SSL"] = "true";
  const Config config = Load();
  const auto cold = StoreSection::OfCold(config);
  EXPECT_EQ(cold.Text("minio.endpoint"), "http://store:9000");
  EXPECT_EQ(cold.Text("minio.secret_key"), "secret");
  EXPECT_EQ(cold.Text("minio.bucket"), "cold");
  EXPECT_EQ(cold.Text("prefix"), "");
  EXPECT_TRUE(cold.Bool("minio.use_ssl"));
  EXPECT_FALSE(StoreSection::OfTables(config).Bool("minio.use_ssl"));
  EXPECT_THAT(RenderConfig(config), Not(HasSubstr("secret\"")));
  input_.environment["ARC_TIERING_MINIO_ENDPOINT"] = "http://other:9000";
  const Config other = Load();
  EXPECT_EQ(StoreSection::OfCold(other).Text("minio.endpoint"), "http://other:9000");
}

TEST_F(ConfigTest, TieringWithoutAStoreOrWithAgesThatAreNone) {
  input_.environment = {{"ARC_TIERING_ENABLED", "true"}};
  EXPECT_THAT(Refusal(), HasSubstr("tiering.backend (ARC_TIERING_BACKEND): needed with tiering.enabled"));
  input_.environment = {{"ARC_TIERING_BACKEND", "local"}};
  EXPECT_THAT(Refusal(), HasSubstr("tiering.local_path"));
  for (const char* ages :
       {"lake", "lake=", "lake=x", "lake=-1", "lake/cpu=1d", "=3", "lake/=3", "a/b/c=3", "a=40000"}) {
    input_.environment = {{"ARC_TIERING_HOT_AGE_EXCEPTIONS", ages}};
    EXPECT_THAT(Refusal(), HasSubstr("tiering.hot_age_exceptions")) << ages;
  }
  input_.environment = {{"ARC_TIERING_HOT_AGE_EXCEPTIONS", " lake=90, lake/cpu%20x=7,, "}};
  const auto ages = TieringOptionsOf(Load()).exceptions;
  ASSERT_EQ(ages.size(), 2u);
  EXPECT_EQ(ages[0].database + "|" + ages[0].measurement, "lake|");
  EXPECT_EQ(ages[0].days, 90);
  EXPECT_EQ(ages[1].database + "|" + ages[1].measurement, "lake|cpu x");
  EXPECT_EQ(ages[1].days, 7);
}

TEST_F(ConfigTest, TheReferencePageIsCurrent) {
  std::ifstream in("docs/configuration.md");
  ASSERT_TRUE(in.is_open()) << "tests run in the repository's root";
  std::stringstream text;
  text << in.rdbuf();
  EXPECT_EQ(text.str(), RenderConfigReference()) << "make it anew: arc config reference > docs/configuration.md";
}

}  // namespace
}  // namespace arc
