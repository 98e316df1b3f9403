// Walks a log folder from its first segment to its last and tells an ordinary crash from damage.
//
// Each group says up to which LSN the log was durable when it was written. A group that does not read was cut short by
// a crash unless some message behind it says that its LSNs were durable: then bytes that had been synced are gone.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/result.h"
#include "arc/io/local_disk.h"
#include "arc/model/lsn.h"
#include "arc/wal/checkpoint.h"
#include "arc/wal/group_decoder.h"
#include "arc/wal/segment_reader.h"

namespace arc {

struct WalkedSegment {
  std::string name;
  Lsn base;
  int64_t size = 0;  // of the file
  int64_t used = 0;  // where its last complete group ends
  uint64_t epoch = 0;
  uint64_t groups = 0;
  Lsn first;  // of its first group; 0 when there is none
  Lsn last;
  SegmentTail tail;
};

struct LogDamage {
  std::string segment;  // where the missing bytes belong
  int64_t offset = 0;   //
  int64_t resume = 0;   // the next complete group in this segment; 0: none, the segment ends with the damage
  Lsn lost_first;       // LSNs that cannot be read; some may never have been given
  Lsn lost_last;
  bool whole_segment = false;  // `segment` names a file that is not there
  std::string ToString() const;
};

struct LogWalk {
  std::vector<WalkedSegment> segments;
  std::vector<LogDamage> damages;  // at most one unless asked to go on
  Lsn last;                        // everything up to here is in the log or flushed
};

// Called for each complete group in order. An error ends the walk.
using GroupVisitor = std::function<Status(const WalkedSegment&, const GroupView&)>;

// `checkpoint` as read from the folder (a default one if it is lost). Reads every segment once, one group in memory at
// a time. Changes nothing.
Result<LogWalk> WalkLog(LocalDisk& disk, const std::string& folder, const Checkpoint& checkpoint, bool go_on,
                        const GroupVisitor& visit);

}  // namespace arc
