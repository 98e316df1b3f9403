#include "arc/server/api_client.h"

#include <curl/curl.h>

#include <cctype>
#include <nlohmann/json.hpp>

namespace arc {

namespace {

constexpr long kConnectSeconds = 10;
constexpr size_t kErrorBodyLimit = 64 << 10;
constexpr size_t kAnswerLimit = 16 << 20;  // of Exchange, whose answers are small

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
  std::string address;
  std::string error_body;
  Status taken;
  ApiAnswer answer;  // of Exchange

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

  static size_t OnAnswer(char* data, size_t size, size_t count, void* self) {
    std::string& body = static_cast<Transfer*>(self)->answer.body;
    const size_t bytes = size * count;
    if (body.size() + bytes > kAnswerLimit) return 0;
    body.append(data, bytes);
    return bytes;
  }

  static size_t OnHeader(char* data, size_t size, size_t count, void* self) {
    const std::string_view line(data, size * count);
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) return line.size();
    std::string name(line.substr(0, colon));
    for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    std::string_view value = line.substr(colon + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t')) value.remove_prefix(1);
    while (!value.empty() && (value.back() == '\r' || value.back() == '\n')) value.remove_suffix(1);
    static_cast<Transfer*>(self)->answer.headers[name] = value;
    return line.size();
  }
};

ApiClient::ApiClient(std::string url, std::string token)
    : url_(std::move(url)), token_(std::move(token)), transfer_(std::make_unique<Transfer>()) {
  while (url_.ends_with('/')) url_.pop_back();
}

ApiClient::~ApiClient() = default;

// All but where the answer goes.
void ApiClient::Prepare(const ApiRequest& request) {
  Transfer& transfer = *transfer_;
  CURL* handle = transfer.handle;
  curl_easy_reset(handle);
  curl_slist_free_all(transfer.headers);
  transfer.headers = curl_slist_append(nullptr, ("Content-Type: " + request.content_type).c_str());
  // Without this, bodies of 1 MB and more wait for a 100 Continue first.
  transfer.headers = curl_slist_append(transfer.headers, "Expect:");
  if (!token_.empty()) transfer.headers = curl_slist_append(transfer.headers, ("X-API-Key: " + token_).c_str());
  transfer.address = url_ + request.path;
  curl_easy_setopt(handle, CURLOPT_URL, transfer.address.c_str());
  curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(handle, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, transfer.headers);
  curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
  if (!request.body.empty()) {
    curl_easy_setopt(handle, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(handle, CURLOPT_POSTFIELDS, request.body.data());
  }
}

Status ApiClient::Send(const ApiRequest& request, const std::function<Status(std::string_view)>& take) {
  Transfer& transfer = *transfer_;
  CURL* handle = transfer.handle;
  if (handle == nullptr) return Internal("libcurl cannot be used");
  Prepare(request);
  transfer.take = &take;
  transfer.error_body.clear();
  transfer.taken = Status();
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

Result<ApiAnswer> ApiClient::Exchange(const ApiRequest& request) {
  Transfer& transfer = *transfer_;
  CURL* handle = transfer.handle;
  if (handle == nullptr) return Internal("libcurl cannot be used");
  Prepare(request);
  transfer.answer = {};
  curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
  curl_easy_setopt(handle, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Transfer::OnAnswer);
  curl_easy_setopt(handle, CURLOPT_WRITEDATA, &transfer);
  const CURLcode code = curl_easy_perform(handle);
  const std::string what = url_ + ": " + curl_easy_strerror(code);
  switch (code) {
    case CURLE_OK: break;
    case CURLE_COULDNT_CONNECT:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION: return Unavailable(what);
    case CURLE_URL_MALFORMAT:
    case CURLE_UNSUPPORTED_PROTOCOL: return InvalidArgument(what);
    default: return MakeError(ErrorKind::kUnknownOutcome, what);
  }
  long status = 0;
  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status);
  transfer.answer.status = static_cast<int>(status);
  return std::move(transfer.answer);
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0 || std::string_view("-._~").find(c) != std::string_view::npos) {
      out += c;
    } else {
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
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
