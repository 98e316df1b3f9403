// Turns the records of one group commit into the bytes that go to disk in one write: an Arrow IPC stream for each
// table and schema, then the end marker.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/model/lsn.h"
#include "arc/wal/log.h"
#include "arc/wal/message_frame.h"

namespace arrow {
class Buffer;
namespace ipc {
struct IpcPayload;
}
}  // namespace arrow

namespace arc {

struct StreamShape;

// Where a group stands and what was durable when it was written.
struct GroupPlace {
  uint64_t epoch = 0;
  int64_t offset = 0;
  Lsn durable;
};

// Not thread-safe. Keeps its buffer between groups.
class GroupEncoder {
 public:
  explicit GroupEncoder(const Uuid& lineage);
  ~GroupEncoder();

  // Record i gets the LSN first + i; `wall_micros` is the commit's time. The group's place is not known yet. kInternal
  // when a batch is not what Batch promises; nothing is encoded then.
  Status Encode(std::span<const LogRecord* const> records, Lsn first, int64_t wall_micros);
  // Of the encoded group, without the end marker.
  int64_t bytes() const { return static_cast<int64_t>(bytes_.size()) - kEndMarkerBytes; }
  // Fills in the place and the checksums: the group and its end marker, valid until the next Encode.
  std::span<const uint8_t> Seal(const GroupPlace& place);

 private:
  struct Stream;
  struct Message {
    size_t start = 0;
    MessageFrame frame;
  };

  Result<std::shared_ptr<const StreamShape>> ShapeOf(const LogRecord& record);
  Status PlanStreams(std::span<const LogRecord* const> records);
  Status EncodeRecord(const StreamShape& shape, const LogRecord& record, MessageFrame frame, int64_t wall_micros);
  Status AppendMessage(const arrow::ipc::IpcPayload& payload, MessageFrame frame);
  void DropLargeBuffer();

  const Uuid lineage_;
  Lsn first_;
  std::vector<uint8_t> bytes_;
  std::vector<Message> messages_;
  std::vector<Stream> streams_;
  std::unordered_map<Uuid, size_t> stream_of_table_;                     // its newest in this group
  std::unordered_map<Uuid, std::shared_ptr<const StreamShape>> shapes_;  // of the tables written last
};

}  // namespace arc
