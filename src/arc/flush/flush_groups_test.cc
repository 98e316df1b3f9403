#include "arc/flush/flush_groups.h"

#include <gtest/gtest.h>

#include "arc/model/batch_for_test.h"

namespace arc {
namespace {

class FlushGroupsTest : public ::testing::Test {
 protected:
  std::shared_ptr<Table> TableOf(int rows) {
    Schema schema;
    schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, true}};
    auto table = std::make_shared<Table>(TableRef{Uuid::Random(SystemRandom()), "db", "m"}, &budget_, clock_,
                                         std::move(schema), nullptr, Lsn{});
    std::vector<int64_t> times(static_cast<size_t>(rows));
    for (size_t i = 0; i < times.size(); ++i) times[i] = static_cast<int64_t>(i);
    table->Apply({1}, BatchForTest(times).Done(), {});
    return table;
  }

  ManualClock clock_{0};
  ByteBudget budget_{1 << 30};
};

TEST_F(FlushGroupsTest, SmallTablesShareAGroupUpToItsBounds) {
  EXPECT_TRUE(GroupForFlush({}).empty());
  std::vector<std::shared_ptr<Table>> tables;
  for (size_t i = 0; i < 2 * kTablesPerGroup + 1; ++i) tables.push_back(TableOf(1));
  auto groups = GroupForFlush(tables);
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].size(), kTablesPerGroup);
  EXPECT_EQ(groups[0][0], tables[0]);
  EXPECT_EQ(groups[2].size(), 1u);

  tables.clear();
  for (int i = 0; i < 20; ++i) tables.push_back(TableOf(60'000));  // about half a megabyte each
  int64_t bytes = 0;
  for (const auto& group : GroupForFlush(tables)) {
    int64_t of_group = 0;
    for (const auto& table : group) of_group += table->hot().bytes;
    EXPECT_LE(of_group, kBytesPerGroup);
    EXPECT_GT(group.size(), 1u);
    bytes += of_group;
  }
  EXPECT_GT(bytes, kBytesPerGroup);
}

TEST_F(FlushGroupsTest, ALargeTableGoesByItself) {
  auto large = TableOf(300'000);
  ASSERT_GT(large->hot().bytes, kSmallTableBytes);
  auto groups = GroupForFlush({TableOf(1), large, TableOf(1)});
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0], TableGroup{large});
  EXPECT_EQ(groups[1].size(), 2u);
}

}  // namespace
}  // namespace arc
