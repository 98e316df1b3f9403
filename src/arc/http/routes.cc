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
    // Iceberg REST catalog; its handlers look at the token's databases.
    {kGet, "/iceberg/v1/config", ShowIcebergConfig, kAnyToken, "Iceberg: what is served", false},
    {kPost, "/iceberg/v1/oauth/tokens", MakeIcebergToken, kPublic, "Iceberg: client credentials for a token", true},
    {kGet, "/iceberg/v1/namespaces", ListIcebergNamespaces, kAnyToken, "Iceberg: databases", false},
    {kPost, "/iceberg/v1/namespaces", CreateIcebergNamespace, kAnyToken, "Iceberg: make a database", false},
    {kGet, "/iceberg/v1/namespaces/{namespace}", LoadIcebergNamespace, kAnyToken, "Iceberg: a database", false},
    {kDelete, "/iceberg/v1/namespaces/{namespace}", DropIcebergNamespace, kAnyToken, "Iceberg: drop an empty database",
     false},
    {kPost, "/iceberg/v1/namespaces/{namespace}/properties", ChangeIcebergNamespace, kAnyToken,
     "Iceberg: change a database's properties", false},
    {kGet, "/iceberg/v1/namespaces/{namespace}/tables", ListIcebergTables, kAnyToken, "Iceberg: tables", false},
    {kPost, "/iceberg/v1/namespaces/{namespace}/tables", CreateIcebergTable, kAnyToken, "Iceberg: make a table", false},
    {kPost, "/iceberg/v1/namespaces/{namespace}/register", RegisterIcebergTable, kAnyToken,
     "Iceberg: take in a table by its metadata file", false},
    {kGet, "/iceberg/v1/namespaces/{namespace}/tables/{table}", LoadIcebergTable, kAnyToken,
     "Iceberg: a table's metadata", false},
    {kPost, "/iceberg/v1/namespaces/{namespace}/tables/{table}", CommitIcebergTable, kAnyToken,
     "Iceberg: commit to a table", false},
    {kDelete, "/iceberg/v1/namespaces/{namespace}/tables/{table}", DropIcebergTable, kAnyToken, "Iceberg: drop a table",
     false},
    {kPost, "/iceberg/v1/namespaces/{namespace}/tables/{table}/metrics", TakeIcebergMetrics, kAnyToken,
     "Iceberg: a client's report", false},
    {kPost, "/iceberg/v1/tables/rename", RenameIcebergTable, kAnyToken, "Iceberg: rename a table", false},
    {kPost, "/iceberg/v1/transactions/commit", CommitIcebergTransaction, kAnyToken, "Iceberg: commit to several tables",
     false},
    // Log and monitoring
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
