// MessagePack bytes -> values, one at a time, without copies. https://github.com/msgpack/msgpack/blob/master/spec.md
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "arc/decode/scalar.h"

namespace arc {

inline uint16_t LoadBig16(const char* p) {
  uint16_t value;
  std::memcpy(&value, p, 2);
  return __builtin_bswap16(value);
}
inline uint32_t LoadBig32(const char* p) {
  uint32_t value;
  std::memcpy(&value, p, 4);
  return __builtin_bswap32(value);
}
inline uint64_t LoadBig64(const char* p) {
  uint64_t value;
  std::memcpy(&value, p, 8);
  return __builtin_bswap64(value);
}

// The first byte of a value.
namespace msgpack_tag {
inline constexpr uint8_t kNil = 0xC0, kNeverUsed = 0xC1, kFalse = 0xC2, kTrue = 0xC3, kBin8 = 0xC4, kBin16 = 0xC5,
                         kBin32 = 0xC6, kExt8 = 0xC7, kExt16 = 0xC8, kExt32 = 0xC9, kFloat32 = 0xCA, kFloat64 = 0xCB,
                         kUInt8 = 0xCC, kUInt16 = 0xCD, kUInt32 = 0xCE, kUInt64 = 0xCF, kInt8 = 0xD0, kInt16 = 0xD1,
                         kInt32 = 0xD2, kInt64 = 0xD3, kFixExt1 = 0xD4, kFixExt2 = 0xD5, kFixExt4 = 0xD6,
                         kFixExt8 = 0xD7, kFixExt16 = 0xD8, kStr8 = 0xD9, kStr16 = 0xDA, kStr32 = 0xDB, kArray16 = 0xDC,
                         kArray32 = 0xDD, kMap16 = 0xDE, kMap32 = 0xDF;
}  // namespace msgpack_tag

// The value at `p`, if it is of the kinds that fill rows (numbers but float32, booleans, nil, text of less than 256
// bytes); returns where it ends, else null. 16 bytes must be readable at `p`; a text may end at `end` at most. Small
// enough to be inlined where rows are read in one go.
[[gnu::always_inline]] inline const char* ReadCommonScalar(const char* p, const char* end, Scalar* value) {
  using namespace msgpack_tag;
  const auto tag = static_cast<uint8_t>(*p);
  if (tag == kFloat64) {
    *value = Scalar::Of(ScalarKind::kDouble, LoadBig64(p + 1));
    return p + 9;
  }
  if (tag < 0x80 || tag >= 0xE0) {
    *value = Scalar::Of(ScalarKind::kInt, static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(tag))));
    return p + 1;
  }
  if ((tag & 0xE0) == 0xA0 || tag == kStr8) {
    const char* text = tag == kStr8 ? p + 2 : p + 1;
    const ptrdiff_t size = tag == kStr8 ? static_cast<uint8_t>(p[1]) : tag & 0x1F;
    *value = Scalar::OfText({text, static_cast<size_t>(size)});
    return size <= end - text ? text + size : nullptr;
  }
  const auto integer = [&](int64_t number, int size) {
    *value = Scalar::Of(ScalarKind::kInt, static_cast<uint64_t>(number));
    return p + size;
  };
  switch (tag) {
    case kUInt8: return integer(static_cast<uint8_t>(p[1]), 2);
    case kUInt16: return integer(LoadBig16(p + 1), 3);
    case kUInt32: return integer(LoadBig32(p + 1), 5);
    case kInt8: return integer(static_cast<int8_t>(p[1]), 2);
    case kInt16: return integer(static_cast<int16_t>(LoadBig16(p + 1)), 3);
    case kInt32: return integer(static_cast<int32_t>(LoadBig32(p + 1)), 5);
    case kInt64: return integer(static_cast<int64_t>(LoadBig64(p + 1)), 9);
    case kUInt64: return static_cast<int8_t>(p[1]) < 0 ? nullptr : integer(static_cast<int64_t>(LoadBig64(p + 1)), 9);
    case kFalse:
    case kTrue: *value = Scalar::Of(ScalarKind::kBool, tag & 1); return p + 1;
    case kNil: *value = Scalar::Of(ScalarKind::kNil, 0); return p + 1;
    default: return nullptr;
  }
}

// Moves over a body; never past its end. After a function returned false, fault() says why and where, and the reader
// is of no further use. Lengths are checked against what is left before anything is made of them.
class MsgpackReader {
 public:
  explicit MsgpackReader(std::string_view body) : begin_(body.data()), p_(begin_), end_(begin_ + body.size()) {}

  const char* position() const { return p_; }
  void set_position(const char* p) { p_ = p; }
  const char* end() const { return end_; }
  bool done() const { return p_ == end_; }
  uint8_t peek() const { return p_ < end_ ? static_cast<uint8_t>(*p_) : msgpack_tag::kNeverUsed; }
  bool at_map() const {
    return (peek() & 0xF0) == 0x80 || peek() == msgpack_tag::kMap16 || peek() == msgpack_tag::kMap32;
  }
  bool at_array() const {
    return (peek() & 0xF0) == 0x90 || peek() == msgpack_tag::kArray16 || peek() == msgpack_tag::kArray32;
  }

  // The count of a map's pairs or an array's values; at_map() or at_array() must hold.
  bool ReadCount(uint32_t* count);
  // Any value; one that is kOther or too long for a text is moved over as a whole.
  bool ReadScalar(Scalar* value) {
    if (end_ - p_ >= kMaxPlain) [[likely]] {
      const auto tag = static_cast<uint8_t>(*p_);
      if (tag == msgpack_tag::kFloat64) {
        *value = Scalar::Of(ScalarKind::kDouble, LoadBig64(p_ + 1));
        p_ += 9;
        return true;
      }
      if (tag < 0x80) {
        *value = Scalar::Of(ScalarKind::kInt, tag);
        ++p_;
        return true;
      }
      if ((tag & 0xE0) == 0xA0 && (tag & 0x1F) <= end_ - p_ - 1) {
        *value = Scalar::OfText({p_ + 1, static_cast<size_t>(tag & 0x1F)});
        p_ += 1 + (tag & 0x1F);
        return true;
      }
    }
    return ReadScalarSlow(value);
  }
  // Moves over any value, however deep: without recursion.
  bool Skip();

  // "… at byte N"
  const std::string& fault() const { return fault_; }
  bool Fault(std::string_view what);

 private:
  static constexpr ptrdiff_t kMaxPlain = 9;  // the longest number, its tag included

  bool ReadScalarSlow(Scalar* value);
  bool ReadExtension(uint32_t header, uint32_t size, Scalar* value);
  bool Truncated() { return Fault("the body ends inside a value"); }

  const char* begin_;
  const char* p_;
  const char* end_;
  std::string fault_;
};

}  // namespace arc
