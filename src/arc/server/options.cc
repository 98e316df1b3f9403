#include "arc/server/options.h"

#include <algorithm>
#include <optional>
#include <string_view>

#include "arc/io/object_store_s3.h"

namespace arc {

namespace {

constexpr int64_t kMega = 1 << 20;
constexpr int64_t kDecodedPerSent = 4;

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
  options.temp_folder = config.Text("duckdb.temp_dir");
  options.pool_size = static_cast<int>(config.Int("duckdb.pool_size"));
  options.queue_limit = static_cast<int>(config.Int("duckdb.max_queue_size"));
  options.timeout = std::chrono::seconds(config.Int("query.timeout_seconds"));
  options.slow_query = std::chrono::milliseconds(config.Int("query.slow_ms"));
  return options;
}

// Nothing for the local disk.
std::optional<S3StoreOptions> RemoteOptionsOf(const Config& config) {
  const std::string& backend = config.Text("storage.backend");
  if (backend == "local") return std::nullopt;
  S3StoreOptions options;
  options.prefix = config.Text("storage.prefix");
  std::string section = "storage." + backend + ".";
  options.endpoint = config.Text(section + "endpoint");
  options.bucket = config.Text(section + "bucket");
  options.access_key = config.Text(section + "access_key");
  options.secret_key = config.Text(section + "secret_key");
  if (backend == "minio") {
    options.use_ssl = config.Bool("storage.minio.use_ssl");
    options.make_bucket = true;
  } else {
    options.region = config.Text("storage.s3.region");
  }
  return options;
}

}  // namespace

EngineOptions EngineOptionsOf(const Config& config) {
  EngineOptions options;
  options.data_folder = config.Text("storage.data_dir");
  options.storage_root = config.Text("storage.local_path");
  if (auto remote = RemoteOptionsOf(config)) {
    options.open_remote_store = [remote = *remote] { return OpenS3ObjectStore(remote, SystemRandom()); };
  }
  options.staging_bytes = config.Int("storage.staging_limit_mb") * kMega;
  options.read_ahead_bytes = config.Int("storage.read_ahead_mb") * kMega;
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
