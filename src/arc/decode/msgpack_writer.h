// For tests and benches: MessagePack bodies put together by hand.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

namespace arc {

// Appends values; containers are opened with their count and filled by what follows. Integers take the shortest form
// unless said otherwise.
class MsgpackWriter {
 public:
  const std::string& bytes() const { return out_; }
  MsgpackWriter& Map(uint32_t pairs) { return Head(pairs, 15, 0x80, 0, 0xDE, 0xDF); }
  MsgpackWriter& Array(uint32_t values) { return Head(values, 15, 0x90, 0, 0xDC, 0xDD); }
  MsgpackWriter& Text(std::string_view text) {
    Head(static_cast<uint32_t>(text.size()), 31, 0xA0, 0xD9, 0xDA, 0xDB);
    out_ += text;
    return *this;
  }
  MsgpackWriter& Nil() { return Raw("\xC0"); }
  MsgpackWriter& Bool(bool value) { return Raw(value ? "\xC3" : "\xC2"); }
  MsgpackWriter& Double(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, 8);
    return Raw("\xCB").Big(bits, 8);
  }
  MsgpackWriter& Float(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return Raw("\xCA").Big(bits, 4);
  }
  MsgpackWriter& Int(int64_t value) {
    if (value >= 0) return UInt(static_cast<uint64_t>(value));
    const auto bits = static_cast<uint64_t>(value);
    if (value >= -32) return Big(bits, 1);
    if (value >= INT8_MIN) return Raw("\xD0").Big(bits, 1);
    if (value >= INT16_MIN) return Raw("\xD1").Big(bits, 2);
    if (value >= INT32_MIN) return Raw("\xD2").Big(bits, 4);
    return Int64(value);
  }
  MsgpackWriter& UInt(uint64_t value) {
    if (value < 0x80) return Big(value, 1);
    if (value <= UINT8_MAX) return Raw("\xCC").Big(value, 1);
    if (value <= UINT16_MAX) return Raw("\xCD").Big(value, 2);
    if (value <= UINT32_MAX) return Raw("\xCE").Big(value, 4);
    return Raw("\xCF").Big(value, 8);
  }
  MsgpackWriter& Int64(int64_t value) { return Raw("\xD3").Big(static_cast<uint64_t>(value), 8); }
  MsgpackWriter& Raw(std::string_view bytes) {
    out_ += bytes;
    return *this;
  }
  MsgpackWriter& Big(uint64_t value, int bytes) {
    for (int shift = (bytes - 1) * 8; shift >= 0; shift -= 8) out_ += static_cast<char>(value >> shift);
    return *this;
  }

 private:
  MsgpackWriter& Head(uint32_t count, uint32_t most_fixed, int fixed, int tag8, int tag16, int tag32) {
    if (count <= most_fixed) return Big(static_cast<uint64_t>(fixed) | count, 1);
    if (tag8 != 0 && count <= UINT8_MAX) return Big(static_cast<uint64_t>(tag8), 1).Big(count, 1);
    if (count <= UINT16_MAX) return Big(static_cast<uint64_t>(tag16), 1).Big(count, 2);
    return Big(static_cast<uint64_t>(tag32), 1).Big(count, 4);
  }

  std::string out_;
};

}  // namespace arc
