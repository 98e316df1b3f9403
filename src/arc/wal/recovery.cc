#include "arc/wal/recovery.h"

#include <algorithm>
#include <utility>

#include "arc/base/log.h"
#include "arc/wal/file_names.h"
#include "arc/wal/log_walk.h"
#include "arc/wal/message_frame.h"

namespace arc {
namespace {

Result<bool> HasSegments(LocalDisk& disk, const std::string& folder) {
  ARC_ASSIGN_OR_RETURN(auto names, disk.List(folder));
  return std::any_of(names.begin(), names.end(), [](const auto& name) { return ParseSegmentName(name).has_value(); });
}

Result<Checkpoint> ReadOrMakeCheckpoint(LocalDisk& disk, Clock& clock, RandomSource& random,
                                        const std::string& folder) {
  ARC_ASSIGN_OR_RETURN(auto found, ReadCheckpoint(disk, folder));
  if (found) return *found;
  ARC_ASSIGN_OR_RETURN(bool segments, HasSegments(disk, folder));
  if (segments) {
    return Corruption(folder + " holds segments but no " + kCheckpointName + "; `arc wal repair` can make a new one");
  }
  Checkpoint checkpoint;
  checkpoint.lineage = Uuid::Random(random);
  checkpoint.wall_micros = clock.WallMicros();
  ARC_RETURN_IF_ERROR(WriteCheckpoint(disk, folder, checkpoint));
  return checkpoint;
}

// Removes the traces of an unfinished last group, so that any Arrow reader finds the end.
Status CutTails(LocalDisk& disk, const std::string& folder, const LogWalk& walk, ReplayReport* report) {
  for (const auto& segment : walk.segments) {
    if (segment.tail.clean) continue;
    ARC_RETURN_IF_ERROR(CutSegment(disk, folder + "/" + segment.name, segment.used));
    report->cut_bytes += segment.tail.cut_bytes;
    report->cut_at = segment.name + ":" + std::to_string(segment.used);
    Log(LogLevel::kWarning, "wal", "an unfinished group was cut off",
        {{"segment", segment.name}, {"offset", segment.used}, {"bytes", segment.tail.cut_bytes}});
  }
  return {};
}

}  // namespace

Status CutSegment(LocalDisk& disk, const std::string& path, int64_t used) {
  ARC_ASSIGN_OR_RETURN(auto file, disk.Open(path, OpenMode::kReadWrite));
  ARC_RETURN_IF_ERROR(file->Truncate(used));
  ARC_RETURN_IF_ERROR(file->WriteAt(used, kEndMarker));
  return file->SyncData();
}

Result<Recovery> RecoverLog(LocalDisk& disk, Clock& clock, RandomSource& random, const std::string& folder,
                            const WriteAheadLog::FlushedFloor& flushed_floor, const WriteAheadLog::Replay& replay) {
  ARC_RETURN_IF_ERROR(disk.CreateDirectories(folder));
  ARC_ASSIGN_OR_RETURN([[maybe_unused]] int removed, RemoveTemporaries(disk, folder));
  Recovery recovery;
  ARC_ASSIGN_OR_RETURN(recovery.checkpoint, ReadOrMakeCheckpoint(disk, clock, random, folder));
  if (flushed_floor) {
    ARC_ASSIGN_OR_RETURN(recovery.floor, flushed_floor(recovery.checkpoint.lineage));
  }
  auto& report = recovery.report;
  const auto take = [&](Lsn lsn, LogRecord&& record) -> Status {
    ++report.records;
    report.rows += static_cast<uint64_t>(record.batch.rows);
    return replay(lsn, std::move(record));
  };
  auto walk = WalkLog(
      disk, folder, recovery.checkpoint, false, [&](const WalkedSegment& segment, const GroupView& group) -> Status {
        ++report.groups;
        auto status = DecodeGroup(group, recovery.checkpoint.lineage, recovery.checkpoint.flushed, take);
        if (!status.ok() && status.error().kind == ErrorKind::kCorruption) {
          return WithContext(std::move(status).error(), segment.name + " at byte " + std::to_string(group.offset));
        }
        return status;
      });
  if (!walk.ok()) return std::move(walk).error();
  if (!walk->damages.empty()) {
    return Corruption("the write-ahead log is damaged: " + folder + "/" + walk->damages.front().ToString() +
                      "; `arc wal inspect` shows what is there, `arc wal repair` gives up what is lost");
  }
  ARC_RETURN_IF_ERROR(CutTails(disk, folder, *walk, &report));
  for (const auto& segment : walk->segments) {
    const int64_t capacity = segment.tail.clean ? segment.size : segment.used + kEndMarkerBytes;
    recovery.segments.push_back({segment.base, capacity, segment.used, segment.first, segment.last,
                                 segment.last > recovery.checkpoint.flushed});
    if (segment.groups > 0) ++report.segments;
  }
  recovery.last = report.last = walk->last;
  return recovery;
}

}  // namespace arc
