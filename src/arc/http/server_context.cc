#include "arc/http/server_context.h"

#include <algorithm>

namespace arc {
namespace {

constexpr int kBlockingThreads = 4;
constexpr int kMaxBlockingWaiting = 64;

}  // namespace

ServerContext::ServerContext(const HttpOptions& http_options, Engine& the_engine, Clock& the_clock,
                             RandomSource& random)
    : options(http_options),
      engine(the_engine),
      clock(the_clock),
      started_nanos(the_clock.MonotonicNanos()),
      bodies(http_options.body_budget_bytes),
      token_limiter(http_options.token_requests_per_minute, the_clock),
      query_admission("query", std::max(1, http_options.query_threads), ThreadPriority::kYielding),
      query_production("query-out", std::max(1, the_engine.queries().pool_stats().pool_size),
                       ThreadPriority::kYielding),
      blocking("http-block", kBlockingThreads),
      id_prefix_(random.NextU64()) {}

std::string ServerContext::NewRequestId() {
  static constexpr char kDigits[] = "0123456789abcdef";
  // The prefix's upper half, then a count: 16 digits.
  uint64_t value =
      (id_prefix_ & 0xffffffff00000000ULL) | (next_id_.fetch_add(1, std::memory_order_relaxed) & 0xffffffffULL);
  std::string text(16, '0');
  for (size_t i = 0; i < 16; ++i) text[i] = kDigits[value >> (60 - 4 * i) & 15];
  return text;
}

Status ServerContext::PostBlocking(std::function<void()> task) {
  if (blocking_waiting_.fetch_add(1) >= kMaxBlockingWaiting) {
    blocking_waiting_.fetch_sub(1);
    return MakeError(ErrorKind::kOverloaded, "too many administrative requests are waiting; try again");
  }
  blocking.Post([this, task = std::move(task)] {
    task();
    blocking_waiting_.fetch_sub(1);
  });
  return {};
}

Status ServerContext::AdmitQuery(std::function<void()> task) {
  if (queries_starting_.fetch_add(1) >= options.query_threads) {
    queries_starting_.fetch_sub(1);
    return MakeError(ErrorKind::kOverloaded, "too many queries are waiting; try again");
  }
  query_admission.Post([this, task = std::move(task)] {
    task();
    queries_starting_.fetch_sub(1);
  });
  return {};
}

}  // namespace arc
