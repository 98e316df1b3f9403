#include "ingest/load.h"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <memory>

#include "arc/base/clock.h"
#include "client/response_reader.h"

namespace arc::bench {
namespace {

constexpr int64_t kSecond = 1'000'000'000;
constexpr size_t kErrorTextBytes = 300;
constexpr int64_t kAnswerPatienceNs = 60 * kSecond;  // then the connection is given up

double OwnCpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct Connection {
  int socket = -1;
  Payload* payload = nullptr;  // in flight, or waiting to be sent again
  size_t sent = 0;
  int64_t began_ns = 0;
  int64_t sent_ns = 0;      // when this attempt began
  int64_t retry_at_ns = 0;  // 0: not waiting
  bool wants_write = false;
  ResponseReader reader{kErrorTextBytes};
};

class Load {
 public:
  Load(const LoadOptions& options, const Address& address, PayloadPool& pool)
      : options_(options), address_(address), pool_(pool), connections_(static_cast<size_t>(options.connections)) {}
  ~Load() {
    for (Connection& connection : connections_) {
      if (connection.socket >= 0) close(connection.socket);
    }
    if (epoll_ >= 0) close(epoll_);
  }

  Result<LoadResult> Run();

 private:
  Status Connect(Connection* connection);
  // Sends what is due on a connection that waits for nothing.
  Status Continue(Connection* connection);
  Status StartRequest(Connection* connection);
  Status SendMore(Connection* connection);
  Status Receive(Connection* connection);
  Status Answered(Connection* connection);
  // The connection broke: what was in flight may or may not have been written.
  Status Lost(Connection* connection);
  void Watch(Connection* connection, bool write);
  bool MoreToSend() const;
  int64_t DueNs() const;  // when the next request is due
  int64_t Now() const { return clock_.MonotonicNanos(); }

  const LoadOptions& options_;
  const Address& address_;
  PayloadPool& pool_;
  Clock& clock_ = SystemClock();
  std::vector<Connection> connections_;
  int epoll_ = -1;
  int64_t start_ns_ = 0;
  int64_t last_answer_ns_ = 0;
  int64_t started_ = 0;    // requests
  int64_t in_flight_ = 0;  // or waiting to be sent again
  LoadResult result_;
  std::vector<char> buffer_ = std::vector<char>(64 << 10);
};

bool Load::MoreToSend() const {
  if (options_.records > 0 && started_ * options_.batch >= options_.records) return false;
  const int64_t asked = options_.records_per_s > 0 ? DueNs() : Now();
  return options_.seconds == 0 || static_cast<double>(asked - start_ns_) / 1e9 < options_.seconds;
}

int64_t Load::DueNs() const {
  if (options_.records_per_s == 0) return start_ns_;
  return start_ns_ + std::llround(static_cast<double>(started_) * options_.batch / options_.records_per_s * 1e9);
}

Status Load::Connect(Connection* connection) {
  ARC_ASSIGN_OR_RETURN(connection->socket, ConnectTo(address_));
  fcntl(connection->socket, F_SETFL, fcntl(connection->socket, F_GETFL) | O_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.ptr = connection;
  if (epoll_ctl(epoll_, EPOLL_CTL_ADD, connection->socket, &event) != 0) return Internal("epoll refused a socket");
  connection->wants_write = false;
  return {};
}

void Load::Watch(Connection* connection, bool write) {
  if (connection->wants_write == write) return;
  epoll_event event{};
  event.events = EPOLLIN | (write ? EPOLLOUT : 0U);
  event.data.ptr = connection;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, connection->socket, &event);
  connection->wants_write = write;
}

Status Load::Continue(Connection* connection) {
  if (connection->payload != nullptr) {
    if (connection->retry_at_ns == 0 || connection->retry_at_ns > Now()) return {};
    connection->retry_at_ns = 0;
    ++result_.retries;
  } else {
    if (!MoreToSend() || DueNs() > Now()) return {};
    connection->began_ns = options_.records_per_s > 0 ? DueNs() : Now();
    connection->payload = pool_.Take(started_ * options_.batch);
    ++started_;
    ++in_flight_;
  }
  return StartRequest(connection);
}

Status Load::StartRequest(Connection* connection) {
  connection->sent = 0;
  connection->sent_ns = Now();
  connection->reader.Reset();
  if (connection->socket < 0) ARC_RETURN_IF_ERROR(Connect(connection));
  return SendMore(connection);
}

Status Load::SendMore(Connection* connection) {
  const std::string& bytes = connection->payload->bytes;
  while (connection->sent < bytes.size()) {
    const ssize_t size =
        send(connection->socket, bytes.data() + connection->sent, bytes.size() - connection->sent, MSG_NOSIGNAL);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) {
      Watch(connection, true);
      return {};
    }
    if (size <= 0) return Lost(connection);
    connection->sent += static_cast<size_t>(size);
    result_.sent_bytes += size;
  }
  Watch(connection, false);
  return {};
}

Status Load::Receive(Connection* connection) {
  const ssize_t size = recv(connection->socket, buffer_.data(), buffer_.size(), 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (size <= 0) {
    if (connection->payload != nullptr && connection->reader.Close()) return Answered(connection);
    return Lost(connection);
  }
  if (connection->payload == nullptr) return Lost(connection);  // nothing was asked
  if (connection->reader.Feed({buffer_.data(), static_cast<size_t>(size)})) return Answered(connection);
  return connection->reader.broken() ? Lost(connection) : Status{};
}

Status Load::Answered(Connection* connection) {
  const ResponseReader& reader = connection->reader;
  const int status = reader.status();
  const bool whole = connection->sent == connection->payload->bytes.size();
  ++result_.status[status];
  last_answer_ns_ = Now();
  if ((!reader.keep_alive() || !whole) && connection->socket >= 0) {
    close(connection->socket);
    connection->socket = -1;
  }
  const bool acknowledged = status >= 200 && status < 300;
  if (!acknowledged && result_.first_error.empty()) {
    result_.first_error = std::to_string(status) + " " + reader.body();
  }
  if (status == 429 || status == 503) {
    connection->retry_at_ns = last_answer_ns_ + std::max<int64_t>(reader.retry_after_s().value_or(1), 0) * kSecond;
    if (connection->retry_at_ns == last_answer_ns_) return Continue(connection);
    return {};
  }
  if (acknowledged) {
    ++result_.requests;
    result_.acknowledged += options_.batch;
    result_.latency_ns.push_back(last_answer_ns_ - connection->began_ns);
  } else {
    result_.refused += options_.batch;
  }
  pool_.Return(connection->payload);
  connection->payload = nullptr;
  --in_flight_;
  return Continue(connection);
}

Status Load::Lost(Connection* connection) {
  ++result_.broken_connections;
  close(connection->socket);
  connection->socket = -1;
  if (connection->payload == nullptr || connection->retry_at_ns != 0) return {};
  result_.unknown += options_.batch;
  pool_.Return(connection->payload);
  connection->payload = nullptr;
  --in_flight_;
  return {};
}

Result<LoadResult> Load::Run() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  for (Connection& connection : connections_) ARC_RETURN_IF_ERROR(Connect(&connection));
  if (options_.records > 0) result_.latency_ns.reserve(static_cast<size_t>(options_.records / options_.batch + 1));
  const double cpu_before = OwnCpuSeconds();
  start_ns_ = last_answer_ns_ = Now();
  while (true) {
    for (Connection& connection : connections_) ARC_RETURN_IF_ERROR(Continue(&connection));
    if (in_flight_ == 0 && !MoreToSend()) break;
    for (Connection& connection : connections_) {
      const bool waits = connection.payload != nullptr && connection.retry_at_ns == 0;
      if (waits && Now() - connection.sent_ns > kAnswerPatienceNs) ARC_RETURN_IF_ERROR(Lost(&connection));
    }
    // Until an answer, the next request's time when a connection is free for it, or the next retry.
    int64_t wake_ns = INT64_MAX;
    const bool more = MoreToSend();
    for (const Connection& connection : connections_) {
      if (connection.payload == nullptr && more) wake_ns = std::min(wake_ns, DueNs());
      if (connection.retry_at_ns != 0) wake_ns = std::min(wake_ns, connection.retry_at_ns);
    }
    const int64_t wait_ns = std::clamp<int64_t>(wake_ns == INT64_MAX ? kSecond : wake_ns - Now(), 0, kSecond);
    const timespec timeout{wait_ns / kSecond, wait_ns % kSecond};
    epoll_event events[64];
    const int count = epoll_pwait2(epoll_, events, 64, &timeout, nullptr);
    for (int i = 0; i < count; ++i) {
      auto* connection = static_cast<Connection*>(events[i].data.ptr);
      if (connection->socket >= 0 && (events[i].events & EPOLLOUT) != 0) ARC_RETURN_IF_ERROR(SendMore(connection));
      if (connection->socket >= 0 && (events[i].events & ~EPOLLOUT) != 0) ARC_RETURN_IF_ERROR(Receive(connection));
    }
  }
  result_.seconds = static_cast<double>(last_answer_ns_ - start_ns_) / 1e9;
  result_.client_cpu_s = OwnCpuSeconds() - cpu_before;
  std::sort(result_.latency_ns.begin(), result_.latency_ns.end());
  return std::move(result_);
}

}  // namespace

Result<LoadResult> RunLoad(const LoadOptions& options, const Address& address, PayloadPool& pool) {
  return Load(options, address, pool).Run();
}

double Percentile(const std::vector<int64_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto rank = static_cast<size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return static_cast<double>(sorted[std::clamp<size_t>(rank, 1, sorted.size()) - 1]);
}

}  // namespace arc::bench
