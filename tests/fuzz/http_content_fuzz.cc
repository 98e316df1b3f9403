// Any bytes as a compressed body: what comes out keeps to its limits, all memory goes back to the budget, and a body
// that is refused leaves nothing behind for the next one (the decompressors live as long as their thread).
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "arc/http/body_buffer.h"
#include "arc/http/body_decoding.h"

namespace {

constexpr int64_t kMaxBytes = 1 << 20;
constexpr int64_t kBudgetBytes = 4 << 20;
constexpr std::string_view kHello = "hello";
// "hello", compressed.
constexpr unsigned char kGzipHello[] = {0x1f, 0x8b, 8, 0, 0,    0,    0,    0,    0, 3, 0xcb, 0x48, 0xcd,
                                        0xc9, 0xc9, 7, 0, 0x86, 0xa6, 0x10, 0x36, 5, 0, 0,    0};
constexpr unsigned char kZstdHello[] = {0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0, 'h', 'e', 'l', 'l', 'o'};

void Require(bool good, const char* what) {
  if (good) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

void ExpectHello(arc::ContentEncoding encoding, const unsigned char* bytes, size_t size, arc::BodyPool* pool) {
  arc::BodyBuffer out(pool);
  const auto status = arc::DecodeBody(encoding, {reinterpret_cast<const char*>(bytes), size}, {kMaxBytes, 100}, &out);
  Require(status.ok() && out.view() == kHello, "a good body after this one");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static arc::BodyPool pool(kBudgetBytes);
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  for (const auto encoding : {arc::ContentEncoding::kGzip, arc::ContentEncoding::kZstd}) {
    {
      arc::BodyBuffer out(&pool);
      const auto status = arc::DecodeBody(encoding, body, {kMaxBytes, 100}, &out);
      Require(!status.ok() || out.size() <= static_cast<size_t>(kMaxBytes), "larger than allowed");
    }
    Require(pool.budget().used_bytes() == 0, "bytes kept from the budget");
  }
  ExpectHello(arc::ContentEncoding::kGzip, kGzipHello, sizeof kGzipHello, &pool);
  ExpectHello(arc::ContentEncoding::kZstd, kZstdHello, sizeof kZstdHello, &pool);
  return 0;
}
