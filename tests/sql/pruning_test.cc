#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>

#include "sql_fixture.h"

namespace arc {
namespace {

using ::testing::ElementsAre;

// Table default.series has one file an hour: 50 of them, where all rows are in files.
class Pruning : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { fixture_ = std::make_unique<SqlFixture>(Layout::kFiles); }
  static void TearDownTestSuite() { fixture_.reset(); }
  static SqlFixture& Fixture() { return *fixture_; }

  // How many files a query opened; -1 when its plan has no scan of ours.
  static int FilesOpened(const std::string& sql) {
    auto rows = Fixture().Run("EXPLAIN ANALYZE " + sql);
    EXPECT_TRUE(rows.ok()) << sql << ": " << (rows.ok() ? "" : rows.error().message);
    if (!rows.ok()) return -2;
    std::string plan;
    for (const std::string& row : *rows) plan += row;
    std::smatch match;
    // The plan is drawn in boxes: "Files Opened: │" and "3" may stand on two lines.
    if (!std::regex_search(plan, match, std::regex("Files Opened:[^0-9]*([0-9]+)"))) return -1;
    return std::stoi(match[1]);
  }

  static std::vector<std::string> Rows(const std::string& sql) {
    auto rows = Fixture().Run(sql);
    EXPECT_TRUE(rows.ok()) << sql << ": " << (rows.ok() ? "" : rows.error().message);
    return rows.ok() ? *rows : std::vector<std::string>{};
  }

 private:
  static inline std::unique_ptr<SqlFixture> fixture_;
};

TEST_F(Pruning, WholeTable) { EXPECT_EQ(FilesOpened("SELECT sum(value) FROM series"), 50); }

TEST_F(Pruning, LiteralsOfEveryKind) {
  for (const char* predicate :
       {"time >= '2024-03-01 05:00:00' AND time < '2024-03-01 06:00:00'",
        "time >= TIMESTAMP '2024-03-01 05:00:00' AND TIMESTAMP '2024-03-01 06:00:00' > time",
        "time BETWEEN '2024-03-01 05:00:00' AND '2024-03-01 05:59:00'",
        "time >= TIMESTAMPTZ '2024-03-01 05:00:00+00' AND time < TIMESTAMPTZ '2024-03-01 06:00:00+00'",
        "time BETWEEN TIMESTAMPTZ '2024-03-01 05:00:00+00' AND TIMESTAMPTZ '2024-03-01 05:59:00+00'",
        "time >= '2024-03-01'::DATE + INTERVAL '5 hours' AND time < '2024-03-01'::DATE + INTERVAL '6 hours'",
        "timestamp >= '2024-03-01 05:00:00' AND timestamp < '2024-03-01 06:00:00'",
        "timestamp >= '2024-03-01 05:00:00' AND time < '2024-03-01 06:00:00'",
        "epoch_us(time) >= 1709269200000000 AND epoch_us(time) < 1709272800000000",
        "epoch_ms(time) BETWEEN 1709269300000 AND 1709272700000",
        "epoch(time) > 1709269300 AND epoch(time) < 1709272700", "time = '2024-03-01 05:30:00'",
        "time IN ('2024-03-01 05:30:00', '2024-03-01 05:31:00')",
        "(time < '2024-03-01 06:00:00' AND host = 'h1') AND time >= '2024-03-01 05:00:00'"}) {
    EXPECT_EQ(FilesOpened(std::string("SELECT sum(value) FROM series WHERE ") + predicate), 1) << predicate;
  }
}

TEST_F(Pruning, NowMeansNothingOld) {
  EXPECT_LE(FilesOpened("SELECT sum(value) FROM series WHERE time > now() - INTERVAL '1 hour'"), 0);
  EXPECT_LE(FilesOpened("SELECT sum(value) FROM series WHERE time > now()::TIMESTAMP - INTERVAL '1 hour'"), 0);
  EXPECT_EQ(FilesOpened("SELECT sum(value) FROM series WHERE time < now() - INTERVAL '1 hour'"), 50);
}

TEST_F(Pruning, GapsBetweenAlternativesAreSkipped) {
  EXPECT_EQ(FilesOpened("SELECT sum(value) FROM series WHERE time IN ('2024-03-01 05:00:00', '2024-03-02 05:00:00')"),
            2);
  EXPECT_EQ(FilesOpened("SELECT sum(value) FROM series WHERE time < '2024-03-01 01:00:00'"
                        " OR time BETWEEN '2024-03-02 05:00:00' AND '2024-03-02 06:30:00'"),
            3);
}

TEST_F(Pruning, CountAndBoundsOpenNothing) {
  EXPECT_EQ(FilesOpened("SELECT count(*) FROM series"), -1);
  EXPECT_EQ(FilesOpened("SELECT min(time), max(time), count(*) FROM series"), -1);
  EXPECT_EQ(FilesOpened("SELECT count(*) FROM series WHERE time >= '2024-03-01 05:00:00'"
                        " AND time < '2024-03-01 09:00:00'"),
            -1);
  EXPECT_THAT(Rows("SELECT min(time), max(time), count(*) FROM series"),
              ElementsAre("2024-03-01 00:00:00.000000 | 2024-03-03 01:59:30.000000 | 6000"));
  EXPECT_THAT(Rows("SELECT count(*) FROM series WHERE time >= '2024-03-01 05:10:00' AND time < '2024-03-01 09:10:00'"),
              ElementsAre("480"));
}

TEST_F(Pruning, TopNEndsEarly) {
  EXPECT_LE(FilesOpened("SELECT * FROM series ORDER BY time DESC LIMIT 10"), 6);
  EXPECT_LE(FilesOpened("SELECT * FROM series ORDER BY time LIMIT 10"), 6);
  EXPECT_LE(FilesOpened("SELECT time, value FROM series WHERE host = 'h3' ORDER BY timestamp DESC LIMIT 5"), 6);
  EXPECT_THAT(Rows("SELECT value FROM series ORDER BY time DESC LIMIT 3"), ElementsAre("5999", "5998", "5997"));
  EXPECT_THAT(Rows("SELECT value FROM series ORDER BY time LIMIT 3 OFFSET 5"), ElementsAre("5", "6", "7"));
  EXPECT_THAT(Rows("SELECT value FROM series ORDER BY time DESC LIMIT 2 OFFSET 5998"), ElementsAre("1", "0"));
  EXPECT_THAT(Rows("SELECT value FROM series ORDER BY time DESC LIMIT 2 OFFSET 6000"), ElementsAre());
  EXPECT_THAT(Rows("SELECT value FROM series WHERE time >= '1970-01-01' ORDER BY time LIMIT 2 OFFSET 3000"),
              ElementsAre("3000", "3001"));
}

// The early end of a top-N must not leave out hot rows that are older, or younger, than all files.
TEST_F(Pruning, TopNFindsHotRowsAtEitherEnd) {
  SqlFixture fixture(Layout::kFiles);
  fixture.Write("default", "series,host=old value=-1 1709200000\nseries,host=new value=-2 1709900000\n");
  EXPECT_THAT(*fixture.Run("SELECT host FROM series ORDER BY time LIMIT 1"), ElementsAre("old"));
  EXPECT_THAT(*fixture.Run("SELECT host FROM series ORDER BY time DESC LIMIT 1"), ElementsAre("new"));
  EXPECT_THAT(*fixture.Run("SELECT host, value FROM series ORDER BY time LIMIT 2 OFFSET 1"),
              ElementsAre("h0 | 0", "h1 | 1"));
  EXPECT_THAT(*fixture.Run("SELECT host FROM series WHERE value < 0 ORDER BY time LIMIT 5"), ElementsAre("old", "new"));
  EXPECT_THAT(*fixture.Run("SELECT min(time), count(*) FROM series"), ElementsAre("2024-02-29 09:46:40.000000 | 6002"));
  // Late rows in the middle of what files hold.
  fixture.Write("default", "series,host=mid value=-3 1709300001\n");
  EXPECT_THAT(*fixture.Run("SELECT host FROM series WHERE time > '2024-03-01 13:33:00' ORDER BY time LIMIT 2"),
              ElementsAre("mid", "h2"));
}

TEST_F(Pruning, JoinsPassTheirBoundsToTheScan) {
  EXPECT_LE(FilesOpened("SELECT sum(s.value) FROM series s JOIN (SELECT '2024-03-01 05:30:00'::TIMESTAMP AS t) x"
                        " ON s.time = x.t"),
            1);
}

}  // namespace
}  // namespace arc
