#include <algorithm>
#include <array>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <charconv>
#include <cstring>

#include "arc/http/connection.h"

namespace arc {
namespace {

constexpr size_t kFirstBodyReserve = 1 << 20;  // a Content-Length is believed up to here before its bytes arrive
constexpr uint64_t kDrainBytes = 256 << 10;    // an unwanted body this small is read, so that the connection lives on
constexpr size_t kLingerBytes = 64 << 20;
constexpr std::chrono::milliseconds kLingerTime{2'000};

}  // namespace

void Connection::SetDeadline(std::chrono::milliseconds from_now, uint64_t bytes) {
  auto rate = static_cast<uint64_t>(std::max<int64_t>(1, server_.options.min_bytes_per_second));
  int64_t nanos = std::chrono::nanoseconds(from_now).count() + static_cast<int64_t>(bytes / rate * 1'000'000'000);
  expired_ = false;
  deadline_.store(server_.clock.MonotonicNanos() + nanos, std::memory_order_relaxed);
}

Task<size_t> Connection::ReadInto(char* to, size_t size) {
  boost::system::error_code code;
  size_t got = socket_.read_some(asio::buffer(to, size), code);
  if (code == asio::error::would_block) {
    std::tie(code, got) = co_await socket_.async_read_some(asio::buffer(to, size), kAwait);
  }
  co_return code ? 0 : got;
}

Task<bool> Connection::ReadMore() {
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
  if (in_end_ == in_capacity_ && in_begin_ > 0) {
    std::memmove(in_.get(), in_.get() + in_begin_, in_end_ - in_begin_);
    in_end_ -= in_begin_;
    in_begin_ = 0;
  }
  ARC_CHECK(in_end_ < in_capacity_);
  // Not ReadInto: between requests there is rarely anything to read at once.
  auto [code, got] =
      co_await socket_.async_read_some(asio::buffer(in_.get() + in_end_, in_capacity_ - in_end_), kAwait);
  if (code) co_return false;
  in_end_ += got;
  co_return true;
}

Status Connection::BodyEnded() {
  keep_alive_ = false;
  if (expired_) return MakeError(ErrorKind::kTimeout, "the request body came too slowly");
  return InvalidArgument("the request body ended early");
}

Task<Status> Connection::ReadBody(BodyBuffer& body, std::string_view* view) {
  static constexpr char kNothing[kBodyPadding] = {};
  *view = {kNothing, 0};
  auto limit = static_cast<uint64_t>(server_.options.max_body_bytes);
  uint64_t length = framing_.content_length.value_or(0);
  if (length > limit) {
    co_return MakeError(ErrorKind::kTooLarge, "the request body is larger than " + std::to_string(limit) + " bytes");
  }
  if (!framing_.chunked && length == 0) {
    body_read_ = true;
    co_return Status();
  }
  if (!framing_.chunked && input().size() >= length) {
    body_in_place_ = static_cast<size_t>(length);
    body_read_ = true;
    *view = input().substr(0, body_in_place_);
    co_return Status();
  }
  if (continue_owed_) {
    continue_owed_ = false;
    SetDeadline(server_.options.write_timeout);
    const bool sent = co_await Send("HTTP/1.1 100 Continue\r\n\r\n");
    if (!sent) co_return BodyEnded();
  }
  Status status;
  if (framing_.chunked) {
    status = co_await ReadChunked(body);
  } else {
    status = co_await ReadSized(length, body);
  }
  ClearDeadline();
  if (!status.ok()) co_return status;
  body_read_ = true;
  if (body.size() > 0) *view = body.view();
  co_return Status();
}

Task<Status> Connection::ReadSized(uint64_t length, BodyBuffer& body) {
  auto size = static_cast<size_t>(length);
  Status reserved = body.Reserve(std::min(size, kFirstBodyReserve));
  if (!reserved.ok()) co_return reserved;
  SetDeadline(server_.options.body_timeout);
  const int64_t start = deadline_.load(std::memory_order_relaxed);
  reserved = body.Append(input(), size);
  if (!reserved.ok()) co_return reserved;
  in_begin_ = in_end_ = 0;
  while (body.size() < size) {
    if (body.room() == 0) {
      reserved = body.Grow(size);
      if (!reserved.ok()) co_return reserved;
    }
    size_t got = co_await ReadInto(body.tail(), std::min(body.room(), size - body.size()));
    if (got == 0) co_return BodyEnded();
    body.Commit(got);
    auto earned = static_cast<int64_t>(body.size()) / std::max<int64_t>(1, server_.options.min_bytes_per_second);
    deadline_.store(start + earned * 1'000'000'000, std::memory_order_relaxed);
  }
  co_return Status();
}

Task<Status> Connection::ReadChunked(BodyBuffer& body) {
  auto limit = static_cast<size_t>(server_.options.max_body_bytes);
  SetDeadline(server_.options.body_timeout);
  const int64_t start = deadline_.load(std::memory_order_relaxed);
  ChunkedBody chunks;
  while (true) {
    std::string_view in = input();
    std::string_view data;
    ChunkedBody::Step step = chunks.Next(&in, &data);
    in_begin_ = in_end_ - in.size();
    if (step == ChunkedBody::Step::kDone) co_return Status();
    if (step == ChunkedBody::Step::kBad) {
      keep_alive_ = false;
      co_return InvalidArgument("the chunked request body is malformed");
    }
    if (body.size() + std::max<uint64_t>(data.size(), chunks.chunk_remaining()) > limit) {
      co_return MakeError(ErrorKind::kTooLarge, "the request body is larger than " + std::to_string(limit) + " bytes");
    }
    if (step == ChunkedBody::Step::kData) {
      Status appended = body.Append(data, limit);
      if (!appended.ok()) co_return appended;
      continue;
    }
    if (uint64_t remaining = chunks.chunk_remaining(); remaining > 0 && input().empty()) {
      // Chunk data goes straight into the body.
      if (body.room() == 0) {
        Status grown = body.Grow(std::max(limit, body.size() + 1));
        if (!grown.ok()) co_return grown;
      }
      size_t got = co_await ReadInto(body.tail(), static_cast<size_t>(std::min<uint64_t>(body.room(), remaining)));
      if (got == 0) co_return BodyEnded();
      body.Commit(got);
      chunks.Skip(got);
    } else {
      const bool more = co_await ReadMore();
      if (!more) co_return BodyEnded();
    }
    auto earned = static_cast<int64_t>(body.size()) / std::max<int64_t>(1, server_.options.min_bytes_per_second);
    deadline_.store(start + earned * 1'000'000'000, std::memory_order_relaxed);
  }
}

// Called before the answer: after it the next request must begin, so a body nobody wanted is read or the connection
// closed behind the answer.
Task<void> Connection::SettleBody() {
  if (body_read_) co_return;
  uint64_t length = framing_.content_length.value_or(0);
  if (!framing_.chunked && input().size() >= length) {
    body_in_place_ = static_cast<size_t>(length);
    body_read_ = true;
    co_return;
  }
  if (framing_.chunked || continue_owed_ || length > kDrainBytes || !keep_alive_) {
    keep_alive_ = false;
    linger_ = true;
    co_return;
  }
  uint64_t left = length - input().size();
  in_begin_ = in_end_ = 0;
  SetDeadline(server_.options.body_timeout);
  while (left > 0) {
    size_t got = co_await ReadInto(in_.get(), static_cast<size_t>(std::min<uint64_t>(left, in_capacity_)));
    if (got == 0) {
      keep_alive_ = false;
      break;
    }
    left -= got;
  }
  ClearDeadline();
  body_read_ = true;
}

Task<bool> Connection::Send(std::string_view first, std::string_view second, std::string_view third) {
  std::array<std::string_view, 3> parts{first, second, third};
  size_t total = 0;
  for (auto part : parts) total += part.size();
  SetDeadline(server_.options.write_timeout, total);
  while (total > 0) {
    std::array<asio::const_buffer, 3> buffers;
    for (size_t i = 0; i < parts.size(); ++i) buffers[i] = asio::buffer(parts[i].data(), parts[i].size());
    boost::system::error_code code;
    size_t sent = socket_.write_some(buffers, code);
    if (code == asio::error::would_block) {
      std::tie(code, sent) = co_await socket_.async_write_some(buffers, kAwait);
    }
    if (code) {
      keep_alive_ = false;
      ClearDeadline();
      co_return false;
    }
    total -= sent;
    for (auto& part : parts) {
      size_t take = std::min(sent, part.size());
      part.remove_prefix(take);
      sent -= take;
    }
  }
  ClearDeadline();
  co_return true;
}

Task<bool> Connection::SendResponse(const Response& response) {
  out_head_.clear();
  AppendResponseHead({.response = response,
                      .request_id = request_id_,
                      .allow_origin = AllowOrigin(head_, server_.options.cors_origins),
                      .keep_alive = keep_alive_,
                      .version = head_.version(),
                      .wall_micros = server_.clock.WallMicros()},
                     &out_head_);
  std::string_view body = head_only() ? std::string_view() : std::string_view(response.body);
  co_return co_await Send(out_head_, body);
}

// Closing with unread bytes in the socket makes the kernel reset the connection, and the client may lose our answer:
// so tell it that we are done and read on for a while.
Task<void> Connection::LingeringClose() {
  boost::system::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
  SetDeadline(kLingerTime);
  size_t seen = 0;
  while (seen < kLingerBytes) {
    size_t got = co_await ReadInto(in_.get(), in_capacity_);
    if (got == 0) break;
    seen += got;
  }
  ClearDeadline();
}

Task<bool> Connection::Begin(const Response& head) {
  started_ = true;
  if (head_.version() == 10) keep_alive_ = false;
  BodyFraming framing = head_.version() == 10 ? BodyFraming::kUntilClose : BodyFraming::kChunked;
  stream_head_.clear();
  AppendResponseHead({.response = head,
                      .request_id = request_id_,
                      .allow_origin = AllowOrigin(head_, server_.options.cors_origins),
                      .framing = framing,
                      .keep_alive = keep_alive_,
                      .version = head_.version(),
                      .wall_micros = server_.clock.WallMicros()},
                     &stream_head_);
  if (!head_only()) co_return true;
  co_await Send(stream_head_);
  co_return false;
}

Task<bool> Connection::Write(std::string_view bytes) {
  if (bytes.empty()) co_return true;  // an empty chunk would end the answer
  out_head_ = std::exchange(stream_head_, {});
  if (head_.version() == 10) co_return co_await Send(out_head_, bytes);
  char digits[16];
  out_head_.append(digits, std::to_chars(digits, digits + sizeof digits, bytes.size(), 16).ptr).append("\r\n");
  co_return co_await Send(out_head_, bytes, "\r\n");
}

Task<bool> Connection::End() {
  out_head_ = std::exchange(stream_head_, {});
  if (head_.version() != 10) out_head_.append("0\r\n\r\n");
  co_return co_await Send(out_head_);
}

void Connection::Watch(std::function<void()> gone) {
  gone_ = std::move(gone);
  watching_ = true;
  watch_ended_.Clear();
  WatchRead();
}

void Connection::WatchRead() {
  // A client that pipelines more than fits is not watched further: its end is then noticed when writing.
  if (in_end_ == in_capacity_) return;
  watch_pending_ = true;
  auto on_read = [self = shared_from_this()](boost::system::error_code code, size_t got) {
    self->watch_pending_ = false;
    if (!code) {
      self->in_end_ += got;
      if (self->watching_) return self->WatchRead();
    } else if (self->watching_) {
      self->keep_alive_ = false;
      if (self->gone_) self->gone_();
    } else if (code != asio::error::operation_aborted) {
      self->keep_alive_ = false;
    }
    self->watch_ended_.Set();
  };
  socket_.async_read_some(asio::buffer(in_.get() + in_end_, in_capacity_ - in_end_),
                          asio::bind_cancellation_slot(watch_cancel_.slot(), std::move(on_read)));
}

Task<void> Connection::Unwatch() {
  watching_ = false;
  gone_ = nullptr;
  if (!watch_pending_) co_return;
  watch_cancel_.emit(asio::cancellation_type::terminal);
  co_await watch_ended_.Wait();
}

}  // namespace arc
