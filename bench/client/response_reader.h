// Reads HTTP/1.1 answers from a keep-alive connection piece by piece.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arc::bench {

// One answer at a time. Not thread-safe.
class ResponseReader {
 public:
  // What is kept of a body: all of it, or its first bytes (an error's text).
  explicit ResponseReader(size_t body_limit_bytes) : body_limit_bytes_(body_limit_bytes) {}

  // Forgets the last answer.
  void Reset();
  // Takes bytes as they come; true once the answer is whole. What follows it is not expected (nothing is pipelined) and
  // makes the reader broken.
  bool Feed(std::string_view bytes);
  // The connection was closed; true when that ends the answer well (a body without a length).
  bool Close();

  bool broken() const { return broken_; }
  bool done() const { return state_ == State::kDone; }
  int status() const { return status_; }
  bool keep_alive() const { return keep_alive_; }
  std::optional<int> retry_after_s() const { return retry_after_s_; }
  const std::string& body() const { return body_; }
  int64_t body_bytes() const { return body_bytes_; }  // also what was not kept

 private:
  enum class State { kHead, kLength, kUntilClose, kChunkSize, kChunk, kChunkEnd, kTrailer, kDone };
  void ReadHead();
  void TakeBody(std::string_view* bytes);
  // A line of the chunked framing into line_; false while it is not whole.
  bool TakeLine(std::string_view* bytes);
  void ReadFraming();

  size_t body_limit_bytes_;
  State state_ = State::kHead;
  bool broken_ = false;
  std::string head_;
  std::string line_;
  int status_ = 0;
  bool keep_alive_ = true;
  std::optional<int> retry_after_s_;
  int64_t remaining_ = 0;
  int64_t body_bytes_ = 0;
  std::string body_;
};

}  // namespace arc::bench
