// Requests of the command line to a running server, over libcurl.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "arc/base/result.h"

namespace arc {

struct ApiRequest {
  std::string method = "GET";
  std::string path;  // "/api/v1/query"
  std::string body;  // JSON; empty: none
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
  // The whole body.
  Result<std::string> Send(const ApiRequest& request);

  const std::string& url() const { return url_; }

 private:
  struct Transfer;
  std::string url_;
  std::string token_;
  std::unique_ptr<Transfer> transfer_;
};

// What a JSON error body says, or the body itself, cut.
std::string ErrorTextOf(std::string_view body);

}  // namespace arc
