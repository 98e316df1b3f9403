// From callbacks to coroutines: waits for a value that another thread delivers, or for an event on the same strand.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <functional>
#include <memory>
#include <utility>

#include "arc/http/asio_types.h"

namespace arc {

// Calls `start(deliver)` and suspends until deliver(T) is called, exactly once and from any thread; resumes on the
// coroutine's own executor. No thread is held meanwhile. A callback destroyed uncalled destroys the coroutine.
template <typename T, typename Start>
Task<T> AwaitCallback(Start start) {
  using Token = asio::use_awaitable_t<Strand>;
  Token token;
  co_return co_await asio::async_initiate<Token, void(T)>(
      [](auto handler, Start begin) {
        auto shared = std::make_shared<decltype(handler)>(std::move(handler));
        std::move(begin)([shared](T value) {
          auto executor = asio::get_associated_executor(*shared);
          asio::post(executor, [handler = std::move(*shared), value = std::move(value)]() mutable {
            std::move(handler)(std::move(value));
          });
        });
      },
      token, std::move(start));
}

// A flag that one coroutine of a strand waits for and other code on the same strand sets. Not thread-safe.
class StrandEvent {
 public:
  void Set() {
    set_ = true;
    if (auto resume = std::exchange(resume_, nullptr)) resume();
  }
  void Clear() { set_ = false; }
  bool is_set() const { return set_; }
  // At most one waiter at a time.
  Task<void> Wait() {
    if (set_) co_return;
    using Token = asio::use_awaitable_t<Strand>;
    Token token;
    co_await asio::async_initiate<Token, void()>(
        [this](auto handler) {
          auto shared = std::make_shared<decltype(handler)>(std::move(handler));
          resume_ = [shared] {
            auto executor = asio::get_associated_executor(*shared);
            asio::post(executor, [handler = std::move(*shared)]() mutable { std::move(handler)(); });
          };
        },
        token);
  }

 private:
  bool set_ = false;
  std::function<void()> resume_;
};

}  // namespace arc
