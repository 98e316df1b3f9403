#include "arc/http/query_run.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <functional>
#include <utility>

#include "arc/http/await_callback.h"

namespace arc {

QueryRun::QueryRun(ServerContext& server, QuerySpec spec)
    : server_(server),
      spec_(std::move(spec)),
      encoder_(MakeEncoder(spec_.format)),
      started_nanos_(server.clock.MonotonicNanos()) {
  server_.metrics.query.requests.fetch_add(1, std::memory_order_relaxed);
}

void QueryRun::Cancel() {
  std::lock_guard lock(mutex_);
  if (std::exchange(cancelled_, true)) return;
  server_.metrics.query.cancelled.fetch_add(1, std::memory_order_relaxed);
  if (stream_ != nullptr) stream_->Cancel();
}

void QueryRun::Close() {
  std::unique_ptr<ResultStream> stream;
  {
    std::lock_guard lock(mutex_);
    stream = std::move(stream_);
  }
  batch_.reset();
  if (stream != nullptr) server_.metrics.query.latency.Record(server_.clock.MonotonicNanos() - started_nanos_);
}

Status QueryRun::Start(OutputText* out) {
  {
    std::lock_guard lock(mutex_);
    if (cancelled_) return MakeError(ErrorKind::kCancelled, "the client went away");
  }
  ARC_ASSIGN_OR_RETURN(auto stream, server_.engine.Query(spec_.request));
  {
    std::lock_guard lock(mutex_);
    stream_ = std::move(stream);
    if (cancelled_) stream_->Cancel();
  }
  return encoder_->Begin(stream_->schema(), out);
}

Result<bool> QueryRun::Step(OutputText* out) {
  if (spec_.limit && rows_ >= *spec_.limit) return false;
  if (batch_ == nullptr || batch_at_ == batch_->num_rows()) {
    ARC_ASSIGN_OR_RETURN(batch_, stream_->Next());
    batch_at_ = 0;
    if (batch_ == nullptr) return false;
  }
  int64_t rows = batch_->num_rows() - batch_at_;
  if (encoder_->batch_rows() > 0) rows = std::min(rows, encoder_->batch_rows());
  if (spec_.limit) rows = std::min(rows, *spec_.limit - rows_);
  bool whole = rows == batch_->num_rows();
  ARC_RETURN_IF_ERROR(encoder_->Batch(whole ? *batch_ : *batch_->Slice(batch_at_, rows), out));
  batch_at_ += rows;
  rows_ += rows;
  return true;
}

QueryRun::Chunk QueryRun::Fail(Error error) {
  if (error.kind != ErrorKind::kCancelled) server_.metrics.query.errors.fetch_add(1, std::memory_order_relaxed);
  Chunk chunk;
  chunk.last = true;
  if (!delivered_) {
    chunk.error = std::move(error);
  } else {
    ResultEnd end{&error, rows_, stream_->stats(), server_.clock.WallMicros()};
    chunk.broken = !encoder_->End(end, &chunk.text);
  }
  Close();
  return chunk;
}

QueryRun::Chunk QueryRun::Produce(OutputText used) {
  Chunk chunk;
  chunk.text = std::move(used);
  chunk.text.Clear();
  try {
    if (!std::exchange(begun_, true)) {
      Status started = Start(&chunk.text);
      if (!started.ok()) return Fail(started.error());
    }
    while (chunk.text.size() < kChunkBytes) {
      Result<bool> more = Step(&chunk.text);
      if (!more.ok()) {
        Chunk failed = Fail(more.error());
        if (failed.error || failed.broken) return failed;
        chunk.text.Append(failed.text.view());
        chunk.last = true;
        break;
      }
      if (*more) continue;
      chunk.last = true;
      chunk.broken = !encoder_->End({nullptr, rows_, stream_->stats(), server_.clock.WallMicros()}, &chunk.text);
      Close();
      server_.metrics.query.rows.fetch_add(static_cast<uint64_t>(rows_), std::memory_order_relaxed);
      break;
    }
  } catch (const std::bad_alloc&) {
    Chunk failed;
    failed.last = failed.broken = true;
    if (!delivered_) failed.error = MakeError(ErrorKind::kOverloaded, "no memory for the result");
    Close();
    return failed;
  }
  delivered_ = true;
  server_.metrics.query.bytes.fetch_add(chunk.text.size(), std::memory_order_relaxed);
  return chunk;
}

namespace {

// A chunk on its way from a query thread. Used on the strand only.
struct NextChunk {
  StrandEvent ready;
  std::optional<QueryRun::Chunk> chunk;
  OutputText used;  // of the piece sent before, for the next one
  bool under_way = false;
  bool stuck = false;  // the query does not end although its time is up; nobody waits for the chunk any more
};

// On a query thread; `chunk` goes to who waits for it.
void Deliver(ServerContext& server, const Strand& strand, const std::shared_ptr<QueryRun>& run,
             const std::shared_ptr<NextChunk>& next, QueryRun::Chunk chunk) {
  asio::post(strand, [&server, run, next, chunk = std::move(chunk)]() mutable {
    if (next->stuck) {
      // Ending a query may wait for its threads: not here.
      server.query_production.Post([run] { run->Close(); });
      return;
    }
    next->under_way = false;
    next->chunk = std::move(chunk);
    next->ready.Set();
  });
}

// Nothing when the query is stuck.
Task<std::optional<QueryRun::Chunk>> ProduceFirst(ServerContext& server, std::shared_ptr<QueryRun> run,
                                                  std::shared_ptr<NextChunk> next) {
  Strand strand = co_await asio::this_coro::executor;
  Status admitted =
      server.AdmitQuery([&server, strand, run, next] { Deliver(server, strand, run, next, run->Produce()); });
  if (!admitted.ok()) {
    QueryRun::Chunk refused;
    refused.last = true;
    refused.error = admitted.error();
    co_return refused;
  }
  next->under_way = true;
  co_await next->ready.Wait();
  co_return std::exchange(next->chunk, std::nullopt);
}

void ProduceNext(ServerContext& server, const Strand& strand, const std::shared_ptr<QueryRun>& run,
                 const std::shared_ptr<NextChunk>& next) {
  next->ready.Clear();
  next->under_way = true;
  server.query_production.Post(
      [&server, strand, run, next] { Deliver(server, strand, run, next, run->Produce(std::move(next->used))); });
}

// Sends `chunk` and all that follow. Producing the next one overlaps with sending.
Task<void> StreamChunks(Exchange& exchange, std::shared_ptr<QueryRun> run, std::shared_ptr<NextChunk> next,
                        QueryRun::Chunk chunk) {
  Strand strand = co_await asio::this_coro::executor;
  Response head{.content_type = run->content_type(), .body = {}, .headers = {}};
  bool alive = co_await exchange.stream.Begin(head);
  while (true) {
    bool last = chunk.last || !alive;
    if (!last) ProduceNext(exchange.server, strand, run, next);
    if (alive && !chunk.broken) alive = co_await exchange.stream.Write(chunk.text.view());
    if (last) break;
    if (!alive) run->Cancel();
    co_await next->ready.Wait();
    if (!next->chunk) {
      exchange.stream.Abandon();
      co_return;
    }
    next->used = std::move(chunk.text);
    chunk = *std::exchange(next->chunk, std::nullopt);
  }
  if (!chunk.last) run->Cancel();
  // Ending a query may wait for its threads: not here.
  if (!chunk.last) exchange.server.query_production.Post([run] { run->Close(); });
  if (chunk.broken) {
    exchange.stream.Abandon();
  } else if (alive) {
    co_await exchange.stream.End();
  }
}

// The callback holds the strand: it may come when the connection is gone.
std::function<void()> WhenStuck(const Strand& strand, const std::shared_ptr<NextChunk>& next) {
  return [strand, next] {
    asio::post(strand, [next] {
      if (!next->under_way) return;
      next->stuck = true;
      next->ready.Set();
    });
  };
}

}  // namespace

Task<Response> AnswerQuery(Exchange& exchange, QuerySpec spec) {
  auto next = std::make_shared<NextChunk>();
  spec.request.on_stuck = WhenStuck(co_await asio::this_coro::executor, next);
  auto run = std::make_shared<QueryRun>(exchange.server, std::move(spec));
  exchange.stream.Watch([run] { run->Cancel(); });
  std::optional<QueryRun::Chunk> chunk = co_await ProduceFirst(exchange.server, run, next);
  Response response = Response::AlreadySent();
  if (!chunk) {
    response = exchange.Fail(MakeError(ErrorKind::kTimeout, "the query's time is up, and it is still being stopped"));
  } else if (chunk->error) {
    response = exchange.Fail(*chunk->error);
  } else if (chunk->last) {
    response = {.content_type = run->content_type(), .body = std::string(chunk->text.view()), .headers = {}};
  } else {
    co_await StreamChunks(exchange, run, next, std::move(*chunk));
  }
  co_await exchange.stream.Unwatch();
  co_return response;
}

}  // namespace arc
