// Block codecs of Avro files, and gzip for metadata JSON that other writers compressed.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "arc/base/result.h"

namespace arc {

enum class BlockCodec { kNull, kDeflate, kZstd, kSnappy, kGzip };

// The codec named in an Avro header (`avro.codec`). kUnsupported for others.
Result<BlockCodec> AvroCodecByName(std::string_view name);

// Compresses and decompresses blocks of one codec, keeping its working memory. Not thread-safe.
class BlockCompression {
 public:
  explicit BlockCompression(BlockCodec codec);
  ~BlockCompression();
  BlockCompression(BlockCompression&&) noexcept;
  BlockCompression& operator=(BlockCompression&&) noexcept;

  // The bytes of a block; a view of `input` or of memory valid until the next call. What would grow beyond `limit`
  // bytes is kCorruption, found without allocating more than that.
  Result<std::string_view> Decompress(std::string_view input, size_t limit);
  // kNull and kDeflate only; valid until the next call.
  Result<std::string_view> Compress(std::string_view input);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace arc
