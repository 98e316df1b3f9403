// Requests of the command line to a running server, over libcurl.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "arc/base/result.h"

namespace arc {

struct ApiRequest {
  std::string method = "GET";
  std::string path;  // "/api/v1/query"
  std::string body;  // empty: none
  std::string content_type = "application/json";
};

// A whole answer of any status.
struct ApiAnswer {
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

// One server and one token. Not thread-safe.
class ApiClient {
 public:
  ApiClient(std::string url, std::string token);
  ~ApiClient();
  ApiClient(ApiClient&&) = delete;

  // Hands the body of a 2xx answer to `take` in pieces as they come; an error of `take` ends the transfer. Any other
  // answer becomes the error the server names; kUnavailable when the server cannot be reached or breaks off.
  Status Send(const ApiRequest& request, const std::function<Status(std::string_view)>& take);
  // Whatever the server answers. kUnavailable: it was not reached, nothing was sent; kUnknownOutcome: the connection
  // broke before the answer was there.
  Result<ApiAnswer> Exchange(const ApiRequest& request);
  // The whole body.
  Result<std::string> Send(const ApiRequest& request);

  const std::string& url() const { return url_; }

 private:
  struct Transfer;
  void Prepare(const ApiRequest& request);

  std::string url_;
  std::string token_;
  std::unique_ptr<Transfer> transfer_;
};

// `text` as part of a URL: everything but letters, digits, - . _ ~ as %XX.
std::string PercentEncode(std::string_view text);

// What a JSON error body says, or the body itself, cut.
std::string ErrorTextOf(std::string_view body);

}  // namespace arc
