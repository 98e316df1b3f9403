#include "arc/server/settings.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>

#include "arc/base/check.h"
#include "arc/server/storage_settings.h"
#include "arc/server/tiering_settings.h"

namespace arc {

namespace {

constexpr int64_t kAny = std::numeric_limits<int64_t>::max();
constexpr int64_t kDaySeconds = 24 * 3600;

std::vector<Setting> ServerSettings() {
  return {
      {.key = "server.host",
       .fallback = "0.0.0.0",
       .doc = "Address to listen on; `0.0.0.0` is every IPv4 interface, `127.0.0.1` this machine only.",
       .names = {"ARC_HOST"},
       .dot_names = {"HOST"}},
      {.key = "server.port",
       .type = SettingType::kInt,
       .fallback = "8000",
       .doc = "TCP port; 0 takes a free one.",
       .max = 65535,
       .names = {"ARC_PORT"},
       .dot_names = {"PORT"}},
      {.key = "server.threads",
       .type = SettingType::kInt,
       .fallback = "0",
       .doc = "Threads that serve HTTP; 0 is one per core.",
       .max = 1024},
      {.key = "server.max_connections",
       .type = SettingType::kInt,
       .fallback = "10000",
       .doc = "Connections held at once; further ones are closed.",
       .min = 1,
       .max = 1'000'000},
      {.key = "server.max_request_size_mb",
       .type = SettingType::kInt,
       .fallback = "100",
       .doc = "Largest request body as sent, and a quarter of what it may decompress to; larger ones get 413.",
       .min = 1,
       .max = 2047,
       .names = {"ARC_MAX_REQUEST_SIZE_MB", "MAX_REQUEST_SIZE_MB"}},
      {.key = "server.request_memory_mb",
       .type = SettingType::kInt,
       .fallback = "1024",
       .doc = "Memory of all request bodies in flight; more get 503.",
       .min = 16,
       .max = 1 << 20},
      {.key = "server.graceful_timeout",
       .type = SettingType::kInt,
       .fallback = "10",
       .doc = "Seconds that a stop may take: running requests end and hot rows are flushed; what remains is in the "
              "log and replayed at the next start.",
       .max = 3600},
      {.key = "auth.enabled",
       .type = SettingType::kBool,
       .fallback = "true",
       .doc = "`false` lets everybody do everything; only for a machine of your own.",
       .names = {"AUTH_ENABLED", "ARC_AUTH"}},
      {.key = "auth.default_token",
       .doc = "The admin token made at the first start, 8 characters at least; empty generates one and prints it once. "
              "Later starts do not read it.",
       .names = {"ARC_ADMIN_TOKEN", "DEFAULT_API_TOKEN"},
       .secret = true},
      {.key = "auth.rate_limit_per_minute",
       .type = SettingType::kInt,
       .fallback = "100",
       .doc = "Requests a minute and address on the token routes; 0 is no limit. Writes and queries are never limited.",
       .max = 1'000'000},
      {.key = "cors.origins",
       .fallback = "*",
       .doc = "Origins whose pages may call the API, separated by commas; `*` is any, empty is none.",
       .names = {"CORS_ORIGINS"}},
      {.key = "iceberg.max_staleness_ms",
       .type = SettingType::kInt,
       .fallback = "-1",
       .doc =
           "How old rows may be that a client of the Iceberg REST catalog does not see: loading a table first flushes "
           "it when its oldest unflushed row is older; 0 flushes whenever there is one, -1 never.",
       .min = -1,
       .max = 86'400'000},
      {.key = "logging.level",
       .type = SettingType::kChoice,
       .fallback = "info",
       .doc = "Lines below this level are not logged.",
       .choices = {"debug", "info", "warning", "error"},
       .names = {"ARC_LOG_LEVEL", "LOG_LEVEL"}},
  };
}

std::vector<Setting> IngestionSettings() {
  return {
      {.key = "ingestion.memory_mb",
       .type = SettingType::kInt,
       .fallback = "512",
       .doc = "Bound of all rows held in memory. At the bound writers wait, then get 503 with Retry-After.",
       .min = 16,
       .max = 1 << 20},
      {.key = "ingestion.wait_ms",
       .type = SettingType::kInt,
       .fallback = "200",
       .doc = "How long a writer waits for room in memory before it is refused.",
       .max = 60'000},
      {.key = "ingestion.flush_size_mb",
       .type = SettingType::kInt,
       .fallback = "128",
       .doc = "A table's hot rows go to Parquet when they take this much memory.",
       .min = 1,
       .max = 1 << 16},
      {.key = "ingestion.buffer_age_seconds",
       .type = SettingType::kInt,
       .fallback = "300",
       .doc = "… or when the oldest is this old.",
       .min = 1,
       .max = kDaySeconds,
       .names = {"WRITE_BUFFER_AGE"},
       .fallback_without_wal = "5"},
      {.key = "ingestion.buffer_size",
       .type = SettingType::kInt,
       .fallback = "0",
       .doc = "… or when they are this many; 0 is no bound on the count.",
       .max = 1'000'000'000,
       .names = {"WRITE_BUFFER_SIZE"},
       .fallback_without_wal = "50000"},
      {.key = "ingestion.flush_threads",
       .type = SettingType::kInt,
       .fallback = "2",
       .doc = "Tables, or groups of up to 64 small tables, flushed at once.",
       .min = 1,
       .max = 64},
      {.key = "ingestion.compression",
       .type = SettingType::kChoice,
       .fallback = "lz4_raw",
       .doc = "Codec of freshly flushed Parquet files.",
       .choices = {"lz4_raw", "snappy", "zstd", "none"},
       .names = {"WRITE_COMPRESSION"}},
      {.key = "wal.enabled",
       .type = SettingType::kBool,
       .fallback = "true",
       .doc =
           "`false` is the same as `wal.sync_mode = \"off\"`: rows acknowledged but not yet flushed are lost when the "
           "process or machine dies.",
       .names = {"WAL_ENABLED"}},
      {.key = "wal.sync_mode",
       .type = SettingType::kChoice,
       .fallback = "fdatasync",
       .doc =
           "`fdatasync` and `fsync` acknowledge a write once it is on disk; `async` leaves that to the kernel (a power "
           "cut loses the last moments); `off` writes no log.",
       .choices = {"fdatasync", "fsync", "async", "off"},
       .names = {"WAL_SYNC_MODE"}},
      {.key = "wal.dir", .doc = "Folder of the log; empty is `wal` inside the data folder.", .names = {"WAL_DIR"}},
      {.key = "wal.max_size_mb",
       .type = SettingType::kInt,
       .fallback = "100",
       .doc = "A segment is sealed at this size.",
       .min = 1,
       .max = 16'384,
       .names = {"WAL_MAX_SIZE_MB"}},
      {.key = "wal.max_age_seconds",
       .type = SettingType::kInt,
       .fallback = "3600",
       .doc = "… or at this age.",
       .min = 1,
       .max = 30 * kDaySeconds,
       .names = {"WAL_MAX_AGE_SECONDS"}},
      {.key = "wal.keep_below_mb",
       .type = SettingType::kInt,
       .fallback = "1024",
       .doc = "Tables that hold the oldest part of the log are flushed to keep it below about this, which bounds the "
              "time of a restart.",
       .min = 16,
       .max = 1 << 20},
      {.key = "wal.queue_mb",
       .type = SettingType::kInt,
       .fallback = "64",
       .doc = "Writes waiting for the log; more are refused with 503.",
       .min = 1,
       .max = 16'384},
      {.key = "wal.recycled_segments",
       .type = SettingType::kInt,
       .fallback = "2",
       .doc = "Retired segment files kept for overwriting, which halves the cost of a sync.",
       .max = 1000},
      {.key = "wal.archive",
       .type = SettingType::kBool,
       .fallback = "false",
       .doc = "Keep retired segments, cut to size, instead of recycling them."},
      {.key = "wal.archive_age_hours",
       .type = SettingType::kInt,
       .fallback = "24",
       .doc = "Archived and recovered segments older than this are removed.",
       .min = 1,
       .max = 24 * 3650},
  };
}

std::vector<Setting> CompactionSettings() {
  return {
      {.key = "compaction.enabled",
       .type = SettingType::kBool,
       .fallback = "true",
       .doc = "Merge small data files into larger ones by the schedule ([compaction.md](compaction.md)).",
       .names = {"COMPACTION_ENABLED"}},
      {.key = "compaction.schedule",
       .fallback = "5 * * * *",
       .doc = "When tables are looked over, as cron writes it (minute, hour, day, month, weekday), in UTC.",
       .names = {"COMPACTION_SCHEDULE"}},
      {.key = "compaction.min_age_hours",
       .type = SettingType::kInt,
       .fallback = "1",
       .doc = "An hour is merged so long after it began (and not before it is over), a day so long after it ended.",
       .max = 24 * 366,
       .names = {"COMPACTION_MIN_AGE_HOURS"}},
      {.key = "compaction.min_files",
       .type = SettingType::kInt,
       .fallback = "10",
       .doc = "Hours and days with fewer small files are left as they are.",
       .min = 2,
       .max = 100'000,
       .names = {"COMPACTION_MIN_FILES"}},
      {.key = "compaction.target_file_size_mb",
       .type = SettingType::kInt,
       .fallback = "512",
       .doc = "Merged files grow to this size. Files of half of it and more are not merged.",
       .min = 1,
       .max = 16'384,
       .names = {"COMPACTION_TARGET_FILE_SIZE_MB"}},
      {.key = "compaction.max_concurrent_jobs",
       .type = SettingType::kInt,
       .fallback = "2",
       .doc = "Jobs running at once, a thread each, at a lower priority than writes.",
       .min = 1,
       .max = 64,
       .names = {"COMPACTION_MAX_CONCURRENT_JOBS"}},
      {.key = "compaction.memory_mb",
       .type = SettingType::kInt,
       .fallback = "512",
       .doc =
           "Memory of all jobs together. Partitions whose files overlap in time so much that a merge would take more "
           "are merged in several steps.",
       .min = 64,
       .max = 1 << 20},
      {.key = "compaction.lock_ttl_hours",
       .type = SettingType::kInt,
       .fallback = "2",
       .doc = "Another job may take a job's files after so long.",
       .min = 1,
       .max = 24 * 7,
       .names = {"COMPACTION_LOCK_TTL_HOURS"}},
      {.key = "compaction.compression",
       .type = SettingType::kChoice,
       .fallback = "zstd",
       .doc = "Of merged files.",
       .choices = {"zstd", "lz4_raw", "snappy", "none"},
       .names = {"COMPACTION_COMPRESSION"}},
      {.key = "compaction.compression_level",
       .type = SettingType::kInt,
       .fallback = "1",
       .doc = "Of zstd. With the encodings of merged files 3, the default of the Python Arc, makes them no smaller.",
       .min = 1,
       .max = 19,
       .names = {"COMPACTION_COMPRESSION_LEVEL"}},
  };
}

std::vector<Setting> MaintenanceSettings() {
  return {
      {.key = "maintenance.enabled",
       .type = SettingType::kBool,
       .fallback = "true",
       .doc = "Carry out retention policies, expire old snapshots of tables that nothing is written to and remove "
              "orphaned objects by themselves ([retention.md](retention.md))."},
      {.key = "maintenance.interval_minutes",
       .type = SettingType::kInt,
       .fallback = "60",
       .doc = "Between two rounds of retention and expiry.",
       .min = 1,
       .max = 60 * 24 * 30},
      {.key = "maintenance.max_snapshots",
       .type = SettingType::kInt,
       .fallback = "100",
       .doc = "Snapshots that a table keeps for time travel; 0 is no bound. Tags, branches and a table's own Iceberg "
              "properties may keep more.",
       .max = 1'000'000},
      {.key = "maintenance.max_snapshot_age_hours",
       .type = SettingType::kInt,
       .fallback = "120",
       .doc = "Older snapshots expire; 0 is no bound. What retention or a merge took out of a table is freed when the "
              "last snapshot that has it expires.",
       .max = 24 * 36'500},
      {.key = "maintenance.keep_metadata_files",
       .type = SettingType::kInt,
       .fallback = "100",
       .doc = "Old metadata files that a table keeps.",
       .min = 1,
       .max = 100'000},
      {.key = "maintenance.remove_orphans",
       .type = SettingType::kBool,
       .fallback = "true",
       .doc = "Remove objects in tables' folders that belong to nothing, when two looks in a row found them; `false` "
              "only counts them."},
      {.key = "maintenance.orphan_age_hours",
       .type = SettingType::kInt,
       .fallback = "72",
       .doc = "Younger objects are no orphans. Longer than any write and commit of any engine on these tables takes.",
       .min = 1,
       .max = 24 * 36'500},
      {.key = "maintenance.orphan_interval_hours",
       .type = SettingType::kInt,
       .fallback = "24",
       .doc = "Between two looks for orphans. Each lists the tables' folders.",
       .min = 1,
       .max = 24 * 366},
  };
}

std::vector<Setting> QuerySettings() {
  return {
      {.key = "duckdb.pool_size",
       .type = SettingType::kInt,
       .fallback = "5",
       .doc = "Queries running at once.",
       .min = 1,
       .max = 1024,
       .names = {"DUCKDB_POOL_SIZE"}},
      {.key = "duckdb.max_queue_size",
       .type = SettingType::kInt,
       .fallback = "100",
       .doc = "Queries waiting; more are refused with 503.",
       .max = 1000,
       .names = {"DUCKDB_MAX_QUEUE_SIZE"}},
      {.key = "duckdb.threads",
       .type = SettingType::kInt,
       .fallback = "0",
       .doc = "Threads of all queries together; 0 is one per core.",
       .max = 1024,
       .names = {"DUCKDB_THREADS"}},
      {.key = "duckdb.memory_limit",
       .type = SettingType::kSize,
       .fallback = "0",
       .doc =
           "Memory of all queries together, such as `4GB`; larger queries spill to disk. 0 is 60 % of the machine's.",
       .max = kAny,
       .names = {"DUCKDB_MEMORY_LIMIT"}},
      {.key = "duckdb.temp_dir",
       .doc = "Folder for what queries spill, emptied at start; empty is `tmp` inside the data folder.",
       .names = {"DUCKDB_TEMP_DIR"}},
      {.key = "query.timeout_seconds",
       .type = SettingType::kInt,
       .fallback = "300",
       .doc = "A query running longer is interrupted.",
       .min = 1,
       .max = kDaySeconds,
       .names = {"QUERY_TIMEOUT"}},
      {.key = "query.slow_ms",
       .type = SettingType::kInt,
       .fallback = "1000",
       .doc = "Queries taking at least this long are logged as warnings.",
       .max = kDaySeconds * 1000},
  };
}

constexpr std::string_view kOneProcess = "Arc is one process with threads, not many workers; see server.threads";
constexpr std::string_view kNoCache = "this version keeps no results; every query reads the current rows";
constexpr std::string_view kNoHmac = "Arc speaks Google's own protocol; see storage.gcs.credentials_file";
constexpr std::string_view kDirectoryBucket = "a directory bucket is known by its name, which ends in --x-s3";
constexpr std::string_view kDatabaseByRequest = "requests name the database; without a name it is \"default\"";
constexpr std::string_view kJsonLog = "the log is always one JSON object a line on standard error";

std::vector<InertSetting> MakeInert() {
  return {
      {"server.workers", {"ARC_WORKERS", "WORKERS"}, kOneProcess},
      {"server.worker_timeout", {}, kOneProcess},
      {"server.worker_connections", {}, "see server.max_connections"},
      {"server.max_requests", {}, kOneProcess},
      {"server.max_requests_jitter", {}, kOneProcess},
      {"auth.allowlist", {"AUTH_ALLOWLIST"}, "the public endpoints are fixed"},
      {"query_cache.enabled", {"QUERY_CACHE_ENABLED"}, kNoCache},
      {"query_cache.ttl_seconds", {"QUERY_CACHE_TTL", "QUERY_CACHE_TTL_SECONDS"}, kNoCache},
      {"query_cache.max_size", {"QUERY_CACHE_MAX_SIZE"}, kNoCache},
      {"query_cache.max_result_mb", {"QUERY_CACHE_MAX_RESULT_MB"}, kNoCache},
      {"storage.database", {"STORAGE_DATABASE", "MINIO_DATABASE", "S3_DATABASE", "GCS_DATABASE"}, kDatabaseByRequest},
      {"storage.minio.database", {}, kDatabaseByRequest},
      {"storage.s3.database", {}, kDatabaseByRequest},
      {"storage.gcs.database", {}, kDatabaseByRequest},
      {"storage.s3.use_directory_bucket", {"S3_USE_DIRECTORY_BUCKET"}, kDirectoryBucket},
      {"storage.s3.availability_zone", {"S3_AVAILABILITY_ZONE"}, kDirectoryBucket},
      {"storage.gcs.enabled", {"GCS_ENABLED"}, "see storage.backend"},
      {"storage.gcs.hmac_key_id", {"GCS_HMAC_KEY_ID"}, kNoHmac},
      {"storage.gcs.hmac_secret", {"GCS_HMAC_SECRET"}, kNoHmac},
      {"compaction.temp_dir", {"COMPACTION_TEMP_DIR"}, "merged files are written where the tables are"},
      {"logging.format", {"LOG_FORMAT"}, kJsonLog},
      {"logging.include_trace", {"LOG_INCLUDE_TRACE"}, kJsonLog},
      {"monitoring.", {}, "metrics are always served at /metrics"},
      {"datasource.", {}, "this version does not import from other databases"},
      {"advanced.", {}, "there are no experimental features to switch"},
  };
}

// Levenshtein's distance, for rows as short as names.
size_t Distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

bool Contains(const std::vector<std::string_view>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

const std::vector<Setting>& AllSettings() {
  static const std::vector<Setting> settings = [] {
    std::vector<Setting> all;
    for (auto part : {ServerSettings(), StorageSettings(), IngestionSettings(), CompactionSettings(),
                      MaintenanceSettings(), TieringSettings(), QuerySettings()}) {
      all.insert(all.end(), part.begin(), part.end());
    }
    return all;
  }();
  return settings;
}

const std::vector<InertSetting>& InertSettings() {
  static const std::vector<InertSetting> settings = MakeInert();
  return settings;
}

std::string EnvironmentName(std::string_view key) {
  std::string name = "ARC_";
  for (char c : key) name.push_back(c == '.' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c));
  return name;
}

const Setting* FindSetting(std::string_view key) {
  for (const Setting& setting : AllSettings()) {
    if (setting.key == key) return &setting;
  }
  return nullptr;
}

const InertSetting* FindInertSetting(std::string_view key) {
  for (const InertSetting& setting : InertSettings()) {
    if (setting.key == key || (setting.key.ends_with('.') && key.starts_with(setting.key))) return &setting;
  }
  return nullptr;
}

const Setting* FindSettingByName(std::string_view name, bool dotenv) {
  for (const Setting& setting : AllSettings()) {
    if (EnvironmentName(setting.key) == name || Contains(setting.names, name)) return &setting;
    if (dotenv && Contains(setting.dot_names, name)) return &setting;
  }
  return nullptr;
}

const InertSetting* FindInertSettingByName(std::string_view name) {
  for (const InertSetting& setting : InertSettings()) {
    if (Contains(setting.names, name)) return &setting;
  }
  return nullptr;
}

bool IsOtherArcVariable(std::string_view name) {
  return name == "ARC_CONFIG" || name == "ARC_CONFIG_FILE" || name == "ARC_TOKEN" || name == "ARC_URL" ||
         name == "ARC_DATABASE" || name == "ARC_BINARY" || name.starts_with("ARC_TEST_");
}

std::string_view NearestKey(std::string_view key) {
  std::string_view nearest;
  size_t best = std::numeric_limits<size_t>::max();
  for (const Setting& setting : AllSettings()) {
    size_t distance = Distance(key, setting.key);
    // The right name in the wrong section is nearer than a chance likeness.
    std::string_view bare = setting.key.substr(setting.key.rfind('.') + 1);
    if (key.substr(key.rfind('.') + 1) == bare) distance = std::min<size_t>(distance, 2);
    if (distance < best) {
      best = distance;
      nearest = setting.key;
    }
  }
  return nearest;
}

std::string NearestName(std::string_view name) {
  std::string nearest;
  size_t best = std::numeric_limits<size_t>::max();
  auto consider = [&](std::string_view candidate) {
    size_t distance = Distance(name, candidate);
    if (distance < best) {
      best = distance;
      nearest = candidate;
    }
  };
  for (const Setting& setting : AllSettings()) {
    for (std::string_view known : setting.names) consider(known);
    consider(EnvironmentName(setting.key));
  }
  return nearest;
}

std::string AllowedValues(const Setting& setting) {
  switch (setting.type) {
    case SettingType::kBool: return "true or false";
    case SettingType::kInt: return std::to_string(setting.min) + " to " + std::to_string(setting.max);
    case SettingType::kSize: return "a size such as 0, 512MB or 2.5GB";
    case SettingType::kText: return "text";
    case SettingType::kChoice: break;
  }
  if (setting.choices.size() == 1) return "only " + std::string(setting.choices[0]);
  std::string text = "one of ";
  for (std::string_view choice : setting.choices) text.append(choice).append(", ");
  text.resize(text.size() - 2);
  return text;
}

}  // namespace arc
