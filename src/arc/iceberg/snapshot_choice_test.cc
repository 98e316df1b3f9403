#include "arc/iceberg/snapshot_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "arc/iceberg/schema_conversion.h"

namespace arc {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kNoon = 1'760'616'000'000;  // 2025-10-16 12:00:00 UTC, ms

// Snapshots 11, 12 and 13, a minute apart from noon on, each the parent of the next.
TableMetadata ThreeSnapshots() {
  TableMetadata metadata;
  metadata.schemas.push_back({0, {{1, "time", false, "timestamp", {}}}, {}});
  metadata.schemas.push_back({1, {{1, "time", false, "timestamp", {}}, {2, "x", false, "double", {}}}, {}});
  metadata.current_schema_id = 1;
  for (int64_t i = 0; i < 3; ++i) {
    Snapshot snapshot;
    snapshot.snapshot_id = 11 + i;
    if (i > 0) snapshot.parent_snapshot_id = 10 + i;
    snapshot.timestamp_ms = kNoon + i * 60'000;
    snapshot.schema_id = i == 0 ? 0 : 1;
    metadata.snapshot_log.push_back({snapshot.timestamp_ms, snapshot.snapshot_id});
    metadata.snapshots.push_back(snapshot);
  }
  metadata.current_snapshot_id = 13;
  metadata.refs["main"] = {13, "branch", {}, {}, {}};
  metadata.refs["audit"] = {12, "tag", {}, {}, {}};
  return metadata;
}

int64_t IdAt(const TableMetadata& metadata, int64_t at_micros) {
  auto chosen = ChooseSnapshot(metadata, {{}, {}, at_micros});
  return chosen.ok() ? (*chosen)->snapshot_id : -1;
}

std::string Refusal(const TableMetadata& metadata, const SnapshotSelector& selector) {
  const auto chosen = ChooseSnapshot(metadata, selector);
  EXPECT_FALSE(chosen.ok());
  if (chosen.ok()) return {};
  EXPECT_EQ(chosen.error().kind, ErrorKind::kNotFound);
  return chosen.error().message;
}

TEST(SnapshotChoice, ByTimeIsTheLatestThatWasCurrentThen) {
  const TableMetadata metadata = ThreeSnapshots();
  EXPECT_EQ(IdAt(metadata, kNoon * 1000), 11);
  EXPECT_EQ(IdAt(metadata, kNoon * 1000 + 59'999'999), 11);
  EXPECT_EQ(IdAt(metadata, (kNoon + 60'000) * 1000), 12);
  EXPECT_EQ(IdAt(metadata, (kNoon + 86'400'000) * 1000), 13);
  EXPECT_EQ(IdAt(metadata, kNoon * 1000 - 1), -1);  // floor, not truncation
  EXPECT_EQ(IdAt(metadata, -1), -1);
}

TEST(SnapshotChoice, ARolledBackTableAnswersByItsLogNotByTheSnapshotsTimes) {
  TableMetadata metadata = ThreeSnapshots();
  metadata.snapshot_log.push_back({kNoon + 180'000, 11});
  EXPECT_EQ(IdAt(metadata, (kNoon + 120'000) * 1000), 13);
  EXPECT_EQ(IdAt(metadata, (kNoon + 200'000) * 1000), 11);
}

TEST(SnapshotChoice, ByIdAndByName) {
  const TableMetadata metadata = ThreeSnapshots();
  EXPECT_EQ((*ChooseSnapshot(metadata, {12, {}, 0}))->snapshot_id, 12);
  EXPECT_EQ((*ChooseSnapshot(metadata, {{}, "audit", 0}))->snapshot_id, 12);
  EXPECT_EQ((*ChooseSnapshot(metadata, {{}, "main", 0}))->snapshot_id, 13);
  EXPECT_THAT(Refusal(metadata, {{}, "nosuch", 0}), HasSubstr("no branch or tag 'nosuch'; there are audit, main"));
}

TEST(SnapshotChoice, RefusalsNameWhatThereIs) {
  TableMetadata metadata = ThreeSnapshots();
  EXPECT_EQ(Refusal(metadata, {99, {}, 0}),
            "there is no snapshot 99; it may have expired; it has 3, from 11 of 2025-10-16 12:00:00.000 to 13 of "
            "2025-10-16 12:02:00.000");
  EXPECT_EQ(Refusal(metadata, {{}, {}, (kNoon - 1) * 1000}),
            "no snapshot is as old as 2025-10-16 11:59:59.999: the earliest is 11 of 2025-10-16 12:00:00.000");
  metadata.snapshots.erase(metadata.snapshots.begin());
  metadata.snapshot_log.erase(metadata.snapshot_log.begin());
  EXPECT_THAT(Refusal(metadata, {11, {}, 0}), HasSubstr("snapshot 11 has expired; it has 2, from 12 of"));
  EXPECT_THAT(Refusal(metadata, {{}, {}, kNoon * 1000}),
              HasSubstr("the earliest is 12 of 2025-10-16 12:01:00.000; earlier ones have expired"));
  metadata.snapshots.erase(metadata.snapshots.begin());
  EXPECT_THAT(Refusal(metadata, {11, {}, 0}), HasSubstr("it has one, 13 of"));
  // The log still names a snapshot that somebody removed.
  EXPECT_THAT(Refusal(metadata, {{}, {}, (kNoon + 60'000) * 1000}), HasSubstr("snapshot 12 has expired"));
  EXPECT_THAT(Refusal(TableMetadata(), {{}, {}, kNoon * 1000}), HasSubstr("nothing of it has been flushed yet"));
  EXPECT_THAT(Refusal(TableMetadata(), {7, {}, 0}), HasSubstr("nothing of it has been flushed yet"));
}

TEST(SnapshotChoice, AsOfHasTheSchemaOfThen) {
  TableMetadata metadata = ThreeSnapshots();
  auto then = AsOfSnapshot(metadata, metadata.snapshots[0]);
  ASSERT_TRUE(then.ok());
  EXPECT_EQ(then->current_snapshot()->snapshot_id, 11);
  EXPECT_EQ(then->current_schema().fields.size(), 1u);
  EXPECT_EQ(ToArcSchema(*then)->columns.size(), 1u);
  metadata.snapshots[0].schema_id.reset();  // old writers: as it is now
  EXPECT_EQ(AsOfSnapshot(metadata, metadata.snapshots[0])->current_schema().fields.size(), 2u);
  metadata.snapshots[0].schema_id = 7;
  const auto gone = AsOfSnapshot(metadata, metadata.snapshots[0]);
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().kind, ErrorKind::kUnsupported);
}

TEST(SnapshotChoice, TimesAsText) {
  EXPECT_EQ(SnapshotTimeText(0), "1970-01-01 00:00:00.000");
  EXPECT_EQ(SnapshotTimeText(-1), "1969-12-31 23:59:59.999");
  EXPECT_EQ(SnapshotTimeText(INT64_MAX), "9223372036854775807 ms since 1970");
}

}  // namespace
}  // namespace arc
