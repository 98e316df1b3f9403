#include "arc/decode/msgpack_reader.h"

#include <limits>

namespace arc {
namespace {

using namespace msgpack_tag;

constexpr int8_t kTimestampExtension = -1;

// How a value is laid out: `header` bytes (tag, length, extension type), of which `length_bytes` hold the length of
// what follows; or `payload` bytes follow always. Containers and the unused tag have header 0.
struct Layout {
  uint8_t header = 0;
  uint8_t length_bytes = 0;
  uint8_t payload = 0;
};

constexpr std::array<Layout, 256> MakeLayouts() {
  std::array<Layout, 256> layouts{};
  for (int tag = 0; tag < 0x80; ++tag) layouts[tag] = {1, 0, 0};
  for (int tag = 0xE0; tag < 0x100; ++tag) layouts[tag] = {1, 0, 0};
  for (int tag = 0xA0; tag < 0xC0; ++tag) layouts[tag] = {1, 0, static_cast<uint8_t>(tag & 0x1F)};
  layouts[kNil] = layouts[kFalse] = layouts[kTrue] = {1, 0, 0};
  layouts[kBin8] = layouts[kStr8] = {2, 1, 0};
  layouts[kBin16] = layouts[kStr16] = {3, 2, 0};
  layouts[kBin32] = layouts[kStr32] = {5, 4, 0};
  layouts[kExt8] = {3, 1, 0};
  layouts[kExt16] = {4, 2, 0};
  layouts[kExt32] = {6, 4, 0};
  layouts[kUInt8] = layouts[kInt8] = {1, 0, 1};
  layouts[kUInt16] = layouts[kInt16] = {1, 0, 2};
  layouts[kUInt32] = layouts[kInt32] = layouts[kFloat32] = {1, 0, 4};
  layouts[kUInt64] = layouts[kInt64] = layouts[kFloat64] = {1, 0, 8};
  layouts[kFixExt1] = {2, 0, 1};
  layouts[kFixExt2] = {2, 0, 2};
  layouts[kFixExt4] = {2, 0, 4};
  layouts[kFixExt8] = {2, 0, 8};
  layouts[kFixExt16] = {2, 0, 16};
  return layouts;
}
constexpr std::array<Layout, 256> kLayouts = MakeLayouts();

uint32_t LoadLength(const char* p, uint8_t bytes) {
  switch (bytes) {
    case 1: return static_cast<uint8_t>(*p);
    case 2: return LoadBig16(p);
    default: return LoadBig32(p);
  }
}

}  // namespace

bool MsgpackReader::Fault(std::string_view what) {
  fault_ = std::string(what) + " at byte " + std::to_string(p_ - begin_);
  return false;
}

bool MsgpackReader::ReadCount(uint32_t* count) {
  const uint8_t tag = peek();
  const int bytes = tag == kArray16 || tag == kMap16 ? 2 : tag == kArray32 || tag == kMap32 ? 4 : 0;
  if (end_ - p_ < 1 + bytes) return Truncated();
  *count = bytes == 0 ? tag & 0x0F : LoadLength(p_ + 1, static_cast<uint8_t>(bytes));
  // Each value takes a byte at least.
  const bool map = tag == kMap16 || tag == kMap32 || (tag & 0xF0) == 0x80;
  if (static_cast<uint64_t>(*count) * (map ? 2 : 1) > static_cast<uint64_t>(end_ - p_ - 1 - bytes)) {
    return Fault("a count larger than the rest of the body");
  }
  p_ += 1 + bytes;
  return true;
}

bool MsgpackReader::Skip() {
  for (uint64_t pending = 1; pending > 0; --pending) {
    if (p_ == end_) return Truncated();
    const Layout layout = kLayouts[static_cast<uint8_t>(*p_)];
    if (layout.header == 0) {
      if (static_cast<uint8_t>(*p_) == kNeverUsed) return Fault("the byte C1, which MessagePack never uses,");
      const bool map = at_map();
      uint32_t count = 0;
      if (!ReadCount(&count)) return false;
      pending += static_cast<uint64_t>(count) * (map ? 2 : 1);
      continue;
    }
    if (end_ - p_ < layout.header) return Truncated();
    const uint64_t payload = layout.length_bytes == 0 ? layout.payload : LoadLength(p_ + 1, layout.length_bytes);
    if (payload > static_cast<uint64_t>(end_ - p_ - layout.header)) return Truncated();
    p_ += layout.header + payload;
  }
  return true;
}

bool MsgpackReader::ReadScalarSlow(Scalar* value) {
  if (p_ == end_) return Truncated();
  const auto tag = static_cast<uint8_t>(*p_);
  const Layout layout = kLayouts[tag];
  if (layout.header == 0) {
    *value = Scalar::Of(ScalarKind::kOther, 0);
    return Skip();
  }
  if (end_ - p_ < layout.header) return Truncated();
  const uint32_t payload = layout.length_bytes == 0 ? layout.payload : LoadLength(p_ + 1, layout.length_bytes);
  if (payload > static_cast<uint64_t>(end_ - p_ - layout.header)) return Truncated();
  const char* data = p_ + layout.header;
  const auto integer = [&](int64_t number) { *value = Scalar::Of(ScalarKind::kInt, static_cast<uint64_t>(number)); };
  switch (tag) {
    case kNil: *value = Scalar::Of(ScalarKind::kNil, 0); break;
    case kFalse:
    case kTrue: *value = Scalar::Of(ScalarKind::kBool, tag & 1); break;
    case kUInt8: integer(static_cast<uint8_t>(*data)); break;
    case kUInt16: integer(LoadBig16(data)); break;
    case kUInt32: integer(LoadBig32(data)); break;
    case kUInt64: {
      const uint64_t number = LoadBig64(data);
      *value = Scalar::Of(number >> 63 != 0 ? ScalarKind::kUInt : ScalarKind::kInt, number);
      break;
    }
    case kInt8: integer(static_cast<int8_t>(*data)); break;
    case kInt16: integer(static_cast<int16_t>(LoadBig16(data))); break;
    case kInt32: integer(static_cast<int32_t>(LoadBig32(data))); break;
    case kInt64: integer(static_cast<int64_t>(LoadBig64(data))); break;
    case kFloat32: {
      const uint32_t bits = LoadBig32(data);
      float number;
      std::memcpy(&number, &bits, 4);
      *value = Scalar::OfDouble(number);
      break;
    }
    case kFloat64: *value = Scalar::Of(ScalarKind::kDouble, LoadBig64(data)); break;
    case kExt8:
    case kExt16:
    case kExt32:
    case kFixExt1:
    case kFixExt2:
    case kFixExt4:
    case kFixExt8:
    case kFixExt16: return ReadExtension(layout.header, payload, value);
    default:
      if (tag < 0x80 || tag >= 0xE0) {
        integer(static_cast<int8_t>(tag));
      } else {
        *value = Scalar::OfText({data, payload});
      }
  }
  p_ = data + payload;
  return true;
}

bool MsgpackReader::ReadExtension(uint32_t header, uint32_t size, Scalar* value) {
  const char* data = p_ + header;
  *value = Scalar::Of(ScalarKind::kOther, 0);
  if (static_cast<int8_t>(data[-1]) == kTimestampExtension) {
    std::optional<int64_t> micros;
    if (size == 4) micros = ToMicros(static_cast<int64_t>(LoadBig32(data)), 0U);
    if (size == 8) {
      // 30 bits of nanoseconds, 34 bits of seconds.
      const uint64_t packed = LoadBig64(data);
      micros = ToMicros(static_cast<int64_t>(packed & 0x3FFFFFFFF), static_cast<uint32_t>(packed >> 34));
    }
    if (size == 12) micros = ToMicros(static_cast<int64_t>(LoadBig64(data + 4)), LoadBig32(data));
    if (micros) *value = Scalar::Of(ScalarKind::kTime, static_cast<uint64_t>(*micros));
  }
  p_ = data + size;
  return true;
}

}  // namespace arc
