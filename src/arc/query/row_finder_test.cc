#include "arc/query/row_finder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <set>

#include "arc/io/local_disk.h"
#include "arc/model/batch_for_test.h"
#include "arc/query/catalog_for_test.h"
#include "duckdb.hpp"

namespace arc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kSecond = 1'000'000;
constexpr int kRowsOfFile = 10'000;

// Table db.t: files f0 to f2 of 10,000 rows, a row a second, v from 0 to 29,999, host h0 to h9, every 100th row without
// one. A hot row of v = 1,000,000 beside them.
class RowFinderTest : public ::testing::Test {
 protected:
  RowFinderTest() {
    folder_ =
        std::filesystem::path(::testing::TempDir()) / ("row_finder_test_" + Uuid::Random(SystemRandom()).ToString());
    std::filesystem::create_directories(folder_ / "store");
    store_ = *OpenLocalObjectStore(SystemDisk(), folder_ / "store");
    MakeTable();
    QueryOptions options;
    options.threads = 2;
    options.temp_folder = folder_ / "spill";
    options.memory_limit_bytes = int64_t{1} << 30;
    engine_ = *QueryEngine::Open(options, catalog_, *store_);
  }
  ~RowFinderTest() override {
    engine_.reset();
    std::filesystem::remove_all(folder_);
  }

  void MakeTable() {
    duckdb::DuckDB database(nullptr);
    duckdb::Connection connection(database);
    std::vector<std::shared_ptr<const FileEntry>> files;
    for (int file = 0; file < 3; ++file) {
      const std::string key = "f" + std::to_string(file);
      const std::string path = folder_ / "store" / key;
      const auto made = connection.Query(
          "COPY (SELECT make_timestamp(i * 1000000) AS time, CASE WHEN i % 100 <> 7 THEN 'h' || i % 10 END AS host, i "
          "AS v FROM range(" +
          std::to_string(file * kRowsOfFile) + "::BIGINT, " + std::to_string((file + 1) * kRowsOfFile) +
          ") r(i)) TO '" + path + "' (FORMAT parquet, ROW_GROUP_SIZE 2048, FIELD_IDS {time: 1, host: 2, v: 3})");
      ASSERT_FALSE(made->HasError()) << made->GetError();
      files.push_back(std::make_shared<const FileEntry>(
          FileEntry{key, static_cast<int64_t>(std::filesystem::file_size(path)), kRowsOfFile,
                    file * kRowsOfFile * kSecond, ((file + 1) * kRowsOfFile - 1) * kSecond}));
    }
    Schema schema;
    schema.columns = {{"time", ColumnType::kTimestamp, ColumnRole::kTime, 1, true},
                      {"host", ColumnType::kString, ColumnRole::kTag, 2, true},
                      {"v", ColumnType::kInt64, ColumnRole::kField, 3, true}};
    catalog_.AddFiles("db", "t", schema, files);
    catalog_.Write("db", "t", BatchForTest({0}).Tags("host", {"hot"}).Ints("v", {1'000'000}).Done());
    catalog_.Write("secret", "s", BatchForTest({0}).Ints("v", {5}).Done());
    catalog_.Write("db", "doomed", BatchForTest({0, 1}).Tags("host", {"h3", std::nullopt}).Done());
  }

  Result<std::vector<RowMatches>> Find(const std::string& sql, CancelSwitch& cancel) {
    auto version = std::make_shared<TableVersion>();
    const auto table = catalog_.Find("db", "t");
    version->schema = table->Current()->schema;
    version->files = table->committed_files();
    QueryRequest request;
    request.sql = sql;
    request.database = "db";
    request.principal = principal_;
    return FindRows(*engine_, request, version, cancel);
  }
  Result<std::vector<RowMatches>> Find(const std::string& sql) {
    CancelSwitch cancel;
    return Find(sql, cancel);
  }
  // The values of v that match.
  std::set<int64_t> Values(const std::string& sql) {
    const auto found = Find(sql);
    EXPECT_TRUE(found.ok()) << sql << ": " << (found.ok() ? "" : found.error().message);
    std::set<int64_t> values;
    if (!found.ok()) return values;
    for (const auto& match : *found) {
      const int64_t first = match.file->min_time / kSecond;
      int64_t rows = 0;
      for (int64_t row = 0; row < kRowsOfFile; ++row) {
        if (!match.all() && match.set.NextIn(row) != row) continue;
        values.insert(first + row);
        ++rows;
      }
      EXPECT_EQ(rows, match.rows) << sql;
    }
    return values;
  }
  static std::set<int64_t> Where(const std::function<bool(int64_t)>& wanted) {
    std::set<int64_t> values;
    for (int64_t v = 0; v < 3 * kRowsOfFile; ++v) {
      if (wanted(v)) values.insert(v);
    }
    return values;
  }
  std::string Fails(const std::string& sql) {
    const auto found = Find(sql);
    EXPECT_FALSE(found.ok()) << sql;
    return found.ok() ? "" : found.error().message;
  }

  std::filesystem::path folder_;
  CatalogForTest catalog_;
  std::unique_ptr<ObjectStore> store_;
  std::unique_ptr<QueryEngine> engine_;
  Principal principal_ = Principal::Admin("test");
};

TEST_F(RowFinderTest, FindsTheRowsThatTheConditionIsTrueFor) {
  EXPECT_EQ(Values("DELETE FROM t WHERE v = 12345"), (std::set<int64_t>{12345}));
  EXPECT_EQ(Values("DELETE FROM db.t WHERE host = 'h7'"), Where([](int64_t v) { return v % 10 == 7 && v % 100 != 7; }));
  // NULL is not true.
  EXPECT_EQ(Values("DELETE FROM db.t WHERE host <> 'h7'"), Where([](int64_t v) { return v % 10 != 7; }));
  EXPECT_EQ(Values("DELETE FROM db.t WHERE host IS NULL"), Where([](int64_t v) { return v % 100 == 7; }));
  EXPECT_EQ(Values("DELETE FROM db.t WHERE v % 3 = 0 AND time >= TIMESTAMP '1970-01-01 01:00:00'"),
            Where([](int64_t v) { return v % 3 == 0 && v >= 3600; }));
  EXPECT_TRUE(Values("DELETE FROM db.t WHERE v < 0").empty());
  EXPECT_TRUE(Values("DELETE FROM db.t WHERE v = 1000000").empty());  // a hot row
  EXPECT_EQ(Values("EXPLAIN DELETE FROM db.t WHERE v = 1"), (std::set<int64_t>{1}));
  EXPECT_EQ(Values("DELETE FROM arc.db.t WHERE timestamp = epoch_ms(5000)"), (std::set<int64_t>{5}));
}

TEST_F(RowFinderTest, NamesOfTheTableMeanWhatTheyMeanInAQuery) {
  for (const char* sql : {"DELETE FROM db.t WHERE t.v = 3", "DELETE FROM db.t WHERE db.t.v = 3",
                          "DELETE FROM t AS x WHERE x.v = 3", "DELETE FROM \"db\".T x WHERE V = 3"}) {
    EXPECT_EQ(Values(sql), (std::set<int64_t>{3})) << sql;
  }
  EXPECT_THAT(Fails("DELETE FROM t WHERE nosuch = 3"), HasSubstr("nosuch"));
}

TEST_F(RowFinderTest, SubqueriesSeeTablesAsTheyAre) {
  EXPECT_EQ(Values("DELETE FROM db.t WHERE host IN (SELECT host FROM doomed)"),
            Where([](int64_t v) { return v % 10 == 3; }));
  // The same table with all of its files and hot rows.
  EXPECT_EQ(Values("DELETE FROM db.t WHERE v = (SELECT max(v) - 999999 FROM db.t)"), (std::set<int64_t>{1}));
  EXPECT_EQ(
      Values("DELETE FROM db.t WHERE time < TIMESTAMP '1970-01-01 10:00:00' AND host IN (SELECT host FROM doomed)"),
      Where([](int64_t v) { return v % 10 == 3; }));
  EXPECT_EQ(Values("DELETE FROM db.t WHERE EXISTS (SELECT 1 FROM doomed d WHERE d.host = t.host) AND v < 100"),
            Where([](int64_t v) { return v % 10 == 3 && v < 100; }));
}

TEST_F(RowFinderTest, FilesWithinARangeOfTimeAreNotRead) {
  std::filesystem::remove(folder_ / "store" / "f0");
  EXPECT_EQ(Values("DELETE FROM db.t WHERE time < TIMESTAMP '1970-01-01 02:46:40'"),
            Where([](int64_t v) { return v < 10'000; }));
  EXPECT_EQ(Values("DELETE FROM db.t WHERE time < TIMESTAMP '1970-01-01 04:00:00'"),
            Where([](int64_t v) { return v < 14'400; }));
  std::filesystem::remove(folder_ / "store" / "f1");
  std::filesystem::remove(folder_ / "store" / "f2");
  for (const char* sql : {"DELETE FROM db.t", "DELETE FROM db.t WHERE true",
                          "DELETE FROM db.t WHERE time BETWEEN TIMESTAMP '1970-01-01' AND '1971-01-01'",
                          "DELETE FROM db.t WHERE time < now() AND time > '1960-01-01'"}) {
    EXPECT_EQ(Values(sql).size(), 3u * kRowsOfFile) << sql;
  }
  // One of a second condition is read.
  EXPECT_FALSE(Find("DELETE FROM db.t WHERE time < now() AND v >= 0").ok());
  EXPECT_FALSE(Find("DELETE FROM db.t WHERE time < now() AND host IN (SELECT host FROM doomed)").ok());
}

TEST_F(RowFinderTest, WhatAQueryMayNotIsRefused) {
  EXPECT_THAT(Fails("DELETE FROM db.t WHERE host = (SELECT content FROM read_text('/etc/passwd'))"),
              HasSubstr("read_text"));
  EXPECT_THAT(Fails("DELETE FROM db.t WHERE host = getenv('HOME')"), HasSubstr("getenv"));
  EXPECT_THAT(Fails("DELETE FROM db.t USING doomed WHERE t.host = doomed.host"), HasSubstr("USING"));
  EXPECT_THAT(Fails("DELETE FROM db.t WHERE v = 1 RETURNING v"), HasSubstr("RETURNING"));
  EXPECT_THAT(Fails("WITH a AS (SELECT 1) DELETE FROM db.t WHERE v = 1"), HasSubstr("WITH"));
  EXPECT_THAT(Fails("DELETE FROM db.t AT (VERSION => 1) WHERE v = 1"), HasSubstr(""));
  EXPECT_THAT(Fails("DELETE FROM db.t WHERE max(v) = 1"), HasSubstr("aggregates"));
  EXPECT_THAT(Fails("SELECT 1"), HasSubstr("SELECT"));
  principal_ = Principal{.read = true, .write = true, .databases = {"db"}};
  EXPECT_EQ(Values("DELETE FROM db.t WHERE v = 5"), (std::set<int64_t>{5}));
  const auto found = Find("DELETE FROM db.t WHERE v IN (SELECT v FROM secret.s)");
  ASSERT_FALSE(found.ok());
  EXPECT_THAT(found.error().message, HasSubstr("secret"));
}

TEST_F(RowFinderTest, TheColumnsOfADeleteAreNotForQueries) {
  for (const char* column : {"\"\x1f_row\"", "\"\x1f_file\""}) {
    QueryRequest request;
    request.sql = std::string("SELECT ") + column + " FROM db.t";
    request.principal = principal_;
    EXPECT_FALSE(engine_->Execute(request).ok());
  }
  QueryRequest request;
  request.sql = "SELECT * FROM db.t AT (\"\x1f_delete\" => true)";
  request.principal = principal_;
  EXPECT_FALSE(engine_->Execute(request).ok());
}

TEST_F(RowFinderTest, ACancelledSearchEnds) {
  CancelSwitch cancel;
  cancel.Cancel();
  const auto found = Find("DELETE FROM db.t WHERE v >= 0 AND host IS NOT NULL", cancel);
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().kind, ErrorKind::kCancelled);
}

}  // namespace
}  // namespace arc
