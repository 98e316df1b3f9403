// What a handler answers, and the one place where an Error becomes a status.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arc/base/result.h"

namespace arc {

// A whole answer, or (sent) the note that the handler has already streamed it.
struct Response {
  int status = 200;
  std::string_view content_type;  // static text; empty: no body
  std::string body;
  std::vector<std::pair<std::string_view, std::string>> headers;  // names are static text
  bool sent = false;

  static Response Json(std::string body, int status = 200);
  static Response Text(std::string body, int status = 200);
  static Response Empty(int status) { return {.status = status, .content_type = {}, .body = {}, .headers = {}}; }
  static Response AlreadySent() { return {.content_type = {}, .body = {}, .headers = {}, .sent = true}; }
  Response& With(std::string_view name, std::string value) {
    headers.emplace_back(name, std::move(value));
    return *this;
  }
};

// The status of an error kind: the only mapping there is.
int StatusOf(ErrorKind kind);
// InfluxDB 2's error code for it ("invalid", "unauthorized", …), which its clients read.
std::string_view InfluxCode(ErrorKind kind);
std::string_view ReasonPhrase(int status);

// {"success":false,"error":…,"message":…,"code":…,"kind":…,"request_id":…} with the error's status; `Retry-After`
// where a retry may help. `error` is what InfluxDB 1, 3 and Arc's clients read, `message` and `code` InfluxDB 2's.
Response ErrorResponse(const Error& error, std::string_view request_id);
Response ErrorResponse(const Error& error, int status, std::string_view request_id);

// Header values must not carry line breaks or other control characters: those become '?'; cut to 1,024 bytes.
std::string HeaderSafe(std::string_view text);

}  // namespace arc
