#include "arc/iceberg/expiry_commit.h"

#include <gtest/gtest.h>

#include "arc/iceberg/reachable.h"
#include "arc/iceberg/test_tables.h"

namespace arc {
namespace {

class ExpiryCommit : public ::testing::Test {
 protected:
  // Files f0 to f<count-1>, one commit each, of which f0 is removed again.
  void Fill(int count) {
    for (int i = 0; i < count; ++i) {
      store_.objects["f" + std::to_string(i)] = "rows";
      ASSERT_TRUE(table_.Append(table_.Request({TestFile("f" + std::to_string(i), i)})).ok());
    }
    ReplaceRequest removal = table_.Replacement({TestFile("f0", 0)}, {});
    removal.same_rows = false;
    ASSERT_TRUE(table_.Replace(removal).ok());
  }
  Result<std::optional<PreparedCommit>> Prepare(int max_snapshots) {
    AppendPolicy policy;
    policy.expiry.max_snapshots = max_snapshots;
    return PrepareExpiry(store_, table_.location, table_.metadata, policy, table_.now_ms, table_.random);
  }

  MemoryStore store_;
  TestTable table_{&store_};
};

TEST_F(ExpiryCommit, ForgetsSnapshotsAndChangesNothingElse) {
  Fill(5);
  const auto before = table_.metadata;
  auto prepared = Prepare(2);
  ASSERT_TRUE(prepared.ok() && prepared->has_value());
  table_.Win(std::move(**prepared));
  EXPECT_EQ(table_.metadata.snapshots.size(), 2u);
  EXPECT_EQ(table_.metadata.current_snapshot_id, before.current_snapshot_id);
  EXPECT_EQ(table_.metadata.last_sequence_number, before.last_sequence_number);
  EXPECT_GT(table_.metadata.last_updated_ms, before.last_updated_ms);
  EXPECT_EQ(table_.metadata.metadata_log.size(), before.metadata_log.size() + 1);
  EXPECT_EQ(LoadTable(store_, table_.location)->files.size(), 4u);
  EXPECT_TRUE(store_.objects.contains("f0"));  // the snapshot before the removal is still there
  prepared = Prepare(1);
  ASSERT_TRUE(prepared.ok() && prepared->has_value());
  table_.Win(std::move(**prepared));
  EXPECT_FALSE(store_.objects.contains("f0"));
  EXPECT_EQ(LoadTable(store_, table_.location)->files.size(), 4u);
}

TEST_F(ExpiryCommit, WritesNothingWhenNothingExpires) {
  Fill(3);
  const auto before = store_.objects;
  auto prepared = Prepare(10);
  ASSERT_TRUE(prepared.ok());
  EXPECT_FALSE(prepared->has_value());
  store_.puts_until_failure = 0;
  EXPECT_EQ(Prepare(1).error().kind, ErrorKind::kUnavailable);
  EXPECT_EQ(store_.objects, before);
}

TEST_F(ExpiryCommit, WhatIsReachableIsWhatIsLeft) {
  Fill(12);
  auto prepared = Prepare(3);
  ASSERT_TRUE(prepared.ok() && prepared->has_value());
  table_.Win(std::move(**prepared));
  ASSERT_TRUE(WriteVersionHint(store_, table_.location).ok());
  const std::string folder = table_.location.substr(0, table_.location.rfind('/') + 1);
  const std::string marker = *store_.KeyOf(folder + TableMarkerName(table_.metadata.table_uuid.ToString()));
  ASSERT_TRUE(store_.PutIfAbsent(marker, "{}").ok());
  auto reachable = ReachableKeys(store_, table_.location, table_.metadata);
  ASSERT_TRUE(reachable.ok()) << reachable.error().message;
  std::set<std::string> kept;
  for (const auto& [key, bytes] : store_.objects) kept.insert(key);
  EXPECT_EQ(std::set<std::string>(reachable->begin(), reachable->end()), kept);
}

TEST_F(ExpiryCommit, NothingIsReachableWhereSomethingCannotBeRead) {
  Fill(4);
  const auto objects = store_.objects;
  for (const auto& [key, bytes] : objects) {
    if (!key.ends_with(".avro")) continue;
    store_.objects.erase(key);
    EXPECT_EQ(ReachableKeys(store_, table_.location, table_.metadata).error().kind, ErrorKind::kNotFound) << key;
    store_.objects = objects;
  }
}

}  // namespace
}  // namespace arc
