// The Asio types of this room, with a concrete executor: type-erased ones cost an allocation per operation.
#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace arc {

namespace asio = boost::asio;

// Everything of one connection runs on its strand.
using Strand = asio::strand<asio::io_context::executor_type>;
// A co_await must never stand in a condition (`if (co_await …)`): g++ 12 then puts the condition's value before the
// header of the coroutine's frame, which is read at the wrong place when it resumes. Name the value first.
template <typename T>
using Task = asio::awaitable<T, Strand>;
using Tcp = asio::ip::tcp;
using Socket = asio::basic_stream_socket<Tcp, Strand>;

// Completion token: suspends the coroutine and gives (error_code, ...) as a tuple instead of throwing.
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Strand>> kAwait{asio::use_awaitable_t<Strand>{}};

}  // namespace arc
