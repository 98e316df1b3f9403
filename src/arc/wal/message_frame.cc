#include "arc/wal/message_frame.h"

#include <array>
#include <bit>
#include <cstring>
#include <string>
#include <string_view>

#include "arc/base/check.h"
#include "arc/io/crc32c.h"

namespace arc {
namespace {

static_assert(std::endian::native == std::endian::little, "Arrow IPC metadata is written little-endian");

// The entry's value. Every field has a fixed width, so that it can be filled in when the group's place is known.
constexpr std::string_view kValue =
    "v1 table=00000000-0000-0000-0000-000000000000 lsn=0000000000000000-0000000000000000 "
    "group=0000000000000000@0000000000000000+0000000000000000 at=0000000000000000 durable=0000000000000000 "
    "epoch=0000000000000000 body=00000000 crc=00000000";

constexpr size_t FieldAfter(std::string_view name) { return kValue.find(name) + name.size(); }

// Places in the message, counted from its first byte (the continuation mark): the metadata flatbuffer starts at 8.
constexpr size_t kMetadata = 8;
constexpr size_t kVtable = kMetadata + 4;
constexpr size_t kTable = kMetadata + 20;
constexpr size_t kBodyLength = kTable + 4;
constexpr size_t kHeaderOffset = kTable + 12;
constexpr size_t kEntriesOffset = kTable + 16;
constexpr size_t kVersion = kTable + 20;
constexpr size_t kHeaderType = kTable + 22;
constexpr size_t kEntries = kTable + 24;
constexpr size_t kEntryVtable = kEntries + 8;
constexpr size_t kEntry = kEntryVtable + 8;
constexpr size_t kKey = kEntry + 12;
constexpr size_t kValueLength = kKey + 12;
constexpr size_t kText = kValueLength + 4;
static_assert(kFrameBytes == (kText + kValue.size() + 1 + 7) / 8 * 8);

constexpr size_t kTextTable = kText + FieldAfter("table=");
constexpr size_t kTextFirst = kText + FieldAfter("lsn=");
constexpr size_t kTextLast = kTextFirst + 17;
constexpr size_t kTextGroupFirst = kText + FieldAfter("group=");
constexpr size_t kTextGroupOffset = kTextGroupFirst + 17;
constexpr size_t kTextGroupBytes = kTextGroupOffset + 17;
constexpr size_t kTextAt = kText + FieldAfter(" at=");
constexpr size_t kTextDurable = kText + FieldAfter("durable=");
constexpr size_t kTextEpoch = kText + FieldAfter("epoch=");
constexpr size_t kTextBody = kText + FieldAfter("body=");
constexpr size_t kTextCrc = kText + FieldAfter("crc=");

constexpr uint32_t kContinuation = 0xFFFFFFFF;

template <typename T>
T Load(const uint8_t* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

template <typename T>
void Store(T value, uint8_t* bytes) {
  std::memcpy(bytes, &value, sizeof(T));
}

// Everything before the Arrow part that is the same in every message; lengths and fields are zero.
std::array<uint8_t, kFrameBytes> MakeTemplate() {
  std::array<uint8_t, kFrameBytes> bytes{};
  uint8_t* b = bytes.data();
  Store<uint32_t>(kContinuation, b);
  Store<uint32_t>(kTable - kMetadata, b + kMetadata);
  // Message: version, header_type, header, bodyLength, custom_metadata (the order of Message.fbs).
  const uint16_t table_bytes = kEntries - kTable;
  const uint16_t vtable[] = {14,
                             table_bytes,
                             kVersion - kTable,
                             kHeaderType - kTable,
                             kHeaderOffset - kTable,
                             kBodyLength - kTable,
                             kEntriesOffset - kTable};
  std::memcpy(b + kVtable, vtable, sizeof(vtable));
  Store<int32_t>(kTable - kVtable, b + kTable);
  Store<uint32_t>(kEntries - kEntriesOffset, b + kEntriesOffset);
  // A vector of one KeyValue: key, value.
  Store<uint32_t>(1, b + kEntries);
  Store<uint32_t>(kEntry - (kEntries + 4), b + kEntries + 4);
  const uint16_t entry_vtable[] = {8, 12, 4, 8};
  std::memcpy(b + kEntryVtable, entry_vtable, sizeof(entry_vtable));
  Store<int32_t>(kEntry - kEntryVtable, b + kEntry);
  Store<uint32_t>(kKey - (kEntry + 4), b + kEntry + 4);
  Store<uint32_t>(kValueLength - (kEntry + 8), b + kEntry + 8);
  Store<uint32_t>(sizeof(kFrameKey) - 1, b + kKey);
  std::memcpy(b + kKey + 4, kFrameKey, sizeof(kFrameKey));
  Store<uint32_t>(kValue.size(), b + kValueLength);
  std::memcpy(b + kText, kValue.data(), kValue.size());
  return bytes;
}

const std::array<uint8_t, kFrameBytes>& Template() {
  static const auto kTemplate = MakeTemplate();
  return kTemplate;
}

// Which bytes of the template vary from message to message.
std::array<bool, kFrameBytes> MakeVarying() {
  std::array<bool, kFrameBytes> varying{};
  auto mark = [&](size_t from, size_t size) {
    for (size_t i = from; i < from + size; ++i) varying[i] = true;
  };
  mark(4, 4);
  mark(kBodyLength, 8);
  mark(kHeaderOffset, 4);
  mark(kVersion, 3);
  mark(kTextTable, 36);
  for (size_t field :
       {kTextFirst, kTextLast, kTextGroupFirst, kTextGroupOffset, kTextGroupBytes, kTextAt, kTextDurable, kTextEpoch}) {
    mark(field, 16);
  }
  mark(kTextBody, 8);
  mark(kTextCrc, 8);
  return varying;
}

void PutHex(uint64_t value, int digits, uint8_t* text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  for (int i = digits - 1; i >= 0; --i, value >>= 4) text[i] = static_cast<uint8_t>(kDigits[value & 0xF]);
}

// Lower-case hexadecimal of exactly `digits`.
bool GetHex(const uint8_t* text, int digits, uint64_t* value) {
  *value = 0;
  for (int i = 0; i < digits; ++i) {
    const uint8_t c = text[i];
    uint64_t digit;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if (c >= 'a' && c <= 'f') {
      digit = c - 'a' + 10;
    } else {
      return false;
    }
    *value = *value << 4 | digit;
  }
  return true;
}

uint32_t HeadCrc(std::span<const uint8_t> head) {
  static constexpr uint8_t kZeroDigits[8] = {'0', '0', '0', '0', '0', '0', '0', '0'};
  uint32_t crc = Crc32c(head.first(kTextCrc));
  crc = ExtendCrc32c(crc, kZeroDigits);
  return ExtendCrc32c(crc, head.subspan(kTextCrc + 8));
}

// Where the field numbered `index` of Arrow's root table stands, or 0 when it is absent.
size_t FieldPlace(const uint8_t* metadata, size_t table, int index) {
  const size_t vtable = table - static_cast<size_t>(Load<int32_t>(metadata + table));
  const size_t slot = 4 + 2 * static_cast<size_t>(index);
  if (slot >= Load<uint16_t>(metadata + vtable)) return 0;
  const uint16_t offset = Load<uint16_t>(metadata + vtable + slot);
  return offset == 0 ? 0 : table + offset;
}

bool ParseFields(const uint8_t* head, MessageFrame* frame) {
  uint64_t numbers[8];
  const size_t places[8] = {kTextFirst,      kTextLast, kTextGroupFirst, kTextGroupOffset,
                            kTextGroupBytes, kTextAt,   kTextDurable,    kTextEpoch};
  for (int i = 0; i < 8; ++i) {
    if (!GetHex(head + places[i], 16, &numbers[i])) return false;
  }
  auto table = Uuid::Parse(std::string_view(reinterpret_cast<const char*>(head) + kTextTable, 36));
  uint64_t body_crc;
  if (!table.ok() || !GetHex(head + kTextBody, 8, &body_crc)) return false;
  frame->table = *table;
  frame->first = Lsn{numbers[0]};
  frame->last = Lsn{numbers[1]};
  frame->group_first = Lsn{numbers[2]};
  frame->group_offset = static_cast<int64_t>(numbers[3]);
  frame->group_bytes = static_cast<int64_t>(numbers[4]);
  frame->at = static_cast<int64_t>(numbers[5]);
  frame->durable = Lsn{numbers[6]};
  frame->epoch = numbers[7];
  frame->body_crc = static_cast<uint32_t>(body_crc);
  return frame->group_offset >= 0 && frame->group_bytes >= 0 && frame->at >= 0;
}

}  // namespace

Status AppendFramedHead(std::span<const uint8_t> metadata, int64_t body_bytes, MessageFrame* frame,
                        std::vector<uint8_t>* out) {
  const size_t table = Load<uint32_t>(metadata.data());
  const size_t version = FieldPlace(metadata.data(), table, 0);
  const size_t type = FieldPlace(metadata.data(), table, 1);
  const size_t header = FieldPlace(metadata.data(), table, 2);
  if (version == 0 || type == 0 || header == 0 || FieldPlace(metadata.data(), table, 4) != 0) {
    return Internal("an Arrow message has an unexpected form");
  }
  const size_t padded = (metadata.size() + 7) / 8 * 8;
  frame->type = static_cast<FrameType>(metadata[type]);
  frame->head_bytes = static_cast<int64_t>(kFrameBytes + padded);
  frame->body_bytes = body_bytes;

  const size_t start = out->size();
  out->insert(out->end(), Template().begin(), Template().end());
  out->insert(out->end(), metadata.begin(), metadata.end());
  out->insert(out->end(), padded - metadata.size(), 0);
  uint8_t* head = out->data() + start;
  Store<uint32_t>(static_cast<uint32_t>(kFrameBytes + padded - kMetadata), head + 4);
  Store<int64_t>(body_bytes, head + kBodyLength);
  // The table that Arrow's header field points to keeps its place in the part moved behind the frame.
  const size_t header_target = kFrameBytes + header + Load<uint32_t>(metadata.data() + header);
  Store<uint32_t>(static_cast<uint32_t>(header_target - kHeaderOffset), head + kHeaderOffset);
  Store<int16_t>(Load<int16_t>(metadata.data() + version), head + kVersion);
  head[kHeaderType] = metadata[type];
  return {};
}

void SealFrame(const MessageFrame& frame, std::span<uint8_t> head) {
  uint8_t* h = head.data();
  const std::string table = frame.table.ToString();
  std::memcpy(h + kTextTable, table.data(), 36);
  PutHex(frame.first.value, 16, h + kTextFirst);
  PutHex(frame.last.value, 16, h + kTextLast);
  PutHex(frame.group_first.value, 16, h + kTextGroupFirst);
  PutHex(static_cast<uint64_t>(frame.group_offset), 16, h + kTextGroupOffset);
  PutHex(static_cast<uint64_t>(frame.group_bytes), 16, h + kTextGroupBytes);
  PutHex(static_cast<uint64_t>(frame.at), 16, h + kTextAt);
  PutHex(frame.durable.value, 16, h + kTextDurable);
  PutHex(frame.epoch, 16, h + kTextEpoch);
  PutHex(frame.body_crc, 8, h + kTextBody);
  PutHex(0, 8, h + kTextCrc);
  PutHex(Crc32c(head), 8, h + kTextCrc);
}

std::optional<int64_t> FramedHeadBytes(std::span<const uint8_t> bytes) {
  if (bytes.size() < kFrameBytes || Load<uint32_t>(bytes.data()) != kContinuation) return std::nullopt;
  const uint32_t metadata = Load<uint32_t>(bytes.data() + 4);
  if (metadata > INT32_MAX || metadata % 8 != 0 || kMetadata + metadata <= kFrameBytes) return std::nullopt;
  static const auto kVarying = MakeVarying();
  const auto& fixed = Template();
  for (size_t i = kMetadata; i < kFrameBytes; ++i) {
    if (bytes[i] != fixed[i] && !kVarying[i]) return std::nullopt;
  }
  return static_cast<int64_t>(kMetadata + metadata);
}

std::optional<MessageFrame> ParseFrame(std::span<const uint8_t> head) {
  const auto length = FramedHeadBytes(head);
  if (!length || *length != static_cast<int64_t>(head.size())) return std::nullopt;
  uint64_t crc;
  MessageFrame frame;
  if (!GetHex(head.data() + kTextCrc, 8, &crc) || crc != HeadCrc(head) || !ParseFields(head.data(), &frame)) {
    return std::nullopt;
  }
  frame.type = static_cast<FrameType>(head[kHeaderType]);
  frame.head_bytes = *length;
  frame.body_bytes = Load<int64_t>(head.data() + kBodyLength);
  if (frame.body_bytes < 0 || frame.body_bytes % 8 != 0) return std::nullopt;
  return frame;
}

}  // namespace arc
