#include "arc/parquet/single_value.h"

#include <bit>
#include <cstring>
#include <vector>

namespace arc {
namespace {

static_assert(std::endian::native == std::endian::little);

template <typename T>
std::string LittleEndian(T value) {
  std::string bytes(sizeof(value), '\0');
  std::memcpy(bytes.data(), &value, sizeof(value));
  return bytes;
}

bool IsContinuation(char c) { return (static_cast<uint8_t>(c) & 0xC0) == 0x80; }

constexpr uint32_t kLastCodePoint = 0x10FFFF;
constexpr uint32_t kFirstSurrogate = 0xD800;
constexpr uint32_t kAfterSurrogates = 0xE000;

// The code point at the start of `text` and its length; length 0 when the bytes are not UTF-8.
struct Decoded {
  uint32_t code_point = 0;
  size_t length = 0;
};

Decoded DecodeUtf8(std::string_view text) {
  const auto lead = static_cast<uint8_t>(text[0]);
  size_t length = 1;
  uint32_t code_point = lead;
  uint32_t least = 0;
  if (lead >= 0xF0 && lead < 0xF8) {
    length = 4;
    code_point = lead & 0x07u;
    least = 0x10000;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    length = 3;
    code_point = lead & 0x0Fu;
    least = 0x800;
  } else if (lead >= 0xC0 && lead < 0xE0) {
    length = 2;
    code_point = lead & 0x1Fu;
    least = 0x80;
  } else if (lead >= 0x80) {
    return {};
  }
  if (text.size() < length) return {};
  for (size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[i])) return {};
    code_point = code_point << 6 | (static_cast<uint8_t>(text[i]) & 0x3Fu);
  }
  const bool surrogate = code_point >= kFirstSurrogate && code_point < kAfterSurrogates;
  if (code_point < least || code_point > kLastCodePoint || surrogate) return {};
  return {code_point, length};
}

void AppendUtf8(uint32_t code_point, std::string* out) {
  if (code_point < 0x80) {
    out->push_back(static_cast<char>(code_point));
    return;
  }
  int continuations = 1;
  uint32_t lead = 0xC0;
  if (code_point >= 0x10000) {
    continuations = 3;
    lead = 0xF0;
  } else if (code_point >= 0x800) {
    continuations = 2;
    lead = 0xE0;
  }
  out->push_back(static_cast<char>(lead | code_point >> (6 * continuations)));
  while (continuations-- > 0) out->push_back(static_cast<char>(0x80 | (code_point >> (6 * continuations) & 0x3F)));
}

}  // namespace

std::string EncodeLong(int64_t value) { return LittleEndian(value); }
std::string EncodeDouble(double value) { return LittleEndian(value); }
std::string EncodeBool(bool value) { return std::string(1, value ? '\1' : '\0'); }

std::string EncodeDecimal(uint64_t value) {
  std::string bytes;
  for (int shift = 56; shift >= 0; shift -= 8) {
    const auto byte = static_cast<char>(value >> shift & 0xFF);
    if (bytes.empty() && byte == 0 && shift > 0) continue;
    // A set highest bit would read as a negative number.
    if (bytes.empty() && (byte & 0x80) != 0) bytes.push_back('\0');
    bytes.push_back(byte);
  }
  return bytes;
}

std::string_view LowerStringBound(std::string_view value) {
  int code_points = 0;
  for (size_t at = 0; at < value.size(); ++at) {
    if (IsContinuation(value[at])) continue;
    if (code_points++ == kBoundCodePoints) return value.substr(0, at);
  }
  return value;
}

std::optional<std::string> UpperStringBound(std::string_view value) {
  std::vector<Decoded> kept;
  size_t at = 0;
  while (at < value.size() && kept.size() < kBoundCodePoints) {
    kept.push_back(DecodeUtf8(value.substr(at)));
    if (kept.back().length == 0) return std::nullopt;
    at += kept.back().length;
  }
  if (at == value.size()) return std::string(value);
  while (!kept.empty()) {
    at -= kept.back().length;
    uint32_t next = kept.back().code_point + 1;
    kept.pop_back();
    if (next == kFirstSurrogate) next = kAfterSurrogates;
    if (next > kLastCodePoint) continue;
    std::string bound(value.substr(0, at));
    AppendUtf8(next, &bound);
    return bound;
  }
  return std::nullopt;
}

}  // namespace arc
