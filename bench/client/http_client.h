// A blocking HTTP/1.1 client on one keep-alive connection: health, count, flush and queries.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "arc/base/result.h"
#include "client/response_reader.h"

namespace arc::bench {

// Where a server listens: "http://host:port", the host a name or an IPv4 address.
struct Address {
  std::string host;
  uint16_t port = 0;
};
Result<Address> ParseUrl(const std::string& url);

// A connected TCP socket without delay; kUnavailable when nobody listens.
Result<int> ConnectTo(const Address& address);

// "POST /path?query": how the command line and peers.toml name a request.
struct Endpoint {
  std::string method;
  std::string path;
};
Result<Endpoint> ParseEndpoint(const std::string& text);

// The head of a request, ended by its empty line. `headers` are whole lines that end in \r\n.
std::string RequestHead(const Endpoint& endpoint, const Address& address, std::string_view content_type,
                        std::string_view headers, size_t body_bytes);

struct Answer {
  int status = 0;
  std::string body;        // or its beginning, see HttpClient
  int64_t body_bytes = 0;  // all of it
};

// Not thread-safe. Keeps at most `body_limit_bytes` of an answer. Connects at the first request, and again when the
// server has closed in between.
class HttpClient {
 public:
  HttpClient(Address address, std::string headers, size_t body_limit_bytes = SIZE_MAX)
      : address_(std::move(address)), headers_(std::move(headers)), reader_(body_limit_bytes) {}
  ~HttpClient() { Close(); }
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  Result<Answer> Send(const Endpoint& endpoint, std::string_view content_type, std::string_view body);

 private:
  Result<Answer> Exchange(std::string_view head, std::string_view body);
  void Close();

  Address address_;
  std::string headers_;
  int socket_ = -1;
  ResponseReader reader_;
};

}  // namespace arc::bench
