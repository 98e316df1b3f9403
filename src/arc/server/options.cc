#include "arc/server/options.h"

#include <algorithm>
#include <string_view>

#include "arc/server/remote_store.h"
#include "arc/server/tiering_settings.h"

namespace arc {

namespace {

constexpr int64_t kMega = 1 << 20;
constexpr int64_t kDecodedPerSent = 4;
constexpr int64_t kHourMs = 3'600'000;

SyncMode SyncModeOf(const Config& config) {
  const std::string& mode = config.Text("wal.sync_mode");
  if (!config.Bool("wal.enabled") || mode == "off") return SyncMode::kOff;
  if (mode == "fsync") return SyncMode::kFsync;
  if (mode == "async") return SyncMode::kAsync;
  return SyncMode::kFdatasync;
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    size_t comma = text.find(',');
    std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (part.starts_with(' ')) part.remove_prefix(1);
    while (part.ends_with(' ')) part.remove_suffix(1);
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

LogOptions LogOptionsOf(const Config& config) {
  LogOptions options;
  options.folder = config.Text("wal.dir");
  options.sync_mode = SyncModeOf(config);
  options.segment_bytes = config.Int("wal.max_size_mb") * kMega;
  options.segment_age_ms = config.Int("wal.max_age_seconds") * 1000;
  options.queue_bytes = config.Int("wal.queue_mb") * kMega;
  options.recycled_segments = static_cast<int>(config.Int("wal.recycled_segments"));
  options.archive = config.Bool("wal.archive");
  options.archive_age_ms = config.Int("wal.archive_age_hours") * 3600 * 1000;
  return options;
}

QueryOptions QueryOptionsOf(const Config& config) {
  QueryOptions options;
  options.threads = static_cast<int>(config.Int("duckdb.threads"));
  options.memory_limit_bytes = config.Int("duckdb.memory_limit");
  for (const char* key : {"ingestion.memory_mb", "server.request_memory_mb", "wal.queue_mb", "storage.read_ahead_mb",
                          "compaction.memory_mb"}) {
    options.other_memory_bytes += config.Int(key) * kMega;
  }
  if (config.Text("tiering.backend") != "none") {
    // Of a copy: the piece that is read and the part that is sent.
    options.other_memory_bytes += config.Int("tiering.max_concurrent_jobs") * 16 * kMega;
  }
  options.temp_folder = config.Text("duckdb.temp_dir");
  options.pool_size = static_cast<int>(config.Int("duckdb.pool_size"));
  options.queue_limit = static_cast<int>(config.Int("duckdb.max_queue_size"));
  options.timeout = std::chrono::seconds(config.Int("query.timeout_seconds"));
  options.slow_query = std::chrono::milliseconds(config.Int("query.slow_ms"));
  return options;
}

CompactionOptions CompactionOptionsOf(const Config& config) {
  CompactionOptions options;
  options.enabled = config.Bool("compaction.enabled");
  options.schedule = config.Text("compaction.schedule");
  options.policy.min_age_ms = config.Int("compaction.min_age_hours") * kHourMs;
  options.policy.min_files = static_cast<int>(config.Int("compaction.min_files"));
  options.policy.target_bytes = config.Int("compaction.target_file_size_mb") * kMega;
  options.policy.memory_bytes = config.Int("compaction.memory_mb") * kMega;
  options.max_jobs = static_cast<int>(config.Int("compaction.max_concurrent_jobs"));
  options.lock_ms = config.Int("compaction.lock_ttl_hours") * kHourMs;
  options.compression = config.Text("compaction.compression");
  options.compression_level = static_cast<int>(config.Int("compaction.compression_level"));
  return options;
}

HistoryPolicy HistoryOf(const Config& config) {
  HistoryPolicy history;
  history.max_snapshots = static_cast<int>(config.Int("maintenance.max_snapshots"));
  history.max_snapshot_age_ms = config.Int("maintenance.max_snapshot_age_hours") * kHourMs;
  history.keep_metadata_files = static_cast<int>(config.Int("maintenance.keep_metadata_files"));
  return history;
}

UpkeepOptions UpkeepOptionsOf(const Config& config) {
  UpkeepOptions options;
  options.enabled = config.Bool("maintenance.enabled");
  options.interval_ms = config.Int("maintenance.interval_minutes") * 60'000;
  options.orphan_interval_ms = config.Int("maintenance.orphan_interval_hours") * kHourMs;
  options.orphan_age_ms = config.Int("maintenance.orphan_age_hours") * kHourMs;
  options.remove_orphans = config.Bool("maintenance.remove_orphans");
  return options;
}

}  // namespace

EngineOptions EngineOptionsOf(const Config& config) {
  EngineOptions options;
  options.data_folder = config.Text("storage.data_dir");
  options.storage_root = config.Text("storage.local_path");
  options.open_remote_store = RemoteStoreOf(config);
  options.open_cold_store = ColdStoreOf(config);
  options.cold_is_local = config.Text("tiering.backend") == "local";
  options.open_backup_target = [config](const std::string& target) {
    return OpenTarget(config, target, /*to_change=*/true);
  };
  options.rebuild_catalog = config.Bool("storage.rebuild_catalog");
  options.staging_bytes = config.Int("storage.staging_limit_mb") * kMega;
  options.read_ahead_bytes = config.Int("storage.read_ahead_mb") * kMega;
  options.read_cache_bytes = config.Int("storage.read_cache_mb") * kMega;
  options.read_cache_folder = config.Text("storage.read_cache_dir");
  options.log = LogOptionsOf(config);
  options.query = QueryOptionsOf(config);
  options.buffer_bytes = config.Int("ingestion.memory_mb") * kMega;
  options.buffer_wait_ms = config.Int("ingestion.wait_ms");
  options.flush.table_bytes = config.Int("ingestion.flush_size_mb") * kMega;
  options.flush.table_age_ms = config.Int("ingestion.buffer_age_seconds") * 1000;
  options.flush.table_rows = config.Int("ingestion.buffer_size");
  options.flush.log_bytes = config.Int("wal.keep_below_mb") * kMega;
  options.flush.threads = static_cast<int>(config.Int("ingestion.flush_threads"));
  options.compression = config.Text("ingestion.compression");
  options.compaction = CompactionOptionsOf(config);
  options.tiering = TieringOptionsOf(config);
  options.history = HistoryOf(config);
  options.upkeep = UpkeepOptionsOf(config);
  return options;
}

HttpOptions HttpOptionsOf(const Config& config) {
  HttpOptions options;
  options.host = config.Text("server.host");
  options.port = static_cast<uint16_t>(config.Int("server.port"));
  options.io_threads = static_cast<int>(config.Int("server.threads"));
  options.max_connections = static_cast<int>(config.Int("server.max_connections"));
  options.max_body_bytes = config.Int("server.max_request_size_mb") * kMega;
  options.max_decoded_body_bytes = options.max_body_bytes * kDecodedPerSent;
  options.body_budget_bytes = config.Int("server.request_memory_mb") * kMega;
  options.query_threads =
      static_cast<int>(std::min<int64_t>(config.Int("duckdb.pool_size") + config.Int("duckdb.max_queue_size"), 1024));
  options.auth_enabled = config.Bool("auth.enabled");
  options.token_requests_per_minute = static_cast<int>(config.Int("auth.rate_limit_per_minute"));
  options.iceberg_max_staleness_ms = config.Int("iceberg.max_staleness_ms");
  options.cors_origins = SplitList(config.Text("cors.origins"));
  return options;
}

LogLevel LogLevelOf(const Config& config) {
  const std::string& level = config.Text("logging.level");
  if (level == "debug") return LogLevel::kDebug;
  if (level == "warning") return LogLevel::kWarning;
  if (level == "error") return LogLevel::kError;
  return LogLevel::kInfo;
}

std::chrono::milliseconds StopLimitOf(const Config& config) {
  return std::chrono::seconds(config.Int("server.graceful_timeout"));
}

}  // namespace arc
