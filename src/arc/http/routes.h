// The handlers, by family; routes.cc puts them into the table.
#pragma once

#include "arc/http/exchange.h"

namespace arc {

// write_routes.cc
Task<Response> WriteMsgpack(Exchange& exchange);
Task<Response> WriteLineProtocol(Exchange& exchange);    // InfluxDB 1 and 2: times are ns unless ?precision says else
Task<Response> WriteLineProtocolV3(Exchange& exchange);  // InfluxDB 3: their unit is guessed unless ?precision says
Task<Response> WriteJson(Exchange& exchange);
Task<Response> WriteCsv(Exchange& exchange);
Task<Response> WriteArrow(Exchange& exchange);
Task<Response> FlushNow(Exchange& exchange);

// query_routes.cc
Task<Response> QueryJson(Exchange& exchange);  // {"sql":…}, or InfluxDB's q=
Task<Response> QueryArrow(Exchange& exchange);
Task<Response> QueryCsv(Exchange& exchange);
Task<Response> QueryMeasurement(Exchange& exchange);
Task<Response> QueryMeasurementCsv(Exchange& exchange);
Task<Response> ListMeasurements(Exchange& exchange);

// influx_routes.cc
Task<Response> Ping(Exchange& exchange);
Task<Response> InfluxQuery(Exchange& exchange);  // ?q=, or a form body

// token_routes.cc
Task<Response> VerifyToken(Exchange& exchange);
Task<Response> ListTokens(Exchange& exchange);
Task<Response> CreateToken(Exchange& exchange);
Task<Response> GetToken(Exchange& exchange);
Task<Response> UpdateToken(Exchange& exchange);
Task<Response> RevokeToken(Exchange& exchange);
Task<Response> RotateToken(Exchange& exchange);

// iceberg_rest_namespaces.cc
Task<Response> ShowIcebergConfig(Exchange& exchange);
Task<Response> MakeIcebergToken(Exchange& exchange);
Task<Response> ListIcebergNamespaces(Exchange& exchange);
Task<Response> CreateIcebergNamespace(Exchange& exchange);
Task<Response> LoadIcebergNamespace(Exchange& exchange);
Task<Response> DropIcebergNamespace(Exchange& exchange);
Task<Response> ChangeIcebergNamespace(Exchange& exchange);

// iceberg_rest_tables.cc
Task<Response> ListIcebergTables(Exchange& exchange);
Task<Response> LoadIcebergTable(Exchange& exchange);
Task<Response> CreateIcebergTable(Exchange& exchange);
Task<Response> CommitIcebergTable(Exchange& exchange);
Task<Response> DropIcebergTable(Exchange& exchange);
Task<Response> RenameIcebergTable(Exchange& exchange);
Task<Response> RegisterIcebergTable(Exchange& exchange);
Task<Response> CommitIcebergTransaction(Exchange& exchange);
Task<Response> TakeIcebergMetrics(Exchange& exchange);

// status_routes.cc
Task<Response> ShowInfo(Exchange& exchange);
Task<Response> ShowHealth(Exchange& exchange);
Task<Response> ShowReady(Exchange& exchange);
Task<Response> ShowBuffer(Exchange& exchange);
Task<Response> ShowQueryPool(Exchange& exchange);
Task<Response> ShowWriteStats(Exchange& exchange);
Task<Response> ShowWriteHealth(Exchange& exchange);
Task<Response> ShowMsgpackStats(Exchange& exchange);
Task<Response> ShowMsgpackSpec(Exchange& exchange);

// wal_routes.cc
Task<Response> ShowWalStatus(Exchange& exchange);
Task<Response> ShowWalStats(Exchange& exchange);
Task<Response> ListWalFiles(Exchange& exchange);
Task<Response> ShowWalHealth(Exchange& exchange);
Task<Response> CleanUpWal(Exchange& exchange);

// compaction_routes.cc
Task<Response> ShowCompactionStatus(Exchange& exchange);
Task<Response> ShowCompactionStats(Exchange& exchange);
Task<Response> ListCompactionCandidates(Exchange& exchange);
Task<Response> TriggerCompaction(Exchange& exchange);  // ?database=&measurement=; all without
Task<Response> ListCompactionJobs(Exchange& exchange);
Task<Response> ListCompactionHistory(Exchange& exchange);

// tiering_routes.cc
Task<Response> ShowTieringStatus(Exchange& exchange);
Task<Response> ListTieringCandidates(Exchange& exchange);  // ?database=&measurement=; all without
Task<Response> TriggerTiering(Exchange& exchange);         // the same
Task<Response> ListTieringJobs(Exchange& exchange);
Task<Response> ListTieringHistory(Exchange& exchange);

// retention_routes.cc
Task<Response> ListRetention(Exchange& exchange);
Task<Response> AddRetention(Exchange& exchange);
Task<Response> ShowRetention(Exchange& exchange);
Task<Response> ChangeRetention(Exchange& exchange);
Task<Response> RemoveRetention(Exchange& exchange);
Task<Response> ExecuteRetention(Exchange& exchange);  // {"dry_run":true} unless the body says else
Task<Response> ListRetentionExecutions(Exchange& exchange);

// delete_routes.cc
Task<Response> DeleteRows(Exchange& exchange);          // {"measurement":…,"where":…,"dry_run":true}
Task<Response> DeleteInfluxPoints(Exchange& exchange);  // {"start":…,"stop":…,"predicate":…}
Task<Response> DropMeasurement(Exchange& exchange);     // ?confirm=, as the answer without it says
Task<Response> DropDatabase(Exchange& exchange);        // the same

// maintenance_routes.cc
Task<Response> ShowMaintenance(Exchange& exchange);
Task<Response> ExpireNow(Exchange& exchange);         // ?database=&measurement=; all without
Task<Response> RemoveOrphansNow(Exchange& exchange);  // those, &older_than_hours=&dry_run=true

// backup_routes.cc
Task<Response> StartBackup(Exchange& exchange);  // {"target": "/mnt/backups"}; goes on after the answer
Task<Response> ShowBackup(Exchange& exchange);   // the latest

// metrics_route.cc
Task<Response> ShowMetrics(Exchange& exchange);

}  // namespace arc
