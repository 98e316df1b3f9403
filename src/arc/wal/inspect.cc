#include "arc/wal/inspect.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <utility>

namespace arc {
namespace {

using TableKey = std::pair<std::pair<std::string, std::string>, Uuid>;

class Collector {
 public:
  Status Take(const WalkedSegment& segment, const GroupView& group) {
    if (segments_.empty() || segments_.back().segment.name != segment.name) {
      segments_.push_back({segment, 0, 0, 0, {}});
      tables_.emplace_back();
    }
    auto& inspected = segments_.back();
    auto summaries = SummarizeGroup(group);
    if (!summaries.ok()) {
      return WithContext(std::move(summaries).error(), segment.name + " at byte " + std::to_string(group.offset));
    }
    for (auto& stream : *summaries) {
      if (stream.meaning.kind == StreamKind::kLost) ++inspected.lost_groups;
      inspected.records += stream.records;
      inspected.rows += stream.rows;
      const auto& ref = stream.meaning.table;
      auto [at, fresh] = tables_.back().try_emplace({{ref.database, ref.name}, ref.id});
      auto& table = at->second;
      if (fresh) table = {ref, 0, 0, stream.first, stream.last};
      table.records += stream.records;
      table.rows += stream.rows;
      table.last = std::max(table.last, stream.last);
    }
    return {};
  }

  // The walk knows the segments that hold no group, too.
  std::vector<InspectedSegment> Finish(const std::vector<WalkedSegment>& walked) {
    std::vector<InspectedSegment> all;
    size_t next = 0;
    for (const auto& segment : walked) {
      if (next < segments_.size() && segments_[next].segment.name == segment.name) {
        all.push_back(std::move(segments_[next]));
        for (auto& [key, table] : tables_[next]) all.back().tables.push_back(std::move(table));
        ++next;
      } else {
        all.emplace_back();
      }
      all.back().segment = segment;
    }
    return all;
  }

 private:
  std::vector<InspectedSegment> segments_;
  std::vector<std::map<TableKey, InspectedTable>> tables_;
};

std::string Hex(uint64_t value) {
  char text[20];
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(value));
  return text;
}

std::string Range(Lsn first, Lsn last) {
  return first == last ? std::to_string(first.value) : std::to_string(first.value) + "-" + std::to_string(last.value);
}

std::string TableName(const TableRef& table) {
  if (table.name.empty()) return table.database.empty() ? "(none)" : "database " + table.database;
  return table.database + "." + table.name;
}

void DescribeSegment(const InspectedSegment& inspected, std::vector<std::string>* lines) {
  const auto& segment = inspected.segment;
  std::string line = segment.name + ": " + std::to_string(segment.used) + " of " + std::to_string(segment.size) +
                     " bytes used, " + std::to_string(segment.groups) + " groups, " +
                     std::to_string(inspected.records) + " records, " + std::to_string(inspected.rows) + " rows";
  if (segment.groups > 0) line += ", LSN " + Range(segment.first, segment.last) + ", epoch " + Hex(segment.epoch);
  lines->push_back(std::move(line));
  for (const auto& table : inspected.tables) {
    lines->push_back("  " + TableName(table.table) + " (" + table.table.id.ToString() +
                     "): " + std::to_string(table.records) + " records, " + std::to_string(table.rows) + " rows, LSN " +
                     Range(table.first, table.last));
  }
  if (inspected.lost_groups > 0) {
    lines->push_back("  " + std::to_string(inspected.lost_groups) + " gaps left by an earlier repair");
  }
  if (!segment.tail.clean) {
    lines->push_back("  an unfinished group of about " + std::to_string(segment.tail.cut_bytes) + " bytes at byte " +
                     std::to_string(segment.used) + " will be cut off at the next start");
  }
}

}  // namespace

Result<LogInspection> InspectLog(LocalDisk& disk, const std::string& folder) {
  LogInspection inspection;
  Checkpoint checkpoint;
  auto found = ReadCheckpoint(disk, folder);
  if (!found.ok()) {
    inspection.checkpoint_error = found.error().message;
  } else if (!*found) {
    inspection.checkpoint_error = "there is no checkpoint.json";
  } else {
    checkpoint = **found;
    inspection.checkpoint = checkpoint;
  }
  Collector collector;
  ARC_ASSIGN_OR_RETURN(
      auto walk, WalkLog(disk, folder, checkpoint, true, [&](const WalkedSegment& segment, const GroupView& group) {
        return collector.Take(segment, group);
      }));
  inspection.segments = collector.Finish(walk.segments);
  inspection.damages = std::move(walk.damages);
  inspection.last = walk.last;
  return inspection;
}

std::vector<std::string> DescribeInspection(const LogInspection& inspection) {
  std::vector<std::string> lines;
  if (inspection.checkpoint) {
    lines.push_back("lineage " + inspection.checkpoint->lineage.ToString() + ", flushed through LSN " +
                    std::to_string(inspection.checkpoint->flushed.value) + ", last LSN " +
                    std::to_string(inspection.last.value));
  } else {
    lines.push_back("no checkpoint: " + inspection.checkpoint_error);
  }
  for (const auto& segment : inspection.segments) DescribeSegment(segment, &lines);
  for (const auto& damage : inspection.damages) lines.push_back("DAMAGED: " + damage.ToString());
  if (inspection.damages.empty()) lines.push_back("no damage found");
  return lines;
}

}  // namespace arc
