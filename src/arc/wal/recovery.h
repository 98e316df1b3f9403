// What happens before a log takes appends: its folder is read, an unfinished tail cut, every record replayed.
#pragma once

#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/io/local_disk.h"
#include "arc/wal/checkpoint.h"
#include "arc/wal/log.h"

namespace arc {

struct RecoveredSegment {
  Lsn base;
  int64_t capacity = 0;
  int64_t used = 0;
  Lsn first;
  Lsn last;
  bool replayed = false;  // it held records above the checkpoint
};

struct Recovery {
  Checkpoint checkpoint;  // on disk
  Lsn floor;              // what the tables have flushed of the lineage
  Lsn last;               // everything up to here is in the segments or flushed
  std::vector<RecoveredSegment> segments;
  ReplayReport report;
};

// Makes the folder and its checkpoint if they are absent; asks for the floor before it replays. kCorruption when synced
// bytes are missing or damaged.
Result<Recovery> RecoverLog(LocalDisk& disk, Clock& clock, RandomSource& random, const std::string& folder,
                            const WriteAheadLog::FlushedFloor& flushed_floor, const WriteAheadLog::Replay& replay);

// Ends a segment at `used`: what follows is cut off and an end marker set, durably.
Status CutSegment(LocalDisk& disk, const std::string& path, int64_t used);

}  // namespace arc
