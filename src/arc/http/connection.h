// One client connection: requests one after the other, each answered before the next is begun.
#pragma once

#include <atomic>
#include <boost/asio/cancellation_signal.hpp>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "arc/http/await_callback.h"
#include "arc/http/body_buffer.h"
#include "arc/http/chunked_body.h"
#include "arc/http/exchange.h"
#include "arc/http/response_head.h"
#include "arc/http/router.h"

namespace arc {

// Runs on its strand, except CheckDeadline, CloseIfIdle and Cut, which any thread may call.
class Connection : public StreamWriter, public std::enable_shared_from_this<Connection> {
 public:
  // Both must outlive the connection.
  Connection(Socket socket, ServerContext* server, const Router* router);

  // Serves requests until either side closes.
  Task<void> Serve();

  // Gives up on what the client is too slow for.
  void CheckDeadline(int64_t now_nanos);
  // Closes when no request is begun; for draining.
  void CloseIfIdle();
  // Closes at once; a running query is cancelled.
  void Cut();

  Task<bool> Begin(const Response& head) override;
  Task<bool> Write(std::string_view bytes) override;
  Task<bool> End() override;
  void Abandon() override { abandoned_ = true; }
  void Watch(std::function<void()> gone) override;
  Task<void> Unwatch() override;

 private:
  static constexpr int64_t kNoDeadline = std::numeric_limits<int64_t>::max();
  enum class HeadOutcome { kOk, kClose, kTimeout, kTooLarge, kBad };

  // connection.cc: from a request to its answer.
  Task<HeadOutcome> ReadHead();
  Task<void> RefuseHead(HeadOutcome outcome);
  Task<void> ServeOne();
  Task<Response> Answer(Exchange& exchange);
  // Nothing when the request may go on.
  std::optional<Response> Admit(const Route& route, Exchange& exchange);
  Task<Status> ReceiveBody(Exchange& exchange, BodyBuffer& received, BodyBuffer& decoded);
  Task<void> Finish(Exchange& exchange, Response& response, int64_t started_nanos);
  void Account(const Exchange& exchange, int status, int64_t started_nanos);

  // connection_io.cc: bytes.
  Task<Status> ReadBody(BodyBuffer& body, std::string_view* view);
  Task<Status> ReadSized(uint64_t length, BodyBuffer& body);
  Task<Status> ReadChunked(BodyBuffer& body);
  Task<void> SettleBody();
  Task<bool> ReadMore();
  // Into memory of the caller; 0 at the end or on failure.
  Task<size_t> ReadInto(char* to, size_t size);
  Task<bool> Send(std::string_view first, std::string_view second = {}, std::string_view third = {});
  Task<bool> SendResponse(const Response& response);
  Task<void> LingeringClose();
  void WatchRead();
  Status BodyEnded();
  void SetDeadline(std::chrono::milliseconds from_now, uint64_t bytes = 0);
  void ClearDeadline() { deadline_.store(kNoDeadline, std::memory_order_relaxed); }

  std::string_view input() const { return {in_.get() + in_begin_, in_end_ - in_begin_}; }
  bool head_only() const { return head_.method() == Method::kHead; }

  Socket socket_;
  ServerContext& server_;
  const Router& router_;
  std::string remote_;
  std::atomic<int64_t> deadline_{kNoDeadline};
  bool expired_ = false;
  bool idle_ = true;  // between requests

  // Received, not yet consumed: [in_begin_, in_end_). kBodyPadding bytes follow the capacity.
  std::unique_ptr<char[]> in_;
  size_t in_capacity_;
  size_t in_begin_ = 0;
  size_t in_end_ = 0;

  // The request being served.
  RequestHead head_;
  HeadParser parser_;
  HeadParser::Framing framing_;
  std::string request_id_;
  size_t body_in_place_ = 0;  // bytes of `input()` that are the body in use
  bool body_read_ = false;    // nothing of it is left in the socket
  bool continue_owed_ = false;
  bool keep_alive_ = true;
  bool linger_ = false;
  bool started_ = false;  // a streamed answer
  bool abandoned_ = false;
  std::string out_head_;
  std::string stream_head_;  // of a streamed answer, sent with its first bytes

  bool watching_ = false;
  bool watch_pending_ = false;
  std::function<void()> gone_;
  asio::cancellation_signal watch_cancel_;
  StrandEvent watch_ended_;
};

}  // namespace arc
