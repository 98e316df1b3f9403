// What `arc wal inspect` and `arc wal repair` do, on a folder that no server has open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "arc/base/clock.h"
#include "arc/base/result.h"
#include "arc/base/uuid.h"
#include "arc/io/local_disk.h"
#include "arc/model/schema.h"
#include "arc/wal/checkpoint.h"
#include "arc/wal/log_walk.h"

namespace arc {

struct InspectedTable {
  TableRef table;
  uint64_t records = 0;
  uint64_t rows = 0;
  Lsn first;
  Lsn last;
};

struct InspectedSegment {
  WalkedSegment segment;
  uint64_t records = 0;
  uint64_t rows = 0;
  uint64_t lost_groups = 0;            // put there by an earlier repair
  std::vector<InspectedTable> tables;  // by database and name
};

struct LogInspection {
  std::optional<Checkpoint> checkpoint;
  std::string checkpoint_error;  // why there is none
  std::vector<InspectedSegment> segments;
  std::vector<LogDamage> damages;
  Lsn last;
};

// Reads everything, changes nothing. kNotFound when there is no such folder.
Result<LogInspection> InspectLog(LocalDisk& disk, const std::string& folder);
// One line per fact, for people.
std::vector<std::string> DescribeInspection(const LogInspection& inspection);

struct RepairReport {
  std::vector<LogDamage> damages;   // as found
  std::vector<std::string> copies;  // damaged segments as they were, beside the repaired ones
  bool checkpoint_made = false;
};

// Replaces what does not read by "lost" groups, so that the log opens: the groups behind the damage are kept, only the
// LSNs named are gone. Each segment it changes is copied to <name>.damaged first. A lost checkpoint.json is made anew,
// from which follows that everything before the first segment counts as flushed. Can be repeated after a crash.
Result<RepairReport> RepairLog(LocalDisk& disk, Clock& clock, RandomSource& random, const std::string& folder);
std::vector<std::string> DescribeRepair(const RepairReport& report);

}  // namespace arc
