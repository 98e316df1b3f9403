#include "arc/iceberg/compression.h"

#include <arrow/result.h>
#include <arrow/status.h>
#include <arrow/util/compression.h>

#include <algorithm>

namespace arc {
namespace {

constexpr size_t kSnappyChecksumBytes = 4;  // CRC-32 of the block, big-endian, after the data (Avro specification)

Result<std::unique_ptr<arrow::util::Codec>> MakeCodec(BlockCodec codec) {
  auto made = [&]() -> arrow::Result<std::unique_ptr<arrow::util::Codec>> {
    if (codec == BlockCodec::kZstd) return arrow::util::Codec::Create(arrow::Compression::ZSTD);
    if (codec == BlockCodec::kSnappy) return arrow::util::Codec::Create(arrow::Compression::SNAPPY);
    arrow::util::GZipCodecOptions options;
    options.gzip_format = codec == BlockCodec::kGzip ? arrow::util::GZipFormat::GZIP : arrow::util::GZipFormat::DEFLATE;
    options.compression_level = 3;
    return arrow::util::Codec::Create(arrow::Compression::GZIP, options);
  }();
  if (!made.ok()) return MakeError(ErrorKind::kUnsupported, "codec not available: " + made.status().message());
  return std::move(made).ValueUnsafe();
}

// The length a raw snappy block says it has: a little-endian base-128 number in front.
Result<size_t> SnappyLength(std::string_view input) {
  uint64_t length = 0;
  for (size_t i = 0; i < input.size() && i < 5; ++i) {
    const auto byte = static_cast<uint8_t>(input[i]);
    length |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) return static_cast<size_t>(length);
  }
  return Corruption("snappy block without a length");
}

}  // namespace

struct BlockCompression::State {
  BlockCodec kind;
  std::unique_ptr<arrow::util::Codec> codec;
  std::shared_ptr<arrow::util::Decompressor> decompressor;
  std::string buffer;

  Status Prepare() {
    if (codec) return {};
    ARC_ASSIGN_OR_RETURN(codec, MakeCodec(kind));
    return {};
  }
  Result<std::string_view> Snappy(std::string_view input, size_t limit);
  Result<std::string_view> Stream(std::string_view input, size_t limit);
};

Result<BlockCodec> AvroCodecByName(std::string_view name) {
  if (name.empty() || name == "null") return BlockCodec::kNull;
  if (name == "deflate") return BlockCodec::kDeflate;
  if (name == "zstandard") return BlockCodec::kZstd;
  if (name == "snappy") return BlockCodec::kSnappy;
  return MakeError(ErrorKind::kUnsupported, "Avro codec '" + std::string(name) + "' is not supported");
}

BlockCompression::BlockCompression(BlockCodec codec) : state_(new State{codec, {}, {}, {}}) {}
BlockCompression::~BlockCompression() = default;
BlockCompression::BlockCompression(BlockCompression&&) noexcept = default;
BlockCompression& BlockCompression::operator=(BlockCompression&&) noexcept = default;

Result<std::string_view> BlockCompression::State::Snappy(std::string_view input, size_t limit) {
  if (input.size() < kSnappyChecksumBytes) return Corruption("snappy block is cut short");
  input.remove_suffix(kSnappyChecksumBytes);
  ARC_ASSIGN_OR_RETURN(const size_t length, SnappyLength(input));
  // A snappy copy element of 3 bytes makes at most 64.
  if (length > limit || length > input.size() * 32) return Corruption("snappy block claims too many bytes");
  if (buffer.size() < length) buffer.resize(length);
  auto done = codec->Decompress(static_cast<int64_t>(input.size()), reinterpret_cast<const uint8_t*>(input.data()),
                                static_cast<int64_t>(length), reinterpret_cast<uint8_t*>(buffer.data()));
  if (!done.ok()) return Corruption("snappy block: " + done.status().message());
  return std::string_view(buffer).substr(0, static_cast<size_t>(*done));
}

Result<std::string_view> BlockCompression::State::Stream(std::string_view input, size_t limit) {
  if (!decompressor) {
    auto made = codec->MakeDecompressor();
    if (!made.ok()) return MakeError(ErrorKind::kUnsupported, made.status().message());
    decompressor = std::move(made).ValueUnsafe();
  } else if (auto status = decompressor->Reset(); !status.ok()) {
    return Internal("decompressor: " + status.message());
  }
  size_t written = 0;
  buffer.resize(std::max(buffer.size(), std::min(limit, input.size() * 4 + 1024)));
  while (!decompressor->IsFinished()) {
    auto step = decompressor->Decompress(
        static_cast<int64_t>(input.size()), reinterpret_cast<const uint8_t*>(input.data()),
        static_cast<int64_t>(buffer.size() - written), reinterpret_cast<uint8_t*>(buffer.data()) + written);
    if (!step.ok()) return Corruption("compressed block: " + step.status().message());
    input.remove_prefix(static_cast<size_t>(step->bytes_read));
    written += static_cast<size_t>(step->bytes_written);
    if (decompressor->IsFinished()) break;
    // There was room and nothing happened: more room would not help, the input ends too early.
    if (step->bytes_read == 0 && step->bytes_written == 0) return Corruption("compressed block is cut short");
    if (written == buffer.size()) {
      if (buffer.size() >= limit) return Corruption("compressed block is larger than allowed");
      buffer.resize(std::min(limit, buffer.size() * 2));
    }
  }
  return std::string_view(buffer).substr(0, written);
}

Result<std::string_view> BlockCompression::Decompress(std::string_view input, size_t limit) {
  if (state_->kind == BlockCodec::kNull) return input;
  ARC_RETURN_IF_ERROR(state_->Prepare());
  return state_->kind == BlockCodec::kSnappy ? state_->Snappy(input, limit) : state_->Stream(input, limit);
}

Result<std::string_view> BlockCompression::Compress(std::string_view input) {
  if (state_->kind == BlockCodec::kNull) return input;
  ARC_CHECK(state_->kind == BlockCodec::kDeflate || state_->kind == BlockCodec::kGzip);
  ARC_RETURN_IF_ERROR(state_->Prepare());
  const auto* bytes = reinterpret_cast<const uint8_t*>(input.data());
  const auto size = static_cast<int64_t>(input.size());
  state_->buffer.resize(static_cast<size_t>(state_->codec->MaxCompressedLen(size, bytes)));
  auto done = state_->codec->Compress(size, bytes, static_cast<int64_t>(state_->buffer.size()),
                                      reinterpret_cast<uint8_t*>(state_->buffer.data()));
  if (!done.ok()) return Internal("deflate: " + done.status().message());
  return std::string_view(state_->buffer).substr(0, static_cast<size_t>(*done));
}

}  // namespace arc
