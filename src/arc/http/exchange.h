// One request as its handler sees it, and the ways to answer.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "arc/auth/token_store.h"
#include "arc/http/asio_types.h"
#include "arc/http/query_string.h"
#include "arc/http/request_head.h"
#include "arc/http/response.h"
#include "arc/http/server_context.h"

namespace arc {

// Sends an answer whose length is not known beforehand. All calls on the connection's strand. The Task<bool>s give
// false once the client is gone or too slow; nothing more can be sent then.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  virtual Task<bool> Begin(const Response& head) = 0;
  virtual Task<bool> Write(std::string_view bytes) = 0;
  virtual Task<bool> End() = 0;
  // The answer cannot be finished: the connection is closed without the final chunk, so that the client notices.
  virtual void Abandon() = 0;
  // Calls `gone` (on the strand) when the client closes its side before Unwatch. What it sends meanwhile is kept for
  // the next request. The body must not be used any more.
  virtual void Watch(std::function<void()> gone) = 0;
  virtual Task<void> Unwatch() = 0;
};

// Lives as long as the handler runs. Used on the connection's strand only.
struct Exchange {
  ServerContext& server;
  const RequestHead& head;
  StreamWriter& stream;
  std::string_view request_id;
  std::string_view remote_address;
  QueryString query;
  std::vector<std::string> path_params;  // decoded, in the order of the pattern's {…}
  Principal principal;
  std::string_view body;  // decompressed; kBodyPadding readable bytes follow

  // In the shape that clients of the path read; `status` 0: that of the error's kind.
  Response Fail(const Error& error, int status = 0) const;
  std::string_view content_type() const;  // lower-case comparison is the caller's; without parameters
};

// The database a request names: `x-arc-database`, `db`, `bucket` ("db/rp" means db), else "default".
std::string DatabaseOf(const Exchange& exchange);

}  // namespace arc
