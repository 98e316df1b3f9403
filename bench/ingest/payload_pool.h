// The bounded set of encoded requests a run sends from, in turns.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "client/http_client.h"
#include "ingest/payload.h"

namespace arc::bench {

// Encodes at most `limit_bytes` of requests, or as many as `records` need (0: no bound), but enough for every
// measurement and connection. A run longer than the pool sends a body again with other timestamps.
class PayloadPool {
 public:
  struct Request {
    Endpoint endpoint;
    Address address;
    std::string headers;
  };
  PayloadPool(const PayloadOptions& options, const Request& request, int connections, int64_t records,
              int64_t limit_bytes);

  // The next body, stamped with the records from number `first_record` on. It is not handed out again until returned.
  Payload* Take(int64_t first_record);
  void Return(Payload* payload) { free_.push_back(payload); }

  int64_t bytes() const { return bytes_; }
  size_t size() const { return payloads_.size(); }

 private:
  PayloadOptions options_;
  std::vector<Payload> payloads_;
  std::deque<Payload*> free_;
  int64_t bytes_ = 0;
};

}  // namespace arc::bench
