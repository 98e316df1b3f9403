// How many records a server's own count finds.
#pragma once

#include <cstdint>
#include <regex>
#include <string>

#include "arc/base/result.h"
#include "client/http_client.h"
#include "ingest/payload.h"

namespace arc::bench {

struct CountOptions {
  std::string request;  // "POST /api/v1/query"; {measurement} stands for a name: then each one is asked for
  std::string body;     // likewise
  std::string content_type = "application/json";
  std::string result;      // regular expression whose group is the number; no match is 0
  int64_t per_record = 1;  // what the server counts for a record (VictoriaMetrics: a sample for each field)
};

class RowCount {
 public:
  static Result<RowCount> Make(const CountOptions& options, const PayloadOptions& payload);
  Result<int64_t> Ask(HttpClient& client) const;

 private:
  RowCount(CountOptions options, PayloadOptions payload, std::regex result)
      : options_(std::move(options)), payload_(payload), result_(std::move(result)) {}
  CountOptions options_;
  PayloadOptions payload_;
  std::regex result_;
};

}  // namespace arc::bench
