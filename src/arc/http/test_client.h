// A blocking HTTP/1.1 client on a plain socket, so that tests can also send what no client would. For tests only.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "arc/base/check.h"

namespace arc {

struct TestReply {
  int status = 0;                              // 0: the connection ended before a whole answer
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  bool complete = false;  // ended as its framing says

  bool has(const std::string& name) const { return headers.contains(name); }
  std::string header(const std::string& name) const {
    auto found = headers.find(name);
    return found == headers.end() ? "" : found->second;
  }
};

class TestClient {
 public:
  explicit TestClient(uint16_t port, int receive_buffer = 0) {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    if (receive_buffer > 0) setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    ARC_CHECK(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  ~TestClient() { Close(); }
  TestClient(const TestClient&) = delete;
  TestClient& operator=(const TestClient&) = delete;

  // False when the server has closed.
  bool Send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t sent = send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }
  void HalfClose() { shutdown(socket_, SHUT_WR); }
  void Close() {
    if (socket_ >= 0) close(socket_);
    socket_ = -1;
  }
  // Closes with a reset instead of a FIN.
  void Reset() {
    linger now{1, 0};
    setsockopt(socket_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    Close();
  }

  // Reads one answer; waits at most `limit` for each piece.
  TestReply Receive(bool head_request = false, std::chrono::milliseconds limit = std::chrono::milliseconds(20'000)) {
    TestReply reply;
    while (true) {
      size_t end = 0;
      while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) {
        if (!Fill(limit)) return reply;
      }
      ParseHead(buffer_.substr(0, end), &reply);
      buffer_.erase(0, end + 4);
      if (reply.status != 100) break;
      continued_ = true;
      reply = {};
    }
    if (head_request || reply.status == 204) {
      reply.complete = true;
    } else if (reply.header("transfer-encoding") == "chunked") {
      reply.complete = ReadChunks(limit, &reply.body);
    } else if (reply.has("content-length")) {
      size_t size = std::strtoul(reply.header("content-length").c_str(), nullptr, 10);
      while (buffer_.size() < size && Fill(limit)) {
      }
      reply.complete = buffer_.size() >= size;
      reply.body = buffer_.substr(0, size);
      buffer_.erase(0, reply.body.size());
    } else {
      while (Fill(limit)) {
      }
      reply.body = std::exchange(buffer_, {});
      reply.complete = true;
    }
    return reply;
  }
  // True when the server closed (or reset) within the limit.
  bool Closed(std::chrono::milliseconds limit = std::chrono::milliseconds(10'000)) {
    while (Fill(limit)) {
    }
    return ended_;
  }
  bool saw_continue() const { return continued_; }
  bool Fill(std::chrono::milliseconds limit) {
    pollfd wait{socket_, POLLIN, 0};
    if (poll(&wait, 1, static_cast<int>(limit.count())) <= 0) return false;
    char bytes[65536];
    ssize_t got = recv(socket_, bytes, sizeof bytes, 0);
    if (got <= 0) {
      ended_ = true;
      return false;
    }
    buffer_.append(bytes, static_cast<size_t>(got));
    return true;
  }

 private:
  static void ParseHead(const std::string& head, TestReply* reply) {
    size_t at = head.find("\r\n");
    reply->status = std::atoi(head.c_str() + std::string_view("HTTP/1.1 ").size());
    while (at != std::string::npos) {
      size_t end = head.find("\r\n", at + 2);
      std::string line = head.substr(at + 2, end == std::string::npos ? end : end - at - 2);
      size_t colon = line.find(": ");
      std::string name = line.substr(0, colon);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (colon != std::string::npos) reply->headers[name] = line.substr(colon + 2);
      at = end;
    }
  }
  bool ReadChunks(std::chrono::milliseconds limit, std::string* body) {
    while (true) {
      size_t end = 0;
      while ((end = buffer_.find("\r\n")) == std::string::npos) {
        if (!Fill(limit)) return false;
      }
      size_t size = std::strtoul(buffer_.c_str(), nullptr, 16);
      while (buffer_.size() < end + 2 + size + 2) {
        if (!Fill(limit)) return false;
      }
      body->append(buffer_, end + 2, size);
      buffer_.erase(0, end + 2 + size + 2);
      if (size == 0) return true;
    }
  }

  int socket_ = -1;
  std::string buffer_;
  bool ended_ = false;
  bool continued_ = false;
};

// "POST /path HTTP/1.1" with a token, Content-Length and the fields given ("name: value\r\n" each).
inline std::string TestRequest(const std::string& method, const std::string& target, const std::string& body = "",
                               const std::string& fields = "", const std::string& token = "admin-secret") {
  std::string text = method + " " + target + " HTTP/1.1\r\nHost: test\r\n";
  if (!token.empty()) text += "Authorization: Bearer " + token + "\r\n";
  if (!body.empty() || method == "POST") text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + fields + "\r\n" + body;
}

}  // namespace arc
