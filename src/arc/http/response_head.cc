#include "arc/http/response_head.h"

#include <charconv>
#include <ctime>

namespace arc {
namespace {

void AppendNumber(uint64_t value, std::string* out) {
  char digits[20];
  out->append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

// "Date: Tue, 15 Nov 1994 08:12:31 GMT\r\n" (RFC 9110 section 5.6.7), made once a second per thread.
std::string_view DateLine(int64_t wall_micros) {
  static thread_local int64_t second = -1;
  static thread_local char line[64];
  static thread_local size_t size = 0;
  if (int64_t now = wall_micros / 1'000'000; now != second) {
    second = now;
    std::time_t time = now;
    std::tm utc{};
    gmtime_r(&time, &utc);
    static constexpr const char* kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    int written =
        std::snprintf(line, sizeof line, "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", kDays[utc.tm_wday],
                      utc.tm_mday, kMonths[utc.tm_mon], utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
    size = written > 0 ? static_cast<size_t>(written) : 0;
  }
  return {line, size};
}

void AppendField(std::string_view name, std::string_view value, std::string* out) {
  out->append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

void AppendResponseHead(const ResponseHeadParts& parts, std::string* out) {
  const Response& response = parts.response;
  out->append("HTTP/1.1 ");
  AppendNumber(static_cast<uint64_t>(response.status), out);
  out->append(" ").append(ReasonPhrase(response.status)).append("\r\nServer: arc\r\n");
  out->append(DateLine(parts.wall_micros));
  AppendField("x-request-id", parts.request_id, out);
  if (!parts.allow_origin.empty()) {
    AppendField("Access-Control-Allow-Origin", parts.allow_origin, out);
    if (parts.allow_origin != "*") AppendField("Vary", "Origin", out);
    AppendField("Access-Control-Expose-Headers", "x-request-id, x-arc-lsn, x-arc-notice, Retry-After", out);
  }
  if (!response.content_type.empty()) AppendField("Content-Type", response.content_type, out);
  if (parts.framing == BodyFraming::kChunked) {
    AppendField("Transfer-Encoding", "chunked", out);
  } else if (parts.framing == BodyFraming::kLength && response.status != 204) {
    out->append("Content-Length: ");
    AppendNumber(response.body.size(), out);
    out->append("\r\n");
  }
  for (const auto& [name, value] : response.headers) AppendField(name, value, out);
  if (!parts.keep_alive) {
    AppendField("Connection", "close", out);
  } else if (parts.version == 10) {
    AppendField("Connection", "keep-alive", out);
  }
  out->append("\r\n");
}

std::string_view AllowOrigin(const RequestHead& head, const std::vector<std::string>& allowed) {
  if (allowed.empty()) return {};
  std::string_view origin = head.Find("origin");
  if (origin.empty()) return {};
  for (const std::string& one : allowed) {
    if (one == "*") return "*";
    if (EqualIgnoringCase(one, origin)) return origin;
  }
  return {};
}

std::optional<Response> AnswerPreflight(const RequestHead& head, std::string_view allow_origin) {
  if (head.method() != Method::kOptions || allow_origin.empty() || !head.Has("access-control-request-method")) {
    return std::nullopt;
  }
  Response response = Response::Empty(204);
  response.With("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  std::string_view wanted = head.Find("access-control-request-headers");
  response.With("Access-Control-Allow-Headers",
                wanted.empty() ? "Authorization, Content-Type, x-api-key, x-arc-database" : HeaderSafe(wanted));
  response.With("Access-Control-Max-Age", "86400");
  return response;
}

}  // namespace arc
