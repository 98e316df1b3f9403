#include "arc/iceberg/snapshot_choice.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <utility>

namespace arc {
namespace {

constexpr int64_t kMillisPerSecond = 1000;
constexpr int64_t kMicrosPerMs = 1000;
// Beyond these years the calendar says nothing.
constexpr int64_t kMaxSeconds = int64_t{1} << 40;

int64_t FloorDivide(int64_t value, int64_t by) { return value / by - (value % by < 0 ? 1 : 0); }

std::string Named(const Snapshot& snapshot) {
  return fmt::format("{} of {}", snapshot.snapshot_id, SnapshotTimeText(snapshot.timestamp_ms));
}

bool IsKnownParent(const TableMetadata& metadata, int64_t snapshot_id) {
  return std::any_of(metadata.snapshots.begin(), metadata.snapshots.end(),
                     [&](const Snapshot& snapshot) { return snapshot.parent_snapshot_id == snapshot_id; });
}

// "; it has 3, from 17 of 2025-… to 19 of 2025-…"
std::string WhatThereIs(const TableMetadata& metadata) {
  if (metadata.snapshots.empty()) return "; it has none: nothing of it has been flushed yet";
  const auto earlier = [](const Snapshot& a, const Snapshot& b) { return a.timestamp_ms < b.timestamp_ms; };
  const auto [first, last] = std::minmax_element(metadata.snapshots.begin(), metadata.snapshots.end(), earlier);
  if (first == last) return fmt::format("; it has one, {}", Named(*first));
  return fmt::format("; it has {}, from {} to {}", metadata.snapshots.size(), Named(*first), Named(*last));
}

Result<const Snapshot*> ChooseById(const TableMetadata& metadata, int64_t snapshot_id) {
  if (const Snapshot* snapshot = metadata.FindSnapshot(snapshot_id)) return snapshot;
  if (IsKnownParent(metadata, snapshot_id)) {
    return NotFound(fmt::format("snapshot {} has expired{}", snapshot_id, WhatThereIs(metadata)));
  }
  return NotFound(fmt::format("there is no snapshot {}; it may have expired{}", snapshot_id, WhatThereIs(metadata)));
}

Result<const Snapshot*> ChooseByRef(const TableMetadata& metadata, const std::string& name) {
  const auto ref = metadata.refs.find(name);
  if (ref != metadata.refs.end()) return ChooseById(metadata, ref->second.snapshot_id);
  std::string names;
  for (const auto& [known, _] : metadata.refs) names += (names.empty() ? "" : ", ") + known;
  return NotFound("there is no branch or tag '" + name + "'" +
                  (names.empty() ? WhatThereIs(metadata) : "; there are " + names));
}

Result<const Snapshot*> ChooseByTime(const TableMetadata& metadata, int64_t at_micros) {
  const int64_t at_ms = FloorDivide(at_micros, kMicrosPerMs);
  const SnapshotLogEntry* found = nullptr;
  for (const auto& entry : metadata.snapshot_log) {
    if (entry.timestamp_ms <= at_ms) found = &entry;
  }
  if (found != nullptr) return ChooseById(metadata, found->snapshot_id);
  if (metadata.snapshot_log.empty()) {
    return NotFound(fmt::format("no snapshot is known to have been current at {}{}", SnapshotTimeText(at_ms),
                                WhatThereIs(metadata)));
  }
  const SnapshotLogEntry& first = metadata.snapshot_log.front();
  const Snapshot* snapshot = metadata.FindSnapshot(first.snapshot_id);
  const bool had_parent = snapshot != nullptr && snapshot->parent_snapshot_id &&
                          metadata.FindSnapshot(*snapshot->parent_snapshot_id) == nullptr;
  return NotFound(fmt::format("no snapshot is as old as {}: the earliest is {} of {}{}", SnapshotTimeText(at_ms),
                              first.snapshot_id, SnapshotTimeText(first.timestamp_ms),
                              had_parent ? "; earlier ones have expired" : ""));
}

}  // namespace

std::string SnapshotTimeText(int64_t timestamp_ms) {
  const int64_t seconds = FloorDivide(timestamp_ms, kMillisPerSecond);
  if (seconds > kMaxSeconds || seconds < -kMaxSeconds) return fmt::format("{} ms since 1970", timestamp_ms);
  const auto time = static_cast<std::time_t>(seconds);
  std::tm calendar{};
  gmtime_r(&time, &calendar);
  return fmt::format("{:%Y-%m-%d %H:%M:%S}.{:03}", calendar, timestamp_ms - seconds * kMillisPerSecond);
}

Result<const Snapshot*> ChooseSnapshot(const TableMetadata& metadata, const SnapshotSelector& selector) {
  if (selector.snapshot_id) return ChooseById(metadata, *selector.snapshot_id);
  if (!selector.ref.empty()) return ChooseByRef(metadata, selector.ref);
  return ChooseByTime(metadata, selector.at_micros);
}

Result<TableMetadata> AsOfSnapshot(const TableMetadata& metadata, const Snapshot& snapshot) {
  TableMetadata then = metadata;
  then.current_snapshot_id = snapshot.snapshot_id;
  if (!snapshot.schema_id) return then;
  const bool there = std::any_of(metadata.schemas.begin(), metadata.schemas.end(),
                                 [&](const IcebergSchema& schema) { return schema.schema_id == *snapshot.schema_id; });
  if (!there) {
    return MakeError(ErrorKind::kUnsupported, fmt::format("the schema of snapshot {} is gone", snapshot.snapshot_id));
  }
  then.current_schema_id = *snapshot.schema_id;
  return then;
}

}  // namespace arc
