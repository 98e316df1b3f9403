#include "arc/maintain/table_drops.h"

#include <gtest/gtest.h>

#include "arc/maintain/test_lake.h"

namespace arc {
namespace {

class TableDropsTest : public ::testing::Test {
 protected:
  TableDropsTest() {
    EXPECT_TRUE(lake_.Open());
    EXPECT_TRUE(lake_.Flush("db", "cpu", "f1", TestLake::kNowHour).ok());
    EXPECT_TRUE(lake_.Flush("db", "cpu", "f2", TestLake::kNowHour).ok());
    EXPECT_TRUE(lake_.Flush("db", "mem", "f3", TestLake::kNowHour).ok());
    drops_ = std::make_unique<TableDrops>(*lake_.catalog, lake_.clock, lake_.random);
  }
  std::string Ask(const std::string& table) { return drops_->DropTable("db", table, "")->confirmation; }
  bool IsThere(const std::string& table) { return lake_.catalog->Find("db", table) != nullptr; }
  // One hot row.
  void Write(const std::string& table_name) {
    auto table = *lake_.catalog->GetOrCreate("db", table_name);
    auto aligned = table->Align(BatchForTest({TestLake::kNowHour * TestLake::kHourMicros}).Ints("id", {1}).Done());
    table->Apply(Lsn{++lake_.last_lsn}, aligned->batch, {});
  }

  TestLake lake_;
  std::unique_ptr<TableDrops> drops_;
};

TEST_F(TableDropsTest, TheFirstCallTellsAndTheSecondDrops) {
  Write("cpu");
  auto asked = drops_->DropTable("db", "CPU", "");
  ASSERT_TRUE(asked.ok()) << asked.error().message;
  EXPECT_EQ(asked->measurement, "cpu");
  EXPECT_EQ(asked->tables, 1);
  EXPECT_EQ(asked->rows, 21);
  EXPECT_EQ(asked->files, 2);
  EXPECT_EQ(asked->bytes, 8);
  EXPECT_FALSE(asked->confirmation.empty());
  EXPECT_TRUE(IsThere("cpu"));
  auto done = drops_->DropTable("db", "cpu", asked->confirmation);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_TRUE(done->confirmation.empty());
  EXPECT_EQ(done->rows, 21);
  EXPECT_FALSE(IsThere("cpu"));
  EXPECT_TRUE(IsThere("mem"));
  EXPECT_EQ(drops_->dropped(), 1u);
  for (const auto& key : lake_.Objects()) EXPECT_FALSE(key.starts_with("db/cpu/")) << key;
  EXPECT_EQ(drops_->DropTable("db", "cpu", "").error().kind, ErrorKind::kNotFound);
  // Rows that come afterwards make a new table, for which the old confirmation is none.
  Write("cpu");
  EXPECT_FALSE(drops_->DropTable("db", "cpu", asked->confirmation)->confirmation.empty());
  EXPECT_TRUE(IsThere("cpu"));
  ASSERT_TRUE(lake_.Open());
  EXPECT_EQ(lake_.Files("db", "mem").size(), 1u);
  EXPECT_EQ(lake_.Files("db", "cpu").size(), 0u);
}

TEST_F(TableDropsTest, ATableThatIsInMemoryOnlyGoesToo) {
  Write("hot");
  const std::string confirmation = Ask("hot");
  auto done = drops_->DropTable("db", "hot", confirmation);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->rows, 1);
  EXPECT_EQ(done->files, 0);
  EXPECT_FALSE(IsThere("hot"));
}

TEST_F(TableDropsTest, AConfirmationIsForOneTableOneTimeAndAWhile) {
  const std::string confirmation = Ask("cpu");
  EXPECT_FALSE(drops_->DropTable("db", "mem", confirmation)->confirmation.empty());
  EXPECT_TRUE(IsThere("mem"));
  lake_.clock.Advance(std::chrono::milliseconds(TableDrops::kConfirmationMs));
  const auto late = drops_->DropTable("db", "cpu", confirmation);
  EXPECT_FALSE(late->confirmation.empty());
  EXPECT_NE(late->confirmation, confirmation);
  EXPECT_TRUE(IsThere("cpu"));
  EXPECT_FALSE(drops_->DropTable("db", "cpu", "made up")->confirmation.empty());
  EXPECT_TRUE(drops_->DropTable("db", "cpu", late->confirmation)->confirmation.empty());
}

TEST_F(TableDropsTest, ADatabaseGoesWithItsTables) {
  Write("hot");
  auto asked = drops_->DropDatabase("db", "");
  ASSERT_TRUE(asked.ok()) << asked.error().message;
  EXPECT_EQ(asked->tables, 3);
  EXPECT_EQ(asked->rows, 31);
  EXPECT_EQ(asked->files, 3);
  // A table more than was told of.
  Write("new");
  const auto again = drops_->DropDatabase("db", asked->confirmation);
  ASSERT_FALSE(again->confirmation.empty());
  EXPECT_EQ(again->tables, 4);
  auto done = drops_->DropDatabase("db", again->confirmation);
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_TRUE(done->confirmation.empty());
  EXPECT_FALSE(lake_.catalog->FindDatabase("db").has_value());
  EXPECT_EQ(drops_->dropped(), 4u);
  EXPECT_EQ(drops_->DropDatabase("db", "").error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(drops_->DropDatabase("default", "").error().kind, ErrorKind::kInvalidArgument);
  ASSERT_TRUE(lake_.Open());
  EXPECT_FALSE(lake_.catalog->FindDatabase("db").has_value());
}

// The power goes at every operation: the table is wholly there or wholly gone, and dropping it again ends it.
TEST(TableDropsPowerCuts, ATableIsThereOrGone) {
  int there = 0;
  int gone = 0;
  for (uint64_t cut = 1;; ++cut) {
    TestLake lake;
    ASSERT_TRUE(lake.Open());
    ASSERT_TRUE(lake.Flush("db", "cpu", "f1", TestLake::kNowHour).ok());
    ASSERT_TRUE(lake.Flush("db", "mem", "f2", TestLake::kNowHour).ok());
    bool reported = false;
    {
      TableDrops drops(*lake.catalog, lake.clock, lake.random);
      const auto confirmation = drops.DropTable("db", "cpu", "")->confirmation;
      lake.disk.CutAfter(cut);
      reported = drops.DropTable("db", "cpu", confirmation).ok();
    }
    const bool was_cut = !lake.disk.power_is_on();
    SeededRandom random(cut);
    lake.disk.Restart(random);
    ASSERT_TRUE(lake.Open()) << cut;
    EXPECT_EQ(lake.Files("db", "mem").size(), 1u) << cut;
    const bool is_there = lake.catalog->Find("db", "cpu") != nullptr;
    ++(is_there ? there : gone);
    if (is_there) {
      EXPECT_FALSE(reported) << cut;
      EXPECT_EQ(lake.Files("db", "cpu").size(), 1u) << cut;
      EXPECT_TRUE(lake.Objects().contains("db/cpu/f1")) << cut;
      TableDrops drops(*lake.catalog, lake.clock, lake.random);
      EXPECT_TRUE(drops.DropTable("db", "cpu", drops.DropTable("db", "cpu", "")->confirmation).ok()) << cut;
      EXPECT_EQ(lake.catalog->Find("db", "cpu"), nullptr) << cut;
    }
    if (!was_cut) break;
  }
  EXPECT_GT(there, 0);
  EXPECT_GT(gone, 0);
}

}  // namespace
}  // namespace arc
