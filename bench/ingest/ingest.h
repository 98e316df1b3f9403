// arc-bench ingest: sends records as fast as asked, flushes, and holds the server to its word.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "arc/base/result.h"
#include "ingest/load.h"
#include "ingest/payload.h"
#include "ingest/row_count.h"
#include "machine/disk.h"
#include "machine/target.h"

namespace arc::bench {

struct IngestOptions {
  PayloadOptions payload;
  LoadOptions load;
  CountOptions count;
  TargetOptions target;
  int64_t pool_mb = 256;
  std::string write;  // "POST /path"
  std::string flush;  // "POST /path"; empty: none
  double count_patience_s = 120;
  double settle_s = 0;      // between the flush and looking at the disk; the server's CPU time is read before
  std::string disk_suffix;  // of the files whose size is the data's
  std::string disk_skip;    // prefix of folders left out
  std::string json_file;    // empty: none
};

struct IngestResult {
  LoadResult load;
  int64_t pool_bytes = 0;
  size_t pool_payloads = 0;
  int64_t queryable = 0;         // count(*) at last, after the flush
  double queryable_after_s = 0;  // from the last answer until count(*) had every acknowledged record
  double flush_s = 0;
  std::optional<double> cpu_load_s;   // of the server until every record was queryable
  std::optional<double> cpu_total_s;  // the flush included
  std::optional<int64_t> peak_rss_bytes;
  std::optional<DiskUse> disk_use;
  DiskRates disk;
  bool exact() const { return queryable == load.acknowledged; }
};

Result<IngestResult> RunIngest(const IngestOptions& options);

// report.cc: the table on standard output, and the JSON file if asked for.
void PrintIngest(const IngestOptions& options, const IngestResult& result);
Status WriteIngestJson(const IngestOptions& options, const IngestResult& result);

}  // namespace arc::bench
