#include "arc/http/server.h"

#include <algorithm>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <condition_variable>
#include <mutex>
#include <unordered_set>
#include <utility>

#include "arc/base/log.h"
#include "arc/base/thread.h"
#include "arc/http/connection.h"

namespace arc {
namespace {

constexpr int kBacklog = 1024;
constexpr int64_t kMaxBodyBytes = 2LL << 30;  // zlib counts input in 32 bits
constexpr std::chrono::milliseconds kCutWait{5'000};
// A connection over the limit gets this and no more.
constexpr std::string_view kFull =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Type: application/json\r\nContent-Length: 68\r\n"
    "Connection: close\r\n\r\n"
    "{\"success\":false,\"error\":\"too many connections\",\"kind\":\"overloaded\"}";
static_assert(kFull.size() - kFull.find("\r\n\r\n") - 4 == 68);

int IoThreads(int wanted) {
  return wanted > 0 ? wanted : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

// Often enough to notice the shortest time-out with a quarter's slack.
std::chrono::milliseconds SweepPeriod(const HttpOptions& options) {
  auto shortest = std::min({options.header_timeout, options.body_timeout, options.write_timeout, options.idle_timeout});
  return std::clamp(shortest / 4, std::chrono::milliseconds(10), std::chrono::milliseconds(500));
}

}  // namespace

// Shared with engine callbacks that may come after the server has gone, hence a shared_ptr. `io_` is destroyed first:
// what it still holds uses the rest.
class HttpServer::Core : public std::enable_shared_from_this<Core> {
 public:
  Core(HttpOptions options, Engine& engine, Clock& clock, RandomSource& random)
      : context_(options, engine, clock, random), router_(AllRoutes()) {}
  ~Core() { Stop(std::chrono::milliseconds(0)); }

  void Own() { context_.owner = weak_from_this(); }
  Status Listen();
  void Run();
  void Stop(std::chrono::milliseconds drain);
  uint16_t port() const { return port_; }

 private:
  using Acceptor = asio::basic_socket_acceptor<Tcp, Strand>;
  using Timer =
      asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Strand>;

  // Keeps the connection in the books until its coroutine ends, also when that is destroyed unfinished.
  struct Registration {
    Core* core;
    std::shared_ptr<Connection> connection;
    Registration(Core* c, std::shared_ptr<Connection> one) : core(c), connection(std::move(one)) {
      core->Register(connection.get());
    }
    ~Registration() { core->Unregister(connection.get()); }
    Registration(const Registration&) = delete;
    Registration& operator=(const Registration&) = delete;
  };

  static Task<void> Accept(std::shared_ptr<Acceptor> acceptor, Core* core);
  static Task<void> ServeConnection(std::unique_ptr<Registration> registration);
  void Admit(Socket socket);
  void Register(Connection* connection);
  void Unregister(Connection* connection);
  void ForEach(const std::function<void(Connection&)>& call);
  bool WaitUntilEmpty(std::chrono::milliseconds limit);

  ServerContext context_;
  const Router router_;
  std::mutex mutex_;
  std::condition_variable emptied_;
  std::unordered_set<Connection*> connections_;
  std::mutex stop_mutex_;
  bool stopped_ = false;
  uint16_t port_ = 0;
  std::unique_ptr<Ticker> sweeper_;
  std::vector<Thread> threads_;
  asio::io_context io_;
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  std::shared_ptr<Acceptor> acceptor_;
};

Status HttpServer::Core::Listen() {
  const HttpOptions& options = context_.options;
  boost::system::error_code code;
  asio::ip::basic_resolver<Tcp, asio::io_context::executor_type> resolver(io_.get_executor());
  auto found = resolver.resolve(options.host, std::to_string(options.port),
                                asio::ip::resolver_base::passive | asio::ip::resolver_base::numeric_service, code);
  std::string where = options.host + ":" + std::to_string(options.port);
  if (code || found.empty()) return Unavailable("cannot resolve " + where + ": " + code.message());
  Tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_ = std::make_shared<Acceptor>(asio::make_strand(io_));
  acceptor_->open(endpoint.protocol(), code);
  if (!code) acceptor_->set_option(asio::socket_base::reuse_address(true), code);
  if (!code) acceptor_->bind(endpoint, code);
  if (!code) acceptor_->listen(kBacklog, code);
  if (code) return Unavailable("cannot listen on " + where + ": " + code.message());
  port_ = acceptor_->local_endpoint(code).port();
  return {};
}

void HttpServer::Core::Run() {
  auto discard = [](std::exception_ptr) {};  // NOLINT: Asio's signature
  asio::co_spawn(acceptor_->get_executor(), Accept(acceptor_, this), discard);
  for (int i = 0; i < IoThreads(context_.options.io_threads); ++i) {
    threads_.emplace_back("http-" + std::to_string(i), [this] { io_.run(); });
  }
  sweeper_ = std::make_unique<Ticker>("http-sweep", SweepPeriod(context_.options), [this] {
    int64_t now = context_.clock.MonotonicNanos();
    ForEach([now](Connection& connection) { connection.CheckDeadline(now); });
  });
}

Task<void> HttpServer::Core::Accept(std::shared_ptr<Acceptor> acceptor, Core* core) {
  while (true) {
    auto [code, socket] = co_await acceptor->async_accept(asio::make_strand(core->io_), kAwait);
    if (!code) {
      core->Admit(std::move(socket));
      continue;
    }
    if (code == asio::error::operation_aborted || !acceptor->is_open()) co_return;
    // Out of files or memory: wait for some to come back instead of spinning.
    Log(LogLevel::kWarning, "http", "cannot accept a connection", {{"reason", code.message()}});
    Timer pause(acceptor->get_executor(), std::chrono::milliseconds(100));
    co_await pause.async_wait(kAwait);
  }
}

void HttpServer::Core::Admit(Socket socket) {
  HttpMetrics& metrics = context_.metrics;
  metrics.connections_total.fetch_add(1, std::memory_order_relaxed);
  if (metrics.connections_open.load(std::memory_order_relaxed) >= context_.options.max_connections) {
    metrics.connections_refused.fetch_add(1, std::memory_order_relaxed);
    boost::system::error_code ignored;
    socket.non_blocking(true, ignored);
    socket.write_some(asio::buffer(kFull.data(), kFull.size()), ignored);
    socket.shutdown(Socket::shutdown_both, ignored);
    return;
  }
  auto strand = socket.get_executor();
  auto connection = std::make_shared<Connection>(std::move(socket), &context_, &router_);
  auto registration = std::make_unique<Registration>(this, std::move(connection));
  asio::co_spawn(strand, ServeConnection(std::move(registration)), [](std::exception_ptr failure) {  // NOLINT
    if (failure) Log(LogLevel::kError, "http", "a connection ended with an exception");
  });
}

Task<void> HttpServer::Core::ServeConnection(std::unique_ptr<Registration> registration) {
  co_await registration->connection->Serve();
}

void HttpServer::Core::Register(Connection* connection) {
  context_.metrics.connections_open.fetch_add(1, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  connections_.insert(connection);
}

void HttpServer::Core::Unregister(Connection* connection) {
  context_.metrics.connections_open.fetch_sub(1, std::memory_order_relaxed);
  std::lock_guard lock(mutex_);
  connections_.erase(connection);
  if (connections_.empty()) emptied_.notify_all();
}

void HttpServer::Core::ForEach(const std::function<void(Connection&)>& call) {
  std::lock_guard lock(mutex_);
  for (Connection* connection : connections_) call(*connection);
}

bool HttpServer::Core::WaitUntilEmpty(std::chrono::milliseconds limit) {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, limit, [this] { return connections_.empty(); });
}

void HttpServer::Core::Stop(std::chrono::milliseconds drain) {
  std::lock_guard lock(stop_mutex_);
  if (std::exchange(stopped_, true)) return;
  context_.draining.store(true);
  if (acceptor_ != nullptr) {
    asio::post(acceptor_->get_executor(), [acceptor = acceptor_] {
      boost::system::error_code ignored;
      acceptor->close(ignored);
    });
  }
  ForEach([](Connection& connection) { connection.CloseIfIdle(); });
  if (!threads_.empty() && !WaitUntilEmpty(drain)) {
    ForEach([](Connection& connection) { connection.Cut(); });
    if (!WaitUntilEmpty(kCutWait)) Log(LogLevel::kWarning, "http", "requests still wait for the engine at the stop");
  }
  sweeper_.reset();
  work_.reset();
  io_.stop();
  threads_.clear();
  context_.query_admission.Stop();
  context_.query_production.Stop();
  context_.blocking.Stop();
}

Result<std::unique_ptr<HttpServer>> HttpServer::Start(HttpOptions options, Engine& engine, Clock& clock,
                                                      RandomSource& random) {
  if (options.max_body_bytes <= 0 || options.max_body_bytes > kMaxBodyBytes) {
    return InvalidArgument("the largest request body must be between 1 byte and 2 GB");
  }
  auto core = std::make_shared<Core>(std::move(options), engine, clock, random);
  core->Own();
  ARC_RETURN_IF_ERROR(core->Listen());
  core->Run();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(core)));
}

HttpServer::HttpServer(std::shared_ptr<Core> core) : core_(std::move(core)) {}
HttpServer::~HttpServer() { core_->Stop(std::chrono::milliseconds(0)); }
uint16_t HttpServer::port() const { return core_->port(); }
void HttpServer::Stop(std::chrono::milliseconds drain) { core_->Stop(drain); }

}  // namespace arc
