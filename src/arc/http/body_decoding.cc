#include "arc/http/body_decoding.h"

#define ZLIB_CONST  // input stays const
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "arc/http/request_head.h"

namespace arc {
namespace {

constexpr size_t kRatioFloor = 16 << 20;
constexpr int kMaxWindowLog = 25;  // 32 MB: what a sender can make each thread hold; level 19 needs 8 MB

Status CheckOutput(size_t in_bytes, const DecodingLimits& limits, const BodyBuffer& out) {
  if (out.size() > static_cast<size_t>(limits.max_bytes)) {
    return MakeError(ErrorKind::kTooLarge, "the decompressed body is too large");
  }
  if (out.size() > kRatioFloor && out.size() / static_cast<size_t>(limits.max_ratio) > in_bytes) {
    return MakeError(ErrorKind::kTooLarge, "the body decompresses to far more than its size");
  }
  return {};
}

// One byte more than the limit is let in, so that reaching it exactly is told from passing it.
Status MakeRoom(const DecodingLimits& limits, BodyBuffer* out) {
  if (out->room() > 0) return {};
  return out->Grow(std::max(static_cast<size_t>(limits.max_bytes), out->size()) + 1);
}

// zlib's window and tables cost an allocation of 40 KB: one per thread is kept.
struct InflateState {
  z_stream stream{};
  bool ready = false;
  InflateState() { ready = inflateInit2(&stream, 15 + 16) == Z_OK; }  // gzip wrapper only
  ~InflateState() {
    if (ready) inflateEnd(&stream);
  }
};

Status Gunzip(std::string_view body, const DecodingLimits& limits, BodyBuffer* out) {
  static thread_local InflateState state;
  if (!state.ready) return MakeError(ErrorKind::kOverloaded, "no memory to decompress the body");
  z_stream& stream = state.stream;
  if (inflateReset(&stream) != Z_OK) return Internal("zlib refused a reset");
  stream.next_in = reinterpret_cast<const Bytef*>(body.data());
  stream.avail_in = static_cast<uInt>(body.size());
  ARC_RETURN_IF_ERROR(out->Reserve(std::min<size_t>(body.size() * 4 + 1024, static_cast<size_t>(limits.max_bytes))));
  while (true) {
    ARC_RETURN_IF_ERROR(CheckOutput(body.size(), limits, *out));
    ARC_RETURN_IF_ERROR(MakeRoom(limits, out));
    size_t room = std::min<size_t>(out->room(), 1 << 30);
    stream.next_out = reinterpret_cast<Bytef*>(out->tail());
    stream.avail_out = static_cast<uInt>(room);
    int code = inflate(&stream, Z_NO_FLUSH);
    out->Commit(room - stream.avail_out);
    if (code == Z_STREAM_END) {
      if (stream.avail_in == 0) return CheckOutput(body.size(), limits, *out);
      if (inflateReset(&stream) != Z_OK) return Internal("zlib refused a reset");  // the next member
      continue;
    }
    if (code == Z_OK && stream.avail_out == 0) continue;
    if (code == Z_OK || code == Z_BUF_ERROR) {
      if (stream.avail_in == 0) return InvalidArgument("the gzip body is cut short");
      if (code == Z_OK) continue;
    }
    return InvalidArgument(std::string("the body is not valid gzip: ") +
                           (stream.msg != nullptr ? stream.msg : "damaged"));
  }
}

struct FreeContext {
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

Status Unzstd(std::string_view body, const DecodingLimits& limits, BodyBuffer* out) {
  static thread_local std::unique_ptr<ZSTD_DCtx, FreeContext> context = [] {
    std::unique_ptr<ZSTD_DCtx, FreeContext> made(ZSTD_createDCtx());
    if (made != nullptr) ZSTD_DCtx_setParameter(made.get(), ZSTD_d_windowLogMax, kMaxWindowLog);
    return made;
  }();
  if (context == nullptr) return MakeError(ErrorKind::kOverloaded, "no memory to decompress the body");
  ZSTD_DCtx_reset(context.get(), ZSTD_reset_session_only);
  ZSTD_inBuffer in{body.data(), body.size(), 0};
  ARC_RETURN_IF_ERROR(out->Reserve(std::min<size_t>(body.size() * 4 + 1024, static_cast<size_t>(limits.max_bytes))));
  size_t hint = 1;  // 0 exactly at the end of a frame
  while (true) {
    ARC_RETURN_IF_ERROR(CheckOutput(body.size(), limits, *out));
    ARC_RETURN_IF_ERROR(MakeRoom(limits, out));
    ZSTD_outBuffer target{out->tail(), out->room(), 0};
    size_t before = in.pos;
    hint = ZSTD_decompressStream(context.get(), &target, &in);
    if (ZSTD_isError(hint) != 0) {
      return InvalidArgument(std::string("the body is not valid zstd: ") + ZSTD_getErrorName(hint));
    }
    out->Commit(target.pos);
    bool full = target.pos == target.size;
    if (hint == 0 && in.pos == in.size) return CheckOutput(body.size(), limits, *out);
    if (in.pos == in.size && !full && in.pos == before) return InvalidArgument("the zstd body is cut short");
  }
}

}  // namespace

ContentEncoding ParseContentEncoding(std::string_view header) {
  if (header.empty() || EqualIgnoringCase(header, "identity")) return ContentEncoding::kIdentity;
  if (EqualIgnoringCase(header, "gzip") || EqualIgnoringCase(header, "x-gzip")) return ContentEncoding::kGzip;
  if (EqualIgnoringCase(header, "zstd")) return ContentEncoding::kZstd;
  return ContentEncoding::kUnknown;
}

Status DecodeBody(ContentEncoding encoding, std::string_view body, const DecodingLimits& limits, BodyBuffer* out) {
  switch (encoding) {
    case ContentEncoding::kGzip: return Gunzip(body, limits, out);
    case ContentEncoding::kZstd: return Unzstd(body, limits, out);
    case ContentEncoding::kIdentity:
    case ContentEncoding::kUnknown: break;
  }
  return MakeError(ErrorKind::kUnsupported, "this content encoding cannot be decoded");
}

}  // namespace arc
