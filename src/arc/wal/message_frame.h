// What the log adds to every Arrow IPC message: one custom-metadata entry of fixed width that says where the message
// belongs and proves that it is whole. Byte layout: docs/formats/wal.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/model/lsn.h"

namespace arc {

// The key of the entry.
inline constexpr char kFrameKey[] = "arc.wal";
// Eight bytes: an Arrow end-of-stream. After each stream, and once more behind the last group.
inline constexpr uint8_t kEndMarker[8] = {0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0};
inline constexpr int64_t kEndMarkerBytes = 8;
// From a message's first byte to the Arrow-made part of its metadata: enough to see what it is.
inline constexpr size_t kFrameBytes = 336;

// Message types of Arrow's Message.fbs.
enum class FrameType : uint8_t { kSchema = 1, kDictionary = 2, kBatch = 3 };

struct MessageFrame {
  // In the entry.
  Uuid table;                // nil for records without a table
  Lsn first;                 // of the message's records
  Lsn last;                  //
  Lsn group_first;           // of the message's group
  int64_t group_offset = 0;  // in the segment
  int64_t group_bytes = 0;   // all its streams, without the end marker
  int64_t at = 0;            // the message's own place in the segment
  Lsn durable;               // every record of the log up to here was synced before this group was written
  uint64_t epoch = 0;        // of the segment
  uint32_t body_crc = 0;     // CRC-32C of the body
  // In the Arrow part.
  FrameType type = FrameType::kSchema;
  int64_t head_bytes = 0;  // prefix and metadata
  int64_t body_bytes = 0;

  int64_t bytes() const { return head_bytes + body_bytes; }
};

// Appends prefix and metadata of a message whose flatbuffer Arrow made: the same message with the entry put in,
// its fields blank until SealFrame. The caller appends the body, frame.body_bytes long, at once. Sets `head_bytes` and
// `type`. `metadata` must be Arrow's (trusted). An error when it has custom metadata of its own.
Status AppendFramedHead(std::span<const uint8_t> metadata, int64_t body_bytes, MessageFrame* frame,
                        std::vector<uint8_t>* out);

// Writes the entry's fields and the CRC over prefix and metadata into a head made by AppendFramedHead.
void SealFrame(const MessageFrame& frame, std::span<uint8_t> head);

// Whether `bytes` (at least kFrameBytes, else false) could begin a framed message, and how long its head then is. Costs
// a few comparisons; the CRC is not looked at.
std::optional<int64_t> FramedHeadBytes(std::span<const uint8_t> bytes);

// The frame of a head whose CRC is right; nothing for any other bytes. `head` is exactly as long as FramedHeadBytes
// says.
std::optional<MessageFrame> ParseFrame(std::span<const uint8_t> head);

}  // namespace arc
