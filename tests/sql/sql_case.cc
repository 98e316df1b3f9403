#include "sql_case.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

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

}  // namespace

Result<std::vector<SqlCase>> ReadSqlCases(const std::string& path) {
  std::ifstream file(path);
  if (!file.good()) return NotFound(path);
  std::vector<SqlCase> cases;
  SqlCase current;
  enum class State { kBetween, kStatement, kRows } state = State::kBetween;
  int number = 0;
  std::string line;
  auto wrong = [&](const std::string& what) {
    return InvalidArgument(path + ":" + std::to_string(number) + ": " + what);
  };
  auto finish = [&] {
    if (state == State::kRows) {
      cases.push_back(current);
      current.sql.clear();
      current.expected.clear();
      current.error.clear();
      current.sorted = false;
    }
    state = State::kBetween;
  };
  while (std::getline(file, line)) {
    ++number;
    if (line.empty()) {
      if (state == State::kStatement) return wrong("a statement without ----");
      finish();
    } else if (state == State::kStatement) {
      if (line == "----") {
        state = State::kRows;
      } else {
        current.sql += (current.sql.empty() ? "" : "\n") + line;
      }
    } else if (state == State::kRows) {
      current.expected.push_back(line);
    } else if (line[0] == '#') {
      continue;
    } else if (line.starts_with("user ")) {
      current.user = line.substr(5);
    } else if (line.starts_with("database ")) {
      current.database = line.substr(9);
    } else if (line == "query" || line == "query sorted" || line.starts_with("error ")) {
      current.sorted = line == "query sorted";
      if (line[0] == 'e') current.error = line.substr(6);
      current.line = number + 1;
      state = State::kStatement;
    } else {
      return wrong("unknown directive: " + line);
    }
  }
  if (state == State::kStatement) return wrong("a statement without ----");
  finish();
  return cases;
}

std::vector<std::string> SqlCaseFiles(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".test") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

void CheckSqlCase(const SqlCase& test, const std::string& place,
                  const std::function<Result<std::vector<std::string>>(const QueryRequest&)>& run) {
  QueryRequest request;
  request.sql = test.sql;
  request.database = test.database;
  request.principal = User(test.user);
  Result<std::vector<std::string>> rows = run(request);
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

}  // namespace arc
