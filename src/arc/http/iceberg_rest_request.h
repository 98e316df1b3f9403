// What the handlers of the Iceberg REST catalog share: names in paths, permissions, pages, and answers from calls that
// block.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "arc/base/result.h"
#include "arc/http/blocking_call.h"
#include "arc/http/exchange.h"
#include "arc/iceberg/rest_requests.h"

namespace arc {

// The namespace (and table) of the path. kNotFound for a namespace of several levels: there are none.
Result<std::string> NamespaceInPath(const Exchange& exchange);
Result<IcebergTableName> TableInPath(const Exchange& exchange);

// kPermissionDenied unless the token may.
Status MayRead(const Exchange& exchange, const std::string& database);
Status MayWrite(const Exchange& exchange, const std::string& database);

// The part of sorted names that the request's `pageToken` and `pageSize` ask for; all of them without a pageToken.
struct NamePage {
  std::vector<std::string> names;
  std::string next_token;  // empty: the last page
};
Result<NamePage> PageOf(const QueryString& query, std::vector<std::string> names);

// What `call` (run on a thread that may block; copied) gives, made a Response by `render`.
template <typename T, typename Call, typename Render>
Task<Response> Reply(Exchange& exchange, Call call, Render render) {
  Result<T> result = co_await CallBlocking<T>(exchange.server, call);
  if (!result.ok()) co_return exchange.Fail(result.error());
  co_return render(*result);
}

// 204 when `call`, which returns a Status, succeeds.
template <typename Call>
Task<Response> ReplyEmpty(Exchange& exchange, Call call) {
  auto done = [call = std::move(call)]() -> Result<bool> {
    ARC_RETURN_IF_ERROR(call());
    return true;
  };
  Result<bool> result = co_await CallBlocking<bool>(exchange.server, done);
  if (!result.ok()) co_return exchange.Fail(result.error());
  co_return Response::Empty(204);
}

}  // namespace arc
