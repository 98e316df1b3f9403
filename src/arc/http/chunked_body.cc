#include "arc/http/chunked_body.h"

#include <algorithm>

#include "arc/base/check.h"

namespace arc {
namespace {

constexpr int kMaxSizeDigits = 15;  // 2^60: no overflow
constexpr int kMaxExtensionBytes = 1024;
constexpr int kMaxTrailerBytes = 8192;

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

void ChunkedBody::Skip(uint64_t bytes) {
  ARC_CHECK(bytes <= chunk_remaining());
  remaining_ -= bytes;
  if (remaining_ == 0) state_ = State::kDataCr;
}

ChunkedBody::Step ChunkedBody::Next(std::string_view* in, std::string_view* data) {
  while (!in->empty()) {
    if (state_ == State::kData) {
      size_t take = static_cast<size_t>(std::min<uint64_t>(remaining_, in->size()));
      *data = in->substr(0, take);
      in->remove_prefix(take);
      Skip(take);
      return Step::kData;
    }
    char c = in->front();
    in->remove_prefix(1);
    Step step = Byte(c);
    if (step != Step::kNeedMore) return step;
  }
  return state_ == State::kDone ? Step::kDone : Step::kNeedMore;
}

ChunkedBody::Step ChunkedBody::Byte(char c) {
  switch (state_) {
    case State::kSize: {
      int value = HexValue(c);
      if (value >= 0) {
        if (++digits_ > kMaxSizeDigits) return Step::kBad;
        remaining_ = remaining_ * 16 + static_cast<uint64_t>(value);
        return Step::kNeedMore;
      }
      if (digits_ == 0) return Step::kBad;
      line_bytes_ = 0;
      if (c == '\r') {
        state_ = State::kSizeLf;
      } else if (c == ';' || c == ' ' || c == '\t') {
        state_ = State::kExtension;
      } else {
        return Step::kBad;
      }
      return Step::kNeedMore;
    }
    case State::kExtension:
      if (c == '\n' || ++line_bytes_ > kMaxExtensionBytes) return Step::kBad;
      if (c == '\r') state_ = State::kSizeLf;
      return Step::kNeedMore;
    case State::kSizeLf:
      if (c != '\n') return Step::kBad;
      digits_ = 0;
      state_ = remaining_ == 0 ? State::kTrailer : State::kData;
      return Step::kNeedMore;
    case State::kDataCr:
      if (c != '\r') return Step::kBad;
      state_ = State::kDataLf;
      return Step::kNeedMore;
    case State::kDataLf:
      if (c != '\n') return Step::kBad;
      state_ = State::kSize;
      return Step::kNeedMore;
    case State::kTrailer:
      state_ = c == '\r' ? State::kEndLf : State::kTrailerLine;
      return c == '\n' ? Step::kBad : Step::kNeedMore;
    case State::kTrailerLine:
      if (c == '\n' || ++trailer_bytes_ > kMaxTrailerBytes) return Step::kBad;
      if (c == '\r') state_ = State::kTrailerLf;
      return Step::kNeedMore;
    case State::kTrailerLf:
      if (c != '\n') return Step::kBad;
      state_ = State::kTrailer;
      return Step::kNeedMore;
    case State::kEndLf:
      if (c != '\n') return Step::kBad;
      state_ = State::kDone;
      return Step::kDone;
    case State::kData:
    case State::kDone: break;
  }
  return Step::kBad;
}

}  // namespace arc
