#include "arc/http/response.h"

#include "arc/http/json_text.h"

namespace arc {
namespace {

constexpr size_t kMaxHeaderValue = 1024;
// Seconds; overload passes quickly, a full disk or a poisoned log does not.
constexpr const char* kRetrySoon = "1";
constexpr const char* kRetryLater = "10";

}  // namespace

Response Response::Json(std::string body, int status) {
  return {.status = status, .content_type = "application/json", .body = std::move(body), .headers = {}};
}

Response Response::Text(std::string body, int status) {
  return {.status = status, .content_type = "text/plain; charset=utf-8", .body = std::move(body), .headers = {}};
}

int StatusOf(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument: return 400;
    case ErrorKind::kNotFound: return 404;
    case ErrorKind::kAlreadyExists: return 409;
    case ErrorKind::kUnauthenticated: return 401;
    case ErrorKind::kPermissionDenied: return 403;
    case ErrorKind::kConflict: return 409;
    case ErrorKind::kTooLarge: return 413;
    case ErrorKind::kOverloaded: return 503;
    case ErrorKind::kUnavailable: return 503;
    case ErrorKind::kDiskFull: return 503;
    case ErrorKind::kCancelled: return 499;
    case ErrorKind::kTimeout: return 504;  // a query's; a slow request says 408 itself
    case ErrorKind::kCorruption: return 500;
    case ErrorKind::kUnknownOutcome: return 500;
    case ErrorKind::kUnsupported: return 422;
    case ErrorKind::kInternal: return 500;
  }
  return 500;
}

std::string_view InfluxCode(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kInvalidArgument: return "invalid";
    case ErrorKind::kNotFound: return "not found";
    case ErrorKind::kAlreadyExists:
    case ErrorKind::kConflict: return "conflict";
    case ErrorKind::kUnauthenticated: return "unauthorized";
    case ErrorKind::kPermissionDenied: return "forbidden";
    case ErrorKind::kTooLarge: return "request too large";
    case ErrorKind::kOverloaded:
    case ErrorKind::kUnavailable:
    case ErrorKind::kDiskFull: return "unavailable";
    case ErrorKind::kUnsupported: return "unprocessable entity";
    case ErrorKind::kCancelled:
    case ErrorKind::kTimeout:
    case ErrorKind::kCorruption:
    case ErrorKind::kUnknownOutcome:
    case ErrorKind::kInternal: return "internal error";
  }
  return "internal error";
}

std::string_view ReasonPhrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 415: return "Unsupported Media Type";
    case 417: return "Expectation Failed";
    case 422: return "Unprocessable Content";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 499: return "Client Closed Request";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "Unknown";
  }
}

Response ErrorResponse(const Error& error, std::string_view request_id) {
  return ErrorResponse(error, StatusOf(error.kind), request_id);
}

Response ErrorResponse(const Error& error, int status, std::string_view request_id) {
  // The word must reach the client: only then does it know that the rows may be there.
  std::string message = error.kind == ErrorKind::kUnknownOutcome ? "unknown_outcome: " + error.message : error.message;
  JsonText json;
  json.BeginObject().Field("success", false).Field("error", message).Field("message", message);
  json.Field("code", status == 429 ? "too many requests" : InfluxCode(error.kind));
  json.Field("kind", ErrorKindName(error.kind)).Field("request_id", request_id).EndObject();
  Response response = Response::Json(json.Take(), status);
  if (error.kind == ErrorKind::kOverloaded && status == 503) response.With("Retry-After", kRetrySoon);
  if (error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kDiskFull) {
    response.With("Retry-After", kRetryLater);
  }
  if (status == 401) response.With("WWW-Authenticate", "Bearer realm=\"arc\"");
  return response;
}

std::string HeaderSafe(std::string_view text) {
  std::string out(text.substr(0, kMaxHeaderValue));
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

}  // namespace arc
