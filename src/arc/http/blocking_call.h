// Runs a blocking call of the engine on a thread made for that, while the connection's strand stays free.
#pragma once

#include <utility>

#include "arc/http/await_callback.h"
#include "arc/http/server_context.h"

namespace arc {

// The result of `call()`, which returns a Result<T>; kOverloaded when too many such calls wait. `call` is copied, and
// is no temporary: g++ 12 copies the temporaries of an awaited expression bit by bit, strings and all.
template <typename T, typename Call>
Task<Result<T>> CallBlocking(ServerContext& server, Call& call) {
  auto start = [&server, call = call](auto deliver) {
    Status posted = server.PostBlocking([deliver, call] { deliver(call()); });
    if (!posted.ok()) deliver(Result<T>(posted.error()));
  };
  co_return co_await AwaitCallback<Result<T>>(std::move(start));
}

}  // namespace arc
