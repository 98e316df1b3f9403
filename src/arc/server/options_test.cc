#include "arc/server/options.h"

#include <gtest/gtest.h>

namespace arc {
namespace {

Config With(std::vector<std::pair<std::string, std::string>> settings) {
  ConfigInput input;
  input.config_file.reset();
  input.dotenv_file = "";
  input.command_line = std::move(settings);
  auto config = Config::Load(input, nullptr);
  EXPECT_TRUE(config.ok()) << config.error().message;
  return *config;
}

TEST(Options, DefaultsAreTheEngines) {
  const EngineOptions ours = EngineOptionsOf(With({}));
  const EngineOptions engine;
  EXPECT_EQ(ours.data_folder, engine.data_folder);
  EXPECT_EQ(ours.storage_root, engine.storage_root);
  EXPECT_EQ(ours.buffer_bytes, engine.buffer_bytes);
  EXPECT_EQ(ours.buffer_wait_ms, engine.buffer_wait_ms);
  EXPECT_EQ(ours.compression, engine.compression);
  EXPECT_EQ(ours.staging_bytes, engine.staging_bytes);
  EXPECT_EQ(ours.read_ahead_bytes, engine.read_ahead_bytes);
  EXPECT_EQ(ours.read_cache_bytes, engine.read_cache_bytes);
  EXPECT_EQ(ours.read_cache_folder, engine.read_cache_folder);
  EXPECT_EQ(ours.flush.table_bytes, engine.flush.table_bytes);
  EXPECT_EQ(ours.flush.table_age_ms, engine.flush.table_age_ms);
  EXPECT_EQ(ours.flush.table_rows, engine.flush.table_rows);
  EXPECT_EQ(ours.flush.log_bytes, engine.flush.log_bytes);
  EXPECT_EQ(ours.flush.threads, engine.flush.threads);
  EXPECT_EQ(ours.log.folder, engine.log.folder);
  EXPECT_EQ(ours.log.sync_mode, engine.log.sync_mode);
  EXPECT_EQ(ours.log.segment_bytes, engine.log.segment_bytes);
  EXPECT_EQ(ours.log.segment_age_ms, engine.log.segment_age_ms);
  EXPECT_EQ(ours.log.queue_bytes, engine.log.queue_bytes);
  EXPECT_EQ(ours.log.recycled_segments, engine.log.recycled_segments);
  EXPECT_EQ(ours.log.archive, engine.log.archive);
  EXPECT_EQ(ours.log.archive_age_ms, engine.log.archive_age_ms);
  EXPECT_EQ(ours.query.threads, engine.query.threads);
  EXPECT_EQ(ours.query.memory_limit_bytes, engine.query.memory_limit_bytes);
  EXPECT_EQ(ours.query.pool_size, engine.query.pool_size);
  EXPECT_EQ(ours.query.queue_limit, engine.query.queue_limit);
  EXPECT_EQ(ours.query.timeout, engine.query.timeout);
  EXPECT_EQ(ours.query.slow_query, engine.query.slow_query);
  EXPECT_EQ(ours.history.max_snapshots, engine.history.max_snapshots);
  EXPECT_EQ(ours.history.max_snapshot_age_ms, engine.history.max_snapshot_age_ms);
  EXPECT_EQ(ours.history.keep_metadata_files, engine.history.keep_metadata_files);
  EXPECT_EQ(ours.upkeep.enabled, engine.upkeep.enabled);
  EXPECT_EQ(ours.upkeep.interval_ms, engine.upkeep.interval_ms);
  EXPECT_EQ(ours.upkeep.orphan_interval_ms, engine.upkeep.orphan_interval_ms);
  EXPECT_EQ(ours.upkeep.orphan_age_ms, engine.upkeep.orphan_age_ms);
  EXPECT_EQ(ours.upkeep.remove_orphans, engine.upkeep.remove_orphans);
  EXPECT_EQ(ours.tiering.enabled, engine.tiering.enabled);
  EXPECT_EQ(ours.tiering.schedule, engine.tiering.schedule);
  EXPECT_EQ(ours.tiering.hot_age_days, engine.tiering.hot_age_days);
  EXPECT_EQ(ours.tiering.max_jobs, engine.tiering.max_jobs);
}

TEST(Options, DefaultsAreTheHttpServers) {
  const HttpOptions ours = HttpOptionsOf(With({}));
  const HttpOptions http;
  EXPECT_EQ(ours.host, http.host);
  EXPECT_EQ(ours.port, http.port);
  EXPECT_EQ(ours.io_threads, http.io_threads);
  EXPECT_EQ(ours.max_connections, http.max_connections);
  EXPECT_EQ(ours.max_body_bytes, http.max_body_bytes);
  EXPECT_EQ(ours.max_decoded_body_bytes, http.max_decoded_body_bytes);
  EXPECT_EQ(ours.body_budget_bytes, http.body_budget_bytes);
  EXPECT_EQ(ours.query_threads, http.query_threads);
  EXPECT_EQ(ours.auth_enabled, http.auth_enabled);
  EXPECT_EQ(ours.token_requests_per_minute, http.token_requests_per_minute);
  EXPECT_EQ(ours.cors_origins, http.cors_origins);
  EXPECT_EQ(ours.iceberg_max_staleness_ms, http.iceberg_max_staleness_ms);
}

TEST(Options, ValuesArrive) {
  const Config config = With({{"storage.data_dir", "/d"},
                              {"storage.local_path", "/t"},
                              {"wal.dir", "/w"},
                              {"wal.sync_mode", "fsync"},
                              {"wal.max_size_mb", "7"},
                              {"wal.archive", "true"},
                              {"ingestion.memory_mb", "64"},
                              {"ingestion.buffer_size", "9"},
                              {"ingestion.compression", "zstd"},
                              {"duckdb.memory_limit", "2GB"},
                              {"duckdb.temp_dir", "/x"},
                              {"server.port", "0"},
                              {"cors.origins", "http://a , http://b,"},
                              {"iceberg.max_staleness_ms", "250"},
                              {"logging.level", "error"},
                              {"server.graceful_timeout", "3"}});
  const EngineOptions engine = EngineOptionsOf(config);
  EXPECT_EQ(engine.data_folder, "/d");
  EXPECT_EQ(engine.storage_root, "/t");
  EXPECT_EQ(engine.log.folder, "/w");
  EXPECT_EQ(engine.log.sync_mode, SyncMode::kFsync);
  EXPECT_EQ(engine.log.segment_bytes, 7 << 20);
  EXPECT_TRUE(engine.log.archive);
  EXPECT_EQ(engine.buffer_bytes, 64 << 20);
  EXPECT_EQ(engine.flush.table_rows, 9);
  EXPECT_EQ(engine.compression, "zstd");
  EXPECT_EQ(engine.query.memory_limit_bytes, 2'000'000'000);
  EXPECT_EQ(engine.query.temp_folder, "/x");
  const HttpOptions http = HttpOptionsOf(config);
  EXPECT_EQ(http.port, 0);
  EXPECT_EQ(http.cors_origins, (std::vector<std::string>{"http://a", "http://b"}));
  EXPECT_EQ(http.iceberg_max_staleness_ms, 250);
  EXPECT_EQ(LogLevelOf(config), LogLevel::kError);
  EXPECT_EQ(StopLimitOf(config), std::chrono::seconds(3));
}

TEST(Options, ARemoteStoreIsOpenedWhereOneIsNamed) {
  EXPECT_FALSE(EngineOptionsOf(With({})).open_remote_store);
  const EngineOptions engine = EngineOptionsOf(With({{"storage.backend", "minio"},
                                                     {"storage.ca_file", "/absent.crt"},
                                                     {"storage.staging_limit_mb", "3"},
                                                     {"storage.read_ahead_mb", "5"},
                                                     {"storage.read_cache_mb", "7"},
                                                     {"storage.read_cache_dir", "/c"}}));
  ASSERT_TRUE(engine.open_remote_store);
  EXPECT_EQ(engine.open_remote_store().error().kind, ErrorKind::kInvalidArgument);  // no such file
  EXPECT_EQ(engine.staging_bytes, 3 << 20);
  EXPECT_EQ(engine.read_ahead_bytes, 5 << 20);
  EXPECT_EQ(engine.read_cache_bytes, 7 << 20);
  EXPECT_EQ(engine.read_cache_folder, "/c");
}

TEST(Options, AColdStoreIsOpenedWhereOneIsNamed) {
  const EngineOptions without = EngineOptionsOf(With({}));
  EXPECT_FALSE(without.open_cold_store);
  const EngineOptions engine = EngineOptionsOf(With({{"tiering.backend", "local"},
                                                     {"tiering.local_path", "/cold"},
                                                     {"tiering.hot_age_days", "9"},
                                                     {"tiering.schedule", "1 2 * * *"},
                                                     {"tiering.max_concurrent_jobs", "3"}}));
  EXPECT_TRUE(engine.open_cold_store);
  EXPECT_TRUE(engine.cold_is_local);
  EXPECT_FALSE(engine.open_remote_store);
  EXPECT_FALSE(engine.tiering.enabled);
  EXPECT_EQ(engine.tiering.hot_age_days, 9);
  EXPECT_EQ(engine.tiering.schedule, "1 2 * * *");
  EXPECT_EQ(engine.tiering.max_jobs, 3);
  EXPECT_EQ(engine.query.other_memory_bytes, without.query.other_memory_bytes + (3 * 16 << 20));
}

TEST(Options, AddressesAreWhatOtherEnginesUse) {
  const auto uri = [](std::vector<std::pair<std::string, std::string>> settings) {
    settings.emplace_back("storage.prefix", "team/arc");
    auto store = EngineOptionsOf(With(std::move(settings))).open_remote_store();
    EXPECT_TRUE(store.ok()) << store.error().message;
    return (*store)->UriOf("db/m/f");
  };
  EXPECT_EQ(uri({{"storage.backend", "s3"}, {"storage.s3.bucket", "lake"}}), "s3://lake/team/arc/db/m/f");
  EXPECT_EQ(uri({{"storage.backend", "gcs"}, {"storage.gcs.bucket", "lake"}, {"storage.gcs.endpoint", "http://x:1"}}),
            "gs://lake/team/arc/db/m/f");
  EXPECT_EQ(uri({{"storage.backend", "azure"},
                 {"storage.azure.container", "lake"},
                 {"storage.azure.account_name", "account"},
                 {"storage.azure.account_key", "a2V5"}}),
            "abfss://lake@account.dfs.core.windows.net/team/arc/db/m/f");
}

TEST(Options, SyncModes) {
  EXPECT_EQ(EngineOptionsOf(With({{"wal.sync_mode", "async"}})).log.sync_mode, SyncMode::kAsync);
  EXPECT_EQ(EngineOptionsOf(With({{"wal.sync_mode", "off"}})).log.sync_mode, SyncMode::kOff);
  EXPECT_EQ(EngineOptionsOf(With({{"wal.enabled", "false"}})).log.sync_mode, SyncMode::kOff);
  EXPECT_TRUE(HttpOptionsOf(With({{"cors.origins", ""}})).cors_origins.empty());
}

}  // namespace
}  // namespace arc
