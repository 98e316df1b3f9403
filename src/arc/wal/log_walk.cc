#include "arc/wal/log_walk.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "arc/wal/file_names.h"

namespace arc {
namespace {

class Walker {
 public:
  Walker(LocalDisk& disk, const std::string& folder, const Checkpoint& checkpoint, bool go_on,
         const GroupVisitor& visit)
      : disk_(disk), folder_(folder), checkpoint_(checkpoint), go_on_(go_on), visit_(visit) {
    walk_.last = checkpoint.flushed;
  }

  Result<LogWalk> Run() {
    ARC_ASSIGN_OR_RETURN(auto names, disk_.List(folder_));
    for (const auto& name : names) {
      const auto base = ParseSegmentName(name);
      if (!base) continue;
      ARC_RETURN_IF_ERROR(WalkSegment(name, *base));
      if (stopped_) return std::move(walk_);
    }
    segment_ = {};
    if (walk_.last < checkpoint_.logged) LostBehindLast(checkpoint_.logged);
    return std::move(walk_);
  }

 private:
  Status WalkSegment(const std::string& name, Lsn base) {
    ARC_ASSIGN_OR_RETURN(reader_, SegmentReader::Open(disk_, folder_ + "/" + name, base));
    segment_ = {};
    segment_.name = name;
    segment_.base = base;
    segment_.size = reader_->size();
    while (!stopped_) {
      ARC_ASSIGN_OR_RETURN(auto group, reader_->ReadGroup(segment_.used));
      if (group) {
        ARC_RETURN_IF_ERROR(TakeGroup(*group));
        continue;
      }
      ARC_ASSIGN_OR_RETURN(bool resumed, PassDamage());
      if (!resumed) break;
    }
    ARC_ASSIGN_OR_RETURN(segment_.tail, reader_->ExamineTail(segment_.used));
    walk_.segments.push_back(segment_);
    return {};
  }

  Status TakeGroup(const GroupView& group) {
    if (group.durable > walk_.last) {
      LostBehindLast(group.durable);
      if (stopped_) return {};
    }
    if (group.first <= last_group_) {
      return Corruption(Place(segment_.name, group.offset) + ": LSN " + std::to_string(group.first.value) +
                        " stands behind LSN " + std::to_string(last_group_.value));
    }
    segment_.epoch = group.epoch;
    ARC_RETURN_IF_ERROR(visit_(segment_, group));
    if (segment_.groups++ == 0) segment_.first = group.first;
    segment_.last = group.last;
    segment_.used = group.offset + static_cast<int64_t>(group.bytes.size());
    last_group_ = group.last;
    walk_.last = std::max(walk_.last, group.last);
    return {};
  }

  // No complete group stands at segment_.used. If something behind proves that one did, notes the damage and moves on
  // to the next complete group; false when there is none or the walk is to stop.
  Result<bool> PassDamage() {
    const Lsn last = walk_.last;
    ARC_ASSIGN_OR_RETURN(auto proof,
                         reader_->FindFrame(segment_.used, [&](const MessageFrame& f) { return f.durable > last; }));
    if (!proof) return false;
    LogDamage damage;
    damage.segment = segment_.name;
    damage.offset = segment_.used;
    damage.lost_first = std::max(Lsn{last.value + 1}, segment_.base);
    damage.lost_last = proof->durable;
    ARC_RETURN_IF_ERROR(FindResume(&damage));
    if (damage.resume != 0) segment_.used = damage.resume;
    // Everything in the gap is flushed: nobody needs it.
    if (damage.resume != 0 && damage.lost_last <= last) return true;
    walk_.last = std::max(last, damage.lost_last);
    const bool resumed = damage.resume != 0;
    Note(std::move(damage));
    return resumed && !stopped_;
  }

  // The next complete group behind the damage, and what is lost before it.
  Status FindResume(LogDamage* damage) {
    int64_t from = damage->offset + 8;
    while (true) {
      ARC_ASSIGN_OR_RETURN(auto start,
                           reader_->FindFrame(from, [](const MessageFrame& f) { return f.group_offset == f.at; }));
      if (!start) return {};
      ARC_ASSIGN_OR_RETURN(auto group, reader_->ReadGroup(start->at));
      if (group) {
        damage->resume = group->offset;
        damage->lost_last = Lsn{group->first.value - 1};
        return {};
      }
      damage->lost_last = std::max(damage->lost_last, start->durable);
      from = start->at + 8;
    }
  }

  // A later group (or the checkpoint) proves that LSNs up to `durable` were in the log, but no segment holds them: they
  // stood behind the last complete group, or in a segment that is gone. Bytes belong into the last segment that may
  // hold such LSNs.
  void LostBehindLast(Lsn durable) {
    LogDamage damage;
    damage.lost_first = Lsn{walk_.last.value + 1};
    damage.lost_last = durable;
    const WalkedSegment* home = nullptr;
    for (const auto& segment : walk_.segments) {
      if (segment.base <= damage.lost_first) home = &segment;
    }
    if (segment_.groups > 0) home = &segment_;
    damage.whole_segment = home == nullptr;
    damage.segment = home == nullptr ? SegmentName(damage.lost_first) : home->name;
    damage.offset = home == nullptr ? 0 : home->used;
    walk_.last = durable;
    Note(std::move(damage));
  }

  void Note(LogDamage damage) {
    walk_.damages.push_back(std::move(damage));
    stopped_ = stopped_ || !go_on_;
  }

  static std::string Place(const std::string& segment, int64_t offset) {
    return segment + " at byte " + std::to_string(offset);
  }

  LocalDisk& disk_;
  const std::string& folder_;
  const Checkpoint& checkpoint_;
  const bool go_on_;
  const GroupVisitor& visit_;
  LogWalk walk_;
  Lsn last_group_;
  std::unique_ptr<SegmentReader> reader_;
  WalkedSegment segment_;
  bool stopped_ = false;
};

}  // namespace

std::string LogDamage::ToString() const {
  const std::string lsns = lost_first == lost_last
                               ? "LSN " + std::to_string(lost_first.value)
                               : "LSNs " + std::to_string(lost_first.value) + " to " + std::to_string(lost_last.value);
  if (whole_segment) return lsns + " are missing: a segment that began like " + segment + " is not there";
  return segment + " at byte " + std::to_string(offset) + ": what was synced there does not read (" + lsns + ")";
}

Result<LogWalk> WalkLog(LocalDisk& disk, const std::string& folder, const Checkpoint& checkpoint, bool go_on,
                        const GroupVisitor& visit) {
  return Walker(disk, folder, checkpoint, go_on, visit).Run();
}

}  // namespace arc
