#include <gtest/gtest.h>

#include <algorithm>

#include "sql_case.h"
#include "sql_fixture.h"

namespace arc {
namespace {

Principal User(const std::string& name) {
  if (name == "admin") return Principal::Admin("admin");
  ARC_CHECK(name == "limited");
  Principal limited;
  limited.name = name;
  limited.read = true;
  limited.databases = {"default", "metrics"};
  return limited;
}

std::string Lines(const std::vector<std::string>& lines) {
  std::string result;
  for (const std::string& line : lines) result += line + "\n";
  return result;
}

void Check(SqlFixture& fixture, const SqlCase& test, const std::string& place) {
  QueryRequest request;
  request.sql = test.sql;
  request.database = test.database;
  request.principal = User(test.user);
  Result<std::vector<std::string>> rows = fixture.Run(request);
  if (!test.error.empty()) {
    ASSERT_FALSE(rows.ok()) << place << test.sql << "\nanswered\n" << Lines(*rows);
    EXPECT_EQ(ErrorKindName(rows.error().kind), test.error) << place << test.sql << "\n" << rows.error().message;
    for (const std::string& part : test.expected) {
      EXPECT_NE(rows.error().message.find(part), std::string::npos)
          << place << test.sql << "\nexpected: " << part << "\nmessage: " << rows.error().message;
    }
    return;
  }
  ASSERT_TRUE(rows.ok()) << place << test.sql << "\n" << rows.error().message;
  std::vector<std::string> expected = test.expected;
  if (test.sorted) {
    std::sort(rows->begin(), rows->end());
    std::sort(expected.begin(), expected.end());
  }
  EXPECT_EQ(Lines(*rows), Lines(expected)) << place << test.sql;
}

// One layout at a time: loading it costs more than most files.
class SqlCases : public ::testing::TestWithParam<Layout> {
 protected:
  static SqlFixture& Fixture(Layout layout) {
    if (!fixture_ || loaded_ != layout) {
      fixture_.reset();
      fixture_ = std::make_unique<SqlFixture>(layout);
      loaded_ = layout;
    }
    return *fixture_;
  }
  static void TearDownTestSuite() { fixture_.reset(); }

  static inline std::unique_ptr<SqlFixture> fixture_;
  static inline Layout loaded_ = Layout::kHot;
};

TEST_P(SqlCases, All) {
  SqlFixture& fixture = Fixture(GetParam());
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(SQL_TEST_DIR) + "/cases")) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  ASSERT_FALSE(files.empty());
  int count = 0;
  for (const auto& file : files) {
    Result<std::vector<SqlCase>> cases = ReadSqlCases(file);
    ASSERT_TRUE(cases.ok()) << cases.error().message;
    for (const SqlCase& test : *cases) {
      Check(fixture, test, file.filename().string() + ":" + std::to_string(test.line) + "\n");
      ++count;
    }
  }
  RecordProperty("cases", count);
  EXPECT_EQ(fixture.engine().pool_stats().active, 0);
}

INSTANTIATE_TEST_SUITE_P(Layouts, SqlCases, ::testing::ValuesIn(kLayouts),
                         [](const auto& info) { return LayoutName(info.param); });

}  // namespace
}  // namespace arc
