// The HTTP server: every endpoint of Arc over one engine. Routes and their permissions: routes.cc.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/engine/engine.h"

namespace arc {

struct HttpOptions {
  std::string host = "0.0.0.0";  // an address or a name
  uint16_t port = 8000;          // 0: any free one, see HttpServer::port
  int io_threads = 0;            // 0: one per core
  int max_connections = 10'000;  // more are answered 503 and closed

  int64_t max_body_bytes = 100 << 20;          // as sent; more is 413
  int64_t max_decoded_body_bytes = 400 << 20;  // after decompression; more is 413
  int max_compression_ratio = 300;             // looked at beyond 16 MB of output; more is 413
  int64_t body_budget_bytes = 1 << 30;         // all bodies in flight; more is 503
  uint32_t max_header_bytes = 16 << 10;        // more is 431

  std::chrono::milliseconds header_timeout{10'000};  // from the first byte of a request to its last header
  std::chrono::milliseconds body_timeout{30'000};    // for a body, beside what its size takes at min_bytes_per_second
  std::chrono::milliseconds write_timeout{30'000};   // for a piece of an answer, likewise
  std::chrono::milliseconds idle_timeout{120'000};   // between requests
  int64_t min_bytes_per_second = 16 << 10;

  // Threads that wait for a place in the query pool: the pool's size and its queue limit. More queries are 503.
  int query_threads = 105;

  // Loading a table through the Iceberg REST catalog first flushes it when it has hot rows older than this; -1: never.
  int64_t iceberg_max_staleness_ms = -1;

  bool auth_enabled = true;                    // false: everybody is an administrator
  int token_requests_per_minute = 100;         // per address, on the token routes; 0: no limit
  std::vector<std::string> cors_origins{"*"};  // empty: no CORS headers at all
};

// Thread-safe. Serves from Start until Stop (or destruction); the engine must outlive it.
class HttpServer {
 public:
  // Binds and listens; kUnavailable when the address cannot be had.
  static Result<std::unique_ptr<HttpServer>> Start(HttpOptions options, Engine& engine, Clock& clock = SystemClock(),
                                                   RandomSource& random = SystemRandom());
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;
  // Stops accepting, closes idle connections, lets running requests end for at most `drain`, then cuts them (their
  // queries are cancelled). Idempotent.
  void Stop(std::chrono::milliseconds drain);

 private:
  class Core;
  explicit HttpServer(std::shared_ptr<Core> core);
  std::shared_ptr<Core> core_;
};

}  // namespace arc
