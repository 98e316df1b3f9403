#include "arc/http/query_run.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
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

// The chunk after the one being sent, on its way from a query thread.
struct NextChunk {
  StrandEvent ready;
  QueryRun::Chunk chunk;
  OutputText used;  // of the piece sent before, for the next one
};

void ProduceNext(ServerContext& server, const Strand& strand, const std::shared_ptr<QueryRun>& run,
                 const std::shared_ptr<NextChunk>& next) {
  next->ready.Clear();
  server.query_production.Post([run, next, strand] {
    QueryRun::Chunk chunk = run->Produce(std::move(next->used));
    asio::post(strand, [next, chunk = std::move(chunk)]() mutable {
      next->chunk = std::move(chunk);
      next->ready.Set();
    });
  });
}

Task<QueryRun::Chunk> ProduceFirst(ServerContext& server, std::shared_ptr<QueryRun> run) {
  auto start = [&server, run](auto deliver) {
    Status admitted = server.AdmitQuery([run, deliver] { deliver(run->Produce()); });
    if (admitted.ok()) return;
    QueryRun::Chunk refused;
    refused.last = true;
    refused.error = admitted.error();
    deliver(std::move(refused));
  };
  co_return co_await AwaitCallback<QueryRun::Chunk>(std::move(start));
}

// Sends `chunk` and all that follow. Producing the next one overlaps with sending.
Task<void> StreamChunks(Exchange& exchange, std::shared_ptr<QueryRun> run, QueryRun::Chunk chunk) {
  Strand strand = co_await asio::this_coro::executor;
  auto next = std::make_shared<NextChunk>();
  Response head{.content_type = run->content_type(), .body = {}, .headers = {}};
  bool alive = co_await exchange.stream.Begin(head);
  while (true) {
    bool last = chunk.last || !alive;
    if (!last) ProduceNext(exchange.server, strand, run, next);
    if (alive && !chunk.broken) alive = co_await exchange.stream.Write(chunk.text.view());
    if (last) break;
    if (!alive) run->Cancel();
    co_await next->ready.Wait();
    next->used = std::move(chunk.text);
    chunk = std::move(next->chunk);
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

}  // namespace

Task<Response> AnswerQuery(Exchange& exchange, QuerySpec spec) {
  auto run = std::make_shared<QueryRun>(exchange.server, std::move(spec));
  exchange.stream.Watch([run] { run->Cancel(); });
  QueryRun::Chunk chunk = co_await ProduceFirst(exchange.server, run);
  Response response = Response::AlreadySent();
  if (chunk.error) {
    response = exchange.Fail(*chunk.error);
  } else if (chunk.last) {
    response = {.content_type = run->content_type(), .body = std::string(chunk.text.view()), .headers = {}};
  } else {
    co_await StreamChunks(exchange, run, std::move(chunk));
  }
  co_await exchange.stream.Unwatch();
  co_return response;
}

}  // namespace arc
