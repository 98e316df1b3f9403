#include "arc/server/api_client.h"

#include <curl/curl.h>

#include <nlohmann/json.hpp>

namespace arc {

namespace {

constexpr long kConnectSeconds = 10;
constexpr size_t kErrorBodyLimit = 64 << 10;

ErrorKind KindOfStatus(long status) {
  switch (status) {
    case 400:
    case 422: return ErrorKind::kInvalidArgument;
    case 401: return ErrorKind::kUnauthenticated;
    case 403: return ErrorKind::kPermissionDenied;
    case 404: return ErrorKind::kNotFound;
    case 409: return ErrorKind::kConflict;
    case 413: return ErrorKind::kTooLarge;
    case 429:
    case 503: return ErrorKind::kOverloaded;
    default: return ErrorKind::kInternal;
  }
}

}  // namespace

struct ApiClient::Transfer {
  CURL* handle = curl_easy_init();
  curl_slist* headers = nullptr;
  const std::function<Status(std::string_view)>* take = nullptr;
  std::string error_body;
  Status taken;

  ~Transfer() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(handle);
  }

  static size_t OnBody(char* data, size_t size, size_t count, void* self) {
    auto* transfer = static_cast<Transfer*>(self);
    const size_t bytes = size * count;
    long status = 0;
    curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200 || status > 299) {
      if (transfer->error_body.size() < kErrorBodyLimit) transfer->error_body.append(data, bytes);
      return bytes;
    }
    transfer->taken = (*transfer->take)(std::string_view(data, bytes));
    return transfer->taken.ok() ? bytes : 0;
  }
};

ApiClient::ApiClient(std::string url, std::string token)
    : url_(std::move(url)), token_(std::move(token)), transfer_(std::make_unique<Transfer>()) {
  while (url_.ends_with('/')) url_.pop_back();
}

ApiClient::~ApiClient() = default;

Status ApiClient::Send(const ApiRequest& request, const std::function<Status(std::string_view)>& take) {
  Transfer& transfer = *transfer_;
  CURL* handle = transfer.handle;
  if (handle == nullptr) return Internal("libcurl cannot be used");
  curl_easy_reset(handle);
  curl_slist_free_all(transfer.headers);
  transfer.headers = curl_slist_append(nullptr, "Content-Type: application/json");
  if (!token_.empty()) transfer.headers = curl_slist_append(transfer.headers, ("X-API-Key: " + token_).c_str());
  transfer.take = &take;
  transfer.error_body.clear();
  transfer.taken = Status();
  const std::string address = url_ + request.path;
  curl_easy_setopt(handle, CURLOPT_URL, address.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, transfer.headers);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  if (!request.body.empty()) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
  CURLcode code = curl_easy_perform(handle);
  if (!transfer.taken.ok()) return transfer.taken;
  if (code != CURLE_OK) return Unavailable(url_ + ": " + curl_easy_strerror(code));
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  if (status < 200 || status > 299) return MakeError(KindOfStatus(status), ErrorTextOf(transfer.error_body));
  return {};
}

Result<std::string> ApiClient::Send(const ApiRequest& request) {
  std::string body;
  ARC_RETURN_IF_ERROR(Send(request, [&](std::string_view piece) -> Status {
    body.append(piece);
    return {};
  }));
  return body;
}

std::string ErrorTextOf(std::string_view body) {
  constexpr size_t kShown = 2000;
  nlohmann::json json = nlohmann::json::parse(body, nullptr, /*allow_exceptions=*/false);
  if (json.is_object()) {
    for (const char* key : {"error", "detail", "message"}) {
      auto found = json.find(key);
      if (found == json.end()) continue;
      if (found->is_string()) return found->get<std::string>();
      if (found->is_object() && found->contains("message") && (*found)["message"].is_string()) {
        return (*found)["message"].get<std::string>();
      }
    }
  }
  return body.empty() ? "the server gave no reason" : std::string(body.substr(0, kShown));
}

}  // namespace arc
