#include <string>

#include "arc/http/routes.h"

namespace arc {
namespace {

double D(uint64_t value) { return static_cast<double>(value); }
double D(int64_t value) { return static_cast<double>(value); }
double D(int value) { return value; }

void AddIngest(const HttpMetrics& metrics, PrometheusText* out) {
  auto each = [&](std::string_view name, std::string_view type, std::string_view help, auto value) {
    out->Family(name, type, help);
    for (size_t i = 0; i < kIngestFormatNames.size(); ++i) {
      value(metrics.ingest[i], "format=\"" + std::string(kIngestFormatNames[i]) + "\"");
    }
  };
  using Counters = const IngestCounters&;
  each("arc_ingest_requests_total", "counter", "Write requests.",
       [&](Counters c, const std::string& label) { out->Sample(label, D(c.requests.load())); });
  each("arc_ingest_bytes_total", "counter", "Bytes of write bodies, decompressed.",
       [&](Counters c, const std::string& label) { out->Sample(label, D(c.bytes.load())); });
  each("arc_ingest_rows_total", "counter", "Rows acknowledged.",
       [&](Counters c, const std::string& label) { out->Sample(label, D(c.rows.load())); });
  each("arc_ingest_rows_refused_total", "counter", "Rows refused.",
       [&](Counters c, const std::string& label) { out->Sample(label, D(c.rows_refused.load())); });
  each("arc_ingest_errors_total", "counter", "Write requests not fully taken.",
       [&](Counters c, const std::string& label) { out->Sample(label, D(c.errors.load())); });
  each("arc_ingest_latency_seconds", "histogram", "From the decoded body to the answer.",
       [&](Counters c, const std::string& label) { out->Histogram(label, c.latency); });
}

void AddWal(WriteAheadLog& log, PrometheusText* out) {
  LogStats stats = log.stats();
  LogPositions at = log.positions();
  out->Counter("arc_wal_groups_total", "Group commits.", D(stats.groups));
  out->Counter("arc_wal_records_total", "Records logged.", D(stats.records));
  out->Counter("arc_wal_rows_total", "Rows logged.", D(stats.rows));
  out->Counter("arc_wal_bytes_total", "Bytes logged.", D(stats.bytes));
  out->Counter("arc_wal_syncs_total", "Syncs to disk.", D(stats.syncs));
  out->Counter("arc_wal_sync_seconds_total", "Time in syncs.", D(stats.sync_micros_total) / 1e6);
  out->Gauge("arc_wal_sync_seconds_max", "The longest sync.", D(stats.sync_micros_max) / 1e6);
  out->Counter("arc_wal_rotations_total", "Segments sealed.", D(stats.rotations));
  out->Gauge("arc_wal_queued_bytes", "Bytes waiting for a group.", D(stats.queued_bytes));
  out->Family("arc_wal_lsn", "gauge", "Positions of the log.");
  out->Sample("position=\"next\"", D(at.next.value));
  out->Sample("position=\"durable\"", D(at.durable.value));
  out->Sample("position=\"applied\"", D(at.applied.value));
  out->Sample("position=\"flushed\"", D(at.flushed.value));
  out->Gauge("arc_wal_healthy", "0 when the log refuses writes.", log.poisoned().empty() && !log.full() ? 1 : 0);
}

void AddBuffer(const Engine& engine, PrometheusText* out) {
  BufferStats stats = engine.buffer_stats();
  out->Gauge("arc_buffer_bytes", "Memory of hot rows.", D(stats.used_bytes));
  out->Gauge("arc_buffer_limit_bytes", "Bound of that memory.", D(stats.limit_bytes));
  out->Gauge("arc_buffer_rows", "Hot rows.", D(stats.rows_buffered));
  out->Gauge("arc_buffer_oldest_age_seconds", "Age of the oldest hot row.", stats.oldest_age_seconds);
  out->Counter("arc_rows_written_total", "Rows taken since the start.", D(stats.rows_written));
  FlushStats flush = engine.flush_stats();
  out->Counter("arc_flushes_total", "Flushes committed.", D(flush.flushes));
  out->Counter("arc_flush_errors_total", "Flushes failed.", D(flush.errors));
  out->Counter("arc_flush_rows_total", "Rows committed to tables.", D(flush.rows));
  out->Counter("arc_flush_bytes_total", "Bytes of data files committed.", D(flush.bytes));
  out->Counter("arc_flush_files_total", "Data files committed.", D(flush.files));
}

void AddCompaction(Compaction& compaction, PrometheusText* out) {
  const CompactionStats stats = compaction.stats();
  out->Counter("arc_compaction_jobs_completed_total", "Compaction jobs that replaced files.", D(stats.completed));
  out->Counter("arc_compaction_jobs_failed_total", "Compaction jobs that failed.", D(stats.failed));
  out->Gauge("arc_compaction_jobs_running", "Compaction jobs running.", D(stats.running));
  out->Gauge("arc_compaction_jobs_queued", "Compaction jobs waiting.", D(stats.queued));
  out->Counter("arc_compaction_files_in_total", "Data files merged.", D(stats.files_before));
  out->Counter("arc_compaction_files_out_total", "Data files they became.", D(stats.files_after));
  out->Counter("arc_compaction_bytes_in_total", "Bytes of data files merged.", D(stats.bytes_before));
  out->Counter("arc_compaction_bytes_out_total", "Bytes of what they became.", D(stats.bytes_after));
  out->Counter("arc_compaction_rows_total", "Rows rewritten.", D(stats.rows));
  out->Counter("arc_compaction_files_left_total", "Data files that could not be merged.", D(stats.files_left));
  out->Counter("arc_compaction_seconds_total", "Time that jobs ran.", stats.seconds);
}

void AddMaintenance(const MaintenanceStats& stats, PrometheusText* out) {
  const UpkeepStats& upkeep = stats.upkeep;
  out->Counter("arc_upkeep_rounds_total", "Times that snapshots of tables were looked over.", D(upkeep.rounds));
  out->Counter("arc_upkeep_errors_total", "Tables that such a round could not do.", D(upkeep.errors));
  out->Counter("arc_snapshots_expired_total", "Snapshots expired by upkeep; flushes expire others.",
               D(upkeep.snapshots_expired));
  out->Counter("arc_expired_objects_total", "Objects that went with them.", D(upkeep.objects_expired));
  out->Gauge("arc_orphans", "Orphaned objects found by the last look and not removed.", D(upkeep.orphans_found));
  out->Gauge("arc_orphan_bytes", "Bytes of the orphans that the last look found.", D(upkeep.orphan_bytes));
  out->Counter("arc_orphans_removed_total", "Orphaned objects removed.", D(upkeep.orphans_removed));
  out->Gauge("arc_clock_hold_seconds", "Until ages are trusted again after the wall clock leapt.",
             D(upkeep.clock_hold_ms) / 1000);
  const RetentionStats& retention = stats.retention;
  out->Counter("arc_retention_runs_total", "Retention policies carried out.", D(retention.runs));
  out->Counter("arc_retention_errors_total", "Retention policies that failed.", D(retention.failed));
  out->Counter("arc_retention_files_total", "Data files deleted by retention.", D(retention.files));
  out->Counter("arc_retention_rows_total", "Rows deleted by retention.", D(retention.rows));
  out->Counter("arc_retention_bytes_total", "Bytes of data files deleted by retention.", D(retention.bytes));
  const DeletionStats& deletions = stats.deletions;
  out->Counter("arc_deletes_total", "Deletions of rows carried out.", D(deletions.completed));
  out->Counter("arc_delete_errors_total", "Deletions of rows that failed.", D(deletions.failed));
  out->Counter("arc_delete_rows_total", "Rows deleted by them.", D(deletions.rows));
  out->Counter("arc_delete_files_dropped_total", "Data files all of whose rows went.", D(deletions.files_dropped));
  out->Counter("arc_delete_files_rewritten_total", "Data files written anew without rows.",
               D(deletions.files_rewritten));
  out->Counter("arc_delete_bytes_written_total", "Bytes of what those became.", D(deletions.bytes_written));
  out->Counter("arc_tables_dropped_total", "Tables dropped in SQL or over /api.", D(stats.tables_dropped));
}

void AddTiering(Tiering& tiering, PrometheusText* out) {
  const TieringStats stats = tiering.stats();
  out->Counter("arc_tiering_jobs_completed_total", "Tiering jobs that moved files.", D(stats.completed));
  out->Counter("arc_tiering_jobs_failed_total", "Tiering jobs that failed.", D(stats.failed));
  out->Gauge("arc_tiering_jobs_running", "Tiering jobs running.", D(stats.running));
  out->Gauge("arc_tiering_jobs_queued", "Tiering jobs waiting.", D(stats.queued));
  out->Counter("arc_tiering_files_total", "Data files moved to the cold store.", D(stats.files));
  out->Counter("arc_tiering_bytes_total", "Bytes of data files moved.", D(stats.bytes));
  out->Counter("arc_tiering_rows_total", "Rows in them.", D(stats.rows));
  out->Counter("arc_tiering_files_left_total", "Data files that could not be moved.", D(stats.files_left));
  out->Counter("arc_tiering_seconds_total", "Time that jobs ran.", stats.seconds);
}

// `name` in the names of the metrics, `called` in what they say.
void AddStore(const std::string& name, const std::string& called, const StoreStats& stats, PrometheusText* out) {
  out->Gauge("arc_" + name + "_up", "0 when the " + called + " fails.", stats.down.empty() ? 1 : 0);
  out->Counter("arc_" + name + "_requests_total", "Requests to the " + called + ".", D(stats.requests));
  out->Counter("arc_" + name + "_errors_total", "Of these, failed after their retries.", D(stats.errors));
  out->Counter("arc_" + name + "_read_bytes_total", "Bytes read from it.", D(stats.read_bytes));
  out->Counter("arc_" + name + "_written_bytes_total", "Bytes written to it.", D(stats.written_bytes));
}

void AddRemote(const Engine& engine, PrometheusText* out) {
  const RemoteStats stats = engine.remote_stats();
  if (stats.store) AddStore("object_store", "object store", *stats.store, out);
  if (stats.cold) AddStore("cold_store", "cold store", *stats.cold, out);
  if (stats.store) {
    out->Gauge("arc_object_store_staged_bytes", "Data files on local disk that wait for it.", D(stats.staged_bytes));
  }
  if (!stats.caches) return;
  const auto& [read_ahead, read_cache] = *stats.caches;
  out->Counter("arc_object_store_footer_hits_total", "Footers of data files found in memory.", D(read_ahead.hits));
  out->Counter("arc_object_store_footer_misses_total", "Footers a query waited for.", D(read_ahead.misses));
  out->Gauge("arc_object_store_footer_bytes", "Memory of footers.", D(read_ahead.cached_bytes));
  out->Counter("arc_read_cache_hits_total", "Blocks of data files found on local disk.", D(read_cache.hits));
  out->Counter("arc_read_cache_misses_total", "Blocks that came from an object store.", D(read_cache.misses));
  out->Gauge("arc_read_cache_bytes", "Local disk of the read cache.", D(read_cache.cached_bytes));
}

void AddQueries(QueryEngine& queries, const QueryCounters& counters, PrometheusText* out) {
  QueryPoolStats pool = queries.pool_stats();
  out->Gauge("arc_query_pool_size", "Queries that may run at once.", D(pool.pool_size));
  out->Gauge("arc_query_active", "Queries running.", D(pool.active));
  out->Gauge("arc_query_queued", "Queries waiting.", D(pool.queued));
  out->Counter("arc_query_executed_total", "Queries executed.", D(pool.executed));
  out->Counter("arc_query_failed_total", "Queries failed.", D(pool.failed));
  out->Counter("arc_query_refused_total", "Queries refused for a full queue.", D(pool.refused));
  out->Counter("arc_query_wait_seconds_total", "Time queries waited.", pool.wait_ms_total / 1000);
  out->Counter("arc_query_execution_seconds_total", "Time queries ran.", pool.execution_ms_total / 1000);
  out->Counter("arc_http_query_requests_total", "Queries over HTTP.", D(counters.requests.load()));
  out->Counter("arc_http_query_cancelled_total", "Queries whose client went away.", D(counters.cancelled.load()));
  out->Counter("arc_http_query_rows_total", "Rows answered.", D(counters.rows.load()));
  out->Counter("arc_http_query_bytes_total", "Bytes answered.", D(counters.bytes.load()));
  out->Family("arc_http_query_latency_seconds", "histogram", "From the request to the last row.");
  out->Histogram("", counters.latency);
}

void AddHttp(ServerContext& server, PrometheusText* out) {
  const HttpMetrics& metrics = server.metrics;
  out->Family("arc_http_responses_total", "counter", "Answers by class of status.");
  for (size_t i = 2; i < metrics.responses_by_class.size(); ++i) {
    out->Sample("class=\"" + std::to_string(i) + "xx\"", D(metrics.responses_by_class[i].load()));
  }
  out->Gauge("arc_http_connections", "Open connections.", D(metrics.connections_open.load()));
  out->Counter("arc_http_connections_total", "Connections accepted.", D(metrics.connections_total.load()));
  out->Counter("arc_http_connections_refused_total", "Connections over the limit.",
               D(metrics.connections_refused.load()));
  out->Gauge("arc_http_requests_in_flight", "Requests being served.", D(metrics.requests_in_flight.load()));
  out->Counter("arc_http_timeouts_total", "Requests cut for being slow.", D(metrics.timeouts.load()));
  out->Gauge("arc_http_body_bytes", "Bytes of request bodies in flight.", D(server.bodies.budget().used_bytes()));
}

void AddProcess(ServerContext& server, PrometheusText* out) {
  ProcessUsage usage = ReadProcessUsage();
  out->Gauge("process_resident_memory_bytes", "Resident memory.", D(usage.resident_bytes));
  out->Counter("process_cpu_seconds_total", "User and system time.", usage.cpu_seconds);
  out->Gauge("process_open_fds", "Open files.", D(usage.open_files));
  out->Gauge("arc_uptime_seconds", "Since the start.", D(server.clock.MonotonicNanos() - server.started_nanos) / 1e9);
  out->Gauge("arc_ready", "1 when /ready says so.", server.engine.readiness().empty() ? 1 : 0);
  out->Family("arc_build_info", "gauge", "Version of this server.");
  out->Sample("version=\"" + PrometheusLabel(ARC_VERSION) + "\"", 1);
}

}  // namespace

Task<Response> ShowMetrics(Exchange& exchange) {
  ServerContext& server = exchange.server;
  PrometheusText out;
  AddIngest(server.metrics, &out);
  AddWal(server.engine.log(), &out);
  AddBuffer(server.engine, &out);
  AddCompaction(server.engine.compaction(), &out);
  AddTiering(server.engine.tiering(), &out);
  AddMaintenance(server.engine.maintenance_stats(), &out);
  AddRemote(server.engine, &out);
  AddQueries(server.engine.queries(), server.metrics.query, &out);
  AddHttp(server, &out);
  AddProcess(server, &out);
  Response response = Response::Text(out.Take());
  response.content_type = "text/plain; version=0.0.4; charset=utf-8";
  co_return response;
}

}  // namespace arc
