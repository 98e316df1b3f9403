#include "client/response_reader.h"

#include <strings.h>

#include <algorithm>
#include <cstdlib>

namespace arc::bench {
namespace {

constexpr size_t kMaxHeadBytes = 64 << 10;

bool Is(std::string_view name, std::string_view wanted) {
  return name.size() == wanted.size() && strncasecmp(name.data(), wanted.data(), wanted.size()) == 0;
}

}  // namespace

void ResponseReader::Reset() {
  state_ = State::kHead;
  broken_ = false;
  head_.clear();
  line_.clear();
  status_ = 0;
  keep_alive_ = true;
  retry_after_s_.reset();
  remaining_ = 0;
  body_bytes_ = 0;
  body_.clear();
}

bool ResponseReader::Feed(std::string_view bytes) {
  while (!bytes.empty() && state_ != State::kDone && !broken_) {
    if (state_ == State::kHead) {
      const size_t searched = head_.size() < 3 ? 0 : head_.size() - 3;
      const size_t before = head_.size();
      head_ += bytes;
      const size_t end = head_.find("\r\n\r\n", searched);
      if (end == std::string::npos) {
        broken_ = head_.size() > kMaxHeadBytes;
        return false;
      }
      bytes.remove_prefix(end + 4 - before);
      head_.resize(end + 2);
      ReadHead();
    } else if (state_ == State::kLength || state_ == State::kUntilClose || state_ == State::kChunk) {
      TakeBody(&bytes);
    } else if (TakeLine(&bytes)) {
      ReadFraming();
    }
  }
  if (!bytes.empty()) broken_ = true;
  return state_ == State::kDone && !broken_;
}

bool ResponseReader::Close() {
  if (state_ == State::kUntilClose) state_ = State::kDone;
  return done();
}

void ResponseReader::ReadHead() {
  status_ = head_.size() > 12 ? std::atoi(head_.c_str() + 9) : 0;
  if (status_ == 0) {
    broken_ = true;
    return;
  }
  std::optional<int64_t> length;
  bool chunked = false;
  for (size_t begin = head_.find("\r\n") + 2; begin < head_.size();) {
    const size_t end = head_.find("\r\n", begin);
    std::string_view line = std::string_view(head_).substr(begin, end - begin);
    begin = end + 2;
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const std::string_view name = line.substr(0, colon);
    std::string_view value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.size(), value.find_first_not_of(" \t")));
    if (Is(name, "content-length")) length = std::strtoll(std::string(value).c_str(), nullptr, 10);
    if (Is(name, "transfer-encoding")) chunked = Is(value, "chunked");
    if (Is(name, "connection")) keep_alive_ = !Is(value, "close");
    if (Is(name, "retry-after")) retry_after_s_ = std::atoi(std::string(value).c_str());
  }
  if (status_ == 100) {
    Reset();
  } else if (status_ == 204 || status_ == 304 || length == 0) {
    state_ = State::kDone;
  } else if (chunked) {
    state_ = State::kChunkSize;
  } else if (length.has_value()) {
    remaining_ = *length;
    state_ = State::kLength;
  } else {
    keep_alive_ = false;
    state_ = State::kUntilClose;
  }
}

void ResponseReader::TakeBody(std::string_view* bytes) {
  size_t size = bytes->size();
  if (state_ != State::kUntilClose) size = std::min(size, static_cast<size_t>(remaining_));
  body_.append(bytes->substr(0, std::min(size, body_limit_bytes_ - std::min(body_limit_bytes_, body_.size()))));
  body_bytes_ += static_cast<int64_t>(size);
  bytes->remove_prefix(size);
  if (state_ == State::kUntilClose) return;
  remaining_ -= static_cast<int64_t>(size);
  if (remaining_ == 0) state_ = state_ == State::kChunk ? State::kChunkEnd : State::kDone;
}

bool ResponseReader::TakeLine(std::string_view* bytes) {
  const size_t end = bytes->find('\n');
  if (end == std::string_view::npos) {
    line_ += *bytes;
    *bytes = {};
    return false;
  }
  line_ += bytes->substr(0, end);
  bytes->remove_prefix(end + 1);
  if (!line_.empty() && line_.back() == '\r') line_.pop_back();
  return true;
}

void ResponseReader::ReadFraming() {
  if (state_ == State::kChunkEnd) {
    state_ = State::kChunkSize;
  } else if (state_ == State::kChunkSize) {
    remaining_ = std::strtoll(line_.c_str(), nullptr, 16);
    state_ = remaining_ == 0 ? State::kTrailer : State::kChunk;
  } else if (line_.empty()) {
    state_ = State::kDone;
  }
  line_.clear();
}

}  // namespace arc::bench
