// Iceberg's single-value binary serialization, the form of column bounds in manifests.
// Format: https://iceberg.apache.org/spec/#binary-single-value-serialization
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace arc {

std::string EncodeLong(int64_t value);      // long and timestamp: 8 bytes, little-endian
std::string EncodeDouble(double value);     // 8 bytes, little-endian
std::string EncodeBool(bool value);         // 1 byte
std::string EncodeDecimal(uint64_t value);  // unscaled, two's complement, big-endian, as few bytes as possible

inline constexpr int kBoundCodePoints = 16;

// The first kBoundCodePoints code points: at most `value` in byte order.
std::string_view LowerStringBound(std::string_view value);
// `value` itself when short enough, else the shortest string of whole code points that is above every string with the
// same first kBoundCodePoints ones. nullopt when there is none (all are U+10FFFF) or `value` is not UTF-8.
std::optional<std::string> UpperStringBound(std::string_view value);

}  // namespace arc
