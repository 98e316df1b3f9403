#include <gtest/gtest.h>

#include "sql_case.h"
#include "sql_fixture.h"

namespace arc {
namespace {

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
  const std::vector<std::string> files = SqlCaseFiles(std::string(SQL_TEST_DIR) + "/cases");
  ASSERT_FALSE(files.empty());
  int count = 0;
  for (const auto& file : files) {
    Result<std::vector<SqlCase>> cases = ReadSqlCases(file);
    ASSERT_TRUE(cases.ok()) << cases.error().message;
    for (const SqlCase& test : *cases) {
      CheckSqlCase(test, file + ":" + std::to_string(test.line) + "\n",
                   [&](const QueryRequest& request) { return fixture.Run(request); });
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
