#include "arc/http/connection.h"

#include <boost/asio/post.hpp>
#include <exception>
#include <utility>

#include "arc/base/log.h"
#include "arc/http/body_decoding.h"
#include "arc/http/credentials.h"

namespace arc {
namespace {

constexpr size_t kBodyBehindHeader = 16 << 10;  // room for small bodies to arrive with their header

bool SaneRequestId(std::string_view id) {
  if (id.empty() || id.size() > 64) return false;
  for (char c : id) {
    bool ok = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
              c == '.' || c == ':';
    if (!ok) return false;
  }
  return true;
}

bool Allows(const Principal& principal, Permission permission) {
  switch (permission) {
    case Permission::kPublic:
    case Permission::kAnyToken: return true;
    case Permission::kRead: return principal.read || principal.admin;
    case Permission::kWrite: return principal.write || principal.admin;
    case Permission::kAdmin: return principal.admin;
  }
  return false;
}

std::string_view PermissionName(Permission permission) {
  switch (permission) {
    case Permission::kRead: return "read";
    case Permission::kWrite: return "write";
    default: return "admin";
  }
}

std::string RemoteAddress(const Socket& socket) {
  boost::system::error_code code;
  auto endpoint = socket.remote_endpoint(code);
  return code ? std::string("unknown") : endpoint.address().to_string(code);
}

}  // namespace

Connection::Connection(Socket socket, ServerContext* server, const Router* router)
    : socket_(std::move(socket)),
      server_(*server),
      router_(*router),
      remote_(RemoteAddress(socket_)),
      in_capacity_(server->options.max_header_bytes + kBodyBehindHeader) {
  boost::system::error_code ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
  socket_.non_blocking(true, ignored);
  in_.reset(new char[in_capacity_ + kBodyPadding]);
}

void Connection::CheckDeadline(int64_t now_nanos) {
  if (now_nanos < deadline_.load(std::memory_order_relaxed)) return;
  asio::post(socket_.get_executor(), [self = shared_from_this(), now_nanos] {
    if (now_nanos < self->deadline_.load(std::memory_order_relaxed)) return;  // it made progress meanwhile
    self->ClearDeadline();
    self->expired_ = true;
    if (!self->idle_) self->server_.metrics.timeouts.fetch_add(1, std::memory_order_relaxed);
    boost::system::error_code ignored;
    self->socket_.cancel(ignored);
  });
}

void Connection::CloseIfIdle() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    if (!self->idle_) return;
    boost::system::error_code ignored;
    self->socket_.close(ignored);
  });
}

void Connection::Cut() {
  asio::post(socket_.get_executor(), [self = shared_from_this()] {
    boost::system::error_code ignored;
    self->socket_.close(ignored);
  });
}

Task<void> Connection::Serve() {
  auto self = shared_from_this();
  do {
    HeadOutcome outcome = co_await ReadHead();
    if (outcome != HeadOutcome::kOk) {
      co_await RefuseHead(outcome);
      break;
    }
    co_await ServeOne();
  } while (keep_alive_ && !abandoned_);
  if (linger_) co_await LingeringClose();
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_both, ignored);
  socket_.close(ignored);
}

Task<Connection::HeadOutcome> Connection::ReadHead() {
  parser_.Start(&head_, server_.options.max_header_bytes);
  request_id_.clear();
  bool begun = false;
  SetDeadline(server_.options.idle_timeout);
  while (true) {
    // Some clients end a body with a line break too many.
    while (!begun && in_begin_ < in_end_ && (in_[in_begin_] == '\r' || in_[in_begin_] == '\n')) ++in_begin_;
    if (in_begin_ < in_end_) {
      if (!begun) SetDeadline(server_.options.header_timeout);
      begun = true;
      idle_ = false;
      size_t used = 0;
      HeadParser::State state = parser_.Feed(input(), &used);
      in_begin_ += used;
      if (state == HeadParser::State::kDone) {
        ClearDeadline();
        co_return HeadOutcome::kOk;
      }
      if (state == HeadParser::State::kBad) co_return HeadOutcome::kBad;
      if (state == HeadParser::State::kTooLarge) co_return HeadOutcome::kTooLarge;
    } else {
      idle_ = !begun;
      if (idle_ && server_.draining.load(std::memory_order_relaxed)) co_return HeadOutcome::kClose;
    }
    const bool more = co_await ReadMore();
    if (!more) co_return begun&& expired_ ? HeadOutcome::kTimeout : HeadOutcome::kClose;
  }
}

Task<void> Connection::RefuseHead(HeadOutcome outcome) {
  if (outcome == HeadOutcome::kClose) co_return;
  keep_alive_ = false;
  linger_ = true;
  request_id_ = server_.NewRequestId();
  int status = outcome == HeadOutcome::kTooLarge ? 431 : outcome == HeadOutcome::kTimeout ? 408 : 400;
  Error error = InvalidArgument("malformed HTTP request: " + parser_.problem());
  if (outcome == HeadOutcome::kTooLarge) error.message = "the request's header is too large";
  if (outcome == HeadOutcome::kTimeout) error.message = "the request's header came too slowly";
  Response response = ErrorResponse(error, status, request_id_);
  head_.Clear();  // half a header says nothing reliable
  server_.metrics.responses_by_class[4].fetch_add(1, std::memory_order_relaxed);
  co_await SendResponse(response);
}

Task<void> Connection::ServeOne() {
  const int64_t started = server_.clock.MonotonicNanos();
  framing_ = parser_.framing();
  keep_alive_ = framing_.keep_alive && !server_.draining.load(std::memory_order_relaxed);
  std::string_view wanted_id = head_.Find("x-request-id");
  request_id_ = SaneRequestId(wanted_id) ? std::string(wanted_id) : server_.NewRequestId();
  body_in_place_ = 0;
  body_read_ = false;
  started_ = false;
  continue_owed_ = head_.version() == 11 && EqualIgnoringCase(head_.Find("expect"), "100-continue");
  server_.metrics.requests_in_flight.fetch_add(1, std::memory_order_relaxed);

  Exchange exchange{.server = server_,
                    .head = head_,
                    .stream = *this,
                    .request_id = request_id_,
                    .remote_address = remote_,
                    .query = {},
                    .path_params = {},
                    .principal = {},
                    .body = {}};
  Response response;
  std::string failure;
  try {
    response = co_await Answer(exchange);
  } catch (const std::exception& e) {
    failure = e.what();
  }
  if (!failure.empty()) {
    if (started_) abandoned_ = true;
    response = started_ ? Response::AlreadySent() : exchange.Fail(Internal("unexpected failure: " + failure));
  }
  co_await Finish(exchange, response, started);
  server_.metrics.requests_in_flight.fetch_sub(1, std::memory_order_relaxed);
}

Task<void> Connection::Finish(Exchange& exchange, Response& response, int64_t started_nanos) {
  if (!response.sent) {
    co_await SettleBody();
    if (server_.draining.load(std::memory_order_relaxed)) keep_alive_ = false;
    const bool sent = co_await SendResponse(response);
    if (!sent) linger_ = false;
  } else {
    keep_alive_ = keep_alive_ && body_read_;
  }
  Account(exchange, response.status, started_nanos);
  in_begin_ += body_in_place_;
  body_in_place_ = 0;
  idle_ = true;
}

void Connection::Account(const Exchange& exchange, int status, int64_t started_nanos) {
  auto status_class = static_cast<size_t>(std::clamp(status / 100, 0, 5));
  server_.metrics.responses_by_class[status_class].fetch_add(1, std::memory_order_relaxed);
  LogLevel level = status >= 500 ? LogLevel::kWarning : LogLevel::kDebug;
  if (!LogEnabled(level)) return;
  double ms = static_cast<double>(server_.clock.MonotonicNanos() - started_nanos) / 1e6;
  // The path without its query: that may hold a token (?p=).
  Log(level, "http", status >= 500 ? "request failed" : "request",
      {{"method", MethodName(head_.method())},
       {"path", head_.path()},
       {"status", status},
       {"ms", ms},
       {"remote", remote_},
       {"token", exchange.principal.name},
       {"request_id", request_id_}});
}

Task<Response> Connection::Answer(Exchange& exchange) {
  if (framing_.unsupported) {
    keep_alive_ = false;
    co_return exchange.Fail(InvalidArgument("only the chunked transfer coding is understood"), 501);
  }
  std::string_view origin = AllowOrigin(head_, server_.options.cors_origins);
  std::optional<Response> preflight = AnswerPreflight(head_, origin);
  if (preflight.has_value()) co_return std::move(*preflight);
  Router::Match match = router_.Find(head_.method(), head_.path());
  if (match.route == nullptr && match.allow.empty()) {
    co_return exchange.Fail(NotFound("there is nothing at " + std::string(head_.path().substr(0, 200))));
  }
  if (match.route == nullptr) {
    Response wrong_method = exchange.Fail(InvalidArgument("this path takes " + match.allow), 405);
    wrong_method.With("Allow", std::move(match.allow));
    co_return wrong_method;
  }
  exchange.path_params = std::move(match.params);
  exchange.query.Parse(head_.query());
  std::optional<Response> refused = Admit(*match.route, exchange);
  if (refused.has_value()) co_return std::move(*refused);
  BodyBuffer received(&server_.bodies);
  BodyBuffer decoded(&server_.bodies);
  Status status = co_await ReceiveBody(exchange, received, decoded);
  if (!status.ok()) {
    ErrorKind kind = status.error().kind;
    int code = kind == ErrorKind::kUnsupported ? 415 : kind == ErrorKind::kTimeout ? 408 : StatusOf(kind);
    co_return exchange.Fail(status.error(), code);
  }
  Response response = co_await match.route->handler(exchange);
  co_return response;
}

std::optional<Response> Connection::Admit(const Route& route, Exchange& exchange) {
  if (route.rate_limited) {
    if (int seconds = server_.token_limiter.Check(remote_); seconds > 0) {
      Error error = MakeError(ErrorKind::kOverloaded, "too many requests from this address; try again later");
      return exchange.Fail(error, 429).With("Retry-After", std::to_string(seconds));
    }
  }
  if (auto expect = head_.Find("expect"); !expect.empty() && !EqualIgnoringCase(expect, "100-continue")) {
    return exchange.Fail(InvalidArgument("only the expectation 100-continue is understood"), 417);
  }
  if (!server_.options.auth_enabled) {
    exchange.principal = Principal::Admin("anonymous");
    return std::nullopt;
  }
  if (route.permission == Permission::kPublic) return std::nullopt;
  std::string token = FindToken(head_, exchange.query);
  if (token.empty()) {
    return exchange.Fail(MakeError(ErrorKind::kUnauthenticated,
                                   "this request needs a token (Authorization: Bearer, x-api-key, basic or ?p=)"));
  }
  Result<Principal> principal = server_.engine.tokens().Authenticate(token);
  if (!principal.ok()) return exchange.Fail(principal.error());
  exchange.principal = std::move(*principal);
  if (Allows(exchange.principal, route.permission)) return std::nullopt;
  return exchange.Fail(MakeError(
      ErrorKind::kPermissionDenied,
      "this token lacks the permission \"" + std::string(PermissionName(route.permission)) + "\" that it needs here"));
}

Task<Status> Connection::ReceiveBody(Exchange& exchange, BodyBuffer& received, BodyBuffer& decoded) {
  ContentEncoding encoding = ParseContentEncoding(head_.Find("content-encoding"));
  if (encoding == ContentEncoding::kUnknown) {
    co_return MakeError(ErrorKind::kUnsupported, "the content encoding must be gzip, zstd or identity");
  }
  Status status = co_await ReadBody(received, &exchange.body);
  if (!status.ok() || encoding == ContentEncoding::kIdentity || exchange.body.empty()) co_return status;
  DecodingLimits limits{server_.options.max_decoded_body_bytes, server_.options.max_compression_ratio};
  status = DecodeBody(encoding, exchange.body, limits, &decoded);
  if (status.ok()) exchange.body = decoded.size() > 0 ? decoded.view() : exchange.body.substr(0, 0);
  received.Release();
  co_return status;
}

}  // namespace arc
