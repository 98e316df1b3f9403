#include "arc/http/routes.h"

#include "arc/http/router.h"

namespace arc {
namespace {

using enum Method;
using enum Permission;

// Old path first, then the same under /api/v1. kAnyToken: the handler looks closer.
constexpr Route kRoutes[] = {
    // Public: probes, browsers and InfluxDB clients come without a token.
    {kGet, "/", ShowInfo, kPublic, "What this is, and its endpoints", false},
    {kGet, "/health", ShowHealth, kPublic, "Whether the process is alive", false},
    {kGet, "/api/v1/health", ShowHealth, kPublic, "Whether the process is alive", false},
    {kGet, "/ready", ShowReady, kPublic, "Whether it can take traffic, else 503 and why", false},
    {kGet, "/api/v1/ready", ShowReady, kPublic, "Whether it can take traffic, else 503 and why", false},
    {kGet, "/ping", Ping, kPublic, "InfluxDB clients: version", false},
    {kGet, "/api/v1/ping", Ping, kPublic, "InfluxDB clients: version", false},
    // Ingest
    {kPost, "/write/v2/msgpack", WriteMsgpack, kWrite, "Write rows or columns as MessagePack", false},
    {kPost, "/api/v2/msgpack", WriteMsgpack, kWrite, "Write rows or columns as MessagePack", false},
    {kPost, "/api/v1/write/msgpack", WriteMsgpack, kWrite, "Write rows or columns as MessagePack", false},
    {kPost, "/write", WriteLineProtocol, kWrite, "Write line protocol (InfluxDB 1 and 2)", false},
    {kPost, "/api/v1/write", WriteLineProtocol, kWrite, "Write line protocol (InfluxDB 1 and 2)", false},
    {kPost, "/api/v1/write/line-protocol", WriteLineProtocol, kWrite, "Write line protocol (InfluxDB 1 and 2)", false},
    {kPost, "/api/v2/write", WriteLineProtocol, kWrite, "Write line protocol (InfluxDB 1 and 2)", false},
    {kPost, "/api/v3/write_lp", WriteLineProtocolV3, kWrite, "Write line protocol (InfluxDB 3)", false},
    {kPost, "/api/v1/write/json", WriteJson, kWrite, "Write rows or columns as JSON", false},
    {kPost, "/write/csv", WriteCsv, kWrite, "Write rows of one measurement as CSV", false},
    {kPost, "/api/v1/write/csv", WriteCsv, kWrite, "Write rows of one measurement as CSV", false},
    {kPost, "/write/arrow", WriteArrow, kWrite, "Write rows of one measurement as an Arrow IPC stream", false},
    {kPost, "/api/v1/write/arrow", WriteArrow, kWrite, "Write rows of one measurement as an Arrow IPC stream", false},
    {kPost, "/write/flush", FlushNow, kWrite, "Commit everything acknowledged to the tables", false},
    {kPost, "/api/v1/write/flush", FlushNow, kWrite, "Commit everything acknowledged to the tables", false},
    {kGet, "/write/stats", ShowWriteStats, kRead, "Counts by format", false},
    {kGet, "/api/v1/write/stats", ShowWriteStats, kRead, "Counts by format", false},
    {kGet, "/write/health", ShowWriteHealth, kRead, "Whether writes are taken", false},
    {kGet, "/api/v1/write/health", ShowWriteHealth, kRead, "Whether writes are taken", false},
    {kGet, "/write/v2/msgpack/stats", ShowMsgpackStats, kRead, "Counts of MessagePack writes", false},
    {kGet, "/api/v1/write/msgpack/stats", ShowMsgpackStats, kRead, "Counts of MessagePack writes", false},
    {kGet, "/write/v2/msgpack/spec", ShowMsgpackSpec, kAnyToken, "The MessagePack format", false},
    {kGet, "/api/v1/write/msgpack/spec", ShowMsgpackSpec, kAnyToken, "The MessagePack format", false},
    // Query
    {kPost, "/query", QueryJson, kAnyToken, "SQL as {sql}, answered in JSON; or q= of InfluxDB", false},
    {kPost, "/api/v1/query", QueryJson, kAnyToken, "SQL as {sql}, answered in JSON; or q= of InfluxDB", false},
    {kGet, "/query", InfluxQuery, kAnyToken, "q= of InfluxDB clients", false},
    {kGet, "/api/v1/query", InfluxQuery, kAnyToken, "q= of InfluxDB clients", false},
    {kPost, "/query/arrow", QueryArrow, kRead, "SQL, answered as an Arrow IPC stream", false},
    {kPost, "/api/v1/query/arrow", QueryArrow, kRead, "SQL, answered as an Arrow IPC stream", false},
    {kPost, "/query/stream", QueryCsv, kRead, "SQL, answered as CSV", false},
    {kPost, "/api/v1/query/stream", QueryCsv, kRead, "SQL, answered as CSV", false},
    {kGet, "/query/{measurement}", QueryMeasurement, kRead, "Rows of a measurement, newest first", false},
    {kGet, "/api/v1/query/{measurement}", QueryMeasurement, kRead, "Rows of a measurement, newest first", false},
    {kGet, "/query/{measurement}/csv", QueryMeasurementCsv, kRead, "The same as CSV", false},
    {kGet, "/api/v1/query/{measurement}/csv", QueryMeasurementCsv, kRead, "The same as CSV", false},
    {kGet, "/measurements", ListMeasurements, kRead, "Databases and their measurements", false},
    {kGet, "/api/v1/measurements", ListMeasurements, kRead, "Databases and their measurements", false},
    // Tokens
    {kGet, "/auth/verify", VerifyToken, kAnyToken, "Whose token this is", true},
    {kGet, "/api/v1/auth/verify", VerifyToken, kAnyToken, "Whose token this is", true},
    {kGet, "/auth/tokens", ListTokens, kAdmin, "All tokens, without secrets", true},
    {kGet, "/api/v1/auth/tokens", ListTokens, kAdmin, "All tokens, without secrets", true},
    {kPost, "/auth/tokens", CreateToken, kAdmin, "Make a token; its secret is told once", true},
    {kPost, "/api/v1/auth/tokens", CreateToken, kAdmin, "Make a token; its secret is told once", true},
    {kGet, "/auth/tokens/{id}", GetToken, kAdmin, "One token", true},
    {kGet, "/api/v1/auth/tokens/{id}", GetToken, kAdmin, "One token", true},
    {kPatch, "/auth/tokens/{id}", UpdateToken, kAdmin, "Change a token", true},
    {kPatch, "/api/v1/auth/tokens/{id}", UpdateToken, kAdmin, "Change a token", true},
    {kDelete, "/auth/tokens/{id}", RevokeToken, kAdmin, "Revoke a token", true},
    {kDelete, "/api/v1/auth/tokens/{id}", RevokeToken, kAdmin, "Revoke a token", true},
    {kPost, "/auth/tokens/{id}/rotate", RotateToken, kAdmin, "Give a token a new secret", true},
    {kPost, "/api/v1/auth/tokens/{id}/rotate", RotateToken, kAdmin, "Give a token a new secret", true},
    // Log
    {kGet, "/api/wal/status", ShowWalStatus, kRead, "Positions and health of the log", false},
    {kGet, "/api/v1/wal/status", ShowWalStatus, kRead, "Positions and health of the log", false},
    {kGet, "/api/wal/stats", ShowWalStats, kRead, "Counts and times of the log", false},
    {kGet, "/api/v1/wal/stats", ShowWalStats, kRead, "Counts and times of the log", false},
    {kGet, "/api/wal/files", ListWalFiles, kRead, "Segments of the log", false},
    {kGet, "/api/v1/wal/files", ListWalFiles, kRead, "Segments of the log", false},
    {kGet, "/api/wal/health", ShowWalHealth, kRead, "503 when the log refuses writes", false},
    {kGet, "/api/v1/wal/health", ShowWalHealth, kRead, "503 when the log refuses writes", false},
    {kPost, "/api/wal/cleanup", CleanUpWal, kAdmin, "Remove archived segments by age", false},
    {kPost, "/api/v1/wal/cleanup", CleanUpWal, kAdmin, "Remove archived segments by age", false},
    // Compaction
    {kGet, "/api/compaction/status", ShowCompactionStatus, kRead, "Settings and state of compaction", false},
    {kGet, "/api/v1/compaction/status", ShowCompactionStatus, kRead, "Settings and state of compaction", false},
    {kGet, "/api/compaction/stats", ShowCompactionStats, kRead, "Counts of compaction, and its latest jobs", false},
    {kGet, "/api/v1/compaction/stats", ShowCompactionStats, kRead, "Counts of compaction, and its latest jobs", false},
    {kGet, "/api/compaction/candidates", ListCompactionCandidates, kRead, "Partitions with files worth merging", false},
    {kGet, "/api/v1/compaction/candidates", ListCompactionCandidates, kRead, "Partitions with files worth merging",
     false},
    {kPost, "/api/compaction/trigger", TriggerCompaction, kAdmin, "Merge now what is worth merging", false},
    {kPost, "/api/v1/compaction/trigger", TriggerCompaction, kAdmin, "Merge now what is worth merging", false},
    {kGet, "/api/compaction/jobs", ListCompactionJobs, kRead, "Jobs running and queued", false},
    {kGet, "/api/v1/compaction/jobs", ListCompactionJobs, kRead, "Jobs running and queued", false},
    {kGet, "/api/compaction/history", ListCompactionHistory, kRead, "Jobs that ended", false},
    {kGet, "/api/v1/compaction/history", ListCompactionHistory, kRead, "Jobs that ended", false},
    // Retention and maintenance
    {kGet, "/api/retention", ListRetention, kRead, "Retention policies", false},
    {kGet, "/api/v1/retention", ListRetention, kRead, "Retention policies", false},
    {kPost, "/api/retention", AddRetention, kAdmin, "Make a retention policy", false},
    {kPost, "/api/v1/retention", AddRetention, kAdmin, "Make a retention policy", false},
    {kGet, "/api/retention/{id}", ShowRetention, kRead, "One retention policy", false},
    {kGet, "/api/v1/retention/{id}", ShowRetention, kRead, "One retention policy", false},
    {kPut, "/api/retention/{id}", ChangeRetention, kAdmin, "Change a retention policy", false},
    {kPut, "/api/v1/retention/{id}", ChangeRetention, kAdmin, "Change a retention policy", false},
    {kDelete, "/api/retention/{id}", RemoveRetention, kAdmin, "Remove a retention policy", false},
    {kDelete, "/api/v1/retention/{id}", RemoveRetention, kAdmin, "Remove a retention policy", false},
    {kPost, "/api/retention/{id}/execute", ExecuteRetention, kAdmin, "What a policy would delete; or delete it", false},
    {kPost, "/api/v1/retention/{id}/execute", ExecuteRetention, kAdmin, "What a policy would delete; or delete it",
     false},
    {kGet, "/api/retention/{id}/executions", ListRetentionExecutions, kRead, "What a policy deleted", false},
    {kGet, "/api/v1/retention/{id}/executions", ListRetentionExecutions, kRead, "What a policy deleted", false},
    {kGet, "/api/maintenance/status", ShowMaintenance, kRead, "Settings and counts of expiry and orphans", false},
    {kGet, "/api/v1/maintenance/status", ShowMaintenance, kRead, "Settings and counts of expiry and orphans", false},
    {kPost, "/api/maintenance/expire", ExpireNow, kAdmin, "Expire old snapshots now", false},
    {kPost, "/api/v1/maintenance/expire", ExpireNow, kAdmin, "Expire old snapshots now", false},
    {kPost, "/api/maintenance/orphans", RemoveOrphansNow, kAdmin, "Find orphaned objects; or remove them", false},
    {kPost, "/api/v1/maintenance/orphans", RemoveOrphansNow, kAdmin, "Find orphaned objects; or remove them", false},
    // Monitoring
    {kGet, "/api/monitoring/buffer", ShowBuffer, kRead, "Hot rows by table", false},
    {kGet, "/api/v1/monitoring/buffer", ShowBuffer, kRead, "Hot rows by table", false},
    {kGet, "/api/monitoring/pool", ShowQueryPool, kRead, "Query pool", false},
    {kGet, "/api/v1/monitoring/pool", ShowQueryPool, kRead, "Query pool", false},
    {kGet, "/metrics/query-pool", ShowQueryPool, kRead, "Query pool", false},
    {kGet, "/api/v1/metrics/query-pool", ShowQueryPool, kRead, "Query pool", false},
    {kGet, "/metrics", ShowMetrics, kRead, "Prometheus metrics", false},
    {kGet, "/api/v1/metrics", ShowMetrics, kRead, "Prometheus metrics", false},
};

}  // namespace

std::span<const Route> AllRoutes() { return kRoutes; }

}  // namespace arc
