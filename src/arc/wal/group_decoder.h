// Group bytes checked and turned back into records.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "arc/base/result.h"
#include "arc/model/lsn.h"
#include "arc/wal/log.h"
#include "arc/wal/message_frame.h"
#include "arc/wal/stream_schema.h"

namespace arc {

// A whole group whose every byte has been checked. Points into a buffer of whoever read it.
struct GroupView {
  int64_t offset = 0;
  Lsn first;
  Lsn last;
  Lsn durable;
  uint64_t epoch = 0;
  std::span<const uint8_t> bytes;  // without the end marker
  struct Message {
    size_t start = 0;  // in `bytes`
    MessageFrame frame;
  };
  std::vector<Message> messages;
};

// The group that `bytes` are, if every message of it is there, at its place, with right checksums; nothing otherwise.
// `bytes` is as long as the first message says the group is.
std::optional<GroupView> CheckGroup(std::span<const uint8_t> bytes, int64_t offset);

// What one stream of a group holds, without its rows.
struct StreamSummary {
  StreamMeaning meaning;
  Lsn first;
  Lsn last;
  uint64_t records = 0;
  uint64_t rows = 0;
};

// Calls `take` for each record with an LSN above `after`, in LSN order. Rows are copied out of the group's buffer.
// kCorruption when checked bytes do not decode (a bug, or another version's file) or are of another lineage; errors of
// `take` are passed on.
Status DecodeGroup(const GroupView& group, const Uuid& lineage, Lsn after,
                   const std::function<Status(Lsn, LogRecord&&)>& take);

Result<std::vector<StreamSummary>> SummarizeGroup(const GroupView& group);

}  // namespace arc
