// What all connections and handlers of one server share.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>

#include "arc/base/clock.h"
#include "arc/base/thread.h"
#include "arc/http/body_buffer.h"
#include "arc/http/metrics.h"
#include "arc/http/rate_limiter.h"
#include "arc/http/server.h"

namespace arc {

// Thread-safe where it is not const. Outlives every connection.
struct ServerContext {
  ServerContext(const HttpOptions& http_options, Engine& the_engine, Clock& the_clock, RandomSource& random);

  // A new request id: unique within the process and very likely beyond.
  std::string NewRequestId();
  // Runs `task` on a thread that may block (flush, token store); kOverloaded when too many wait already.
  Status PostBlocking(std::function<void()> task);
  // Takes one of `query_threads` until the task returns; kOverloaded when all are taken.
  Status AdmitQuery(std::function<void()> task);

  const HttpOptions options;
  Engine& engine;
  Clock& clock;
  const int64_t started_nanos;
  HttpMetrics metrics;
  BodyPool bodies;
  RateLimiter token_limiter;
  std::atomic<bool> draining{false};
  // What callbacks given to the engine hold, so that one that comes after the server was stopped finds its memory.
  std::weak_ptr<void> owner;

  // Waiting for a place in the query pool; each of its threads holds at most one query's start.
  Executor query_admission;
  // Producing the later chunks of running queries: as many threads as queries can run at once, so none waits for one
  // that is itself waiting for the pool.
  Executor query_production;
  Executor blocking;

 private:
  std::atomic<int> queries_starting_{0};
  std::atomic<int> blocking_waiting_{0};
  const uint64_t id_prefix_;
  std::atomic<uint64_t> next_id_{1};
};

}  // namespace arc
