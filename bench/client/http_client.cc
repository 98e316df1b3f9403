#include "client/http_client.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace arc::bench {
namespace {

Status SendAll(int socket, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return Unavailable(std::string("the connection broke: ") + std::strerror(errno));
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

}  // namespace

Result<Address> ParseUrl(const std::string& url) {
  constexpr std::string_view kScheme = "http://";
  if (!url.starts_with(kScheme)) return InvalidArgument("\"" + url + "\" is no http:// address");
  std::string rest = url.substr(kScheme.size());
  rest = rest.substr(0, rest.find('/'));
  const size_t colon = rest.find(':');
  Address address;
  address.host = rest.substr(0, colon);
  const int port = colon == std::string::npos ? 80 : std::atoi(rest.c_str() + colon + 1);
  if (address.host.empty() || port <= 0 || port > 65535)
    return InvalidArgument("\"" + url + "\" names no host and port");
  address.port = static_cast<uint16_t>(port);
  return address;
}

Result<int> ConnectTo(const Address& address) {
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(address.host.c_str(), std::to_string(address.port).c_str(), &hints, &found) != 0) {
    return Unavailable("the host " + address.host + " is unknown");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, freeaddrinfo);
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0 || connect(socket, found->ai_addr, found->ai_addrlen) != 0) {
    const int code = errno;
    if (socket >= 0) close(socket);
    return Unavailable("cannot connect to " + address.host + ":" + std::to_string(address.port) + ": " +
                       std::strerror(code));
  }
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return socket;
}

Result<Endpoint> ParseEndpoint(const std::string& text) {
  const size_t space = text.find(' ');
  if (space == std::string::npos || space + 1 >= text.size() || text[space + 1] != '/') {
    return InvalidArgument("\"" + text + "\" is no request like \"POST /path\"");
  }
  return Endpoint{text.substr(0, space), text.substr(space + 1)};
}

std::string RequestHead(const Endpoint& endpoint, const Address& address, std::string_view content_type,
                        std::string_view headers, size_t body_bytes) {
  std::string head = endpoint.method + " " + endpoint.path + " HTTP/1.1\r\nHost: " + address.host + ":" +
                     std::to_string(address.port) + "\r\n";
  head += headers;
  if (body_bytes > 0) head.append("Content-Type: ").append(content_type).append("\r\n");
  if (body_bytes > 0 || endpoint.method != "GET") head += "Content-Length: " + std::to_string(body_bytes) + "\r\n";
  return head + "\r\n";
}

Result<Answer> HttpClient::Send(const Endpoint& endpoint, std::string_view content_type, std::string_view body) {
  const std::string head = RequestHead(endpoint, address_, content_type, headers_, body.size());
  const bool reused = socket_ >= 0;
  Result<Answer> answer = Exchange(head, body);
  // A server may close an idle connection at any time; what is asked here may be asked twice.
  if (!answer.ok() && reused) answer = Exchange(head, body);
  return answer;
}

Result<Answer> HttpClient::Exchange(std::string_view head, std::string_view body) {
  if (socket_ < 0) {
    ARC_ASSIGN_OR_RETURN(socket_, ConnectTo(address_));
  }
  reader_.Reset();
  Status sent = SendAll(socket_, head);
  if (sent.ok()) sent = SendAll(socket_, body);
  if (!sent.ok()) {
    Close();
    return std::move(sent).error();
  }
  static thread_local char buffer[256 << 10];
  while (!reader_.done()) {
    const ssize_t size = recv(socket_, buffer, sizeof buffer, 0);
    if (size <= 0 && !reader_.Close()) {
      Close();
      return Unavailable("the connection broke before the answer was whole");
    }
    if (size > 0) reader_.Feed({buffer, static_cast<size_t>(size)});
    if (reader_.broken()) {
      Close();
      return Internal("the answer is no HTTP/1.1");
    }
  }
  if (!reader_.keep_alive()) Close();
  return Answer{reader_.status(), reader_.body(), reader_.body_bytes()};
}

void HttpClient::Close() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

}  // namespace arc::bench
