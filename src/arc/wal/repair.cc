#include <algorithm>
#include <utility>

#include "arc/wal/file_names.h"
#include "arc/wal/inspect.h"
#include "arc/wal/lost_group.h"
#include "arc/wal/message_frame.h"

namespace arc {
namespace {

constexpr int64_t kCopyBytes = 1 << 20;

// Names the copy only when it is whole and durable.
Result<std::string> CopySegment(LocalDisk& disk, const std::string& folder, const std::string& name) {
  std::string copy = name + ".damaged";
  for (int i = 2;; ++i) {
    ARC_ASSIGN_OR_RETURN(bool taken, disk.Exists(folder + "/" + copy));
    if (!taken) break;
    copy = name + ".damaged" + std::to_string(i);
  }
  const std::string temporary = folder + "/" + std::string(kTemporaryPrefix) + copy;
  ARC_ASSIGN_OR_RETURN(auto from, disk.Open(folder + "/" + name, OpenMode::kRead));
  ARC_ASSIGN_OR_RETURN(auto to, disk.Open(temporary, OpenMode::kCreate));
  ARC_RETURN_IF_ERROR(to->Truncate(0));
  std::vector<uint8_t> buffer(kCopyBytes);
  for (int64_t offset = 0;;) {
    ARC_ASSIGN_OR_RETURN(size_t got, from->ReadAt(offset, buffer));
    if (got == 0) break;
    ARC_RETURN_IF_ERROR(to->WriteAt(offset, std::span<const uint8_t>(buffer).first(got)));
    offset += static_cast<int64_t>(got);
  }
  ARC_RETURN_IF_ERROR(to->Sync());
  ARC_RETURN_IF_ERROR(disk.Rename(temporary, folder + "/" + copy));
  ARC_RETURN_IF_ERROR(disk.SyncDirectory(folder));
  return copy;
}

// Finds the lineage of a folder without checkpoint, and what had been retired.
Result<Checkpoint> GuessCheckpoint(LocalDisk& disk, Clock& clock, const std::string& folder) {
  Checkpoint checkpoint;
  bool known = false;
  auto walk = WalkLog(disk, folder, checkpoint, true, [&](const WalkedSegment&, const GroupView& group) -> Status {
    if (known) return {};
    ARC_ASSIGN_OR_RETURN(auto streams, SummarizeGroup(group));
    checkpoint.lineage = streams.front().meaning.lineage;
    checkpoint.flushed = group.durable;
    known = true;
    return {};
  });
  if (!walk.ok()) return std::move(walk).error();
  if (!known) return Corruption(folder + " holds no readable group from which a checkpoint could be made");
  checkpoint.logged = checkpoint.applied = checkpoint.flushed;
  checkpoint.wall_micros = clock.WallMicros();
  return checkpoint;
}

Status Replace(LocalDisk& disk, RandomSource& random, const std::string& folder, const Checkpoint& checkpoint,
               const LogDamage& damage, uint64_t epoch) {
  LostGroup lost;
  lost.lineage = checkpoint.lineage;
  lost.first = damage.lost_first;
  lost.last = std::max(damage.lost_last, damage.lost_first);
  lost.offset = damage.offset;
  lost.epoch = epoch;
  while (lost.epoch == 0) lost.epoch = random.NextU64();
  if (damage.resume != 0) lost.bytes = damage.resume - damage.offset;
  ARC_ASSIGN_OR_RETURN(auto bytes, EncodeLostGroup(lost));
  ARC_ASSIGN_OR_RETURN(auto file, disk.Open(folder + "/" + damage.segment, OpenMode::kCreate));
  if (damage.resume == 0) {
    ARC_RETURN_IF_ERROR(file->Truncate(damage.offset));
    bytes.insert(bytes.end(), std::begin(kEndMarker), std::end(kEndMarker));
  }
  ARC_RETURN_IF_ERROR(file->WriteAt(damage.offset, bytes));
  ARC_RETURN_IF_ERROR(file->Sync());
  return disk.SyncDirectory(folder);
}

Result<LogWalk> Walk(LocalDisk& disk, const std::string& folder, const Checkpoint& checkpoint) {
  return WalkLog(disk, folder, checkpoint, true, [](const WalkedSegment&, const GroupView&) { return Status(); });
}

uint64_t EpochOf(const LogWalk& walk, const std::string& segment) {
  for (const auto& walked : walk.segments) {
    if (walked.name == segment) return walked.epoch;
  }
  return 0;
}

}  // namespace

Result<RepairReport> RepairLog(LocalDisk& disk, Clock& clock, RandomSource& random, const std::string& folder) {
  RepairReport report;
  Checkpoint checkpoint;
  auto found = ReadCheckpoint(disk, folder);
  if (found.ok() && *found) {
    checkpoint = **found;
  } else if (found.ok() || found.error().kind == ErrorKind::kCorruption) {
    ARC_ASSIGN_OR_RETURN(checkpoint, GuessCheckpoint(disk, clock, folder));
    ARC_RETURN_IF_ERROR(WriteCheckpoint(disk, folder, checkpoint));
    report.checkpoint_made = true;
  } else {
    return std::move(found).error();
  }
  ARC_ASSIGN_OR_RETURN(auto walk, Walk(disk, folder, checkpoint));
  for (const auto& damage : walk.damages) {
    const bool copied = !report.damages.empty() && report.damages.back().segment == damage.segment;
    if (!damage.whole_segment && !copied) {
      ARC_ASSIGN_OR_RETURN(auto copy, CopySegment(disk, folder, damage.segment));
      report.copies.push_back(std::move(copy));
    }
    ARC_RETURN_IF_ERROR(Replace(disk, random, folder, checkpoint, damage, EpochOf(walk, damage.segment)));
    report.damages.push_back(damage);
  }
  ARC_ASSIGN_OR_RETURN(walk, Walk(disk, folder, checkpoint));
  if (!walk.damages.empty()) {
    return Corruption("the log is still damaged after the repair: " + walk.damages.front().ToString());
  }
  return report;
}

std::vector<std::string> DescribeRepair(const RepairReport& report) {
  std::vector<std::string> lines;
  if (report.checkpoint_made) lines.push_back("made a new checkpoint.json");
  for (const auto& damage : report.damages) lines.push_back("gave up: " + damage.ToString());
  for (const auto& copy : report.copies) lines.push_back("kept the damaged segment as " + copy);
  if (lines.empty()) lines.push_back("nothing to repair");
  return lines;
}

}  // namespace arc
