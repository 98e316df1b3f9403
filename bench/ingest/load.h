// Sends prepared requests over keep-alive connections from one thread and measures how they are answered.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "client/http_client.h"
#include "ingest/payload_pool.h"

namespace arc::bench {

struct LoadOptions {
  int connections = 8;
  int batch = 1000;
  double records_per_s = 0;  // 0: closed loop, each connection sends when it was answered
  int64_t records = 0;       // 0: no bound. Rounded up to whole requests
  double seconds = 0;        // 0: no bound
};

struct LoadResult {
  int64_t acknowledged = 0;       // records of requests answered 2xx
  int64_t refused = 0;            // records of requests answered otherwise and given up
  int64_t unknown = 0;            // records of requests whose answer was lost: they may have been written
  int64_t requests = 0;           // acknowledged ones
  std::map<int, int64_t> status;  // every answer by its status
  int64_t retries = 0;            // after 429 and 503, when Retry-After (or a second) had passed
  int64_t broken_connections = 0;
  std::string first_error;  // of an answer that was not 2xx
  double seconds = 0;       // from the first byte sent to the last answer
  double client_cpu_s = 0;
  int64_t sent_bytes = 0;
  // Of each acknowledged request, in nanoseconds, retries included: from its first byte, or with a rate from the moment
  // it was due.
  std::vector<int64_t> latency_ns;
};

// kUnavailable when the server cannot be connected to any more.
Result<LoadResult> RunLoad(const LoadOptions& options, const Address& address, PayloadPool& pool);

// The value that a share of the sorted values is at or below.
double Percentile(const std::vector<int64_t>& sorted, double share);

}  // namespace arc::bench
