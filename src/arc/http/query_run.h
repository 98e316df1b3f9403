// One SQL query from its start to its last byte, and its way to the client.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>

#include "arc/http/exchange.h"
#include "arc/http/result_encoder.h"

namespace arc {

// What a client asked for.
struct QuerySpec {
  QueryRequest request;
  ResultFormat format = ResultFormat::kJson;
  std::optional<int64_t> limit;  // rows at most, whatever the SQL says
};

// Produces encoded chunks. Produce and Close are called by one thread at a time, and may block; Cancel by any.
class QueryRun {
 public:
  QueryRun(ServerContext& server, QuerySpec spec);

  struct Chunk {
    OutputText text;
    bool last = false;
    // First chunk only: the query failed before anything was sent; `text` is void.
    std::optional<Error> error;
    // Later chunks: the query failed and the format could not say so.
    bool broken = false;
  };
  // The next piece, of about kChunkBytes: at the first call starts the query, waiting for its place. It is written over
  // `used`, the text of a piece that has been sent: its memory is mapped and in the caches.
  Chunk Produce(OutputText used = {});
  // Interrupts the query; Produce then ends soon.
  void Cancel();
  // Ends the query and frees what it holds.
  void Close();
  std::string_view content_type() const { return encoder_->content_type(); }

  static constexpr size_t kChunkBytes = 256 << 10;

 private:
  Status Start(OutputText* out);
  // False at the end of the result.
  Result<bool> Step(OutputText* out);
  Chunk Fail(Error error);

  ServerContext& server_;
  const QuerySpec spec_;
  const std::unique_ptr<ResultEncoder> encoder_;
  std::mutex mutex_;
  std::unique_ptr<ResultStream> stream_;  // changes under mutex_
  bool cancelled_ = false;                // under mutex_
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t batch_at_ = 0;
  int64_t rows_ = 0;
  bool begun_ = false;
  bool delivered_ = false;  // a chunk was handed out
  int64_t started_nanos_;
};

// Runs the query and answers with its result: whole when it fits one chunk, else streamed, at the client's pace; a
// client that goes away cancels it.
Task<Response> AnswerQuery(Exchange& exchange, QuerySpec spec);

}  // namespace arc
